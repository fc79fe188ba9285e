/** transfer and balance. */
import { type Command } from 'commander';
import { type ReadConsistency, type TransferInput, uuidV7 } from '../../../client';
import { durationMs } from '../arguments';
import { timeText } from '../output';
import { oneOf, type Session } from '../session';
import { Refused, UsageError } from '../terminal';
import { balanceJson, balanceRows } from './accounts';

const LEVELS = ['linearizable', 'at-least', 'stale'] as const;

interface TransferOptions {
  readonly id?: string;
  readonly ledger?: string;
}

interface BalanceOptions {
  readonly consistency: string;
  readonly token?: string;
  readonly maxStaleness?: string;
  readonly at?: string;
}

export function addTransferCommands(program: Command, session: () => Session): void {
  program
    .command('transfer')
    .description('move money from one account to another')
    .argument('<from>', 'the account that pays')
    .argument('<to>', 'the account that is paid')
    .argument('<amount>', 'a decimal, such as 0.50')
    .option(
      '--id <id>',
      'a UUID or another text of 1 to 64 bytes; the same id again moves nothing (default: a new UUID)',
    )
    .option('--ledger <code>', 'needed where the transfer is to open an account')
    .action((from: string, to: string, amount: string, options: TransferOptions) =>
      transfer(session(), from, to, amount, options),
    );
  program
    .command('balance')
    .description('the balance of an account')
    .argument('<name>')
    .option('--consistency <level>', LEVELS.join(', '), oneOf('--consistency', LEVELS), 'linearizable')
    .option('--token <token>', 'with at-least: from an earlier answer')
    .option('--max-staleness <duration>', 'with stale: refuse what may be older')
    .option('--at <time|offset>', '[not built yet: refused]')
    .action((name: string, options: BalanceOptions) => balance(session(), name, options));
}

async function transfer(
  session: Session,
  from: string,
  to: string,
  amount: string,
  options: TransferOptions,
): Promise<void> {
  const { id = uuidV7(), ledger } = options;
  const input: TransferInput = {
    ...{ id, debitAccount: from, creditAccount: to, amount },
    ...(ledger === undefined ? {} : { ledger }),
  };
  const outcome = await session.withClient((client) => client.transfer(input));
  const { result, message, offset, timestamp, replayed, amountMoved } = outcome;
  session.output.record(outcome, [
    ['id', outcome.id],
    ['result', replayed ? `${result} (a repeat; nothing moved again)` : result],
    ['moved', amountMoved === '' ? undefined : amountMoved],
    ['offset', offset < 0 ? undefined : offset],
    ['time', timestamp === 0 ? undefined : timeText(timestamp)],
    ['token', outcome.token],
  ]);
  if (result !== 'ok') throw new Refused(result, message);
}

async function balance(session: Session, name: string, options: BalanceOptions): Promise<void> {
  const consistency = consistencyOf(options);
  const { position, ...view } = await session.withClient((client) => client.balance(name, { consistency }));
  session.output.record({ ...balanceJson(view), ...position }, [
    ['account', view.account],
    ['ledger', view.ledger],
    ...balanceRows(view),
    ['as of offset', position.offset],
    ['token', position.token],
  ]);
}

function consistencyOf(options: BalanceOptions): ReadConsistency {
  const { consistency, token, maxStaleness, at } = options;
  if (at !== undefined) throw new UsageError('balance --at: balances of the past are not built yet');
  if (token !== undefined && consistency !== 'at-least')
    throw new UsageError('--token goes with --consistency at-least');
  if (maxStaleness !== undefined && consistency !== 'stale') {
    throw new UsageError('--max-staleness goes with --consistency stale');
  }
  if (consistency === 'at-least') {
    if (token === undefined) throw new UsageError('--consistency at-least needs the --token of an earlier answer');
    return { atLeast: token };
  }
  if (maxStaleness !== undefined) return { maxStalenessMs: durationMs('--max-staleness', maxStaleness) };
  return consistency === 'stale' ? 'stale' : 'linearizable';
}
