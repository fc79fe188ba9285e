import { advanceCheckpoint, type Checkpoint, claimCheckpoint, type ProjectorIdentity, tryLock } from './checkpoint';
import { BalanceUpdates } from './balance-updates';
import { type Database, type Queries, type Transaction } from './database';
import { KnownAccounts } from './known-accounts';
import { assertCount, writeFold } from './fold-rows';
import { loadLedgers } from './known-ledgers';
import { migrate } from './migrate';
import { PartIndexer } from './part-indexer';
import { sleep, turn } from './pause';
import { spendIds, updateBalances } from './row-updates';
import { type FetchedBatch } from './source';
import { type TransferPart, TransferParts } from './transfer-parts';
import { type KnownRows, TransactionFold, type TransactionEnd } from './transaction-fold';

/** Milliseconds between two looks whether the lock is free. */
const STANDBY_POLL = 1_000;
/** What an embedded database may write between two rounds of housekeeping. */
const MAINTAIN_AFTER_TRANSACTIONS = 20_000;
const MAINTAIN_AFTER_BALANCES = 1_000_000;

/** From such a share of a part on, of records that wait, it is filled without its large indexes: half a second of work or more. */
const SHARE_AHEAD = 1 / 32;
/**
 * Between so many, which take about five milliseconds, what was written before is sent on: a database that waits for the rest
 * of a copy does nothing meanwhile.
 */
const RECORDS_AT_A_STRETCH = 4096;

/** What follows on a fold, asked for while that is being written. */
export interface Following {
  /** Records that are committed behind what was folded so far, about. */
  ahead(): number;
  /** Begun and filled; undefined: nothing is waiting. One call at a time. */
  next(): Promise<TransactionFold | undefined>;
  /** The rows are committed up to the checkpoint. */
  committed(records: number): void;
}

const NOTHING_FOLLOWS: Following = {
  ahead: () => 0,
  next: () => Promise.resolve(undefined),
  committed: () => undefined,
};

export interface SessionOptions {
  /** Offsets of a part of the transfers that is made; by default as many as are good for large databases. */
  readonly partOffsets?: number;
  /** Another session on the same database, where there can be one: for indexes that are made while rows are written. */
  readonly openBeside?: (() => Promise<Database>) | undefined;
}

/** One database, locked and up to date in its schema, and the one place that writes to it. */
export class ProjectionSession {
  /** Where the rows are; moves with {@link write}. */
  checkpoint: Checkpoint;
  private readonly epoch: string;
  private transactions = 0;
  private balances = 0;
  /** Where the rows are, for the transaction that is under way. */
  private at: Checkpoint;
  /** What was folded last. */
  private folded: Checkpoint;
  /** Of what was folded last; what is asked of the database meanwhile waits for it. */
  private writing: Promise<void> = Promise.resolve();
  /** The transaction that is under way where several folds are written in one; else the database. */
  private reader: Queries;

  private constructor(
    private readonly database: Database,
    private readonly group: number,
    { checkpoint, epoch }: { readonly checkpoint: Checkpoint; readonly epoch: string },
    private readonly known: KnownRows,
    private readonly parts: TransferParts,
    private readonly indexer: PartIndexer | undefined,
  ) {
    this.checkpoint = checkpoint;
    this.at = checkpoint;
    this.folded = checkpoint;
    this.epoch = epoch;
    this.reader = database;
  }

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
    { partOffsets, openBeside }: SessionOptions = {},
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
      const claim = await database.transaction((t) => claimCheckpoint(t, identity));
      const known = { ledgers: await loadLedgers(database), accounts: new KnownAccounts() };
      const parts = await TransferParts.load(database, partOffsets);
      const indexer = await PartIndexer.over(database, openBeside);
      return new ProjectionSession(database, identity.group, claim, known, parts, indexer);
    } catch (error) {
      await database.close();
      throw error;
    }
  }

  /** Rows to be, behind those that were folded last. One at a time: it changes what the session knows. */
  begin(): TransactionFold {
    return new TransactionFold(this.folded, this.group, this.known, this.parts.end);
  }

  /** Adds batches to it, for which the database may have to be asked. */
  async add(fold: TransactionFold, batches: readonly FetchedBatch[]): Promise<void> {
    await fold.prepare(async () => {
      await this.writing;
      return this.reader;
    }, batches);
    let breathed = fold.records;
    for (const { batch, outcomes } of batches) {
      fold.add(batch, outcomes);
      if (fold.records - breathed < RECORDS_AT_A_STRETCH) continue;
      breathed = fold.records;
      await turn();
    }
  }

  /** Whether it has come into a part of the transfers that is not there: then it had better end. */
  needsPart(fold: TransactionFold): boolean {
    return fold.transfers > 0 && this.parts.lack(fold.lastOffset);
  }

  /**
   * Rows, balances and checkpoint in one transaction, and what follows in further ones, until nothing does. After a rejection
   * the session is of no use: whether a transaction was committed is then for the database to say, to the next session.
   */
  async write(first: TransactionFold, following = NOTHING_FOLLOWS): Promise<void> {
    for (let fold: TransactionFold | undefined = first; fold;) {
      const isFar: boolean = this.needsPart(fold) && following.ahead() >= this.parts.size * SHARE_AHEAD;
      fold = isFar ? await this.fillPart(fold, following) : await this.writeOne(fold, following);
    }
    await this.indexer?.settled();
  }

  private async writeOne(fold: TransactionFold, following: Following): Promise<TransactionFold | undefined> {
    const to = this.end(fold);
    const parts = this.needsPart(fold) ? [...this.parts.open(fold.firstOffset, fold.lastOffset)] : [];
    const balances = new BalanceUpdates();
    // An id may be in a part whose index over ids is still being made.
    if (fold.undecided.length > 0) await this.indexer?.settled();
    this.indexer?.check();
    this.writing = this.database
      .transaction(async (transaction) => {
        for (const part of parts) {
          await part.create(transaction, this.database.persistence);
          await part.attach(transaction, part.end);
          await part.makeIndexes(transaction);
        }
        await this.writeRows(transaction, fold, to);
        balances.add(fold.accounts.balances);
        await this.updateBalances(transaction, balances);
        if (fold.undecided.length > 0) await spendIds(transaction, fold.undecided, this.group);
      })
      .then(() => this.committed(fold.records, following));
    return meanwhile(this.writing, () => following.next());
  }

  /**
   * Many rows in one transaction, into a part that gets its indexes when it has them: up to the end of the batch that reaches
   * the end of the part, or until nothing is waiting any more. One that is full gets them beside the rows of the next one.
   */
  private async fillPart(first: TransactionFold, following: Following): Promise<TransactionFold | undefined> {
    const part = this.parts.next(Math.max(first.firstOffset, this.parts.end));
    const undecided: number[] = [];
    const balances = new BalanceUpdates();
    let records = 0;
    let after: TransactionFold | undefined;
    let isFull = false;
    await this.database.transaction(async (transaction) => {
      this.reader = transaction;
      await part.create(transaction, this.database.persistence);
      let end = part.end;
      for (let fold = first, isLast = false; !isLast; fold = after ?? first) {
        const to = this.end(fold);
        this.writing = this.writeRows(transaction, fold, to, part);
        records += fold.records;
        undecided.push(...fold.undecided);
        balances.add(fold.accounts.balances);
        end = Math.max(end, fold.lastOffset + 1);
        isFull = fold.lastOffset + 1 >= part.end;
        after = await meanwhile(this.writing, () => following.next());
        isLast = !after || isFull;
        if (isLast || this.known.accounts.areMany) await this.updateBalances(transaction, balances);
      }
      this.parts.stretch(end);
      await part.attach(transaction, end);
      isFull &&= this.indexer !== undefined && undecided.length === 0;
      if (!isFull) await part.makeIndexes(transaction);
      // Which of them do is found by the indexes over ids.
      if (undecided.length > 0) await this.spendAll(transaction, undecided);
    });
    this.reader = this.database;
    await this.committed(records, following);
    if (isFull) await this.indexBeside(part);
    return after;
  }

  private async spendAll(transaction: Transaction, undecided: readonly number[]): Promise<void> {
    await this.indexer?.settled();
    await spendIds(transaction, undecided, this.group);
  }

  /** One at a time: the server is to have two things to do, not three. */
  private async indexBeside(part: TransferPart): Promise<void> {
    await this.indexer?.settled();
    this.indexer?.add(part.name);
  }

  /** From here on the next one may be begun. */
  private end(fold: TransactionFold): TransactionEnd {
    const to = fold.end();
    this.folded = to;
    return to;
  }

  private async committed(records: number, following: Following): Promise<void> {
    this.checkpoint = this.at;
    following.committed(records);
    this.transactions++;
    if (this.transactions < MAINTAIN_AFTER_TRANSACTIONS && this.balances < MAINTAIN_AFTER_BALANCES) return;
    await this.database.maintain();
    this.transactions = 0;
    this.balances = 0;
  }

  /** Accounts may be forgotten then, once: the database has what they have come to, but for the fold that is gathered meanwhile. */
  private async updateBalances(transaction: Transaction, balances: BalanceUpdates): Promise<void> {
    if (balances.size > 0) {
      assertCount('ledger.balances', await updateBalances(transaction, balances), balances.size);
      this.balances += balances.size;
      balances.clear();
    }
    this.known.accounts.forgetTheOldest();
  }

  private async writeRows(
    transaction: Transaction,
    fold: TransactionFold,
    to: TransactionEnd,
    filled?: TransferPart,
  ): Promise<void> {
    await advanceCheckpoint(transaction, this.group, this.epoch, this.at, to);
    await writeFold(transaction, fold, this.group, filled);
    this.at = to;
  }

  async close(): Promise<void> {
    await this.indexer?.close();
    await this.database.close();
  }
}

/** Both are waited for, whatever becomes of the other. */
async function meanwhile<T>(writing: Promise<void>, next: () => Promise<T>): Promise<T> {
  const [written, following] = await Promise.allSettled([writing, next()]);
  if (written.status === 'rejected') throw written.reason;
  if (following.status === 'rejected') throw following.reason;
  return following.value;
}
