import { advanceCheckpoint, type Checkpoint, claimCheckpoint, type ProjectorIdentity, tryLock } from './checkpoint';
import { type Database, type QueryResult, type Transaction } from './database';
import { type KnownLedgers, loadLedgers } from './known-ledgers';
import { migrate } from './migrate';
import { sleep } from './pause';
import { type TransactionFold } from './transaction-fold';

/** Milliseconds between two looks whether the lock is free. */
const STANDBY_POLL = 1_000;
/** What an embedded database may write between two rounds of housekeeping. */
const MAINTAIN_AFTER_TRANSACTIONS = 20_000;
const MAINTAIN_AFTER_BALANCES = 1_000_000;

/** One database, locked and up to date in its schema, and the one place that writes to it. */
export class ProjectionSession {
  private transactions = 0;
  private balances = 0;

  private constructor(
    private readonly database: Database,
    private readonly group: number,
    private readonly epoch: string,
    /** Where the rows are; moves with {@link write}. */
    public checkpoint: Checkpoint,
    readonly ledgers: KnownLedgers,
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
      return new ProjectionSession(database, identity.group, epoch, checkpoint, await loadLedgers(database));
    } catch (error) {
      await database.close();
      throw error;
    }
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
      if (fold.balances.size > 0) {
        assertCount('ledger.balances', (await addToBalances(transaction, fold)).affected, fold.balances.size);
      }
    });
    this.checkpoint = to;
    this.transactions++;
    this.balances += fold.balances.size;
    if (this.transactions >= MAINTAIN_AFTER_TRANSACTIONS || this.balances >= MAINTAIN_AFTER_BALANCES) {
      await this.database.maintain();
      this.transactions = 0;
      this.balances = 0;
    }
  }

  close(): Promise<void> {
    return this.database.close();
  }
}

/** Sums of the transaction, added by Postgres to what is there: exact, and no balance has to be known here. */
function addToBalances(transaction: Transaction, fold: TransactionFold): Promise<QueryResult> {
  return transaction.query(
    `UPDATE ledger.balances b
        SET debits_posted = b.debits_posted + d.debits,
            credits_posted = b.credits_posted + d.credits,
            version = b.version + d.changes,
            as_of_offset = d.last_offset
       FROM unnest($1::text::bigint[], $2::text::numeric[], $3::text::numeric[], $4::text::bigint[], $5::text::bigint[])
            AS d (account, debits, credits, changes, last_offset)
      WHERE b.account = d.account`,
    fold.balances.arrays(),
  );
}

/** A row that is not there, or is there twice, is damage: better no further row than a wrong one. */
function assertCount(table: string, written: number, expected: number): void {
  if (written !== expected) {
    throw new Error(`${table} took ${written} rows where ${expected} were expected; the transaction is rolled back.`);
  }
}
