import { invariant } from './invariant';

/** Most rows of a table: row numbers are 32-bit words. */
const MAX_ROWS = 0xffff_fff0;

/** Rows of a table as they were at one moment: the pages must not be written to. */
export interface CapturedRows {
  readonly pages: readonly Uint32Array[];
  readonly rows: number;
}

/**
 * A table of fixed-size rows of 32-bit words, in pages: it grows by a page at a time, so that no growth copies what is
 * there. Row numbers are dense from 0. A page can be frozen for a snapshot; the next write to it copies it first.
 */
export class PagedRows {
  /** Read freely; write only to what `writablePage` gave. */
  readonly pages: Uint32Array[] = [];
  private readonly frozen: boolean[] = [];
  private frozenPages = 0;
  /** Captures that somebody may still be reading. */
  private readers = 0;
  private used = 0;

  constructor(
    readonly wordsPerRow: number,
    /** A page has 2^pageShift rows. */
    readonly pageShift: number,
  ) {}

  get rows(): number {
    return this.used;
  }

  /** Whether any page is frozen: the hot path asks once a batch and writes directly where none is. */
  get hasFrozenPages(): boolean {
    return this.frozenPages > 0;
  }

  /** Adds a row of zeros and returns its number. */
  append(): number {
    const row = this.used;
    invariant(row < MAX_ROWS, 'A table of the ledger is full: it has as many rows as a 32-bit number can name.');
    if (row >>> this.pageShift === this.pages.length) {
      this.pages.push(new Uint32Array(this.wordsPerRow << this.pageShift));
      this.frozen.push(false);
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

  /** The row's page, made safe to write to: a frozen one is replaced by a copy. */
  writablePageOf(row: number): Uint32Array {
    const number = row >>> this.pageShift;
    if (this.frozen[number] === true) {
      this.pages[number] = (this.pages[number] as Uint32Array).slice();
      this.frozen[number] = false;
      this.frozenPages--;
    }
    return this.pages[number] as Uint32Array;
  }

  /** The rows as they are now, to be read until `thaw` is called; for tables whose rows change. */
  freeze(): CapturedRows {
    this.frozen.fill(true);
    this.frozenPages = this.pages.length;
    this.readers++;
    return this.capture();
  }

  /** One of those who called `freeze` has read all it wants. */
  thaw(): void {
    this.readers--;
    if (this.readers > 0) return;
    this.frozen.fill(false);
    this.frozenPages = 0;
  }

  /** The rows that exist now, for tables whose rows never change once they are written. */
  capture(): CapturedRows {
    return { pages: this.pages.slice(), rows: this.used };
  }

  /** Drops all rows, before those of a snapshot take their place. */
  clear(): void {
    this.pages.length = this.frozen.length = 0;
    this.frozenPages = this.used = 0;
  }

  /** Takes over a page of a snapshot, in order; false where it is not whole rows, or does not follow a full page. */
  restorePage(words: Uint32Array): boolean {
    const rows = words.length / this.wordsPerRow;
    const capacity = 1 << this.pageShift;
    if (!Number.isInteger(rows) || rows === 0 || rows > capacity || this.used !== this.pages.length * capacity) {
      return false;
    }
    const page = new Uint32Array(this.wordsPerRow * capacity);
    page.set(words);
    this.pages.push(page);
    this.frozen.push(false);
    this.used += rows;
    return true;
  }
}
