import { type AccountRules } from './account-rules';
import { type ApplyContext } from './apply-context';
import { DecimalBytes } from './decimal-bytes';
import { type LedgerEntry } from './ledger-table';
import { OutcomeFlag } from './outcome-row';
import { type Posting } from './posting';
import { RepeatRules } from './repeat-rules';
import { ResultCode, burnsId } from './result-codes';
import { type Tables } from './tables';
import { storeExtras } from './transfer-extras';
import { type AccountFields, AmountForm, IdKind, type TransferFields } from './transfer-fields';
import { TransferShape } from './transfer-shape';
import { Row, RowFlag } from './transfer-table';
import { copy128 } from './words';

/**
 * The rules of a transfer, first that applies wins (docs/rules-of-money.md). One instance decides one record at a time; what
 * it knows of that record is in its fields, so that deciding allocates nothing.
 */
export class TransferRules {
  private readonly decimal = new DecimalBytes();
  private readonly shape: TransferShape;
  private readonly repeats: RepeatRules;
  /** Minor units; or, of a refusal before the ledger was asked, a decimal's coefficient. */
  private readonly amount = new Uint32Array(4);
  private hash = 0;

  constructor(
    private readonly tables: Tables,
    private readonly accountRules: AccountRules,
    private readonly posting: Posting,
  ) {
    this.shape = new TransferShape(tables, this.decimal);
    this.repeats = new RepeatRules(tables, this.decimal);
  }

  apply(fields: TransferFields, context: ApplyContext): void {
    const { shape, tables } = this;
    const misshapen = shape.fault(fields);
    if (misshapen !== ResultCode.OK) {
      this.refuse(misshapen, fields, context);
      return;
    }
    this.hash = tables.transfers.hashOf(fields.id, 0);
    const first = tables.transfers.find(this.hash, fields);
    if (first >= 0) {
      this.answerRepeat(first, fields, context);
      return;
    }
    const fault = this.fault(fields);
    if (fault === ResultCode.OK) this.perform(fields, context);
    else this.refuse(fault, fields, context);
  }

  /** Rules 3 to 6. Leaves the amount in minor units where it comes to asking the ledger. */
  private fault(fields: TransferFields): ResultCode {
    const { accounts } = this.tables;
    const { debit, credit, ledger } = this.shape;
    if (debit === 0 && !this.opensAtFirstUse(fields.debit)) return ResultCode.DEBIT_ACCOUNT_NOT_FOUND;
    if (credit === 0 && !this.opensAtFirstUse(fields.credit)) return ResultCode.CREDIT_ACCOUNT_NOT_FOUND;
    if (
      ledger === undefined ||
      (debit !== 0 && accounts.ledgerOf(debit) !== ledger.number) ||
      (credit !== 0 && accounts.ledgerOf(credit) !== ledger.number)
    ) {
      return ResultCode.ACCOUNTS_MUST_HAVE_THE_SAME_LEDGER;
    }
    if (fields.amountForm === AmountForm.TEXT) {
      const read = this.decimal.readMinor(ledger.scale, ledger.halfUp, this.amount, 0);
      if (read !== ResultCode.OK) return read;
    } else copy128(this.amount, 0, fields.amount, 0);
    if (debit !== 0 && accounts.isClosed(debit)) return ResultCode.DEBIT_ACCOUNT_CLOSED;
    if (credit !== 0 && accounts.isClosed(credit)) return ResultCode.CREDIT_ACCOUNT_CLOSED;
    return this.limitFault(debit, credit, ledger);
  }

  /** Only a ledger that the command names opens accounts, and only by name: a handle is given at opening. */
  private opensAtFirstUse(account: AccountFields): boolean {
    return account.hasName && this.shape.named !== undefined && this.shape.named.autoOpen;
  }

  /** An account that would be opened has nothing in it and its ledger's default limits. */
  private limitFault(debit: number, credit: number, ledger: LedgerEntry): ResultCode {
    const { limits } = this.tables;
    const { amount, posting } = this;
    const mayDebit =
      debit === 0 ? limits.allowsFirstDebit(ledger.defaultLimits, amount, 0) : posting.mayDebit(debit, amount);
    if (!mayDebit) return ResultCode.INSUFFICIENT_FUNDS;
    const mayCredit =
      credit === 0 ? limits.allowsFirstCredit(ledger.defaultLimits, amount, 0) : posting.mayCredit(credit, amount);
    if (!mayCredit) return ResultCode.EXCEEDS_MAX_BALANCE;
    return posting.overflows(debit, credit, amount) ? ResultCode.OVERFLOW : ResultCode.OK;
  }

  private perform(fields: TransferFields, context: ApplyContext): void {
    const ledger = this.shape.ledger as LedgerEntry;
    let { debit, credit } = this.shape;
    let flags = 0;
    // Only now, when nothing stands against the transfer: a refused one leaves no account behind.
    if (debit === 0) {
      debit = this.open(fields, fields.debit, ledger, context);
      flags |= OutcomeFlag.OPENED_DEBIT;
    }
    if (credit === 0) {
      credit = this.open(fields, fields.credit, ledger, context);
      flags |= OutcomeFlag.OPENED_CREDIT;
    }
    this.posting.post(debit, credit, this.amount);
    this.remember(ResultCode.OK, debit, credit, fields, context);
    context.write(ResultCode.OK, flags, debit, credit, ledger);
    context.setMoved(this.amount, 0);
    this.tables.count(ResultCode.OK);
  }

  private open(fields: TransferFields, account: AccountFields, ledger: LedgerEntry, context: ApplyContext): number {
    return this.accountRules.openByTransfer(fields.source, account.nameStart, account.nameLength, ledger, context);
  }

  private refuse(result: ResultCode, fields: TransferFields, context: ApplyContext): void {
    const { debit, credit, ledger } = this.shape;
    if (burnsId(result)) this.remember(result, debit, credit, fields, context);
    context.write(result, 0, debit, credit, ledger);
    this.tables.count(result);
  }

  private remember(
    result: ResultCode,
    debit: number,
    credit: number,
    fields: TransferFields,
    context: ApplyContext,
  ): void {
    const { arena, transfers } = this.tables;
    const beforeLedger =
      result === ResultCode.DEBIT_ACCOUNT_NOT_FOUND || result === ResultCode.CREDIT_ACCOUNT_NOT_FOUND;
    const isDecimal = beforeLedger && fields.amountForm === AmountForm.TEXT;
    if (isDecimal) this.decimal.readCoefficient(this.amount, 0);
    else if (beforeLedger) copy128(this.amount, 0, fields.amount, 0);
    const row = transfers.append(this.hash, fields);
    const page = transfers.rows.pageOf(row);
    const at = transfers.rows.startOf(row);
    page[at + Row.DEBIT] = debit;
    page[at + Row.CREDIT] = credit;
    copy128(page, at + Row.AMOUNT, this.amount, 0);
    page[at + Row.EXTRAS] = storeExtras(arena, fields, {
      debit,
      credit,
      ledger: this.shape.ledger?.number ?? 0,
      decimalDigits: isDecimal ? this.decimal.fractionDigits : undefined,
    });
    const flags = (fields.idKind === IdKind.TEXT ? RowFlag.TEXT_ID : 0) | (isDecimal ? RowFlag.DECIMAL_AMOUNT : 0);
    transfers.setOutcome(row, result, flags, context.offset, context.time);
  }

  /** Rule 2: the first answer again, or the first field that differs from the first command. */
  private answerRepeat(first: number, fields: TransferFields, context: ApplyContext): void {
    const { debit, credit, ledger } = this.shape;
    const { transfers } = this.tables;
    const difference = this.repeats.compare(first, fields, debit, credit, ledger);
    if (difference !== ResultCode.OK) {
      context.write(difference, 0, debit, credit, ledger);
      this.tables.count(difference);
      return;
    }
    const result: ResultCode = transfers.result(first);
    const flags = OutcomeFlag.REPLAYED | (result === ResultCode.OK ? 0 : OutcomeFlag.REFUSED_BEFORE);
    context.write(result, flags, transfers.debit(first), transfers.credit(first), this.repeats.ledgerOf(first));
    context.setPlace(transfers.offset(first), transfers.timestamp(first));
    if (result === ResultCode.OK) {
      context.setMoved(transfers.rows.pageOf(first), transfers.rows.startOf(first) + Row.AMOUNT);
    }
    this.tables.replayed++;
  }
}
