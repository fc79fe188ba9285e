import { type ByteArena } from './byte-arena';
import { EXTRAS_MAX_BYTES, ExtrasTable } from './extras-table';
import { type PagedRows } from './paged-rows';
import { type RecalledRows } from './row-archive';
import { type TransferExtras } from './transfer-extras';
import { extrasBytes, Row } from './transfer-row';
import { word } from './words';

const NO_BYTES = new Uint8Array(0);

/** Room for an entry: zeros in `page`, from `start` on. */
export interface ReservedExtras {
  page: Uint8Array;
  start: number;
}

/**
 * What transfers have beyond their rows. Up to version 1 of the rules it was put into the arena, beside the names of accounts,
 * and the row referred to it there. Since then (`lengthsFrom`) the row says only how long it is: so it goes with its row,
 * into the hash, into the archive, and out of memory.
 */
export class RowExtras {
  readonly table = new ExtrasTable();
  /** The first row that says how long its extras are; Infinity while version 1 of the rules holds. */
  lengthsFrom = Infinity;
  private readonly reserved: ReservedExtras = { page: NO_BYTES, start: 0 };
  /** Of rows that are restored: the first whose entry has not come. */
  private awaited = 0;

  constructor(
    private readonly arena: ByteArena,
    private readonly rows: PagedRows,
    private readonly recalled: RecalledRows,
  ) {}

  /**
   * Reads what a row has.
   * @param ref its word Row.EXTRAS
   * @param mayRead whether the archive may be read
   */
  read(row: number, ref: number, into: TransferExtras, mayRead: boolean): TransferExtras {
    if (ref === 0) return into.readNothing();
    if (row < this.lengthsFrom) return into.read(this.arena.pageOf(ref), this.arena.startOf(ref));
    if (row < this.rows.first) return into.read(this.recalled.extras(row, mayRead), 0);
    const place = this.table.placeOf(row);
    return into.read(this.table.pageAt(place), this.table.startOf(place));
  }

  /** Makes room for what the newest row has, and lets the row know. Valid until the next call. */
  reserve(row: number, length: number): ReservedExtras {
    const { arena, reserved, rows, table } = this;
    const asReference = row < this.lengthsFrom;
    const place = asReference ? arena.reserve(length) : table.reserve(row, length);
    reserved.page = asReference ? arena.pageOf(place) : table.pageAt(place);
    reserved.start = asReference ? arena.startOf(place) : table.startOf(place);
    rows.pageOf(row)[rows.startOf(row) + Row.EXTRAS] = asReference ? place : length;
    return reserved;
  }

  /** Bytes that some rows of one page of the table have, as far as they say how long it is. */
  bytesOf(row: number, rows: number): number {
    if (!this.table.mayHave(row)) return 0;
    return extrasBytes(this.rows.pageOf(row), this.rows.startOf(row), row, rows, this.lengthsFrom);
  }

  /** These bytes, one entry behind the other. */
  entriesOf(row: number, rows: number): Uint8Array {
    const length = this.bytesOf(row, rows);
    if (length === 0) return NO_BYTES;
    let first = Math.max(row, this.lengthsFrom);
    while (this.lengthOf(first) === 0) first++;
    return this.table.from(first, length);
  }

  /** Takes over entries of a snapshot, in the order of the rows, which are there; false where they are not those of its rows. */
  restore(bytes: Uint8Array): boolean {
    for (let at = 0; at < bytes.length;) {
      const row = this.nextAwaited();
      if (row >= this.rows.rows || at + this.lengthOf(row) > bytes.length) return false;
      const length = this.lengthOf(row);
      if (length > EXTRAS_MAX_BYTES) return false;
      const place = this.table.reserve(row, length);
      this.table.pageAt(place).set(bytes.subarray(at, at + length), this.table.startOf(place));
      this.awaited = row + 1;
      at += length;
    }
    return true;
  }

  /** Whether every row that was restored has its entry. */
  get isComplete(): boolean {
    const { lengthsFrom, rows } = this;
    return (lengthsFrom === Infinity || lengthsFrom <= rows.rows) && this.nextAwaited() >= rows.rows;
  }

  private nextAwaited(): number {
    let row = Math.max(this.awaited, this.rows.first, this.lengthsFrom);
    while (row < this.rows.rows && this.lengthOf(row) === 0) row++;
    this.awaited = row;
    return row;
  }

  private lengthOf(row: number): number {
    return word(this.rows.pageOf(row), this.rows.startOf(row) + Row.EXTRAS);
  }
}
