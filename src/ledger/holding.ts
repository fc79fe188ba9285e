import { ACCOUNT_HAS_HOLDS, Cold, Hot } from './account-table';
import { invariant } from './invariant';
import { countVersion } from './posting';
import { type Tables } from './tables';
import { add128, compare128, copy128, isZero128, subtract128, word } from './words';

const DEBIT = 0;
const CREDIT = 4;

/** Asserted of what is really in memory, as it is for what is posted. */
const NOT_KEPT = 'What a hold changed at its debit and its credit account must be in the table after it was done.';

/** The pending side of accounts: what holds put there and take away. Limits were asked before a hold is made. */
export class Holding {
  private readonly sums = new Uint32Array(8);

  constructor(private readonly tables: Tables) {}

  hold(debit: number, credit: number, amount: Uint32Array): void {
    const { cold } = this.tables.accounts;
    const { sums } = this;
    copy128(sums, DEBIT, cold.pageOf(debit), cold.startOf(debit) + Cold.DEBITS_PENDING);
    add128(sums, DEBIT, amount, 0);
    copy128(sums, CREDIT, cold.pageOf(credit), cold.startOf(credit) + Cold.CREDITS_PENDING);
    add128(sums, CREDIT, amount, 0);
    this.write(debit, credit, true);
  }

  /** @param counts whether it is a change of its own; where the amount is then posted, that counts as one with it */
  release(debit: number, credit: number, amount: Uint32Array, counts: boolean): void {
    const { cold } = this.tables.accounts;
    const { sums } = this;
    copy128(sums, DEBIT, cold.pageOf(debit), cold.startOf(debit) + Cold.DEBITS_PENDING);
    copy128(sums, CREDIT, cold.pageOf(credit), cold.startOf(credit) + Cold.CREDITS_PENDING);
    const holdsThat = compare128(sums, DEBIT, amount, 0) >= 0 && compare128(sums, CREDIT, amount, 0) >= 0;
    invariant(holdsThat, 'An account must hold at least what is taken out of its holds.');
    subtract128(sums, DEBIT, amount, 0);
    subtract128(sums, CREDIT, amount, 0);
    this.write(debit, credit, counts);
  }

  private write(debit: number, credit: number, counts: boolean): void {
    const { accounts, journal } = this.tables;
    const { cold } = accounts;
    journal.keep(cold, debit);
    journal.keep(cold, credit);
    copy128(cold.writablePageOf(debit), cold.startOf(debit) + Cold.DEBITS_PENDING, this.sums, DEBIT);
    copy128(cold.writablePageOf(credit), cold.startOf(credit) + Cold.CREDITS_PENDING, this.sums, CREDIT);
    const kept =
      compare128(cold.pageOf(debit), cold.startOf(debit) + Cold.DEBITS_PENDING, this.sums, DEBIT) === 0 &&
      compare128(cold.pageOf(credit), cold.startOf(credit) + Cold.CREDITS_PENDING, this.sums, CREDIT) === 0;
    invariant(kept, NOT_KEPT);
    this.mark(debit, counts);
    this.mark(credit, counts);
  }

  /** The flag that sends plain transfers of this account the way that looks at its holds. */
  private mark(handle: number, counts: boolean): void {
    const { accounts, journal } = this.tables;
    const { cold, hot } = accounts;
    const pending = cold.pageOf(handle);
    const at = cold.startOf(handle);
    const hasHolds = !isZero128(pending, at + Cold.DEBITS_PENDING) || !isZero128(pending, at + Cold.CREDITS_PENDING);
    journal.keep(hot, handle);
    const page = hot.writablePageOf(handle);
    const start = hot.startOf(handle);
    const flags = word(page, start + Hot.FLAGS);
    page[start + Hot.FLAGS] = hasHolds ? flags | ACCOUNT_HAS_HOLDS : flags & ~ACCOUNT_HAS_HOLDS;
    if (counts) countVersion(page, start);
  }
}
