import { invariant } from './invariant';

/** Bytes of a page. No entry crosses pages. */
export const EXTRAS_PAGE_BYTES = 1 << 20;
/** Of one entry. */
export const EXTRAS_MAX_BYTES = EXTRAS_PAGE_BYTES / 2;
/** Places are kept for so many rows at a time: 2^shift. */
const PLACES_SHIFT = 14;
const PLACES = 1 << PLACES_SHIFT;

interface Page {
  readonly bytes: Uint8Array;
  used: number;
  /** No entry of a later row is in it. */
  lastRow: number;
}

/**
 * Entries of any length for some of the rows of a table, one behind the other in the order of the rows, which are the newest
 * ones: the oldest leave. An entry's length stands in its row; where it lies is this memory's own affair, and nothing that can
 * be seen depends on it.
 */
export class ExtrasTable {
  private readonly pages: Page[] = [];
  /** Pages that were let go. */
  private dropped = 0;
  /** For each row one more than the place of its entry, which counts bytes from the first page on, those let go included; 0: none. */
  private readonly places: (Float64Array | undefined)[] = [];
  /** Places before these were let go. */
  private firstPart = 0;
  private total = 0;

  /** Of all entries that are here. */
  get bytes(): number {
    return this.total;
  }

  /** Makes room for the entry of a row behind all that have one, and returns its place. The bytes are zeros. */
  reserve(row: number, length: number): number {
    const fits = length > 0 && length <= EXTRAS_MAX_BYTES;
    invariant(fits, `The extras of a transfer have 1 to 524,288 bytes, not ${length}.`);
    let page = this.pages.at(-1);
    if (page === undefined || page.used + length > EXTRAS_PAGE_BYTES) {
      page = { bytes: new Uint8Array(EXTRAS_PAGE_BYTES), used: 0, lastRow: row };
      this.pages.push(page);
    }
    const place = (this.dropped + this.pages.length - 1) * EXTRAS_PAGE_BYTES + page.used;
    (this.places[row >>> PLACES_SHIFT] ??= new Float64Array(PLACES))[row % PLACES] = place + 1;
    page.used += length;
    page.lastRow = row;
    this.total += length;
    return place;
  }

  /** Of a row whose entry is here. */
  placeOf(row: number): number {
    const place = this.places[row >>> PLACES_SHIFT]?.[row % PLACES] ?? 0;
    invariant(place > 0, `The extras of row ${row} must be in memory, or have been handed in.`);
    return place - 1;
  }

  pageAt(place: number): Uint8Array {
    return this.at(place).bytes;
  }

  /** Index in its page of the byte at a place. */
  startOf(place: number): number {
    return place % EXTRAS_PAGE_BYTES;
  }

  /** Whether some row of those around this one may have an entry. */
  mayHave(row: number): boolean {
    return this.places[row >>> PLACES_SHIFT] !== undefined;
  }

  /** The entries of some rows, `length` bytes in all, the first of them the one of `row`. */
  from(row: number, length: number): Uint8Array {
    let place = this.placeOf(row);
    const { bytes, used } = this.at(place);
    const start = this.startOf(place);
    if (start + length <= used) return bytes.subarray(start, start + length);
    const all = new Uint8Array(length);
    for (let filled = 0; filled < length;) {
      const page = this.at(place);
      const part = page.bytes.subarray(this.startOf(place), Math.min(page.used, this.startOf(place) + length - filled));
      all.set(part, filled);
      filled += part.length;
      place = (Math.floor(place / EXTRAS_PAGE_BYTES) + 1) * EXTRAS_PAGE_BYTES;
    }
    return all;
  }

  /** The entries of all rows from `row` on, page by page. What lies there does not change; entries that come later are not in it. */
  capture(row: number): readonly Uint8Array[] {
    const place = this.firstFrom(row);
    if (place < 0) return [];
    const first = Math.floor(place / EXTRAS_PAGE_BYTES) - this.dropped;
    return this.pages.slice(first).map(({ bytes, used }, i) => bytes.subarray(i === 0 ? this.startOf(place) : 0, used));
  }

  /** The row behind the oldest ones, so that at most about `bytes` bytes of the others are here. */
  rowBehind(bytes: number): number {
    let left = this.total;
    let row = 0;
    for (const page of this.pages) {
      if (left <= bytes) break;
      left -= page.used;
      row = page.lastRow + 1;
    }
    return row;
  }

  /** Lets go of the entries of rows before `row`, as far as whole pages of them are. Who has captured them keeps their pages. */
  dropBefore(row: number): void {
    for (let page = this.pages[0]; page !== undefined && page.lastRow < row; page = this.pages[0]) {
      this.total -= page.used;
      this.pages.shift();
      this.dropped += 1;
    }
    const end = Math.min(row >>> PLACES_SHIFT, this.places.length);
    for (; this.firstPart < end; this.firstPart++) this.places[this.firstPart] = undefined;
  }

  /** Drops the entries of the rows from `row` on: those of transfers that are undone. */
  truncate(row: number): void {
    const place = this.firstFrom(row);
    if (place < 0) return;
    const last = Math.floor(place / EXTRAS_PAGE_BYTES) - this.dropped;
    for (const { used } of this.pages.splice(last + 1)) this.total -= used;
    const page = this.pages[last] as Page;
    const start = this.startOf(place);
    page.bytes.fill(0, start, page.used);
    this.total -= page.used - start;
    page.used = start;
    page.lastRow = row - 1;
    if (start === 0) this.pages.pop();
    this.places.length = (row >>> PLACES_SHIFT) + 1;
    this.places.at(-1)?.fill(0, row % PLACES);
  }

  /** The place of the first entry of the rows from `row` on; -1: none of them has one. */
  private firstFrom(row: number): number {
    for (let part = row >>> PLACES_SHIFT; part < this.places.length; part++) {
      const places = this.places[part];
      if (places === undefined) continue;
      for (let i = part === row >>> PLACES_SHIFT ? row % PLACES : 0; i < PLACES; i++) {
        const place = places[i] as number;
        if (place > 0) return place - 1;
      }
    }
    return -1;
  }

  private at(place: number): Page {
    const page = this.pages[Math.floor(place / EXTRAS_PAGE_BYTES) - this.dropped];
    invariant(page !== undefined, 'A place of extras must be one that was given.');
    return page;
  }
}
