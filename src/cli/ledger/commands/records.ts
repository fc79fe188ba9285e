/** produce and consume. */
import { type Command } from 'commander';
import { decodeLedgerRecord, type LedgerClient, type RecordFilter, type RecordView } from '../../../client';
import { wholeNumber } from '../arguments';
import { LEDGER_RECORD, recordJson } from '../../record-json';
import { linesOf } from '../line-splitter';
import { type Output } from '../output';
import { type Session } from '../session';

interface ConsumeFlags {
  readonly from?: number;
  readonly follow: boolean;
  readonly account?: readonly string[];
  readonly ledger?: readonly string[];
  readonly result?: readonly string[];
  readonly command?: readonly string[];
  readonly type?: number;
}

/** An option that may be given again. */
function collected(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

export function addRecordCommands(program: Command, session: () => Session): void {
  program
    .command('produce')
    .description('append a value, or each line of stdin, and print the offsets')
    .argument('[value]', 'the value; "-" or nothing: the lines of stdin')
    .action((value?: string) => produce(session(), value));
  program
    .command('consume')
    .description('print the records of the log; those of the ledger as JSON')
    .option('--from <offset>', 'first offset; 0, or the first that is kept', wholeNumber('--from', 0, 2 ** 53 - 1))
    .option('--follow', 'wait for more at the end, until Ctrl-C', false)
    .option('--account <name>', 'only records that concern this account; may be given again', collected)
    .option('--ledger <code>', 'only records of this ledger; may be given again', collected)
    .option('--result <name>', 'only records with this result, such as ok; may be given again', collected)
    .option('--command <name>', 'only this command, such as transfer; may be given again', collected)
    .option('--type <number>', 'only records of this type: 0 values, 1 of the ledger', wholeNumber('--type', 0, 1))
    .action((options: ConsumeFlags) => consume(session(), options));
}

async function produce(session: Session, value: string | undefined): Promise<void> {
  const { output, terminal } = session;
  const print = (offset: number): void => (output.json ? output.document({ offset }) : output.line(String(offset)));
  await session.withClient(async (client) => {
    if (value !== undefined && value !== '-') return print(await client.produce(value));
    const lines = linesOf(terminal.stdin as AsyncIterable<Buffer | string>);
    for await (const offset of client.produceStream(lines)) print(offset);
  });
}

async function consume(session: Session, options: ConsumeFlags): Promise<void> {
  const { output, terminal } = session;
  await session.withClient(async (client) => {
    const { from, end: until } = await rangeOf(client, options);
    const filter = filterOf(options);
    const stream = client.consumeStream(from, { signal: terminal.signal, until, ...(filter && { filter }) });
    for await (const record of stream) print(output, record);
  });
}

/** Undefined where every record is wanted. */
function filterOf({ account, ledger, result, command, type }: ConsumeFlags): RecordFilter | undefined {
  if ([account, ledger, result, command, type].every((given) => given === undefined)) return undefined;
  return {
    ...(account && { accounts: account }),
    ...(ledger && { ledgers: ledger }),
    ...(result && { results: result }),
    ...(command && { commands: command }),
    ...(type !== undefined && { types: [type] }),
  };
}

/** Offsets from here to there; without an end where the log is followed. */
async function rangeOf(
  client: LedgerClient,
  options: { from?: number; follow: boolean },
): Promise<{ from: number; end: number }> {
  if (options.follow && options.from !== undefined) return { from: options.from, end: Infinity };
  const { firstOffset, nextOffset } = await client.logRange();
  return { from: options.from ?? firstOffset, end: options.follow ? Infinity : nextOffset };
}

function print(output: Output, record: RecordView): void {
  const { offset, term, timestamp, type, value } = record;
  if (output.json) {
    output.document({ ...{ offset, term, timestamp, type }, ...recordJson(type, value) });
  } else if (type === LEDGER_RECORD) {
    output.document({ offset, ...decodeLedgerRecord(value) });
  } else {
    output.bytes(Buffer.concat([value, Buffer.from('\n')]));
  }
}
