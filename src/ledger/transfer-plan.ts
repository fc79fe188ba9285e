import { type LedgerEntry } from './ledger-table';

/** What the rules have found out about the transfer that is being decided. One instance is used again and again. */
export class TransferPlan {
  /** Handles; 0: there is no such account (yet), or the command left it to the transfer that it refers to. */
  debit = 0;
  credit = 0;
  /** As far as it is known. */
  ledger: LedgerEntry | undefined;
  /** What was asked for: minor units; or, of a refusal before the ledger was asked, a decimal's coefficient. */
  readonly amount = new Uint32Array(4);
  /** What is moved or held, in minor units: of a balancing transfer what is available, up to the amount. */
  readonly moved = new Uint32Array(4);
  /** `moved` is to be remembered beside the amount. */
  movesOther = false;
  /** Number of the hold that is made, posted or voided; 0: none. */
  hold = 0;
  /** Row of the transfer that is reversed; -1: none. */
  reversed = -1;
  /** Row of the transfer that reversed the same one before, plus 1; 0: none. */
  previousReversal = 0;

  begin(debit: number, credit: number, ledger: LedgerEntry | undefined): void {
    this.debit = debit;
    this.credit = credit;
    this.ledger = ledger;
    this.movesOther = false;
    this.hold = this.previousReversal = 0;
    this.reversed = -1;
  }

  /** Of a refusal: drops what it would have done, and accounts that are not there any more, with handles above `accounts`. */
  refuse(accounts: number): void {
    if (this.debit > accounts) this.debit = 0;
    if (this.credit > accounts) this.credit = 0;
    this.movesOther = false;
    this.hold = this.previousReversal = 0;
    this.reversed = -1;
  }
}
