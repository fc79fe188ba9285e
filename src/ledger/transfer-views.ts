import { formatMinor } from './amounts';
import { HoldStatus } from './hold-table';
import { formatUuid } from './identifiers';
import { ledgerView, type LedgerEntry } from './ledger-table';
import { type HoldView, type TransferView } from './reader';
import { ResultCode } from './result-codes';
import { type Tables } from './tables';
import { RefKind, TransferExtras } from './transfer-extras';
import { IdKind, TransferFlag } from './transfer-fields';
import { Row, RowFlag } from './transfer-row';
import { toBigInt64, word } from './words';

const STATUS_NAMES = {
  [HoldStatus.PENDING]: 'pending',
  [HoldStatus.POSTED]: 'posted',
  [HoldStatus.VOIDED]: 'voided',
  [HoldStatus.EXPIRED]: 'expired',
} as const;

/** Remembered transfers and holds, read for people and programs. */
export class TransferViews {
  constructor(private readonly tables: Tables) {}

  transfer(row: number): TransferView {
    const { accounts, ledgers, transfers } = this.tables;
    const extras = transfers.readExtras(row, new TransferExtras());
    const debitHandle = transfers.debit(row);
    const creditHandle = transfers.credit(row);
    const isResolved = debitHandle !== 0 && creditHandle !== 0;
    const ledger = ledgers.byNumber(isResolved ? accounts.ledgerOf(debitHandle) : extras.ledgerNumber);
    const page = transfers.pageOf(row);
    const at = transfers.startOf(row);
    const amount = transfers.amount(row);
    const isDecimal = (transfers.flags(row) & RowFlag.DECIMAL_AMOUNT) !== 0;
    const result: ResultCode = transfers.result(row);
    return {
      id: this.idOf(row),
      debitHandle,
      creditHandle,
      debitAccount: this.accountText(debitHandle, extras, extras.debitKind, extras.debitStart, extras.debitLength),
      creditAccount: this.accountText(creditHandle, extras, extras.creditKind, extras.creditStart, extras.creditLength),
      ledger: ledger === undefined ? undefined : ledgerView(ledger, this.tables.limits),
      amount: isDecimal ? decimalText(amount, extras.decimalDigits, ledger) : formatMinor(amount, ledger?.scale ?? 0),
      moved: transfers.moved(row),
      code: word(page, at + Row.CODE),
      userData: toBigInt64(word(page, at + Row.USER_DATA), word(page, at + Row.USER_DATA + 1)),
      metadata: extras.bytes(extras.metadataStart, extras.metadataLength),
      offset: transfers.offset(row),
      timestamp: transfers.timestamp(row),
      result,
      ...this.restOf(row, extras),
    };
  }

  private accountText(handle: number, extras: TransferExtras, kind: number, start: number, length: number): string {
    if (handle !== 0) return this.tables.accounts.name(handle);
    if (kind === RefKind.NONE) return '';
    if (kind === RefKind.NAME) return extras.text(start, length);
    const { low, high } = extras.handleAt(start);
    return `#${toBigInt64(low, high)}`;
  }

  hold(number: number): HoldView {
    const { holds } = this.tables;
    const expiresAt = holds.expiresAt(number);
    const resolver = holds.resolver(number);
    return {
      number,
      amount: holds.amount(number),
      status: STATUS_NAMES[holds.status(number)],
      expiresAt: expiresAt === 0 ? undefined : expiresAt,
      transferId: this.idOf(holds.transfer(number)),
      resolvedBy: resolver < 0 ? undefined : this.idOf(resolver),
    };
  }

  private restOf(
    row: number,
    extras: TransferExtras,
  ): Pick<
    TransferView,
    'kind' | 'balancing' | 'refersTo' | 'hold' | 'reversedBy' | 'timeoutMs' | 'effectiveTime' | 'importedTime' | 'group'
  > {
    const { transfers } = this.tables;
    const flags = transfers.transferFlags(row);
    const isPending = (flags & TransferFlag.PENDING) !== 0 && (transfers.result(row) as ResultCode) === ResultCode.OK;
    return {
      kind: kindOf(flags, extras.referenceKind),
      balancing: (flags & TransferFlag.BALANCING) !== 0,
      refersTo: referenceText(extras),
      hold: isPending ? this.hold(extras.hold) : undefined,
      reversedBy: this.reversalsOf(row),
      timeoutMs: extras.timeout,
      effectiveTime: extras.effectiveTime === 0 ? undefined : extras.effectiveTime,
      importedTime: extras.importedTime === 0 ? undefined : extras.importedTime,
      group: extras.group === 0 ? undefined : this.groupId(extras.group - 1),
    };
  }

  private reversalsOf(row: number): string[] {
    const { reversals, transfers } = this.tables;
    const entry = reversals.find(row);
    const ids: string[] = [];
    const extras = new TransferExtras();
    for (let next = entry < 0 ? 0 : reversals.newest(entry) + 1; next > 0;) {
      ids.push(this.idOf(next - 1));
      next = transfers.readExtras(next - 1, extras).previousReversal;
    }
    return ids.reverse();
  }

  private groupId(group: number): string {
    const { arena, groups } = this.tables;
    const text = groups.textRef(group);
    return text === 0 ? formatUuid(groups.uuid(group)) : arena.copyOf(text).toString('utf8');
  }

  private idOf(row: number): string {
    const { transfers } = this.tables;
    const extras = transfers.readExtras(row, new TransferExtras());
    if (extras.textIdLength > 0) return extras.text(extras.textIdStart, extras.textIdLength);
    const start = transfers.startOf(row);
    return formatUuid(Buffer.from(transfers.pageOf(row).slice(start, start + 4).buffer));
  }
}

function kindOf(flags: number, referenceKind: number): TransferView['kind'] {
  if ((flags & TransferFlag.PENDING) !== 0) return 'pending';
  if ((flags & TransferFlag.POST) !== 0) return 'post';
  if ((flags & TransferFlag.VOID) !== 0) return 'void';
  return referenceKind === IdKind.NONE ? 'plain' : 'reversal';
}

function referenceText(extras: TransferExtras): string | undefined {
  const { referenceKind, referenceStart: start, referenceLength: length } = extras;
  if (referenceKind === IdKind.NONE) return undefined;
  return referenceKind === IdKind.TEXT ? extras.text(start, length) : formatUuid(extras.bytes(start, length));
}

/** An amount that was refused before it was read at a scale: with at least as many digits as its ledger has, if it has one. */
function decimalText(coefficient: bigint, digits: number, ledger: LedgerEntry | undefined): string {
  const scale = Math.max(digits, ledger?.scale ?? 0);
  const padded = (coefficient * 10n ** BigInt(scale - digits)).toString().padStart(scale + 1, '0');
  return scale === 0 ? padded : `${padded.slice(0, -scale)}.${padded.slice(-scale)}`;
}
