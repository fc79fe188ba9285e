import { type ApplyContext } from './apply-context';
import { sameBytes } from './byte-arena';
import { type DecimalBytes } from './decimal-bytes';
import { type LedgerEntry } from './ledger-table';
import { OutcomeFlag } from './outcome-row';
import { ResultCode } from './result-codes';
import { type Tables } from './tables';
import { RefKind, TransferExtras } from './transfer-extras';
import { type AccountFields, AmountForm, RESOLVING_FLAGS, type TransferFields, TransferFlag } from './transfer-fields';
import { Row, RowFlag } from './transfer-row';
import { compare128, fromBigInt128, joinWords, toBigInt128 } from './words';

/**
 * Is a command the same as the first one with its id? Fields are compared in one fixed order, and the first that differs
 * names the result: flags, pending id, reverses, debit account, credit account, ledger (where the command names one),
 * amount, code, user data, metadata, timeout, effective time, imported time.
 *
 * A refusal may be remembered from a time when an account or the ledger was not known; then what the command said is
 * compared, so that opening the account meanwhile makes no difference.
 */
export class RepeatRules {
  private readonly first = new TransferExtras();
  private readonly minor = new Uint32Array(4);

  constructor(
    private readonly tables: Tables,
    private readonly decimal: DecimalBytes,
  ) {}

  /**
   * @param row the first transfer with this id
   * @param debit,credit handles that the command's accounts have now; 0: none
   * @param ledger what the command's ledger or accounts say now
   */
  compare(
    row: number,
    fields: TransferFields,
    debit: number,
    credit: number,
    ledger: LedgerEntry | undefined,
  ): ResultCode {
    const { transfers } = this.tables;
    const first = transfers.readExtras(row, this.first);
    if (transfers.transferFlags(row) !== fields.flags) return ResultCode.EXISTS_WITH_DIFFERENT_FLAGS;
    if (!first.refersTo(fields.source, fields.reference)) {
      const pending = fields.pending.isGiven || (transfers.transferFlags(row) & RESOLVING_FLAGS) !== 0;
      return pending ? ResultCode.EXISTS_WITH_DIFFERENT_PENDING_ID : ResultCode.EXISTS_WITH_DIFFERENT_REVERSES;
    }
    const { debitKind, debitStart, debitLength, creditKind, creditStart, creditLength } = first;
    if (!this.sameAccount(transfers.debit(row), debitKind, debitStart, debitLength, fields.debit, debit, fields)) {
      return ResultCode.EXISTS_WITH_DIFFERENT_DEBIT_ACCOUNT;
    }
    if (
      !this.sameAccount(transfers.credit(row), creditKind, creditStart, creditLength, fields.credit, credit, fields)
    ) {
      return ResultCode.EXISTS_WITH_DIFFERENT_CREDIT_ACCOUNT;
    }
    if (!this.sameLedger(row, fields)) return ResultCode.EXISTS_WITH_DIFFERENT_LEDGER;
    if (!this.sameAmount(row, fields, ledger)) return ResultCode.EXISTS_WITH_DIFFERENT_AMOUNT;
    return this.compareRest(row, fields);
  }

  /** What goes with the money. */
  private compareRest(row: number, fields: TransferFields): ResultCode {
    const { transfers } = this.tables;
    const { first } = this;
    if (transfers.wordOf(row, Row.CODE) !== fields.code) return ResultCode.EXISTS_WITH_DIFFERENT_CODE;
    const sameUserData =
      transfers.wordOf(row, Row.USER_DATA) === fields.userDataLow &&
      transfers.wordOf(row, Row.USER_DATA + 1) === fields.userDataHigh;
    if (!sameUserData) return ResultCode.EXISTS_WITH_DIFFERENT_USER_DATA;
    const sameMetadata =
      fields.metadataLength === first.metadataLength &&
      sameBytes(fields.source, fields.metadataStart, first.page, first.metadataStart, first.metadataLength);
    if (!sameMetadata) return ResultCode.EXISTS_WITH_DIFFERENT_METADATA;
    if (first.timeout !== fields.timeout) return ResultCode.EXISTS_WITH_DIFFERENT_TIMEOUT;
    if (first.effectiveTime !== joinWords(fields.effectiveLow, fields.effectiveHigh)) {
      return ResultCode.EXISTS_WITH_DIFFERENT_EFFECTIVE_TIME;
    }
    return first.importedTime === joinWords(fields.importedLow, fields.importedHigh)
      ? ResultCode.OK
      : ResultCode.EXISTS_WITH_DIFFERENT_IMPORTED_TIME;
  }

  /** Writes the first answer again: result, offset, time, and what was moved, held or let go then. */
  answer(row: number, context: ApplyContext): void {
    const { holds, transfers } = this.tables;
    const result: ResultCode = transfers.result(row);
    const debit = transfers.debit(row);
    const credit = transfers.credit(row);
    if (result !== ResultCode.OK) {
      const refused = OutcomeFlag.REPLAYED | OutcomeFlag.REFUSED_BEFORE;
      context.write(result, refused, debit, credit, this.ledgerOf(row));
    } else {
      const hold = transfers.hold(row);
      const kind = transfers.transferFlags(row);
      const isPart = (kind & TransferFlag.POST) !== 0 && transfers.amount(row) < holds.amount(hold);
      const flags = OutcomeFlag.REPLAYED | effectOf(kind) | (isPart ? OutcomeFlag.POSTS_PART : 0);
      context.write(result, flags, debit, credit, this.ledgerOf(row));
      context.setHold(hold);
      if ((kind & TransferFlag.BALANCING) === 0) {
        context.setAmount(transfers.pageOf(row), transfers.startOf(row) + Row.AMOUNT);
      } else {
        transfers.readExtras(row, this.first).copyMoved(this.minor, 0);
        context.setAmount(this.minor, 0);
      }
    }
    context.setPlace(transfers.offset(row), transfers.timestamp(row));
    this.tables.replayed++;
  }

  /** The ledger that a remembered transfer belongs to, as far as it was known. */
  ledgerOf(row: number): LedgerEntry | undefined {
    const { accounts, ledgers, transfers } = this.tables;
    const debit = transfers.debit(row);
    if (debit !== 0 && transfers.credit(row) !== 0) return ledgers.byNumber(accounts.ledgerOf(debit));
    return ledgers.byNumber(transfers.readExtras(row, this.first).ledgerNumber);
  }

  private sameAccount(
    stored: number,
    kind: number,
    start: number,
    length: number,
    given: AccountFields,
    handle: number,
    fields: TransferFields,
  ): boolean {
    // Left to the transfer that it refers to, which is the same one: that was compared before.
    if (!given.isGiven) return kind === RefKind.IN_ROW || kind === RefKind.NONE;
    if (kind === RefKind.IN_ROW) return handle === stored;
    if (kind === RefKind.NONE) return false;
    const { accounts, arena } = this.tables;
    if (kind === RefKind.HANDLE) {
      const { low, high } = this.first.handleAt(start);
      return given.hasHandle
        ? given.handleLow === low && given.handleHigh === high
        : handle !== 0 && high === 0 && handle === low;
    }
    const page = this.first.page;
    if (given.hasHandle) return handle !== 0 && arena.equals(accounts.nameRef(handle), page, start, length);
    return given.nameLength === length && sameBytes(fields.source, given.nameStart, page, start, length);
  }

  /** A command that names no ledger means that of its accounts, so there is nothing to differ. */
  private sameLedger(row: number, fields: TransferFields): boolean {
    if (fields.ledgerLength === 0) return true;
    const named = this.tables.ledgers.findBytes(fields.source, fields.ledgerStart, fields.ledgerLength);
    const known = this.ledgerOf(row);
    if (known !== undefined) return named === known;
    const { page, ledgerStart, ledgerLength } = this.first;
    if (ledgerLength === 0) return true;
    return (
      fields.ledgerLength === ledgerLength &&
      sameBytes(fields.source, fields.ledgerStart, page, ledgerStart, ledgerLength)
    );
  }

  private sameAmount(row: number, fields: TransferFields, ledgerNow: LedgerEntry | undefined): boolean {
    const { transfers } = this.tables;
    const page = transfers.pageOf(row);
    const at = transfers.startOf(row) + Row.AMOUNT;
    const isDecimal = (transfers.flags(row) & RowFlag.DECIMAL_AMOUNT) !== 0;
    if (fields.amountForm === AmountForm.NONE) return this.isAll(row, fields);
    const isText = fields.amountForm === AmountForm.TEXT;
    if (isDecimal && isText) {
      // Both as they were written: what the ledger would have made of them plays no part.
      this.decimal.readCoefficient(this.minor, 0);
      return this.decimal.fractionDigits === this.first.decimalDigits && compare128(this.minor, 0, page, at) === 0;
    }
    if (!isDecimal && !isText) return compare128(fields.amount, 0, page, at) === 0;
    const ledger = this.ledgerOf(row) ?? ledgerNow;
    if (ledger === undefined) return false;
    if (isText) {
      const read = this.decimal.readMinor(ledger.scale, ledger.halfUp, this.minor, 0);
      return read === ResultCode.OK && compare128(this.minor, 0, page, at) === 0;
    }
    return this.decimalEqualsMinor(toBigInt128(page, at), this.first.decimalDigits, ledger, fields.amount);
  }

  /** Whether the first command came to all of what it refers to: what a command means that says no amount. */
  private isAll(row: number, fields: TransferFields): boolean {
    const { holds, transfers } = this.tables;
    const amount = transfers.amount(row);
    if (amount === 0n) return true;
    const { reference, source } = fields;
    const other = transfers.find(transfers.hashOf(reference.words, 0), source, reference);
    if (other < 0 || (transfers.result(other) as ResultCode) !== ResultCode.OK) return false;
    return amount === (fields.reverses.isGiven ? transfers.moved(other) : holds.amount(transfers.hold(other)));
  }

  /** A refusal remembered as text, repeated in minor units: rare enough for bigints. */
  private decimalEqualsMinor(coefficient: bigint, digits: number, ledger: LedgerEntry, amount: Uint32Array): boolean {
    const dropped = digits - ledger.scale;
    if (dropped > 0 && !ledger.halfUp) return false;
    const divisor = 10n ** BigInt(Math.max(dropped, 0));
    const minor =
      dropped > 0 ? (coefficient * 2n + divisor) / (divisor * 2n) : coefficient * 10n ** BigInt(Math.max(-dropped, 0));
    if (minor >= 1n << 128n) return false;
    fromBigInt128(this.minor, 0, minor);
    return compare128(this.minor, 0, amount, 0) === 0;
  }
}

function effectOf(kind: number): number {
  if ((kind & TransferFlag.PENDING) !== 0) return OutcomeFlag.HOLDS;
  if ((kind & TransferFlag.POST) !== 0) return OutcomeFlag.POSTS;
  return (kind & TransferFlag.VOID) !== 0 ? OutcomeFlag.RELEASES : 0;
}
