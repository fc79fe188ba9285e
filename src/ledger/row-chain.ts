import { createHash } from 'node:crypto';
import { invariant } from './invariant';
import { type PagedRows } from './paged-rows';

/** Rows that are hashed at a stroke. Part of what the hash of the state is, so it never changes. */
export const CHAIN_ROWS = 64;
export const CHAIN_BYTES = 32;

/** H before the first row. */
export function chainStart(): Buffer {
  return Buffer.alloc(CHAIN_BYTES);
}

/** H behind one more unit: SHA-256 over the H before, the bytes of its rows, and the extras of those that say how long theirs are. */
export function chainBehind(before: Uint8Array, unit: Uint8Array, extras: Uint8Array): Buffer {
  return createHash('sha256').update(before).update(unit).update(extras).digest();
}

/**
 * The hash of rows that are written once, carried from unit to unit, so that rows can leave memory and two nodes agree on
 * it whatever each of them has in memory.
 */
export class RowChain {
  private done = 0;
  private value: Uint8Array = chainStart();

  constructor(
    private readonly table: PagedRows,
    /** The extras of some rows of one page, one behind the other. */
    private readonly extrasOf: (row: number, rows: number) => Uint8Array,
  ) {
    invariant((1 << table.pageShift) % CHAIN_ROWS === 0, 'A unit of the hash must not cross pages.');
  }

  /** Goes on from `value` behind row `rows` - 1, if it has not come so far. */
  adopt(rows: number, value: Uint8Array): void {
    invariant(rows % CHAIN_ROWS === 0, 'The hash of rows is carried from whole unit to whole unit.');
    if (rows <= this.done) return;
    this.done = rows;
    this.value = value;
  }

  /** SHA-256 over the H behind the last whole unit, the rows after it and their extras. */
  digest(): Buffer {
    const { table } = this;
    while (this.done + CHAIN_ROWS <= table.rows) {
      this.value = chainBehind(this.value, this.bytesFrom(this.done, CHAIN_ROWS), this.extrasOf(this.done, CHAIN_ROWS));
      this.done += CHAIN_ROWS;
    }
    const hash = createHash('sha256').update(this.value);
    const rest = table.rows - this.done;
    if (rest > 0) hash.update(this.bytesFrom(this.done, rest)).update(this.extrasOf(this.done, rest));
    return hash.digest();
  }

  private bytesFrom(row: number, rows: number): Uint8Array {
    const page = this.table.pageOf(row);
    const bytesPerRow = this.table.wordsPerRow * 4;
    return new Uint8Array(page.buffer, page.byteOffset + this.table.startOf(row) * 4, rows * bytesPerRow);
  }
}
