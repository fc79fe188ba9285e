import { ACCOUNT_CLOSED, ACCOUNT_HAS_HOLDS, Cold, HOT_PAGE_SHIFT, HOT_WORDS, Hot } from './account-table';
import { MAX_MINOR } from './amounts';
import { invariant } from './invariant';
import { HAS_MAXIMUM, HAS_MINIMUM, LIMIT_PAGE_SHIFT, LIMIT_WORDS, MAXIMUM, MINIMUM } from './limit-table';
import { type Tables } from './tables';
import { add128, compare128, copy128, fromBigInt128, subtract128, word } from './words';

const HOT_MASK = (1 << HOT_PAGE_SHIFT) - 1;
const LIMIT_MASK = (1 << LIMIT_PAGE_SHIFT) - 1;
const WORD = 0x1_0000_0000;
/** A 128-bit number whose second word is below this, and upper words zero, is below 2^52: sums of two are exact doubles. */
const SMALL_HIGH = 1 << 20;

/**
 * Double entry is asserted of what is really in memory, read back by way of the table: a write to a page that is no longer
 * the table's would otherwise make or lose money in silence.
 */
const NOT_KEPT = 'What a transfer added to its debit and its credit account must be in the table after it was posted.';

/** Where in `scratch` the sums of a check are built. */
const LEFT = 0;
const RIGHT = 4;
const LARGEST = 8;

/**
 * Limits and balances of plain transfers (semantics.md, rule 6, and the posting itself). All comparisons are between sums
 * of non-negative 128-bit numbers, each below 2·10^38 and so below 2^128: nothing wraps and nothing is subtracted.
 */
export class Posting {
  private readonly scratch = new Uint32Array(12);

  constructor(private readonly tables: Tables) {
    fromBigInt128(this.scratch, LARGEST, MAX_MINOR);
  }

  /**
   * Posts if everything is so small that doubles are exact and no rule stands against it. False: nothing was done and the
   * exact way must decide. The handles are of two accounts that exist; the amount is 1 … 2^52 - 1.
   */
  postSmall(debit: number, credit: number, amount: number): boolean {
    const hot = this.tables.accounts.hot;
    if (hot.isFrozen) {
      hot.writablePageOf(debit);
      hot.writablePageOf(credit);
    }
    const dp = hot.pages[debit >>> HOT_PAGE_SHIFT] as Uint32Array;
    const cp = hot.pages[credit >>> HOT_PAGE_SHIFT] as Uint32Array;
    const d = (debit & HOT_MASK) * HOT_WORDS;
    const c = (credit & HOT_MASK) * HOT_WORDS;
    if (
      dp[d + Hot.LEDGER] !== cp[c + Hot.LEDGER] ||
      ((word(dp, d + Hot.FLAGS) | word(cp, c + Hot.FLAGS)) & (ACCOUNT_CLOSED | ACCOUNT_HAS_HOLDS)) !== 0
    ) {
      return false;
    }
    const debitDebits = small(dp, d + Hot.DEBITS_POSTED);
    const debitCredits = small(dp, d + Hot.CREDITS_POSTED);
    const creditDebits = small(cp, c + Hot.DEBITS_POSTED);
    const creditCredits = small(cp, c + Hot.CREDITS_POSTED);
    if (debitDebits < 0 || debitCredits < 0 || creditDebits < 0 || creditCredits < 0) return false;
    const floor = this.smallLimit(word(dp, d + Hot.LIMITS), HAS_MINIMUM, MINIMUM);
    const ceiling = this.smallLimit(word(cp, c + Hot.LIMITS), HAS_MAXIMUM, MAXIMUM);
    const debits = debitDebits + amount;
    const credits = creditCredits + amount;
    if (debits > debitCredits + floor || credits > creditDebits + ceiling) return false;
    setSmall(dp, d + Hot.DEBITS_POSTED, debits);
    setSmall(cp, c + Hot.CREDITS_POSTED, credits);
    countVersion(dp, d);
    countVersion(cp, c);
    const kept =
      lowerHalf(hot.pages[debit >>> HOT_PAGE_SHIFT] as Uint32Array, d + Hot.DEBITS_POSTED) === debits &&
      lowerHalf(hot.pages[credit >>> HOT_PAGE_SHIFT] as Uint32Array, c + Hot.CREDITS_POSTED) === credits;
    invariant(kept, NOT_KEPT);
    return true;
  }

  /** credits posted - minimum >= debits posted + debits pending + amount */
  mayDebit(debit: number, amount: Uint32Array): boolean {
    const { accounts, limits } = this.tables;
    const limit = accounts.limitsOf(debit);
    const limitPage = limits.rows.pageOf(limit);
    const limitAt = limits.rows.startOf(limit);
    if ((word(limitPage, limitAt) & HAS_MINIMUM) === 0) return true;
    const hot = accounts.hot.pageOf(debit);
    const at = accounts.hot.startOf(debit);
    const s = this.scratch;
    copy128(s, LEFT, hot, at + Hot.CREDITS_POSTED);
    add128(s, LEFT, limitPage, limitAt + MINIMUM);
    copy128(s, RIGHT, hot, at + Hot.DEBITS_POSTED);
    add128(s, RIGHT, accounts.cold.pageOf(debit), accounts.cold.startOf(debit) + Cold.DEBITS_PENDING);
    add128(s, RIGHT, amount, 0);
    return compare128(s, LEFT, s, RIGHT) >= 0;
  }

  /** debits posted + maximum >= credits posted + credits pending + amount */
  mayCredit(credit: number, amount: Uint32Array): boolean {
    const { accounts, limits } = this.tables;
    const limit = accounts.limitsOf(credit);
    const limitPage = limits.rows.pageOf(limit);
    const limitAt = limits.rows.startOf(limit);
    if ((word(limitPage, limitAt) & HAS_MAXIMUM) === 0) return true;
    const hot = accounts.hot.pageOf(credit);
    const at = accounts.hot.startOf(credit);
    const s = this.scratch;
    copy128(s, LEFT, hot, at + Hot.DEBITS_POSTED);
    add128(s, LEFT, limitPage, limitAt + MAXIMUM);
    copy128(s, RIGHT, hot, at + Hot.CREDITS_POSTED);
    add128(s, RIGHT, accounts.cold.pageOf(credit), accounts.cold.startOf(credit) + Cold.CREDITS_PENDING);
    add128(s, RIGHT, amount, 0);
    return compare128(s, LEFT, s, RIGHT) >= 0;
  }

  /**
   * Writes what may still be debited: credits posted - minimum - debits posted - debits pending.
   * @returns false where the account has no minimum, so that there is no such number
   */
  available(debit: number, target: Uint32Array): boolean {
    const { accounts, limits } = this.tables;
    const limit = accounts.limitsOf(debit);
    const limitPage = limits.rows.pageOf(limit);
    const limitAt = limits.rows.startOf(limit);
    if ((word(limitPage, limitAt) & HAS_MINIMUM) === 0) return false;
    const hot = accounts.hot.pageOf(debit);
    const at = accounts.hot.startOf(debit);
    copy128(target, 0, hot, at + Hot.CREDITS_POSTED);
    add128(target, 0, limitPage, limitAt + MINIMUM);
    // Never below zero: no account is outside its limits.
    subtract128(target, 0, hot, at + Hot.DEBITS_POSTED);
    subtract128(target, 0, accounts.cold.pageOf(debit), accounts.cold.startOf(debit) + Cold.DEBITS_PENDING);
    return true;
  }

  /** Whether the debits of the one or the credits of the other, posted and pending, would exceed 38 digits. Handle 0: empty. */
  overflows(debit: number, credit: number, amount: Uint32Array): boolean {
    const { hot, cold } = this.tables.accounts;
    const s = this.scratch;
    copy128(s, LEFT, hot.pageOf(debit), hot.startOf(debit) + Hot.DEBITS_POSTED);
    add128(s, LEFT, cold.pageOf(debit), cold.startOf(debit) + Cold.DEBITS_PENDING);
    add128(s, LEFT, amount, 0);
    copy128(s, RIGHT, hot.pageOf(credit), hot.startOf(credit) + Hot.CREDITS_POSTED);
    add128(s, RIGHT, cold.pageOf(credit), cold.startOf(credit) + Cold.CREDITS_PENDING);
    add128(s, RIGHT, amount, 0);
    return compare128(s, LEFT, s, LARGEST) > 0 || compare128(s, RIGHT, s, LARGEST) > 0;
  }

  /** Posts a transfer that no limit stands against. */
  post(debit: number, credit: number, amount: Uint32Array): void {
    const { journal } = this.tables;
    const hot = this.tables.accounts.hot;
    journal.keep(hot, debit);
    journal.keep(hot, credit);
    const dp = hot.writablePageOf(debit);
    const d = hot.startOf(debit);
    const s = this.scratch;
    copy128(s, LEFT, dp, d + Hot.DEBITS_POSTED);
    add128(s, LEFT, amount, 0);
    copy128(dp, d + Hot.DEBITS_POSTED, s, LEFT);
    countVersion(dp, d);
    const cp = hot.writablePageOf(credit);
    const c = hot.startOf(credit);
    copy128(s, RIGHT, cp, c + Hot.CREDITS_POSTED);
    add128(s, RIGHT, amount, 0);
    copy128(cp, c + Hot.CREDITS_POSTED, s, RIGHT);
    countVersion(cp, c);
    const kept =
      compare128(hot.pageOf(debit), d + Hot.DEBITS_POSTED, s, LEFT) === 0 &&
      compare128(hot.pageOf(credit), c + Hot.CREDITS_POSTED, s, RIGHT) === 0;
    invariant(kept, NOT_KEPT);
  }

  /** Infinity where there is no limit; minus infinity, so that every test fails, where it is no small number. */
  private smallLimit(row: number, has: number, at: number): number {
    const page = this.tables.limits.rows.pages[row >>> LIMIT_PAGE_SHIFT] as Uint32Array;
    const start = (row & LIMIT_MASK) * LIMIT_WORDS;
    if ((word(page, start) & has) === 0) return Infinity;
    const limit = small(page, start + at);
    return limit < 0 ? -Infinity : limit;
  }
}

/** A 128-bit number as a double if it is below 2^52, else -1. */
function small(page: Uint32Array, at: number): number {
  const high = word(page, at + 1);
  if ((word(page, at + 2) | word(page, at + 3)) !== 0 || high >= SMALL_HIGH) return -1;
  return high * WORD + word(page, at);
}

/** The lower 64 bits as a double: exact for the sum of two small numbers, which may be above 2^52 itself. */
function lowerHalf(page: Uint32Array, at: number): number {
  return word(page, at + 1) * WORD + word(page, at);
}

function setSmall(page: Uint32Array, at: number, value: number): void {
  const low = value >>> 0;
  page[at] = low;
  page[at + 1] = (value - low) / WORD;
}

export function countVersion(page: Uint32Array, row: number): void {
  const version = word(page, row + Hot.VERSION) + 1;
  page[row + Hot.VERSION] = version;
  if (version === WORD) page[row + Hot.VERSION_HIGH] = word(page, row + Hot.VERSION_HIGH) + 1;
}
