import { HASH_BYTES } from './hashes';

const HASHES_PER_PAGE = 2048;
const PAGE_BYTES = HASHES_PER_PAGE * HASH_BYTES;

/** A growing list of hashes, in pages: no growth copies what is there, and what is there never changes. */
export class HashColumn {
  private readonly pages: Buffer[] = [];
  private used = 0;

  get length(): number {
    return this.used;
  }

  push(hash: Buffer): void {
    const at = this.used % HASHES_PER_PAGE;
    if (at === 0) this.pages.push(Buffer.allocUnsafeSlow(PAGE_BYTES));
    hash.copy(this.pages[this.pages.length - 1] as Buffer, at * HASH_BYTES);
    this.used++;
  }

  /** A view. */
  at(number: number): Buffer {
    if (number < 0 || number >= this.used) throw new RangeError(`Hash ${number} is asked for, of ${this.used}.`);
    const from = (number % HASHES_PER_PAGE) * HASH_BYTES;
    return (this.pages[Math.floor(number / HASHES_PER_PAGE)] as Buffer).subarray(from, from + HASH_BYTES);
  }

  /** The first `length` hashes, page by page, as views: what is added later does not show. */
  *read(length = this.used): Generator<Buffer> {
    for (let page = 0; page * HASHES_PER_PAGE < length; page++) {
      const hashes = Math.min(HASHES_PER_PAGE, length - page * HASHES_PER_PAGE);
      yield (this.pages[page] as Buffer).subarray(0, hashes * HASH_BYTES);
    }
  }
}
