import { PagedRows } from './paged-rows';
import { compare128, copy128, fromBigInt128, toBigInt128, word } from './words';

/** Words of a row: which limits there are, then the magnitude of the minimum and the maximum, four words each. */
export const LIMIT_WORDS = 9;
export const LIMIT_PAGE_SHIFT = 12;
export const HAS_MINIMUM = 1;
export const HAS_MAXIMUM = 2;
/** Where the numbers start in a row. A minimum is at most zero, so its magnitude is kept. */
export const MINIMUM = 1;
export const MAXIMUM = 5;

/** Limits of accounts, referred to by row number: the accounts of a ledger share its defaults. Rows never change. */
export class LimitTable {
  readonly rows = new PagedRows(LIMIT_WORDS, LIMIT_PAGE_SHIFT);

  /** Minor units, a minimum of at most zero and a maximum of at least zero; undefined: no limit. */
  add(minimum: bigint | undefined, maximum: bigint | undefined): number {
    const row = this.rows.append();
    const page = this.rows.writablePageOf(row);
    const at = this.rows.startOf(row);
    page[at] = (minimum === undefined ? 0 : HAS_MINIMUM) | (maximum === undefined ? 0 : HAS_MAXIMUM);
    fromBigInt128(page, at + MINIMUM, -(minimum ?? 0n));
    fromBigInt128(page, at + MAXIMUM, maximum ?? 0n);
    return row;
  }

  minimum(row: number): bigint | undefined {
    const page = this.rows.pageOf(row);
    const at = this.rows.startOf(row);
    return word(page, at) & HAS_MINIMUM ? -toBigInt128(page, at + MINIMUM) : undefined;
  }

  maximum(row: number): bigint | undefined {
    const page = this.rows.pageOf(row);
    const at = this.rows.startOf(row);
    return word(page, at) & HAS_MAXIMUM ? toBigInt128(page, at + MAXIMUM) : undefined;
  }

  /** Whether an account with nothing in it may be debited `amount`. */
  allowsFirstDebit(row: number, amount: Uint32Array, at: number): boolean {
    const page = this.rows.pageOf(row);
    const start = this.rows.startOf(row);
    return (word(page, start) & HAS_MINIMUM) === 0 || compare128(amount, at, page, start + MINIMUM) <= 0;
  }

  /** What an account with nothing in it may be debited; false where there is no minimum, so that there is no such number. */
  firstAvailable(row: number, target: Uint32Array): boolean {
    const page = this.rows.pageOf(row);
    const start = this.rows.startOf(row);
    if ((word(page, start) & HAS_MINIMUM) === 0) return false;
    copy128(target, 0, page, start + MINIMUM);
    return true;
  }

  /** Whether an account with nothing in it may be credited `amount`. */
  allowsFirstCredit(row: number, amount: Uint32Array, at: number): boolean {
    const page = this.rows.pageOf(row);
    const start = this.rows.startOf(row);
    return (word(page, start) & HAS_MAXIMUM) === 0 || compare128(amount, at, page, start + MAXIMUM) <= 0;
  }
}
