import { UsageError } from '../terminal';

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const QUOTE = 0x22;
/** No row that the ledger takes is nearly as long; a quote that is never closed would otherwise take in the whole input. */
const MAX_RECORD_BYTES = 64 * 1024;

/** A line of the input, or several where a quoted field holds line breaks. */
export interface InputRecord {
  /** Of the input, from 1 on: where the record begins. */
  readonly line: number;
  /** Without the line break. */
  readonly bytes: Buffer;
  /** With it. All of them together are the input. */
  readonly raw: Buffer;
}

/** Cuts a stream of bytes into records, of CSV (RFC 4180) or of one JSON document a line. Needs no more memory than one record. */
export class RecordSplitter {
  private rest: Buffer = Buffer.alloc(0);
  private line = 1;

  /** @param hasQuotes CSV: a line break between quotes is part of a field */
  constructor(private readonly hasQuotes: boolean) {}

  /** The records that are complete with this part of the input. */
  push(part: Buffer): InputRecord[] {
    this.rest = this.rest.length === 0 ? part : Buffer.concat([this.rest, part]);
    const { rest } = this;
    const records: InputRecord[] = [];
    let start = 0;
    let lines = 0;
    let inQuotes = false;
    let quote = this.hasQuotes ? rest.indexOf(QUOTE) : -1;
    for (let end = rest.indexOf(LINE_FEED); end >= 0; end = rest.indexOf(LINE_FEED, end + 1)) {
      lines++;
      for (; quote >= 0 && quote < end; quote = rest.indexOf(QUOTE, quote + 1)) inQuotes = !inQuotes;
      if (inQuotes) continue;
      records.push(recordOf(this.line, rest.subarray(start, end + 1)));
      this.line += lines;
      lines = 0;
      start = end + 1;
    }
    this.rest = rest.subarray(start);
    if (this.rest.length > MAX_RECORD_BYTES) {
      const why = this.hasQuotes ? ': maybe a quote is not closed' : '';
      throw new UsageError(`import: the row at line ${this.line} has more than ${MAX_RECORD_BYTES} bytes${why}`);
    }
    return records;
  }

  /** What is left behind the last line break. */
  end(): InputRecord[] {
    return this.rest.length === 0 ? [] : [recordOf(this.line, this.rest)];
  }
}

function recordOf(line: number, raw: Buffer): InputRecord {
  let end = raw.length;
  if (raw[end - 1] === LINE_FEED) end--;
  if (raw[end - 1] === CARRIAGE_RETURN) end--;
  return { line, raw, bytes: raw.subarray(0, end) };
}
