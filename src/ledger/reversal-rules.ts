import { type DecimalBytes } from './decimal-bytes';
import { type LedgerEntry } from './ledger-table';
import { ResultCode } from './result-codes';
import { type Tables } from './tables';
import { AmountForm, type TransferFields } from './transfer-fields';
import { type TransferPlan } from './transfer-plan';
import { add128, compare128, copy128, fromBigInt128 } from './words';

/**
 * A transfer that names what it reverses: from the payee of that one back to its payer, in one or in several parts that
 * together are at most what it moved. In all else it is a transfer as any other: closed accounts and limits stand against it.
 */
export class ReversalRules {
  private readonly limit = new Uint32Array(4);
  private readonly sum = new Uint32Array(4);

  constructor(
    private readonly tables: Tables,
    private readonly decimal: DecimalBytes,
  ) {}

  /** Rule 4: finds the transfer, the accounts and the amount. */
  fault(fields: TransferFields, plan: TransferPlan): ResultCode {
    const { accounts, ledgers, transfers } = this.tables;
    const row = transfers.find(transfers.hashOf(fields.reverses.words, 0), fields.source, fields.reverses);
    if (row < 0) return ResultCode.REVERSED_TRANSFER_NOT_FOUND;
    const moved = transfers.moved(row);
    if (moved === 0n) return ResultCode.REVERSED_TRANSFER_NOT_POSTED;
    const debit = transfers.credit(row);
    const credit = transfers.debit(row);
    if ((plan.debit !== 0 && plan.debit !== debit) || (plan.credit !== 0 && plan.credit !== credit)) {
      return ResultCode.REVERSED_TRANSFER_HAS_DIFFERENT_ACCOUNTS;
    }
    const ledger = ledgers.byNumber(accounts.ledgerOf(debit)) as LedgerEntry;
    if (plan.ledger !== undefined && plan.ledger !== ledger) return ResultCode.ACCOUNTS_MUST_HAVE_THE_SAME_LEDGER;
    plan.debit = debit;
    plan.credit = credit;
    plan.ledger = ledger;
    fromBigInt128(this.limit, 0, moved);
    const { amount } = plan;
    if (fields.amountForm === AmountForm.NONE) copy128(amount, 0, this.limit, 0);
    else if (fields.amountForm === AmountForm.MINOR) copy128(amount, 0, fields.amount, 0);
    else {
      const read = this.decimal.readMinor(ledger.scale, ledger.halfUp, amount, 0);
      if (read !== ResultCode.OK) return read;
    }
    copy128(plan.moved, 0, amount, 0);
    return this.sumFault(row, plan);
  }

  private sumFault(row: number, plan: TransferPlan): ResultCode {
    const { reversals } = this.tables;
    const entry = reversals.find(row);
    plan.reversed = row;
    copy128(this.sum, 0, plan.amount, 0);
    if (entry >= 0) {
      plan.previousReversal = reversals.newest(entry) + 1;
      reversals.copySum(entry, this.limit, 0);
      add128(this.sum, 0, this.limit, 0);
      fromBigInt128(this.limit, 0, this.tables.transfers.moved(row));
    }
    const isTooMuch = compare128(this.sum, 0, this.limit, 0) > 0;
    return isTooMuch ? ResultCode.REVERSED_TRANSFER_AMOUNT_EXCEEDED : ResultCode.OK;
  }
}
