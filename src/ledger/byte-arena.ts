import { invariant } from './invariant';

/** Bytes of a page. No entry crosses pages. */
export const ARENA_PAGE_BYTES = 1 << 20;
const HEADER_BYTES = 4;
/** Reference 0 stands for "nothing", so the first unit stays empty. */
const UNIT_BYTES = 8;
const UNITS_PER_PAGE = ARENA_PAGE_BYTES / UNIT_BYTES;
const MAX_PAGES = 0x1_0000_0000 / UNITS_PER_PAGE;

/** The arena as it was at one moment. */
export interface CapturedArena {
  readonly pages: readonly Uint8Array[];
  /** Bytes used in the last page; all pages before it count as full. */
  readonly lastUsed: number;
}

/**
 * Texts and other bytes of any length, appended and never changed: names, text ids, metadata. A reference is a 32-bit
 * number (the place in units of 8 bytes, so up to 32 GiB can be held), which fits a word of a row.
 */
export class ByteArena {
  private readonly pages: Uint8Array[] = [];
  private lastUsed = ARENA_PAGE_BYTES;

  get bytes(): number {
    return this.pages.length === 0 ? 0 : (this.pages.length - 1) * ARENA_PAGE_BYTES + this.lastUsed;
  }

  /** Makes room for `length` bytes of zeros, at least one, and returns the reference. */
  reserve(length: number): number {
    invariant(
      length > 0 && length <= ARENA_PAGE_BYTES / 2,
      `An entry of the arena has 1 to 524,288 bytes, not ${length}.`,
    );
    const size = Math.ceil((HEADER_BYTES + length) / UNIT_BYTES) * UNIT_BYTES;
    if (this.lastUsed + size > ARENA_PAGE_BYTES) this.addPage();
    const page = this.pages.length - 1;
    const start = this.lastUsed;
    this.lastUsed += size;
    writeLength(this.pages[page] as Uint8Array, start, length);
    return page * UNITS_PER_PAGE + start / UNIT_BYTES;
  }

  /** Stores a copy of `bytes[start, start + length)`. */
  store(bytes: Uint8Array, start = 0, length = bytes.length): number {
    const ref = this.reserve(length);
    this.pageOf(ref).set(bytes.subarray(start, start + length), this.startOf(ref));
    return ref;
  }

  pageOf(ref: number): Uint8Array {
    const page = this.pages[Math.floor(ref / UNITS_PER_PAGE)];
    invariant(page !== undefined && ref > 0, 'A reference into the arena must be one that the arena gave.');
    return page;
  }

  /** Index in its page of the entry's first byte. */
  startOf(ref: number): number {
    return (ref % UNITS_PER_PAGE) * UNIT_BYTES + HEADER_BYTES;
  }

  lengthOf(ref: number): number {
    const page = this.pageOf(ref);
    const at = this.startOf(ref) - HEADER_BYTES;
    return (
      (page[at] as number) |
      ((page[at + 1] as number) << 8) |
      ((page[at + 2] as number) << 16) |
      ((page[at + 3] as number) << 24)
    );
  }

  /** A copy of the entry. */
  copyOf(ref: number): Buffer {
    const start = this.startOf(ref);
    return Buffer.from(this.pageOf(ref).subarray(start, start + this.lengthOf(ref)));
  }

  /** Whether the entry is exactly `bytes[start, start + length)`. */
  equals(ref: number, bytes: Uint8Array, start: number, length: number): boolean {
    return this.lengthOf(ref) === length && sameBytes(this.pageOf(ref), this.startOf(ref), bytes, start, length);
  }

  capture(): CapturedArena {
    return { pages: this.pages.slice(), lastUsed: this.lastUsed };
  }

  /** Drops everything beyond the first `bytes` bytes, which were counted by `bytes` when it ended there. */
  truncate(bytes: number): void {
    if (bytes === this.bytes) return;
    const pages = Math.ceil(bytes / ARENA_PAGE_BYTES);
    this.pages.length = pages;
    this.lastUsed = pages === 0 ? ARENA_PAGE_BYTES : bytes - (pages - 1) * ARENA_PAGE_BYTES;
    this.pages.at(-1)?.fill(0, this.lastUsed);
  }

  /** Takes over a page of a snapshot, in order; false where it is too long, or the one before was not full. */
  restorePage(bytes: Uint8Array): boolean {
    const fits = bytes.length > 0 && bytes.length <= ARENA_PAGE_BYTES && bytes.length % UNIT_BYTES === 0;
    if (!fits || this.lastUsed !== ARENA_PAGE_BYTES) return false;
    const page = new Uint8Array(ARENA_PAGE_BYTES);
    page.set(bytes);
    this.pages.push(page);
    this.lastUsed = bytes.length;
    return true;
  }

  private addPage(): void {
    invariant(this.pages.length < MAX_PAGES, 'The arena for names, ids and metadata is full: it holds 32 GiB.');
    this.pages.push(new Uint8Array(ARENA_PAGE_BYTES));
    this.lastUsed = this.pages.length === 1 ? UNIT_BYTES : 0;
  }
}

/** Compares regions of at most some hundred bytes without making a view. */
export function sameBytes(a: Uint8Array, ai: number, b: Uint8Array, bi: number, length: number): boolean {
  for (let i = 0; i < length; i++) if (a[ai + i] !== b[bi + i]) return false;
  return true;
}

function writeLength(page: Uint8Array, at: number, length: number): void {
  page[at] = length;
  page[at + 1] = length >>> 8;
  page[at + 2] = length >>> 16;
  page[at + 3] = length >>> 24;
}
