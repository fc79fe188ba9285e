/** watch: balances as they change. */
import { type Command } from 'commander';
import { type BalanceChanges } from '../../../client';
import { wholeNumber } from '../arguments';
import { type Output } from '../output';
import { type Session } from '../session';
import { balanceJson } from './accounts';

interface WatchFlags {
  readonly token?: string;
  readonly count?: number;
}

export function addWatchCommand(program: Command, session: () => Session): void {
  program
    .command('watch')
    .description('print balances now, and again whenever they have changed, until Ctrl-C')
    .argument('<name...>', 'the accounts')
    .option('--token <token>', 'begin with a state at least as new as the answer that this token is from')
    .option('--count <n>', 'end after so many answers', wholeNumber('--count', 1, 2 ** 31 - 1))
    .action((names: string[], flags: WatchFlags) => watch(session(), names, flags));
}

async function watch(session: Session, names: readonly string[], flags: WatchFlags): Promise<void> {
  const { output, terminal } = session;
  await session.withClient(async (client) => {
    const { token, count = Infinity } = flags;
    const consistency = token === undefined ? {} : { consistency: { atLeast: token } };
    let answers = 0;
    for await (const changes of client.watchBalances(names, { signal: terminal.signal, ...consistency })) {
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
