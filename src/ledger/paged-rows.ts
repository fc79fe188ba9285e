import { FrozenRows, type CapturedRows } from './frozen-rows';
import { invariant } from './invariant';

/** Most rows of a table: row numbers are 32-bit words. */
const MAX_ROWS = 0xffff_fff0;
/** Stands in the place of a page whose rows were let go. */
const DROPPED = new Uint32Array(0);

/**
 * A table of fixed-size rows of 32-bit words, in pages: it grows by a page at a time, so that no growth copies what is
 * there, and no page ever moves. Row numbers are dense from 0. Rows can be frozen for a snapshot while they go on changing.
 */
export class PagedRows {
  /** Read freely; write only to what `writablePage` gave. */
  readonly pages: Uint32Array[] = [];
  /** What somebody may still be reading. */
  private freezes: readonly FrozenRows[] = [];
  private used = 0;
  private firstRow = 0;

  constructor(
    readonly wordsPerRow: number,
    /** A page has 2^pageShift rows. */
    readonly pageShift: number,
  ) {}

  get rows(): number {
    return this.used;
  }

  /** The first row that is here: those before it were let go. */
  get first(): number {
    return this.firstRow;
  }

  /** Whether a write has to keep what was there: the hot path asks, and writes directly where nobody reads. */
  get isFrozen(): boolean {
    return this.freezes.length > 0;
  }

  /** Adds a row of zeros and returns its number. */
  append(): number {
    const row = this.used;
    invariant(row < MAX_ROWS, 'A table of the ledger is full: it has as many rows as a 32-bit number can name.');
    if (row >>> this.pageShift === this.pages.length) {
      this.pages.push(new Uint32Array(this.wordsPerRow << this.pageShift));
    }
    this.used = row + 1;
    return row;
  }

  pageOf(row: number): Uint32Array {
    return this.pages[row >>> this.pageShift] as Uint32Array;
  }

  /** Index of the row's first word in its page. */
  startOf(row: number): number {
    return (row & ((1 << this.pageShift) - 1)) * this.wordsPerRow;
  }

  /** The row's page, to write to this row of it: what was there is kept for those who read the frozen rows. */
  writablePageOf(row: number): Uint32Array {
    for (let i = 0; i < this.freezes.length; i++) (this.freezes[i] as FrozenRows).keep(row);
    return this.pages[row >>> this.pageShift] as Uint32Array;
  }

  /** The rows as they are now, to be read until `thaw` is called with them; for tables whose rows change. */
  freeze(): FrozenRows {
    const frozen = new FrozenRows(this.pages.slice(), this.used, this.wordsPerRow, this.pageShift);
    this.freezes = [...this.freezes, frozen];
    return frozen;
  }

  /** Nobody reads `frozen` any more. */
  thaw(frozen: FrozenRows): void {
    this.freezes = this.freezes.filter((one) => one !== frozen);
  }

  /** Lets go of the rows before `row`. Who has captured or frozen rows keeps their pages. */
  dropBefore(row: number): void {
    invariant(row >= this.firstRow && row <= this.used, 'Only rows that are there can be let go.');
    for (let page = this.firstRow >>> this.pageShift; page < row >>> this.pageShift; page++) this.pages[page] = DROPPED;
    this.firstRow = row;
  }

  /** An empty table begins with row number `row` instead of 0: those before it are kept elsewhere. */
  beginAt(row: number): void {
    invariant(this.used === 0 && row < MAX_ROWS, 'A table begins elsewhere only while it is empty.');
    for (let page = 0; page < row >>> this.pageShift; page++) this.pages.push(DROPPED);
    if (row % (1 << this.pageShift) !== 0) this.pages.push(new Uint32Array(this.wordsPerRow << this.pageShift));
    this.firstRow = this.used = row;
  }

  /** The rows that exist now, for tables whose rows never change once they are written. */
  capture(): CapturedRows {
    const pages = this.pages.slice();
    return { rows: this.used, pageCount: pages.length, page: (number) => pages[number] as Uint32Array };
  }

  /** Drops the rows from `rows` on; a new row in their place is zeros again. What is frozen keeps them. */
  truncate(rows: number): void {
    for (let row = rows; row < this.used; row++) {
      const start = this.startOf(row);
      this.writablePageOf(row).fill(0, start, start + this.wordsPerRow);
    }
    this.used = rows;
    this.pages.length = Math.ceil(rows / (1 << this.pageShift));
  }

  /** Drops all rows, before those of a snapshot take their place. Who reads frozen rows has their pages. */
  clear(): void {
    this.pages.length = this.used = this.firstRow = 0;
    this.freezes = [];
  }

  /**
   * Takes over a page of a snapshot, in order; false where it is not whole rows, or does not follow a full page. The first
   * page is the rest of one where the table begins in the middle of it.
   */
  restorePage(words: Uint32Array): boolean {
    const rows = words.length / this.wordsPerRow;
    const capacity = 1 << this.pageShift;
    const begun = this.used % capacity;
    if (!Number.isInteger(rows) || rows === 0 || rows > capacity - begun) return false;
    if (begun !== 0 && this.used !== this.firstRow) return false;
    if (begun === 0) this.pages.push(new Uint32Array(this.wordsPerRow * capacity));
    (this.pages[this.pages.length - 1] as Uint32Array).set(words, begun * this.wordsPerRow);
    this.used += rows;
    return true;
  }
}
