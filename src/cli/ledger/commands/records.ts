/** produce and consume. */
import { type Command } from 'commander';
import { decodeLedgerRecord, type LedgerClient, type RecordView } from '../../../client';
import { wholeNumber } from '../arguments';
import { LEDGER_RECORD, recordJson } from '../../record-json';
import { linesOf } from '../line-splitter';
import { type Output } from '../output';
import { type Session } from '../session';

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
    .action((options: { from?: number; follow: boolean }) => consume(session(), options));
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

async function consume(session: Session, options: { from?: number; follow: boolean }): Promise<void> {
  const { output, terminal } = session;
  await session.withClient(async (client) => {
    const { from, end } = await rangeOf(client, options);
    if (from >= end) return;
    for await (const record of client.consumeStream(from, { signal: terminal.signal })) {
      print(output, record);
      if (record.offset + 1 >= end) return;
    }
  });
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
