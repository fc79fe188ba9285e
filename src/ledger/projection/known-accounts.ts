import { AccountSlots } from './account-slots';
import { type Queries, type TextRow } from './database';
import { narrowed, type Quantity } from './exact-sum';
import { KnownAccount } from './known-account';
import { type KnownLedgers, minorUnits } from './known-ledgers';

/** Accounts that are kept from one transaction to the next: about 300 bytes each. */
const KEPT = 200_000;

/**
 * The accounts that rows were written of lately. Those that have not been asked for by the time that there are many go, between
 * two transactions.
 */
export class KnownAccounts {
  private slots = new AccountSlots();

  constructor(private readonly kept = KEPT) {}

  find(handle: number): KnownAccount | undefined {
    return this.slots.find(handle);
  }

  has(handle: number): boolean {
    return this.slots.has(handle);
  }

  /** @throws Error where neither the database nor an earlier record has opened it: outcomes name accounts only after that */
  get(handle: number): KnownAccount {
    const account = this.find(handle);
    if (account === undefined) {
      throw new Error(
        `An outcome names account ${handle}, which no earlier record of the log opened and the database does not have.`,
      );
    }
    return account;
  }

  add(account: KnownAccount): void {
    if (this.find(account.handle))
      throw new Error(`Account ${account.handle} is opened by the log for the second time.`);
    this.slots.add(account);
  }

  /** Whether the oldest are to be forgotten. */
  get areMany(): boolean {
    return this.slots.asked >= this.kept / 2;
  }

  /** Only when the database has what became of them; of those that were found since the last time none is forgotten. */
  forgetTheOldest(): void {
    if (!this.areMany) return;
    this.slots = this.slots.keepAsked();
  }

  /** Reads those of the accounts that the database has and that are not known. */
  async load(database: Queries, handles: Iterable<number>, ledgers: KnownLedgers): Promise<void> {
    const missing: number[] = [];
    for (const handle of handles) if (this.find(handle) === undefined) missing.push(handle);
    if (missing.length === 0) return;
    const { rows } = await database.query(
      `SELECT a.handle, a.ledger, a.min_balance, a.max_balance, a.closed::text, b.debits_posted, b.credits_posted,
              b.debits_pending, b.credits_pending, b.version, b.as_of_offset
         FROM unnest($1::text::bigint[]) AS wanted (handle)
         JOIN ledger.accounts a ON a.handle = wanted.handle
         JOIN ledger.balances b ON b.account = wanted.handle`,
      [`{${missing.join(',')}}`],
    );
    for (const row of rows) this.add(accountOf(row, ledgers));
  }
}

function accountOf(row: TextRow, ledgers: KnownLedgers): KnownAccount {
  const code = row['ledger'] ?? '';
  const ledger = ledgers.find(code);
  if (!ledger) throw new Error(`The database has account ${row['handle']} of ledger "${code}", but no such ledger.`);
  const account = new KnownAccount(Number(row['handle']), ledger, {
    min: minorUnits(row['min_balance']),
    max: minorUnits(row['max_balance']),
    closed: row['closed'] === 'true',
  });
  account.debits = quantity(row['debits_posted']);
  account.credits = quantity(row['credits_posted']);
  account.debitsPending = quantity(row['debits_pending']);
  account.creditsPending = quantity(row['credits_pending']);
  account.version = Number(row['version']);
  account.lastOffset = Number(row['as_of_offset']);
  return account;
}

/** Sums keep the decimals of what was added, which are the ledger's. */
function quantity(text: string | null | undefined): Quantity {
  return narrowed(minorUnits(text) ?? 0n);
}
