/** transfer and balance, and what the other kinds of transfers have in common with it. */
import { type Command } from 'commander';
import { type FollowingInput, type TransferInput, uuidV7 } from '../../../client';
import { type Point, point, timeMicros, uint64, wholeNumber } from '../arguments';
import { addConsistencyOptions, type ConsistencyOptions, consistencyOf } from '../consistency';
import { tryOut } from '../dry-run';
import { timeText } from '../output';
import { oneOf, type Session } from '../session';
import { Refused, UsageError } from '../terminal';
import { balanceJson, balanceRows } from './accounts';

export const BASES = ['posting', 'effective'] as const;

/** What every kind of transfer may have. */
export interface CommonOptions {
  readonly id?: string;
  readonly code?: number;
  readonly userData?: bigint;
  readonly metadata?: string;
  readonly effectiveTime?: number;
  readonly importedTime?: number;
  readonly dryRun?: boolean;
}

/** What a transfer that refers to no other one may have. */
export interface TransferOptions extends CommonOptions {
  readonly ledger?: string;
  readonly balancing: boolean;
}

interface BalanceOptions extends ConsistencyOptions {
  readonly at?: Point;
  readonly by: string;
}

export function addTransferCommands(program: Command, session: () => Session): void {
  const command = program
    .command('transfer')
    .description('move money from one account to another')
    .argument('<from>', 'the account that pays')
    .argument('<to>', 'the account that is paid')
    .argument('<amount>', 'a decimal, such as 0.50');
  addTransferOptions(command).action((from: string, to: string, amount: string, options: TransferOptions) =>
    send(session(), transferInput(from, to, amount, options), options),
  );
  addConsistencyOptions(
    program.command('balance').description('the balance of an account, now or then').argument('<name>'),
  )
    .option('--at <time|offset>', 'a balance of the past: after a record, or at a time', point('--at'))
    .option('--by <basis>', `which times count, with --at <time>: ${BASES.join(', ')}`, oneOf('--by', BASES), 'posting')
    .action((name: string, options: BalanceOptions) => balance(session(), name, options));
}

export function basisOf(by: string): (typeof BASES)[number] {
  return by === 'effective' ? 'effective' : 'posting';
}

/** The options of every kind of transfer. */
export function addCommonOptions(command: Command): Command {
  return command
    .option(
      '--id <id>',
      'a UUID or another text of 1 to 64 bytes; the same id again moves nothing (default: a new UUID)',
    )
    .option('--code <number>', '32 bits of your own', wholeNumber('--code', 0, 2 ** 32 - 1))
    .option('--user-data <number>', '64 bits of your own', uint64('--user-data'))
    .option('--metadata <text>', 'at most 1,024 bytes of your own')
    .option('--effective-time <time>', 'when it counts as having happened', timeMicros('--effective-time'))
    .option('--imported-time <time>', 'when it happened in the books it comes from', timeMicros('--imported-time'))
    .option('--dry-run', 'say what it would come to, with the balances afterwards, and do nothing', false);
}

export function addTransferOptions(command: Command): Command {
  return addCommonOptions(command)
    .option('--ledger <code>', 'needed where the transfer is to open an account')
    .option('--balancing', 'what the payer has, up to the amount', false);
}

export function commonInput(options: CommonOptions): FollowingInput & { readonly id: string } {
  const { id = uuidV7(), code, userData, metadata, effectiveTime, importedTime } = options;
  return {
    id,
    ...(code === undefined ? {} : { code }),
    ...(userData === undefined ? {} : { userData }),
    ...(metadata === undefined ? {} : { metadata: Buffer.from(metadata, 'utf8') }),
    ...(effectiveTime === undefined ? {} : { effectiveTime }),
    ...(importedTime === undefined ? {} : { importedTime }),
  };
}

export function transferInput(from: string, to: string, amount: string, options: TransferOptions): TransferInput {
  const { ledger, balancing } = options;
  return {
    ...commonInput(options),
    ...{ debitAccount: from, creditAccount: to, amount, balancing },
    ...(ledger === undefined ? {} : { ledger }),
  };
}

/** Sends one transfer and prints what became of it; with `--dry-run`, what would. */
export async function send(session: Session, input: TransferInput, { dryRun }: CommonOptions): Promise<void> {
  if (dryRun === true) return tryOut(session, { transfers: [input] });
  const outcome = await session.withClient((client) => client.transfer(input));
  const { result, message, offset, timestamp, replayed, amountMoved, amountHeld } = outcome;
  session.output.record(outcome, [
    ['id', outcome.id],
    ['result', replayed ? `${result} (a repeat; nothing moved again)` : result],
    ['moved', amountMoved === '' ? undefined : amountMoved],
    ...(amountHeld === '' ? [] : [['held', amountHeld] as const]),
    ['offset', offset < 0 ? undefined : offset],
    ['time', timestamp === 0 ? undefined : timeText(timestamp)],
    ['token', outcome.token],
  ]);
  if (result !== 'ok') throw new Refused(result, message);
}

async function balance(session: Session, name: string, options: BalanceOptions): Promise<void> {
  refuseBasisOfNoTime(options);
  const consistency = consistencyOf(options);
  const { at } = options;
  const then = at === undefined ? {} : { at: 'offset' in at ? at : { ...at, by: basisOf(options.by) } };
  const { position, ...view } = await session.withClient((client) => client.balance(name, { consistency, ...then }));
  session.output.record({ ...balanceJson(view), ...position }, [
    ['account', view.account],
    ['ledger', view.ledger],
    ...balanceRows(view, at !== undefined),
    ['as of offset', position.offset],
    ['token', position.token],
  ]);
}

/** A balance of now has every transfer in it, whenever it counts: it would not be the answer to what was asked. */
function refuseBasisOfNoTime({ at, by }: BalanceOptions): void {
  if (basisOf(by) === 'posting' || (at !== undefined && 'time' in at)) return;
  const why = at === undefined ? '' : '; an offset has no effective time';
  throw new UsageError(`balance: --by effective needs the --at <time> that it is asked for, such as 2024-05-31${why}`);
}
