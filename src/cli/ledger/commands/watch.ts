/** watch: balances as they change. */
import { type Command } from 'commander';
import { type BalanceChanges } from '../../../client';
import { wholeNumber } from '../arguments';
import { addConsistencyOptions, type ConsistencyOptions, consistencyOf } from '../consistency';
import { type Output } from '../output';
import { type Session } from '../session';
import { balanceJson } from './accounts';

interface WatchFlags extends ConsistencyOptions {
  readonly count?: number;
}

export function addWatchCommand(program: Command, session: () => Session): void {
  const command = program
    .command('watch')
    .description('print balances now, and again whenever they have changed, until Ctrl-C')
    .argument('<name...>', 'the accounts');
  addConsistencyOptions(command)
    .option('--count <n>', 'end after so many answers', wholeNumber('--count', 1, 2 ** 31 - 1))
    .action((names: string[], flags: WatchFlags) => {
      // A token alone says enough of where to begin.
      const isImplied = flags.token !== undefined && command.getOptionValueSource('consistency') === 'default';
      return watch(session(), names, isImplied ? { ...flags, consistency: 'at-least' } : flags);
    });
}

/** The consistency is that of the first answer; each later one is newer. */
async function watch(session: Session, names: readonly string[], flags: WatchFlags): Promise<void> {
  const { output, terminal } = session;
  const consistency = consistencyOf(flags);
  await session.withClient(async (client) => {
    const { count = Infinity } = flags;
    let answers = 0;
    for await (const changes of client.watchBalances(names, { signal: terminal.signal, consistency })) {
      print(output, changes);
      if (++answers >= count) return;
    }
  });
}

function print(output: Output, { balances, position }: BalanceChanges): void {
  if (output.json) {
    output.document({ balances: balances.map(balanceJson), ...position });
    return;
  }
  for (const { account, posted, available = 'no limit', ledger } of balances) {
    const what = ledger === '' ? 'no such account yet' : `${posted} ${ledger}  available ${available}`;
    output.line(`${position.offset}  ${account}  ${what}`);
  }
}
