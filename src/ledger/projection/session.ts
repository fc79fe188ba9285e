import { advanceCheckpoint, type Checkpoint, claimCheckpoint, type ProjectorIdentity, tryLock } from './checkpoint';
import { type Database, type Transaction } from './database';
import { KnownAccounts } from './known-accounts';
import { loadLedgers } from './known-ledgers';
import { migrate } from './migrate';
import { sleep } from './pause';
import { addDatedTotals, endHolds, spendIds, updateBalances, updateTerms } from './row-updates';
import { type FetchedBatch } from './source';
import { type KnownRows, TransactionFold } from './transaction-fold';

/** Milliseconds between two looks whether the lock is free. */
const STANDBY_POLL = 1_000;
/** What an embedded database may write between two rounds of housekeeping. */
const MAINTAIN_AFTER_TRANSACTIONS = 20_000;
const MAINTAIN_AFTER_BALANCES = 1_000_000;

/** One database, locked and up to date in its schema, and the one place that writes to it. */
export class ProjectionSession {
  private transactions = 0;
  private balances = 0;
  private idsPutOff: number[] | undefined;

  private constructor(
    private readonly database: Database,
    private readonly group: number,
    private readonly epoch: string,
    /** Where the rows are; moves with {@link write}. */
    public checkpoint: Checkpoint,
    private readonly known: KnownRows,
  ) {}

  /**
   * Waits, as a standby, while another node projects into the database. Closes the database where it rejects.
   * @param onStandby called each time that the lock was not free
   * @returns undefined when `signal` was aborted before the lock was free
   */
  static async open(
    database: Database,
    identity: ProjectorIdentity,
    signal: AbortSignal,
    onStandby: () => void,
  ): Promise<ProjectionSession | undefined> {
    try {
      while (!(await tryLock(database, identity.group))) {
        onStandby();
        await sleep(STANDBY_POLL, signal);
        if (signal.aborted) {
          await database.close();
          return undefined;
        }
      }
      await migrate(database);
      const { checkpoint, epoch } = await database.transaction((t) => claimCheckpoint(t, identity));
      const known = { ledgers: await loadLedgers(database), accounts: new KnownAccounts() };
      return new ProjectionSession(database, identity.group, epoch, checkpoint, known);
    } catch (error) {
      await database.close();
      throw error;
    }
  }

  /** A transaction to be, from the checkpoint on. One at a time: it changes what the session knows. */
  begin(): TransactionFold {
    return new TransactionFold(this.checkpoint, this.group, this.known);
  }

  /** Adds batches to it, for which the database may have to be asked. */
  async add(fold: TransactionFold, batches: readonly FetchedBatch[]): Promise<void> {
    await fold.prepare(this.database, batches);
    for (const { batch, outcomes } of batches) fold.add(batch, outcomes);
  }

  /**
   * Rows, balances and checkpoint in one transaction. After a rejection the session is of no use: whether the transaction
   * was committed is then for the database to say, to the next session.
   */
  async write(fold: TransactionFold): Promise<void> {
    const to = fold.end();
    await this.database.transaction(async (transaction) => {
      await advanceCheckpoint(transaction, this.group, this.epoch, this.checkpoint, to);
      for (const { table, columns, rows } of fold.copies()) {
        if (rows.count === 0) continue;
        const written = await transaction.copy(table, columns, rows.finish());
        assertCount(table, written, rows.count);
      }
      await this.updateRows(transaction, fold);
    });
    this.checkpoint = to;
    this.transactions++;
    this.balances += fold.accounts.updates;
    this.known.accounts.forgetTheOldest();
    if (this.transactions >= MAINTAIN_AFTER_TRANSACTIONS || this.balances >= MAINTAIN_AFTER_BALANCES) {
      await this.database.maintain();
      this.transactions = 0;
      this.balances = 0;
    }
  }

  private async updateRows(transaction: Transaction, fold: TransactionFold): Promise<void> {
    const { accounts, dated, holds, undecided } = fold;
    if (accounts.updates > 0) {
      assertCount('ledger.balances', await updateBalances(transaction, accounts), accounts.updates);
    }
    if (accounts.termUpdates > 0) {
      assertCount('ledger.accounts', await updateTerms(transaction, accounts), accounts.termUpdates);
    }
    if (holds.updates > 0) assertCount('ledger.holds', await endHolds(transaction, holds, this.group), holds.updates);
    if (dated.size > 0) assertCount('ledger.dated_totals', await addDatedTotals(transaction, dated), dated.size);
    if (this.idsPutOff) this.idsPutOff.push(...undecided);
    else if (undecided.length > 0) await spendIds(transaction, undecided, this.group);
  }

  /** Which refusals of groups spend their ids is found by an index, which tables that are being filled have at the end only. */
  putOffIds(): void {
    this.idsPutOff = [];
  }

  async spendIdsPutOff(): Promise<void> {
    const offsets = this.idsPutOff ?? [];
    this.idsPutOff = undefined;
    if (offsets.length > 0) await this.database.transaction((t) => spendIds(t, offsets, this.group));
  }

  close(): Promise<void> {
    return this.database.close();
  }
}

/** A row that is not there, or is there twice, is damage: better no further row than a wrong one. */
function assertCount(table: string, written: number, expected: number): void {
  if (written !== expected) {
    throw new Error(`${table} took ${written} rows where ${expected} were expected; the transaction is rolled back.`);
  }
}
