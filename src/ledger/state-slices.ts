import { createHash } from 'node:crypto';
import { type PagedRows } from './paged-rows';
import { encodeHead } from './snapshot-format';
import { type Tables } from './tables';

/**
 * Hashes over a part of the state, another one each time, so that a node can compare all of its memory with that of its peers bit
 * by bit and never stops for long. Which rows are in a slice depends on its number and on the tables alone, as they are the same
 * on every node. Full pages of texts and the rows of transfers never change and are left to `StateHasher`; what transfers did is in
 * the outcomes.
 */
export class StateSlices {
  constructor(
    private readonly tables: Tables,
    /** Bytes of rows in a slice, about. */
    private readonly sliceBytes: number,
  ) {}

  /** SHA-256 over the numbers that are in no table and the rows of slice `number`, in the state as it is now. */
  digest(number: number): Buffer {
    const hash = createHash('sha256').update(encodeHead(this.tables));
    const tables = this.changing();
    const total = tables.reduce((sum, table) => sum + table.rows * bytesPerRow(table), 0);
    const slices = Math.max(1, Math.ceil(total / this.sliceBytes));
    const from = (number % slices) * this.sliceBytes;
    // Rows that are alike are not to pass for each other.
    hash.update(String(from));
    let before = 0;
    for (const table of tables) {
      const first = Math.ceil((from - before) / bytesPerRow(table));
      const end = Math.ceil((from + this.sliceBytes - before) / bytesPerRow(table));
      for (const bytes of rowBytes(table, Math.max(0, first), Math.min(table.rows, end))) hash.update(bytes);
      before += table.rows * bytesPerRow(table);
    }
    return hash.digest();
  }

  /** Tables whose rows change, balances first. */
  private changing(): readonly PagedRows[] {
    const { accounts, limits, holds, reversals } = this.tables;
    return [accounts.hot, accounts.cold, limits.rows, holds.rows, reversals.rows];
  }
}

function bytesPerRow(table: PagedRows): number {
  return table.wordsPerRow * 4;
}

/** Views of the rows [first, end), page by page. */
function* rowBytes(table: PagedRows, first: number, end: number): Generator<Uint8Array> {
  for (let row = first; row < end;) {
    const stop = Math.min(end, ((row >>> table.pageShift) + 1) << table.pageShift);
    const page = table.pageOf(row);
    yield new Uint8Array(page.buffer, page.byteOffset + table.startOf(row) * 4, (stop - row) * bytesPerRow(table));
    row = stop;
  }
}
