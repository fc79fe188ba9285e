import { type DecimalBytes } from './decimal-bytes';
import { HoldStatus } from './hold-table';
import { type Holding } from './holding';
import { type LedgerEntry } from './ledger-table';
import { type Posting } from './posting';
import { ResultCode } from './result-codes';
import { type Tables } from './tables';
import { AmountForm, type TransferFields, TransferFlag } from './transfer-fields';
import { type TransferPlan } from './transfer-plan';
import { compare128, copy128 } from './words';

const MICROS_PER_MILLI = 1000;

/** Making holds, and what posts, voids and expires them (docs/rules-of-money.md, "Holds"). */
export class HoldRules {
  private readonly held = new Uint32Array(4);

  constructor(
    private readonly tables: Tables,
    private readonly decimal: DecimalBytes,
    private readonly holding: Holding,
    private readonly posting: Posting,
  ) {}

  /** Rule 4, of a transfer that posts or voids: finds the hold, its accounts and the amount. */
  fault(fields: TransferFields, plan: TransferPlan, time: number): ResultCode {
    const { accounts, holds, ledgers, transfers } = this.tables;
    const row = transfers.find(transfers.hashOf(fields.pending.words, 0), fields.source, fields.pending);
    // What was refused holds nothing.
    if (row < 0 || (transfers.result(row) as ResultCode) !== ResultCode.OK) {
      return ResultCode.PENDING_TRANSFER_NOT_FOUND;
    }
    if ((transfers.transferFlags(row) & TransferFlag.PENDING) === 0) return ResultCode.PENDING_TRANSFER_NOT_PENDING;
    const debit = transfers.debit(row);
    const credit = transfers.credit(row);
    if ((plan.debit !== 0 && plan.debit !== debit) || (plan.credit !== 0 && plan.credit !== credit)) {
      return ResultCode.PENDING_TRANSFER_HAS_DIFFERENT_ACCOUNTS;
    }
    const ledger = ledgers.byNumber(accounts.ledgerOf(debit)) as LedgerEntry;
    if (plan.ledger !== undefined && plan.ledger !== ledger) return ResultCode.ACCOUNTS_MUST_HAVE_THE_SAME_LEDGER;
    plan.debit = debit;
    plan.credit = credit;
    plan.ledger = ledger;
    const hold = transfers.hold(row);
    holds.copyAmount(hold, this.held);
    const fault = this.amountFault(fields, plan, ledger);
    if (fault !== ResultCode.OK) return fault;
    plan.hold = hold;
    return this.statusFault(hold, time);
  }

  /** Part of what is held, or, where the command says no amount, all of it. */
  private amountFault(fields: TransferFields, plan: TransferPlan, ledger: LedgerEntry): ResultCode {
    const { amount } = plan;
    if (fields.amountForm === AmountForm.NONE) copy128(amount, 0, this.held, 0);
    else if (fields.amountForm === AmountForm.MINOR) copy128(amount, 0, fields.amount, 0);
    else {
      const read = this.decimal.readMinor(ledger.scale, ledger.halfUp, amount, 0);
      if (read !== ResultCode.OK) return read;
    }
    copy128(plan.moved, 0, amount, 0);
    return compare128(amount, 0, this.held, 0) > 0 ? ResultCode.PENDING_TRANSFER_AMOUNT_EXCEEDED : ResultCode.OK;
  }

  /** The time of the batch decides whether a hold has expired, whether or not the record that says so has come. */
  private statusFault(hold: number, time: number): ResultCode {
    const { holds } = this.tables;
    switch (holds.status(hold)) {
      case HoldStatus.POSTED:
        return ResultCode.PENDING_TRANSFER_ALREADY_POSTED;
      case HoldStatus.VOIDED:
        return ResultCode.PENDING_TRANSFER_ALREADY_VOIDED;
      case HoldStatus.EXPIRED:
        return ResultCode.PENDING_TRANSFER_EXPIRED;
      default: {
        const expiresAt = holds.expiresAt(hold);
        const hasExpired = expiresAt !== 0 && expiresAt <= time;
        return hasExpired ? ResultCode.PENDING_TRANSFER_EXPIRED : ResultCode.OK;
      }
    }
  }

  /** Holds what the plan says, for a pending transfer that will stand in `row`. What expires is queued by `queue`. */
  make(row: number, fields: TransferFields, plan: TransferPlan, time: number): void {
    const { timeout } = fields;
    this.holding.hold(plan.debit, plan.credit, plan.moved);
    const expiresAt = timeout === 0 ? 0 : time + timeout * MICROS_PER_MILLI;
    plan.hold = this.tables.holds.add(row, plan.debit, plan.credit, plan.moved, expiresAt);
  }

  queue(hold: number): void {
    this.tables.queueExpiry(hold);
  }

  /** Posts or voids the plan's hold, by the transfer that will stand in `row`. What is not posted is let go. */
  resolve(row: number, fields: TransferFields, plan: TransferPlan, offset: number): void {
    const posts = (fields.flags & TransferFlag.POST) !== 0;
    this.tables.holds.copyAmount(plan.hold, this.held);
    this.holding.release(plan.debit, plan.credit, this.held, !posts);
    if (posts) this.posting.post(plan.debit, plan.credit, plan.moved);
    this.tables.holds.resolve(plan.hold, posts ? HoldStatus.POSTED : HoldStatus.VOIDED, row, offset);
  }

  /** Whether the plan posts less than is held. Asked after `resolve`. */
  isPartial(plan: TransferPlan): boolean {
    return compare128(plan.moved, 0, this.held, 0) < 0;
  }

  /** Lets go of the hold that expired first, if its time has come; returns its number, or 0. */
  expireFirst(time: number, offset: number): number {
    const { expiries, holds } = this.tables;
    const hold = expiries.first();
    if (hold === 0 || holds.expiresAt(hold) > time) return 0;
    holds.copyAmount(hold, this.held);
    this.holding.release(holds.debit(hold), holds.credit(hold), this.held, true);
    holds.resolve(hold, HoldStatus.EXPIRED, -1, offset);
    return hold;
  }
}
