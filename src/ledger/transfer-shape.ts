import { isUtf8 } from 'node:buffer';
import { hash } from 'node:crypto';
import { METADATA_MAX_BYTES, isAccountName } from './account-rules';
import { MAX_MINOR } from './amounts';
import { sameBytes } from './byte-arena';
import { type DecimalBytes } from './decimal-bytes';
import { TEXT_ID_MAX_BYTES, isLedgerCode, parseUuid } from './identifiers';
import { type LedgerEntry } from './ledger-table';
import { ResultCode } from './result-codes';
import { type Tables } from './tables';
import {
  type AccountFields,
  AmountForm,
  type IdFields,
  IdKind,
  KIND_FLAGS,
  KNOWN_FLAGS,
  RESOLVING_FLAGS,
  type TransferFields,
  TransferFlag,
} from './transfer-fields';
import { compare128, fromBigInt128, isZero128 } from './words';

/** Keeps text ids apart from whatever else may be hashed one day. */
const TEXT_ID_DOMAIN = Buffer.from('ledger-node/transfer-text-id/v1\0');
const MAX_AMOUNT = new Uint32Array(4);
fromBigInt128(MAX_AMOUNT, 0, MAX_MINOR);
/** A hundred years: added to any time of a log it is still a number that a double holds exactly. */
export const MAX_TIMEOUT_MS = 100 * 366 * 24 * 3600 * 1000;

/**
 * Rule 1 once more: the doors have asked it, but what is in the log decides. On the way it finds what the command's names
 * stand for, since the bytes of a name that is known need no other check.
 */
export class TransferShape {
  /** Handles; 0: there is no such account. Read after `fault` found nothing. */
  debit = 0;
  credit = 0;
  /** The ledger that the command names, if there is one of that code. */
  named: LedgerEntry | undefined;
  /** The ledger as far as the command tells: the one it names, else that of an account that exists. */
  ledger: LedgerEntry | undefined;

  constructor(
    private readonly tables: Tables,
    private readonly decimal: DecimalBytes,
  ) {}

  /** Leaves the decimal scanned where the amount is text, and the four words of every id where it is text. */
  fault(fields: TransferFields): ResultCode {
    const fault = this.faultOfBytes(fields);
    if (fault !== ResultCode.OK) {
      this.debit = this.credit = 0;
      this.named = this.ledger = undefined;
      return fault;
    }
    const { accounts, ledgers } = this.tables;
    const known = this.debit !== 0 ? this.debit : this.credit;
    this.ledger = this.named;
    if (fields.ledgerLength === 0 && known !== 0) this.ledger = ledgers.byNumber(accounts.ledgerOf(known));
    // One account under its name and under its handle.
    return known !== 0 && this.debit === this.credit ? ResultCode.ACCOUNTS_MUST_BE_DIFFERENT : ResultCode.OK;
  }

  private faultOfBytes(fields: TransferFields): ResultCode {
    const { debit, credit } = fields;
    if (!this.isIdValid(fields, fields.id) || !this.findNames(fields)) return ResultCode.MALFORMED_RECORD;
    const fault = this.amountFault(fields);
    if (fault !== ResultCode.OK) return fault;
    if (!this.areFlagsValid(fields) || fields.metadataLength > METADATA_MAX_BYTES) return ResultCode.MALFORMED_RECORD;
    if (!fields.refers && !(debit.isGiven && credit.isGiven)) return ResultCode.MALFORMED_RECORD;
    const sameHandle =
      debit.hasHandle && debit.handleLow === credit.handleLow && debit.handleHigh === credit.handleHigh;
    return sameHandle || sameName(fields) ? ResultCode.ACCOUNTS_MUST_BE_DIFFERENT : ResultCode.OK;
  }

  /** A transfer that refers to another one may leave the amount to it; one that voids must. */
  private amountFault(fields: TransferFields): ResultCode {
    const { amount } = fields;
    switch (fields.amountForm) {
      case AmountForm.NONE:
        return fields.refers ? ResultCode.OK : ResultCode.MALFORMED_RECORD;
      case AmountForm.TEXT:
        return this.decimal.scan(fields.source, fields.amountStart, fields.amountLength)
          ? this.decimal.faultAtAnyScale()
          : ResultCode.MALFORMED_RECORD;
      default:
        if (isZero128(amount, 0)) return ResultCode.AMOUNT_MUST_NOT_BE_ZERO;
        return compare128(amount, 0, MAX_AMOUNT, 0) > 0 ? ResultCode.AMOUNT_TOO_LARGE : ResultCode.OK;
    }
  }

  /** What belongs together and what contradicts itself. */
  private areFlagsValid(fields: TransferFields): boolean {
    const { flags, timeout } = fields;
    const kind = flags & KIND_FLAGS;
    const resolves = (flags & RESOLVING_FLAGS) !== 0;
    const balances = (flags & TransferFlag.BALANCING) !== 0;
    const isImported = (fields.importedLow | fields.importedHigh) !== 0;
    return (
      (flags & ~KNOWN_FLAGS) === 0 &&
      // At most one bit is set.
      (kind & (kind - 1)) === 0 &&
      resolves === fields.pending.isGiven &&
      !(balances && fields.refers) &&
      !(fields.reverses.isGiven && kind !== 0) &&
      !(kind === TransferFlag.VOID && fields.amountForm !== AmountForm.NONE) &&
      // A timeout counts from the ledger's time, which says nothing about a hold of another book.
      (timeout === 0 || (kind === TransferFlag.PENDING && timeout <= MAX_TIMEOUT_MS && !isImported)) &&
      this.isIdValid(fields, fields.pending) &&
      this.isIdValid(fields, fields.reverses) &&
      this.isIdValid(fields, fields.group)
    );
  }

  /** Also where it is not given. */
  isIdValid(fields: TransferFields, id: IdFields): boolean {
    if (id.kind === IdKind.NONE) return true;
    if (id.kind === IdKind.UUID) return !id.isReserved();
    const { textStart: start, textLength: length } = id;
    if (length > TEXT_ID_MAX_BYTES) return false;
    const bytes = fields.source.subarray(start, start + length);
    if (!isUtf8(bytes) || bytes.includes(0)) return false;
    // A UUID has one form in the log, its bytes; as a text it would be a second id beside itself.
    if (length >= 32 && parseUuid(fields.text(start, length)) !== undefined) return false;
    textIdWords(bytes, id.words);
    return true;
  }

  private findNames(fields: TransferFields): boolean {
    this.named = undefined;
    if (fields.ledgerLength > 0) {
      this.named = this.tables.ledgers.findBytes(fields.source, fields.ledgerStart, fields.ledgerLength);
      if (this.named === undefined && !isLedgerCode(fields.text(fields.ledgerStart, fields.ledgerLength))) return false;
    }
    this.debit = this.handleOf(fields, fields.debit);
    this.credit = this.handleOf(fields, fields.credit);
    return (
      (this.debit !== 0 || this.isNameValid(fields, fields.debit)) &&
      (this.credit !== 0 || this.isNameValid(fields, fields.credit))
    );
  }

  private handleOf(fields: TransferFields, account: AccountFields): number {
    const { accounts } = this.tables;
    return account.hasName
      ? accounts.findName(fields.source, account.nameStart, account.nameLength)
      : accounts.findHandle(account.handleLow, account.handleHigh);
  }

  private isNameValid(fields: TransferFields, account: AccountFields): boolean {
    return !account.hasName || isAccountName(fields.source, account.nameStart, account.nameLength);
  }
}

/** The 128 bits that a text id is found by: the start of a SHA-256, apart from all other uses of one. */
export function textIdWords(text: Uint8Array, target: Uint32Array): void {
  const input = Buffer.allocUnsafe(TEXT_ID_DOMAIN.length + text.length);
  input.set(TEXT_ID_DOMAIN);
  input.set(text, TEXT_ID_DOMAIN.length);
  // In one call and as text: three times as fast as a Hash object and a buffer, which is most of what a text id costs.
  const digest = hash('sha256', input, 'hex');
  for (let i = 0; i < 4; i++) target[i] = parseInt(digest.slice(8 * i, 8 * i + 8), 16);
}

function sameName(fields: TransferFields): boolean {
  const { debit, credit, source } = fields;
  if (!debit.hasName || debit.nameLength !== credit.nameLength) return false;
  return sameBytes(source, debit.nameStart, source, credit.nameStart, debit.nameLength);
}
