import { createHash } from 'node:crypto';
import { type Readable } from 'node:stream';
import { UsageError } from '../terminal';
import { type InputRecord, RecordSplitter } from './input-records';
import { type ImportRow, RowReader, type ReaderOptions } from './row-reader';

/** What is sent together: the server takes 8,190 items, and text of this length fits its messages. */
const MAX_ROWS = 8190;
const MAX_BYTES = 512 * 1024;

/** A single row, or the rows of one transaction. */
export interface Unit {
  readonly transaction: string;
  readonly rows: readonly ImportRow[];
}

/** A part of the input: whole units, in order. */
export interface Chunk {
  readonly units: readonly Unit[];
  /** Where the input stands behind it. */
  readonly place: InputPlace;
  /** There is no other one: the input is as short as that. */
  readonly isAll: boolean;
}

export interface InputPlace {
  readonly bytes: number;
  /** Number of the line that comes next. */
  readonly line: number;
  /** SHA-256 of the input up to there, in hexadecimal digits. */
  readonly sha256: string;
}

/** Cuts rows into chunks, never within a transaction. Holds one chunk and one transaction in memory. */
export class ChunkBuilder {
  private readonly hash = createHash('sha256');
  private units: Unit[] = [];
  private rows = 0;
  private rowBytes = 0;
  /** The unit that the next row may belong to; undefined as a transaction: nobody knows which. */
  private open: { transaction: string | undefined; rows: ImportRow[] } | undefined;
  /** Read, and not in the hash yet: what is behind the last unit that is complete. */
  private unhashed: Buffer[] = [];
  private bytes = 0;
  private line = 1;
  /** A chunk was given. */
  private isCut = false;

  /** Undefined as a row: a record that gives none. @returns a chunk that is complete without it */
  add(record: InputRecord, row: ImportRow | undefined): Chunk | undefined {
    let full: Chunk | undefined;
    if (row && !this.joins(row)) {
      this.closeUnit(record.line);
      if (this.rows >= MAX_ROWS || this.rowBytes >= MAX_BYTES) full = this.take(false);
    }
    this.unhashed.push(record.raw);
    if (row) this.append(row);
    return full;
  }

  /** The rest; its place is the end of the input. */
  finish(): Chunk {
    this.closeUnit(this.line);
    return this.take(!this.isCut);
  }

  /** A row that cannot be read may belong to the transaction beside it, which must then not be done without it. */
  private joins({ transaction }: ImportRow): boolean {
    const { open } = this;
    if (!open || open.transaction === '' || transaction === '') return false;
    // An input of which nothing can be read: no transaction has so many rows.
    if (open.transaction === undefined && open.rows.length >= MAX_ROWS) return false;
    return open.transaction === undefined || transaction === undefined || open.transaction === transaction;
  }

  private append(row: ImportRow): void {
    this.open ??= { transaction: row.transaction, rows: [] };
    this.open.transaction ??= row.transaction;
    this.open.rows.push(row);
    if (this.open.rows.length > MAX_ROWS) {
      throw new UsageError(
        `import: the transaction at line ${this.open.rows[0]?.record.line} has more than ${MAX_ROWS} rows`,
      );
    }
  }

  private closeUnit(nextLine: number): void {
    for (const raw of this.unhashed) {
      this.hash.update(raw);
      this.bytes += raw.length;
    }
    this.unhashed = [];
    this.line = nextLine;
    if (!this.open) return;
    const { transaction = '', rows } = this.open;
    // Without a transaction beside them, rows that cannot be read are each on their own.
    if (transaction === '') for (const row of rows) this.units.push({ transaction, rows: [row] });
    else this.units.push({ transaction, rows });
    this.rows += rows.length;
    for (const row of rows) this.rowBytes += row.record.raw.length;
    this.open = undefined;
  }

  private take(isAll: boolean): Chunk {
    this.isCut = true;
    const { units, bytes, line } = this;
    this.units = [];
    this.rows = this.rowBytes = 0;
    return { units, place: { bytes, line, sha256: this.hash.copy().digest('hex') }, isAll };
  }
}

/** The chunks of an input, in order; the last one, which may be empty, ends with it. */
export async function* chunksOf(
  input: Readable,
  options: ReaderOptions,
  reader = new RowReader(options),
): AsyncGenerator<Chunk> {
  const splitter = new RecordSplitter(options.format === 'csv');
  const builder = new ChunkBuilder();
  for await (const part of input as AsyncIterable<Buffer | string>) {
    const bytes = typeof part === 'string' ? Buffer.from(part, 'utf8') : part;
    for (const record of splitter.push(bytes)) {
      const full = builder.add(record, reader.read(record));
      if (full) yield full;
    }
  }
  for (const record of splitter.end()) {
    const full = builder.add(record, reader.read(record));
    if (full) yield full;
  }
  yield builder.finish();
}
