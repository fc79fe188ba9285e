import { formatUuid, type TransferId } from './identifiers';
import { formatMinor } from './amounts';
import { invariant } from './invariant';
import { ledgerView, type LedgerEntry } from './ledger-table';
import {
  type AccountView,
  type BalanceView,
  type LedgerCounts,
  type LedgerReader,
  type LedgerView,
  type TransferView,
} from './reader';
import { ResultCode } from './result-codes';
import { type Tables } from './tables';
import { RefKind, TransferExtras } from './transfer-extras';
import { IdKind, TransferFields } from './transfer-fields';
import { textIdWords } from './transfer-shape';
import { Row, RowFlag } from './transfer-table';
import { toBigInt64, word } from './words';

/** Reads the tables for people and programs: everything that comes back is a copy. */
export class StateReader implements LedgerReader {
  constructor(private readonly tables: Tables) {}

  ledger(code: string): LedgerView | undefined {
    return this.viewOf(this.tables.ledgers.find(code));
  }

  ledgerByNumber(number: number): LedgerView | undefined {
    return this.viewOf(this.tables.ledgers.byNumber(number));
  }

  ledgers(): readonly LedgerView[] {
    return this.tables.ledgers.all().map((entry) => ledgerView(entry, this.tables.limits));
  }

  account(name: string): AccountView | undefined {
    const bytes = Buffer.from(name, 'utf8');
    return this.accountByHandle(this.tables.accounts.findName(bytes, 0, bytes.length));
  }

  accountByHandle(handle: number): AccountView | undefined {
    const { accounts, arena, limits } = this.tables;
    if (!this.isHandle(handle)) return undefined;
    const metadata = accounts.metadataRef(handle);
    const limit = accounts.limitsOf(handle);
    return {
      handle,
      name: accounts.name(handle),
      ledger: this.ledgerOf(handle),
      minBalance: limits.minimum(limit),
      maxBalance: limits.maximum(limit),
      closed: accounts.isClosed(handle),
      userData: accounts.userData(handle),
      metadata: metadata === 0 ? Buffer.alloc(0) : arena.copyOf(metadata),
      openedAt: accounts.openedAt(handle),
      offset: accounts.offset(handle),
    };
  }

  accountsFrom(handle: number, limit: number, ledgerCode?: string): readonly AccountView[] {
    const { accounts, ledgers } = this.tables;
    const ledger = ledgerCode === undefined ? undefined : ledgers.find(ledgerCode);
    const found: AccountView[] = [];
    if (ledgerCode !== undefined && ledger === undefined) return found;
    for (let next = Math.max(1, handle); next <= accounts.count && found.length < limit; next++) {
      if (ledger !== undefined && accounts.ledgerOf(next) !== ledger.number) continue;
      found.push(this.accountByHandle(next) as AccountView);
    }
    return found;
  }

  balance(handle: number): BalanceView | undefined {
    const { accounts, limits } = this.tables;
    if (!this.isHandle(handle)) return undefined;
    const debitsPosted = accounts.debitsPosted(handle);
    const creditsPosted = accounts.creditsPosted(handle);
    const debitsPending = accounts.debitsPending(handle);
    const posted = creditsPosted - debitsPosted;
    const minimum = limits.minimum(accounts.limitsOf(handle));
    return {
      handle,
      debitsPosted,
      creditsPosted,
      debitsPending,
      creditsPending: accounts.creditsPending(handle),
      posted,
      // What is held for others to take is spoken for; what is held for this account to come is not there yet.
      available: minimum === undefined ? undefined : posted - debitsPending - minimum,
      version: accounts.version(handle),
    };
  }

  transferById(id: TransferId): TransferView | undefined {
    const { transfers } = this.tables;
    const fields = new TransferFields();
    if (id.kind === 'uuid') {
      fields.idKind = IdKind.UUID;
      for (let i = 0; i < 4; i++) fields.id[i] = id.bytes.readUInt32LE(4 * i);
    } else {
      fields.source = Buffer.from(id.text, 'utf8');
      fields.idKind = IdKind.TEXT;
      fields.textIdLength = fields.source.length;
      textIdWords(fields.source, fields.id);
    }
    const row = transfers.find(transfers.hashOf(fields.id, 0), fields);
    return row < 0 ? undefined : this.transferView(row);
  }

  counts(): LedgerCounts {
    const { ledgers, accounts, transfers, replayed, transfersByResult } = this.tables;
    return {
      ledgers: ledgers.count,
      accounts: accounts.count,
      transfers: transfers.count,
      replayed,
      transfersByResult: Array.from(transfersByResult),
    };
  }

  private transferView(row: number): TransferView {
    const { arena, accounts, ledgers, transfers } = this.tables;
    const extras = new TransferExtras().read(arena, transfers.extrasRef(row));
    const debitHandle = transfers.debit(row);
    const creditHandle = transfers.credit(row);
    const isResolved = debitHandle !== 0 && creditHandle !== 0;
    const ledger = ledgers.byNumber(isResolved ? accounts.ledgerOf(debitHandle) : extras.ledgerNumber);
    const page = transfers.rows.pageOf(row);
    const at = transfers.rows.startOf(row);
    const amount = transfers.amount(row);
    const isDecimal = (transfers.flags(row) & RowFlag.DECIMAL_AMOUNT) !== 0;
    const result: ResultCode = transfers.result(row);
    return {
      id:
        extras.textIdLength > 0
          ? extras.text(extras.textIdStart, extras.textIdLength)
          : formatUuid(Buffer.from(page.slice(at, at + 4).buffer)),
      debitHandle,
      creditHandle,
      debitAccount: this.accountText(debitHandle, extras, extras.debitKind, extras.debitStart, extras.debitLength),
      creditAccount: this.accountText(creditHandle, extras, extras.creditKind, extras.creditStart, extras.creditLength),
      ledger: this.viewOf(ledger),
      amount: isDecimal ? decimalText(amount, extras.decimalDigits, ledger) : formatMinor(amount, ledger?.scale ?? 0),
      moved: result === ResultCode.OK ? amount : 0n,
      code: word(page, at + Row.CODE),
      userData: toBigInt64(word(page, at + Row.USER_DATA), word(page, at + Row.USER_DATA + 1)),
      metadata: extras.bytes(extras.metadataStart, extras.metadataLength),
      offset: transfers.offset(row),
      timestamp: transfers.timestamp(row),
      result,
    };
  }

  private accountText(handle: number, extras: TransferExtras, kind: number, start: number, length: number): string {
    if (handle !== 0) return this.tables.accounts.name(handle);
    if (kind === RefKind.NAME) return extras.text(start, length);
    const { low, high } = extras.handleAt(start);
    return `#${toBigInt64(low, high)}`;
  }

  private isHandle(handle: number): boolean {
    return Number.isInteger(handle) && handle >= 1 && handle <= this.tables.accounts.count;
  }

  private ledgerOf(handle: number): LedgerView {
    const view = this.ledgerByNumber(this.tables.accounts.ledgerOf(handle));
    invariant(view !== undefined, 'The ledger of an account must exist.');
    return view;
  }

  private viewOf(entry: LedgerEntry | undefined): LedgerView | undefined {
    return entry === undefined ? undefined : ledgerView(entry, this.tables.limits);
  }
}

/** An amount that was refused before it was read at a scale: with at least as many digits as its ledger has, if it has one. */
function decimalText(coefficient: bigint, digits: number, ledger: LedgerEntry | undefined): string {
  const scale = Math.max(digits, ledger?.scale ?? 0);
  const padded = (coefficient * 10n ** BigInt(scale - digits)).toString().padStart(scale + 1, '0');
  return scale === 0 ? padded : `${padded.slice(0, -scale)}.${padded.slice(-scale)}`;
}
