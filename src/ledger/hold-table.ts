import { type Journal } from './journal';
import { PagedRows } from './paged-rows';
import { copy128, highWord, joinSigned, joinWords, lowWord, toBigInt128, word } from './words';

export const HOLD_WORDS = 14;
export const HOLD_PAGE_SHIFT = 14;
const Word = {
  /** Row of the pending transfer. */
  TRANSFER: 0,
  STATUS: 1,
  /** Microseconds since the Unix epoch; 0: never. */
  EXPIRES_AT: 2,
  /** Minor units. */
  AMOUNT: 4,
  /** One more than the row of the transfer that posted or voided it; 0: none. */
  RESOLVER: 8,
  /** Offset of the record that resolved it. */
  RESOLVED_AT: 9,
  /** Handles: so that a hold can be let go of without the row of its transfer, which may not be in memory. */
  DEBIT: 12,
  CREDIT: 13,
} as const;

export const HoldStatus = { PENDING: 0, POSTED: 1, VOIDED: 2, EXPIRED: 3 } as const;
export type HoldStatus = (typeof HoldStatus)[keyof typeof HoldStatus];

/** What pending transfers hold, by number: 1, 2, 3 … in the order in which they were made. Of a row only what became of it changes. */
export class HoldTable {
  readonly rows = new PagedRows(HOLD_WORDS, HOLD_PAGE_SHIFT);

  constructor(private readonly journal: Journal) {}

  get count(): number {
    return this.rows.rows;
  }

  add(transfer: number, debit: number, credit: number, amount: Uint32Array, expiresAt: number): number {
    const row = this.rows.append();
    const page = this.rows.writablePageOf(row);
    const at = this.rows.startOf(row);
    page[at + Word.TRANSFER] = transfer;
    page[at + Word.EXPIRES_AT] = lowWord(expiresAt);
    page[at + Word.EXPIRES_AT + 1] = highWord(expiresAt);
    copy128(page, at + Word.AMOUNT, amount, 0);
    page[at + Word.DEBIT] = debit;
    page[at + Word.CREDIT] = credit;
    return row + 1;
  }

  /** @param resolver row of the transfer that posts or voids it; -1: it expires */
  resolve(hold: number, status: HoldStatus, resolver: number, offset: number): void {
    this.journal.keep(this.rows, hold - 1);
    const page = this.rows.writablePageOf(hold - 1);
    const at = this.rows.startOf(hold - 1);
    page[at + Word.STATUS] = status;
    page[at + Word.RESOLVER] = resolver + 1;
    page[at + Word.RESOLVED_AT] = lowWord(offset);
    page[at + Word.RESOLVED_AT + 1] = highWord(offset);
  }

  transfer(hold: number): number {
    return this.wordOf(hold, Word.TRANSFER);
  }

  debit(hold: number): number {
    return this.wordOf(hold, Word.DEBIT);
  }

  credit(hold: number): number {
    return this.wordOf(hold, Word.CREDIT);
  }

  status(hold: number): HoldStatus {
    return this.wordOf(hold, Word.STATUS) as HoldStatus;
  }

  /** Microseconds since the Unix epoch; 0: never. */
  expiresAt(hold: number): number {
    return joinWords(this.wordOf(hold, Word.EXPIRES_AT), this.wordOf(hold, Word.EXPIRES_AT + 1));
  }

  /** Row of the transfer that posted or voided it, or -1. */
  resolver(hold: number): number {
    return this.wordOf(hold, Word.RESOLVER) - 1;
  }

  resolvedAt(hold: number): number {
    return joinSigned(this.wordOf(hold, Word.RESOLVED_AT), this.wordOf(hold, Word.RESOLVED_AT + 1));
  }

  amount(hold: number): bigint {
    return toBigInt128(this.rows.pageOf(hold - 1), this.rows.startOf(hold - 1) + Word.AMOUNT);
  }

  copyAmount(hold: number, target: Uint32Array): void {
    copy128(target, 0, this.rows.pageOf(hold - 1), this.rows.startOf(hold - 1) + Word.AMOUNT);
  }

  private wordOf(hold: number, at: number): number {
    return word(this.rows.pageOf(hold - 1), this.rows.startOf(hold - 1) + at);
  }
}
