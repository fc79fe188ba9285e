import { BatchFeed } from './batch-feed';
import { type ProjectorIdentity } from './checkpoint';
import { type Database, DatabaseBrokenError } from './database';
import { type Backoff, sleep } from './pause';
import { type Following, ProjectionSession } from './session';
import { type Fetched, type ProjectionSource, type ProjectionStatus } from './source';
import { type TransactionFold } from './transaction-fold';

export interface ProjectorOptions {
  readonly identity: ProjectorIdentity;
  readonly openDatabase: () => Promise<Database>;
  /** Another session on the same database, where there can be one; see {@link SessionOptions}. */
  readonly openBeside?: (() => Promise<Database>) | undefined;
  readonly source: ProjectionSource;
  readonly onStatus: (status: ProjectionStatus) => void;
  /** Milliseconds since any fixed moment, never going back. */
  readonly monotonic: () => number;
  readonly backoff: Backoff;
  /** Offsets of a part of the transfers; by default as many as are good for large databases. */
  readonly partOffsets?: number;
}

/** Bytes of batches in one answer of the node: it copies them on its main thread, in about a millisecond. */
const FETCH_BYTES = 1024 * 1024;
/** A transaction ends when it has so much, or when nothing more is waiting. */
const TRANSACTION_RECORDS = 65_536;
const TRANSACTION_BYTES = 8 * 1024 * 1024;
/** Milliseconds that rows wait for more that is known to be committed. */
const GATHER = 20;
/** Milliseconds for the next rows of many: they are about to come, and a transaction of many more is under way. */
const GATHER_MANY = 1_000;
/** Milliseconds for the node's commit index to reach the checkpoint; behind a leader it does so within one heartbeat. */
const BEHIND_PATIENCE = 5_000;
const BEHIND_POLL = 250;
/** Milliseconds over which the speed is measured. */
const SPEED_WINDOW = 1_000;

/**
 * Reads the log from where the database stands and writes it there, for ever: whatever goes wrong is told as `paused` with
 * its reason and tried again from the database's own checkpoint, and nothing is ever left out.
 */
export class Projector {
  private status: ProjectionStatus = {
    state: 'starting',
    why: 'the database is being opened',
    checkpointIndex: 0,
    checkpointOffset: -1,
    rowsPerSecond: 0,
  };
  private speedSince = 0;
  private speedRows = 0;

  constructor(private readonly options: ProjectorOptions) {}

  /**
   * Until `signal` is aborted; then what is in flight is finished and the database closed.
   * @throws DatabaseBrokenError when only a new process can go on
   */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.oneSession(signal);
      } catch (error) {
        if (error instanceof DatabaseBrokenError) throw error;
        this.pause(error instanceof Error ? error.message : String(error));
        await sleep(this.options.backoff.next(), signal);
      }
    }
  }

  private async oneSession(signal: AbortSignal): Promise<void> {
    const { identity, openDatabase, ...options } = this.options;
    const standby = (): void => this.pause('another node projects into this database');
    const database = await openDatabase();
    const session = await ProjectionSession.open(database, identity, signal, standby, options);
    if (!session) return;
    try {
      await this.follow(session, signal);
    } finally {
      await session.close();
    }
  }

  private async follow(session: ProjectionSession, signal: AbortSignal): Promise<void> {
    const feed = new BatchFeed(this.options.source, FETCH_BYTES);
    let behindSince: number | undefined;
    this.tell({ checkpointIndex: session.checkpoint.index, checkpointOffset: session.checkpoint.offset });
    while (!signal.aborted) {
      feed.request(session.checkpoint.index + 1);
      const fetched = await feed.take(signal);
      if (!fetched) continue;
      if (fetched.commitIndex < session.checkpoint.index) {
        behindSince = await this.waitBehind(session, fetched, behindSince, signal);
        continue;
      }
      behindSince = undefined;
      if (fetched.batches.length > 0) await this.writeWhatWaits(session, feed, fetched, signal);
      this.tell({ state: 'running', why: '', ...this.speed(0) });
    }
  }

  /** What has arrived, and what follows without delay: it is gathered while the database writes what was before it. */
  private async writeWhatWaits(
    session: ProjectionSession,
    feed: BatchFeed,
    first: Fetched,
    signal: AbortSignal,
  ): Promise<void> {
    let ahead = 0;
    const gather = async (from: Fetched): Promise<TransactionFold> => {
      const fold = session.begin();
      for (let fetched: Fetched | undefined = from; fetched;) {
        await session.add(fold, fetched.batches);
        ahead = fetched.nextOffset - 1 - fold.lastOffset;
        // Asked for now, so that the node answers while the database writes.
        feed.request(fold.lastIndex + 1);
        const more: boolean = fold.lastIndex < fetched.commitIndex && fetched.batches.length > 0;
        fetched = more && !isFull(session, fold) ? await feed.take(signal, GATHER) : undefined;
      }
      return fold;
    };
    const following: Following = {
      ahead: () => ahead,
      next: async () => {
        if (signal.aborted) return undefined;
        const fetched = await feed.take(signal, ahead > 0 ? GATHER_MANY : GATHER);
        return fetched && fetched.batches.length > 0 ? gather(fetched) : undefined;
      },
      committed: (records) => this.committed(session, records),
    };
    await session.write(await gather(first), following);
  }

  private committed(session: ProjectionSession, records: number): void {
    this.options.backoff.reset();
    const { index, offset } = session.checkpoint;
    const place = { checkpointIndex: index, checkpointOffset: offset };
    this.tell({ state: 'running', why: '', ...place, ...this.speed(records) });
  }

  /** A node that has just started knows of fewer commits than it did: that is not yet another history. */
  private async waitBehind(
    session: ProjectionSession,
    fetched: Fetched,
    since: number | undefined,
    signal: AbortSignal,
  ): Promise<number> {
    const now = this.options.monotonic();
    const why =
      `the database is at Raft index ${session.checkpoint.index}, this node's log is committed up to ` +
      `${fetched.commitIndex} only: it goes on when the log is there again (if the log was restored from an older ` +
      'state, rebuild the projection)';
    if (since !== undefined && now - since > BEHIND_PATIENCE) throw new Error(why);
    this.pause(why);
    await sleep(BEHIND_POLL, signal);
    return since ?? now;
  }

  private pause(why: string): void {
    this.tell({ state: 'paused', why, rowsPerSecond: 0 });
  }

  private tell(change: Partial<ProjectionStatus>): void {
    this.status = { ...this.status, ...change };
    this.options.onStatus(this.status);
  }

  private speed(rows: number): Partial<ProjectionStatus> {
    this.speedRows += rows;
    const now = this.options.monotonic();
    const elapsed = now - this.speedSince;
    if (elapsed < SPEED_WINDOW) return {};
    const rowsPerSecond = Math.round((this.speedRows * 1000) / elapsed);
    this.speedSince = now;
    this.speedRows = 0;
    return { rowsPerSecond };
  }
}

function isFull(session: ProjectionSession, fold: TransactionFold): boolean {
  return fold.records >= TRANSACTION_RECORDS || fold.bytes >= TRANSACTION_BYTES || session.needsPart(fold);
}
