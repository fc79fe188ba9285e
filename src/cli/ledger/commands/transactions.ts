/** transaction: several transfers that are all done or none. */
import { readFile } from 'node:fs/promises';
import { type Command } from 'commander';
import { uuidV7 } from '../../../client';
import { tryOut } from '../dry-run';
import { type Session } from '../session';
import { Refused, UsageError } from '../terminal';
import { readTransaction } from '../transaction-text';

/** The server takes 1 MiB; text has names and blanks besides. */
const MAX_BYTES = 8 * 1024 * 1024;

interface TransactionOptions {
  readonly id?: string;
  readonly dryRun: boolean;
}

export function addTransactionCommand(program: Command, session: () => Session): void {
  program
    .command('transaction')
    .description('do several transfers, all of them or none')
    .argument('[file]', 'JSON {"id", "transfers": […]}, or one transfer a line; "-" or nothing: stdin')
    .option('--id <id>', 'of the transaction; the same again is done once (default: what the file says, or a new UUID)')
    .option('--dry-run', 'say what it would come to, with the balances afterwards, and do nothing', false)
    .action((file: string | undefined, options: TransactionOptions) => transaction(session(), file, options));
}

async function transaction(session: Session, file: string | undefined, options: TransactionOptions): Promise<void> {
  if (options.id === '') throw new UsageError('transaction: --id is empty; an id has 1 to 64 bytes');
  const { dryRun, ...input } = readTransaction(await textOf(session, file), options.id);
  if (options.dryRun || dryRun) {
    const { id = uuidV7() } = input;
    return tryOut(session, { transfers: input.transfers.map((one) => ({ ...one, transaction: id })) });
  }
  const outcome = await session.withClient((client) => client.transaction(input));
  const { transfers, result, message, replayed, failed } = outcome;
  session.output.list(
    { ...outcome, failed: failed ?? null },
    ['id', 'result', 'moved', 'held', 'offset'],
    transfers.map(({ id: own, result: one, amountMoved, amountHeld, offset }) => [
      ...[own, one, amountMoved === '' ? undefined : amountMoved, amountHeld === '' ? undefined : amountHeld],
      offset < 0 ? undefined : offset,
    ]),
  );
  if (result !== 'ok') throw new Refused(result, message);
  if (!session.output.json) session.output.note(`transaction ${outcome.id}${replayed ? ', a repeat' : ''}: all done`);
}

async function textOf(session: Session, file: string | undefined): Promise<string> {
  if (file !== undefined && file !== '-') {
    return readFile(file, 'utf8').catch((error: unknown) => {
      throw new UsageError(`transaction: ${error instanceof Error ? error.message : String(error)}`);
    });
  }
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of session.terminal.stdin as AsyncIterable<Buffer | string>) {
    const piece = Buffer.from(part as string, 'utf8');
    bytes += piece.length;
    if (bytes > MAX_BYTES) throw new UsageError(`transaction: stdin has more than ${MAX_BYTES} bytes`);
    parts.push(piece);
  }
  return Buffer.concat(parts).toString('utf8');
}
