import { formatMinor } from '../amounts';
import { type ChangedBalance } from './balance-updates';
import { type KnownAccount } from './known-account';
import { type CopyRows } from './copy-rows';

/** The accounts that one transaction changes: one update of a row, however many records there are. */
export class ChangedAccounts {
  private readonly accounts: KnownAccount[] = [];
  private readonly changedTerms: KnownAccount[] = [];
  private changed: ChangedBalance[] = [];
  private terms: string[] = [];

  get termUpdates(): number {
    return this.changedTerms.length;
  }

  /** Before anything of it is changed. */
  touch(account: KnownAccount): void {
    if (account.changedIn === this) return;
    account.changedIn = this;
    account.versionBefore = account.version;
    this.accounts.push(account);
  }

  /** It has no row yet. */
  open(account: KnownAccount): void {
    this.touch(account);
    account.openedIn = this;
  }

  changeTerms(account: KnownAccount): void {
    if (account.termsChangedIn === this) return;
    account.termsChangedIn = this;
    this.changedTerms.push(account);
  }

  /**
   * Nothing is changed by this transaction any more: what the accounts are now is kept, for the next one may go on with them.
   * @param balances takes the rows of the accounts that were opened
   */
  end(balances: CopyRows): void {
    this.copyOpened(balances);
    this.changed = this.accounts.filter((account) => account.openedIn !== this).map(balanceOf);
    this.terms = this.termsNow();
  }

  /** After the end: of accounts that were not opened by it. */
  get balances(): readonly ChangedBalance[] {
    return this.changed;
  }

  /** After the end, array literals: handle, minimum, maximum, closed. */
  termArrays(): readonly string[] {
    return this.terms;
  }

  private copyOpened(balances: CopyRows): void {
    for (const account of this.accounts) {
      if (account.openedIn !== this) continue;
      const { scale } = account.ledger;
      balances.row();
      balances.int8(account.handle);
      balances.numeric(account.debits, scale);
      balances.numeric(account.credits, scale);
      balances.numeric(account.debitsPending, scale);
      balances.numeric(account.creditsPending, scale);
      balances.int8(account.version);
      balances.int8(account.lastOffset);
    }
  }

  private termsNow(): string[] {
    const columns: (string | number)[][] = [[], [], [], []];
    for (const { handle, ledger, terms } of this.changedTerms) {
      columns[0]?.push(handle);
      columns[1]?.push(limitText(terms.min, ledger.scale) ?? 'NULL');
      columns[2]?.push(limitText(terms.max, ledger.scale) ?? 'NULL');
      columns[3]?.push(String(terms.closed));
    }
    return columns.map((column) => `{${column.join(',')}}`);
  }
}

function balanceOf(account: KnownAccount): ChangedBalance {
  const { credits, creditsPending, debits, debitsPending, handle, lastOffset, ledger, version, versionBefore } =
    account;
  const totals = { debits, credits, debitsPending, creditsPending };
  return { handle, scale: ledger.scale, versionBefore, version, ...totals, lastOffset };
}

function limitText(limit: bigint | undefined, scale: number): string | undefined {
  return limit === undefined ? undefined : formatMinor(limit, scale);
}
