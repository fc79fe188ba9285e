import { type TransferId } from './identifiers';
import { invariant } from './invariant';
import { ledgerView, type LedgerEntry } from './ledger-table';
import {
  type AccountView,
  type BalanceView,
  type HoldView,
  type LedgerCounts,
  type LedgerReader,
  type LedgerView,
  type TransferView,
} from './reader';
import { type Tables } from './tables';
import { IdKind, TransferFields } from './transfer-fields';
import { textIdWords } from './transfer-shape';
import { TransferViews } from './transfer-views';

/** Reads the tables for people and programs: everything that comes back is a copy. */
export class StateReader implements LedgerReader {
  private readonly views: TransferViews;

  constructor(private readonly tables: Tables) {
    this.views = new TransferViews(tables);
  }

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
      importedTime: accounts.importedAt(handle) === 0 ? undefined : accounts.importedAt(handle),
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
      fields.id.kind = IdKind.UUID;
      for (let i = 0; i < 4; i++) fields.id.words[i] = id.bytes.readUInt32LE(4 * i);
    } else {
      fields.source = Buffer.from(id.text, 'utf8');
      fields.id.kind = IdKind.TEXT;
      fields.id.textLength = fields.source.length;
      textIdWords(fields.source, fields.id.words);
    }
    const row = transfers.find(transfers.hashOf(fields.id.words, 0), fields.source, fields.id);
    return row < 0 ? undefined : this.views.transfer(row);
  }

  hold(number: number): HoldView | undefined {
    return number >= 1 && number <= this.tables.holds.count ? this.views.hold(number) : undefined;
  }

  nextExpiry(): number | undefined {
    const hold = this.tables.expiries.first();
    return hold === 0 ? undefined : this.tables.holds.expiresAt(hold);
  }

  holdsDue(time: number, limit: number): number {
    return this.tables.expiries.due(time, limit);
  }

  dedupAgeMs(): number {
    return this.tables.dedupAge / 1000;
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
