import { sameBytes } from './byte-arena';
import { type DecimalBytes } from './decimal-bytes';
import { type LedgerEntry } from './ledger-table';
import { ResultCode } from './result-codes';
import { type Tables } from './tables';
import { RefKind, TransferExtras } from './transfer-extras';
import { type AccountFields, AmountForm, type TransferFields } from './transfer-fields';
import { Row, RowFlag } from './transfer-table';
import { compare128, fromBigInt128, toBigInt128 } from './words';

/**
 * Is a command the same as the first one with its id? Fields are compared in one fixed order, and the first that differs
 * names the result: debit account, credit account, ledger (where the command names one), amount, code, user data, metadata,
 * flags.
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
    const { arena, transfers } = this.tables;
    const first = this.first.read(arena, transfers.extrasRef(row));
    if (
      !this.sameAccount(
        transfers.debit(row),
        first.debitKind,
        first.debitStart,
        first.debitLength,
        fields.debit,
        debit,
        fields,
      )
    ) {
      return ResultCode.EXISTS_WITH_DIFFERENT_DEBIT_ACCOUNT;
    }
    if (
      !this.sameAccount(
        transfers.credit(row),
        first.creditKind,
        first.creditStart,
        first.creditLength,
        fields.credit,
        credit,
        fields,
      )
    ) {
      return ResultCode.EXISTS_WITH_DIFFERENT_CREDIT_ACCOUNT;
    }
    if (!this.sameLedger(row, fields)) return ResultCode.EXISTS_WITH_DIFFERENT_LEDGER;
    if (!this.sameAmount(row, fields, ledger)) return ResultCode.EXISTS_WITH_DIFFERENT_AMOUNT;
    if (transfers.wordOf(row, Row.CODE) !== fields.code) return ResultCode.EXISTS_WITH_DIFFERENT_CODE;
    const sameUserData =
      transfers.wordOf(row, Row.USER_DATA) === fields.userDataLow &&
      transfers.wordOf(row, Row.USER_DATA + 1) === fields.userDataHigh;
    if (!sameUserData) return ResultCode.EXISTS_WITH_DIFFERENT_USER_DATA;
    // Flags are zero in every transfer that is remembered, and in every command that comes this far.
    return fields.metadataLength === first.metadataLength &&
      sameBytes(fields.source, fields.metadataStart, first.page, first.metadataStart, first.metadataLength)
      ? ResultCode.OK
      : ResultCode.EXISTS_WITH_DIFFERENT_METADATA;
  }

  /** The ledger that a remembered transfer belongs to, as far as it was known. */
  ledgerOf(row: number): LedgerEntry | undefined {
    const { accounts, arena, ledgers, transfers } = this.tables;
    const debit = transfers.debit(row);
    if (debit !== 0 && transfers.credit(row) !== 0) return ledgers.byNumber(accounts.ledgerOf(debit));
    return ledgers.byNumber(this.first.read(arena, transfers.extrasRef(row)).ledgerNumber);
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
    if (kind === RefKind.IN_ROW) return handle === stored;
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
    const page = transfers.rows.pageOf(row);
    const at = transfers.rows.startOf(row) + Row.AMOUNT;
    const isDecimal = (transfers.flags(row) & RowFlag.DECIMAL_AMOUNT) !== 0;
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
