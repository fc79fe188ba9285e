import { HashIndex, hashWords } from './hash-index';
import { type Journal } from './journal';
import { PagedRows } from './paged-rows';
import { add128, copy128, toBigInt128, word } from './words';

export const REVERSAL_WORDS = 8;
export const REVERSAL_PAGE_SHIFT = 12;
const Word = {
  /** Row of the transfer that was reversed. */
  TRANSFER: 0,
  /** Row of the newest transfer that reverses it; each of those names the one before it. */
  NEWEST: 1,
  /** Minor units that were reversed in all. */
  SUM: 2,
  COUNT: 6,
} as const;

/** Which transfers were reversed, how much of each and by which: the other end of what a reversal says. */
export class ReversalTable {
  readonly rows = new PagedRows(REVERSAL_WORDS, REVERSAL_PAGE_SHIFT);
  private readonly index = new HashIndex();

  constructor(
    private readonly journal: Journal,
    private readonly seed: number,
  ) {}

  get count(): number {
    return this.rows.rows;
  }

  /** The entry of a transfer, or -1 where none of it was reversed. */
  find(transfer: number): number {
    const hash = this.hashOf(transfer);
    const slots = this.index.slotsOf(hash);
    const mask = (slots.length >>> 1) - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const number = (slots[slot * 2 + 1] as number) >>> 0;
      if (number === 0) return -1;
      if (slots[slot * 2] === hash && this.transfer(number - 1) === transfer) return number - 1;
    }
  }

  /** Adds what one more transfer reverses. */
  add(transfer: number, reversal: number, amount: Uint32Array): void {
    let entry = this.find(transfer);
    if (entry < 0) {
      entry = this.rows.append();
      this.rows.writablePageOf(entry)[this.rows.startOf(entry)] = transfer;
      this.index.insert(this.hashOf(transfer), entry + 1);
    } else this.journal.keep(this.rows, entry);
    const page = this.rows.writablePageOf(entry);
    const at = this.rows.startOf(entry);
    page[at + Word.NEWEST] = reversal;
    add128(page, at + Word.SUM, amount, 0);
    page[at + Word.COUNT] = word(page, at + Word.COUNT) + 1;
  }

  transfer(entry: number): number {
    return word(this.rows.pageOf(entry), this.rows.startOf(entry) + Word.TRANSFER);
  }

  newest(entry: number): number {
    return word(this.rows.pageOf(entry), this.rows.startOf(entry) + Word.NEWEST);
  }

  sum(entry: number): bigint {
    return toBigInt128(this.rows.pageOf(entry), this.rows.startOf(entry) + Word.SUM);
  }

  copySum(entry: number, target: Uint32Array, at: number): void {
    copy128(target, at, this.rows.pageOf(entry), this.rows.startOf(entry) + Word.SUM);
  }

  /** Makes the index anew over rows that were restored. */
  indexAll(): void {
    for (let entry = 0; entry < this.count; entry++) this.index.insert(this.hashOf(this.transfer(entry)), entry + 1);
  }

  /** Drops the entries from `count` on, before the rows that they name are dropped. */
  truncate(count: number): void {
    for (let entry = this.count - 1; entry >= count; entry--) {
      this.index.remove(this.hashOf(this.transfer(entry)), entry + 1);
    }
    this.rows.truncate(count);
  }

  private hashOf(transfer: number): number {
    return hashWords(transfer, 0, 0, 0, this.seed);
  }
}
