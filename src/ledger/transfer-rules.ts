import { type AccountRules } from './account-rules';
import { type ApplyContext } from './apply-context';
import { DecimalBytes } from './decimal-bytes';
import { HoldRules } from './hold-rules';
import { Holding } from './holding';
import { IdAgeRules } from './id-age-rules';
import { type LedgerEntry } from './ledger-table';
import { OutcomeFlag } from './outcome-row';
import { type Posting } from './posting';
import { RepeatRules } from './repeat-rules';
import { ResultCode, burnsId } from './result-codes';
import { ReversalRules } from './reversal-rules';
import { storeExtras } from './store-extras';
import { type Tables } from './tables';
import {
  type AccountFields,
  AmountForm,
  IdKind,
  RESOLVING_FLAGS,
  type TransferFields,
  TransferFlag,
} from './transfer-fields';
import { TransferPlan } from './transfer-plan';
import { TransferShape } from './transfer-shape';
import { ROW_TRANSFER_FLAGS_SHIFT, Row, RowFlag } from './transfer-row';
import { compare128, copy128, isZero128, joinWords } from './words';

/**
 * The rules of a transfer, first that applies wins (docs/rules-of-money.md). One instance decides one record at a time; what
 * it knows of that record is in its fields, so that deciding allocates nothing.
 */
export class TransferRules {
  readonly decimal = new DecimalBytes();
  readonly shape: TransferShape;
  readonly ages: IdAgeRules;
  readonly holds: HoldRules;
  readonly repeats: RepeatRules;
  /** Row of the first transfer with this id, after `decide`; -1: there is none. */
  first = -1;
  private readonly plan = new TransferPlan();
  private readonly reversals: ReversalRules;
  private hash = 0;

  constructor(
    private readonly tables: Tables,
    private readonly accountRules: AccountRules,
    private readonly posting: Posting,
  ) {
    this.shape = new TransferShape(tables, this.decimal);
    this.ages = new IdAgeRules(tables);
    this.holds = new HoldRules(tables, this.decimal, new Holding(tables), posting);
    this.reversals = new ReversalRules(tables, this.decimal);
    this.repeats = new RepeatRules(tables, this.decimal);
  }

  apply(fields: TransferFields, context: ApplyContext): void {
    const result = this.decide(fields, context.time);
    if (this.first >= 0) this.answerRepeat(result, context);
    else if (result === ResultCode.OK) this.perform(fields, context, 0);
    else {
      if (burnsId(result)) this.remember(result, fields, context, 0);
      this.answerRefusal(result, context);
    }
  }

  /**
   * All the rules, without doing anything. Where the id is known, `first` is its row, and the result says whether the
   * content is the same (OK) or what differs.
   */
  decide(fields: TransferFields, time: number): ResultCode {
    const { shape, plan, tables } = this;
    this.first = -1;
    const misshapen = shape.fault(fields);
    plan.begin(shape.debit, shape.credit, shape.ledger);
    if (misshapen !== ResultCode.OK) return misshapen;
    const age = this.ages.fault(fields.source, fields.id, time);
    if (age !== ResultCode.OK) return age;
    this.hash = tables.transfers.hashOf(fields.id.words, 0);
    this.first = tables.transfers.find(this.hash, fields.source, fields.id);
    if (this.first >= 0) return this.repeats.compare(this.first, fields, shape.debit, shape.credit, shape.ledger);
    return this.fault(fields, time);
  }

  /** Rules 3 to 6. Leaves the amounts in minor units where it comes to asking the ledger. */
  private fault(fields: TransferFields, time: number): ResultCode {
    const { plan } = this;
    let fault = this.accountFault(fields);
    if (fault !== ResultCode.OK) return fault;
    if (joinWords(fields.importedLow, fields.importedHigh) > time) return ResultCode.IMPORTED_TIME_IN_FUTURE;
    if ((fields.flags & RESOLVING_FLAGS) !== 0) return this.holds.fault(fields, plan, time);
    fault = fields.reverses.isGiven ? this.reversals.fault(fields, plan) : this.readAmount(fields);
    if (fault !== ResultCode.OK) return fault;
    const { accounts } = this.tables;
    if (plan.debit !== 0 && accounts.isClosed(plan.debit)) return ResultCode.DEBIT_ACCOUNT_CLOSED;
    if (plan.credit !== 0 && accounts.isClosed(plan.credit)) return ResultCode.CREDIT_ACCOUNT_CLOSED;
    return this.limitFault(fields, plan.ledger as LedgerEntry);
  }

  private accountFault(fields: TransferFields): ResultCode {
    const { accounts } = this.tables;
    const { debit, credit, ledger } = this.plan;
    if (debit === 0 && this.isMissing(fields, fields.debit)) return ResultCode.DEBIT_ACCOUNT_NOT_FOUND;
    if (credit === 0 && this.isMissing(fields, fields.credit)) return ResultCode.CREDIT_ACCOUNT_NOT_FOUND;
    // A transfer that refers to another one may leave all of it to that one.
    if (ledger === undefined && fields.refers && fields.ledgerLength === 0) return ResultCode.OK;
    const differs =
      ledger === undefined ||
      (debit !== 0 && accounts.ledgerOf(debit) !== ledger.number) ||
      (credit !== 0 && accounts.ledgerOf(credit) !== ledger.number);
    return differs ? ResultCode.ACCOUNTS_MUST_HAVE_THE_SAME_LEDGER : ResultCode.OK;
  }

  /**
   * Of an account that does not exist. Only a ledger that the command names opens accounts, and only by name: a handle is
   * given at opening. What refers to another transfer opens none: the accounts of that one exist.
   */
  private isMissing(fields: TransferFields, account: AccountFields): boolean {
    if (fields.refers) return account.isGiven;
    return !account.hasName || this.shape.named === undefined || !this.shape.named.autoOpen;
  }

  private readAmount(fields: TransferFields): ResultCode {
    const { plan } = this;
    const ledger = plan.ledger as LedgerEntry;
    if (fields.amountForm === AmountForm.TEXT) {
      const read = this.decimal.readMinor(ledger.scale, ledger.halfUp, plan.amount, 0);
      if (read !== ResultCode.OK) return read;
    } else copy128(plan.amount, 0, fields.amount, 0);
    copy128(plan.moved, 0, plan.amount, 0);
    return ResultCode.OK;
  }

  /** An account that would be opened has nothing in it and its ledger's default limits. */
  private limitFault(fields: TransferFields, ledger: LedgerEntry): ResultCode {
    const { limits } = this.tables;
    const { plan, posting } = this;
    const { debit, credit, moved } = plan;
    if ((fields.flags & TransferFlag.BALANCING) !== 0) this.balance(ledger);
    const mayDebit =
      debit === 0 ? limits.allowsFirstDebit(ledger.defaultLimits, moved, 0) : posting.mayDebit(debit, moved);
    if (!mayDebit || isZero128(moved, 0)) return ResultCode.INSUFFICIENT_FUNDS;
    const mayCredit =
      credit === 0 ? limits.allowsFirstCredit(ledger.defaultLimits, moved, 0) : posting.mayCredit(credit, moved);
    if (!mayCredit) return ResultCode.EXCEEDS_MAX_BALANCE;
    return posting.overflows(debit, credit, moved) ? ResultCode.OVERFLOW : ResultCode.OK;
  }

  /** What is available, up to the amount; maybe nothing. */
  private balance(ledger: LedgerEntry): void {
    const { limits } = this.tables;
    const { amount, debit, moved } = this.plan;
    this.plan.movesOther = true;
    const isLimited =
      debit === 0 ? limits.firstAvailable(ledger.defaultLimits, moved) : this.posting.available(debit, moved);
    if (!isLimited || compare128(moved, 0, amount, 0) > 0) copy128(moved, 0, amount, 0);
  }

  /** Does what `decide` found nothing against. */
  perform(fields: TransferFields, context: ApplyContext, group: number): void {
    const { plan } = this;
    const ledger = plan.ledger as LedgerEntry;
    let flags = 0;
    // Only now, when nothing stands against the transfer: a refused one leaves no account behind.
    if (plan.debit === 0) {
      plan.debit = this.open(fields, fields.debit, ledger, context);
      flags |= OutcomeFlag.OPENED_DEBIT;
    }
    if (plan.credit === 0) {
      plan.credit = this.open(fields, fields.credit, ledger, context);
      flags |= OutcomeFlag.OPENED_CREDIT;
    }
    const row = this.tables.transfers.count;
    flags |= this.move(row, fields, context);
    this.remember(ResultCode.OK, fields, context, group);
    context.write(ResultCode.OK, flags, plan.debit, plan.credit, ledger);
    context.setAmount(plan.moved, 0);
    context.setHold(plan.hold);
    this.tables.count(ResultCode.OK);
  }

  /** Moves, holds or lets go; returns the outcome's flags that say which. */
  private move(row: number, fields: TransferFields, context: ApplyContext): number {
    const { holds, plan } = this;
    const { debit, credit, moved } = plan;
    if ((fields.flags & TransferFlag.PENDING) !== 0) {
      holds.make(row, fields, plan, context.time);
      if (fields.groupSize === 0) holds.queue(plan.hold);
      return OutcomeFlag.HOLDS;
    }
    if ((fields.flags & RESOLVING_FLAGS) !== 0) {
      holds.resolve(row, fields, plan, context.offset);
      if ((fields.flags & TransferFlag.VOID) !== 0) return OutcomeFlag.RELEASES;
      return OutcomeFlag.POSTS | (holds.isPartial(plan) ? OutcomeFlag.POSTS_PART : 0);
    }
    this.posting.post(debit, credit, moved);
    if (plan.reversed >= 0) this.tables.reversals.add(plan.reversed, row, moved);
    return 0;
  }

  private open(fields: TransferFields, account: AccountFields, ledger: LedgerEntry, context: ApplyContext): number {
    return this.accountRules.openByTransfer(fields.source, account.nameStart, account.nameLength, ledger, context);
  }

  answerRefusal(result: ResultCode, context: ApplyContext): void {
    this.plan.refuse(this.tables.accounts.count);
    const { debit, credit, ledger } = this.plan;
    context.write(result, 0, debit, credit, ledger);
    this.tables.count(result);
  }

  /** Binds the id to what was decided. Of a refusal only what the command itself says is kept. */
  remember(result: ResultCode, fields: TransferFields, context: ApplyContext, group: number): void {
    const { transfers } = this.tables;
    const { plan } = this;
    if (result !== ResultCode.OK) plan.refuse(this.tables.accounts.count);
    const beforeLedger =
      result === ResultCode.DEBIT_ACCOUNT_NOT_FOUND || result === ResultCode.CREDIT_ACCOUNT_NOT_FOUND;
    const isDecimal = beforeLedger && fields.amountForm === AmountForm.TEXT;
    if (isDecimal) this.decimal.readCoefficient(plan.amount, 0);
    // Nothing stands for an amount that the command leaves to another transfer.
    else if (beforeLedger) copy128(plan.amount, 0, fields.amount, 0);
    const row = transfers.append(this.hash, fields);
    const page = transfers.rows.pageOf(row);
    const at = transfers.rows.startOf(row);
    page[at + Row.DEBIT] = plan.debit;
    page[at + Row.CREDIT] = plan.credit;
    copy128(page, at + Row.AMOUNT, plan.amount, 0);
    const decimalDigits = isDecimal ? this.decimal.fractionDigits : undefined;
    storeExtras(transfers.extras, row, fields, plan, { decimalDigits, group });
    const flags =
      (fields.id.kind === IdKind.TEXT ? RowFlag.TEXT_ID : 0) |
      (isDecimal ? RowFlag.DECIMAL_AMOUNT : 0) |
      (fields.flags << ROW_TRANSFER_FLAGS_SHIFT);
    transfers.setOutcome(row, result, flags, context.offset, context.time);
  }

  /** Rule 2: the first answer again, or the first field that differs from the first command. */
  private answerRepeat(difference: ResultCode, context: ApplyContext): void {
    if (difference !== ResultCode.OK) return this.answerRefusal(difference, context);
    this.repeats.answer(this.first, context);
  }
}
