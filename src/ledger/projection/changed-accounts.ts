import { formatMinor } from '../amounts';
import { type KnownAccount } from './known-account';
import { type CopyRows } from './copy-rows';

/** The accounts that one transaction changes: one update of a row, however many records there are. */
export class ChangedAccounts {
  private readonly accounts: KnownAccount[] = [];
  private readonly changedTerms: KnownAccount[] = [];
  private opened = 0;

  /** How many rows of balances are there before and change. */
  get updates(): number {
    return this.accounts.length - this.opened;
  }

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
    this.opened++;
  }

  changeTerms(account: KnownAccount): void {
    if (account.termsChangedIn === this) return;
    account.termsChangedIn = this;
    this.changedTerms.push(account);
  }

  /** Rows of balances of the accounts that were opened, as the transaction leaves them. */
  copyOpened(balances: CopyRows): void {
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

  /**
   * Postgres' array literals, in the order of the handles: handle, version before, debits, credits, debits pending,
   * credits pending, version, offset of the last change.
   */
  balanceArrays(): string[] {
    const sorted = this.accounts.filter((account) => account.openedIn !== this).sort((a, b) => a.handle - b.handle);
    const columns: (string | number)[][] = [[], [], [], [], [], [], [], []];
    for (const account of sorted) {
      columns[0]?.push(account.handle);
      columns[1]?.push(account.versionBefore);
      columns[2]?.push(account.text(account.debits));
      columns[3]?.push(account.text(account.credits));
      columns[4]?.push(account.text(account.debitsPending));
      columns[5]?.push(account.text(account.creditsPending));
      columns[6]?.push(account.version);
      columns[7]?.push(account.lastOffset);
    }
    return columns.map((column) => `{${column.join(',')}}`);
  }

  /** Array literals: handle, minimum, maximum, closed. */
  termArrays(): string[] {
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

function limitText(limit: bigint | undefined, scale: number): string | undefined {
  return limit === undefined ? undefined : formatMinor(limit, scale);
}
