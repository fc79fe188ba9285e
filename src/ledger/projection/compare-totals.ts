/**
 * The totals of accounts after each record of a batch, worked out backwards from what the state has after all of it: so nothing
 * is added up over the whole log, and nothing has to be remembered between two batches.
 */
import { type OutcomeRow } from '../outcome-row';
import { type LedgerReader } from '../reader';
import { ResultCode } from '../result-codes';

/** Minor units. */
export interface SideTotals {
  readonly scale: number;
  readonly debits: bigint;
  readonly credits: bigint;
  readonly debitsPending: bigint;
  readonly creditsPending: bigint;
}

export class BackwardTotals {
  private readonly known = new Map<number, SideTotals>();

  /** @param reader of the state after the batch */
  constructor(private readonly reader: LedgerReader) {}

  /** After the record that is looked at; undefined: there is no such account. */
  of(handle: number): SideTotals | undefined {
    const known = this.known.get(handle);
    if (known) return known;
    const account = this.reader.accountByHandle(handle);
    const balance = this.reader.balance(handle);
    if (account === undefined || balance === undefined) return undefined;
    const { creditsPending, creditsPosted: credits, debitsPending, debitsPosted: debits } = balance;
    const totals = { scale: account.ledger.scale, debits, credits, debitsPending, creditsPending };
    this.known.set(handle, totals);
    return totals;
  }

  /** Goes on to the record before it. */
  undo({ amount, amountMoved, creditHandle, debitHandle, effect, hold, result }: OutcomeRow): void {
    if (result !== ResultCode.OK) return;
    const released = effect === 'none' || effect === 'held' ? 0n : (this.reader.hold(hold)?.amount ?? 0n);
    const pending = (effect === 'held' ? amount : 0n) - released;
    const payer = this.of(debitHandle);
    if (payer) {
      const { debits, debitsPending } = payer;
      this.known.set(debitHandle, {
        ...payer,
        debits: debits - amountMoved,
        debitsPending: debitsPending - pending,
      });
    }
    const payee = this.of(creditHandle);
    if (payee) {
      const { credits, creditsPending } = payee;
      this.known.set(creditHandle, {
        ...payee,
        credits: credits - amountMoved,
        creditsPending: creditsPending - pending,
      });
    }
  }
}
