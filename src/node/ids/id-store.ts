import { join } from 'node:path';
import { FileSystemError, isDiskFull, isMissing } from '../../log/files';
import { CHAIN_ROWS, chainStart } from '../../ledger/row-chain';
import type { ArchivedRow } from '../../ledger/row-archive';
import { type TransferTable } from '../../ledger/transfer-table';
import { NodeError } from '../../api/node-port';
import type { EventLog } from '../../raft/replica/environment';
import { type Attachment, SnapshotError } from '../../raft/snapshot';
import { IdArchive } from './id-archive';
import type { IdIndex } from './id-index';
import { IdRun } from './id-run';
import { INDEX, indexedBy, indexFile } from './index-format';
import { IndexKeeper } from './index-keeper';
import { IdFileDamageError, newerRun, runBytes, runFile, runOf } from './run-format';
import { type RunMaker, RunsInPlace } from './run-maker';
import { RunPlan, runSource } from './run-plan';
import { ASIDE, RunReceiver } from './run-receiver';
import { BEING_WRITTEN, type RunFolder } from './run-writer';

/** The folder of a group in which runs are. */
export const IDS = 'ids';
/** Rows of a run; a multiple of CHAIN_ROWS. */
export const RUN_ROWS = 1 << 20;
/** Rows that stay in memory at least. */
export const KEPT_ROWS = 1 << 21;
/** Bytes of extras that end a run which has fewer rows. */
export const RUN_EXTRAS = 64 << 20;
/** Bytes of extras that stay in memory at most, about, once they are in runs. */
export const KEPT_EXTRAS = 64 << 20;
/** After a failure it is tried again when so many parts of a run more have come. */
const RETRY_PARTS = 16;

export interface IdStoreOptions extends RunFolder {
  readonly events: EventLog;
  /** Rows turned out to be damaged where a read could not wait. The file has another name by then. */
  readonly fatal: (error: unknown) => void;
  readonly runRows?: number | undefined;
  readonly keptRows?: number | undefined;
  readonly runExtras?: number | undefined;
  readonly keptExtras?: number | undefined;
  /** Who writes them; where nothing is said, this thread does. */
  readonly maker?: ((folder: RunFolder) => RunMaker) | undefined;
}

/** Writes runs in the background, and lets the rows in them go from memory. Consensus never waits for it. */
export class IdStore {
  private archived: IdArchive;
  private writing: Promise<void> | undefined;
  private mending: Promise<void> | undefined;
  private retryAt = 0;
  private stopped = false;
  private isReadOnly = false;
  private mayMerge = false;
  private readonly indexes: IndexKeeper;
  private readonly maker: RunMaker;
  private readonly plan: RunPlan;
  /** Gives runs to others, and takes theirs. */
  readonly receiver: RunReceiver;

  private constructor(private readonly options: IdStoreOptions) {
    this.receiver = new RunReceiver(options.files, options.directory);
    this.maker = options.maker?.(options) ?? new RunsInPlace(options);
    this.plan = new RunPlan({ rows: options.runRows ?? RUN_ROWS, extras: options.runExtras ?? RUN_EXTRAS });
    this.indexes = new IndexKeeper(options, options.events, this.maker);
    this.archived = this.archiveOf([], []);
  }

  /** Makes the folder, and removes what an earlier start left half written. */
  static async open(options: IdStoreOptions): Promise<IdStore> {
    const { files, directory, runRows = RUN_ROWS } = options;
    if (runRows < CHAIN_ROWS || runRows % CHAIN_ROWS !== 0) {
      throw new RangeError(`A run has a multiple of ${CHAIN_ROWS} rows, not ${runRows}.`);
    }
    await files.makeDirectory(directory);
    for (const file of await files.list(directory)) {
      if (file.endsWith(BEING_WRITTEN)) await files.unlink(join(directory, file));
    }
    return new IdStore(options);
  }

  /** For those who only look: it writes nothing, and reads each run that it opens to its end. */
  static readOnly(options: Omit<IdStoreOptions, 'fatal'>): IdStore {
    const fatal = (error: unknown): never => {
      throw error;
    };
    const store = new IdStore({ ...options, fatal });
    store.stopped = store.isReadOnly = true;
    return store;
  }

  get archive(): IdArchive {
    return this.archived;
  }

  /** What a snapshot of the state as it is now cannot do without. */
  attachments(): readonly Attachment[] {
    return this.archived.runs.map(({ name }) => ({ name: runFile(name), bytes: runBytes(name) }));
  }

  /**
   * Opens the runs that a snapshot needs, which become the archive of the state that it gives. Rejects with SnapshotError
   * where one of them is not there or is not what it should be.
   */
  async restore(attachments: readonly Attachment[]): Promise<IdArchive> {
    await this.idle();
    const before = this.archived;
    const runs: IdRun[] = [];
    try {
      for (const { name } of attachments) runs.push(await this.openNext(name, runs.at(-1)));
      const indexes = await (this.isReadOnly ? this.indexes.openInMemory(runs) : this.indexes.open(runs));
      this.archived = this.archiveOf(runs, indexes);
      this.plan.begin(this.archived.rows);
    } catch (error) {
      for (const run of runs) await run.close();
      const isDamage = error instanceof IdFileDamageError;
      if (!isDamage && !(error instanceof FileSystemError && isMissing(error))) throw error;
      if (isDamage && !this.isReadOnly) await this.setAside(error);
      throw new SnapshotError('DAMAGED', `Rows that the snapshot needs are not there: ${error.message}`, {
        cause: error,
      });
    }
    await before.close();
    if (this.mayMerge) this.mergeInBackground(this.archived);
    return this.archived;
  }

  /**
   * As IdArchive.lookUp; an index that is damaged is made anew on the way, rows that are get another name, and the promise
   * rejects with IdFileDamageError.
   */
  lookUp(ids: Uint32Array): Promise<readonly ArchivedRow[]> | undefined {
    return this.archived.lookUp(ids)?.catch((error: unknown) => this.lookUpAgain(ids, error));
  }

  /** As `lookUp`, for an answer that no state rests on: damage to rows is answered as where a read meets it, and ends the process. */
  async lookUpToRead(ids: Uint32Array): Promise<readonly ArchivedRow[]> {
    try {
      return (await this.lookUp(ids)) ?? [];
    } catch (error) {
      if (!(error instanceof IdFileDamageError)) throw error;
      this.options.fatal(error);
      throw idsDamaged(error);
    }
  }

  private async lookUpAgain(ids: Uint32Array, error: unknown): Promise<readonly ArchivedRow[]> {
    if (!(error instanceof IdFileDamageError)) throw error;
    await this.mend(error);
    return (await this.archived.lookUp(ids)) ?? [];
  }

  /** Resolves when what was damaged may be read again: an index. Rejects with the error where it was rows. One at a time. */
  private mend(error: IdFileDamageError): Promise<void> {
    const before = this.mending ?? Promise.resolve();
    const mending = before
      .catch(() => undefined)
      .then(() => this.mendOne(error))
      .finally(() => {
        if (this.mending === mending) this.mending = undefined;
      });
    this.mending = mending;
    return mending;
  }

  private async mendOne(error: IdFileDamageError): Promise<void> {
    // Whoever merges indexes meanwhile may have mended it.
    await this.idle();
    const isMended = await this.indexes.mend(this.archived, error);
    const isGone = !isMended && error.file.endsWith(INDEX) && !(await this.options.files.exists(error.file));
    if (isMended || isGone) return;
    await this.setAside(error);
    throw error;
  }

  private archiveOf(runs: IdRun[], indexes: IdIndex[]): IdArchive {
    return new IdArchive(this.options.seed, runs, indexes, (error) => this.metDamage(error));
  }

  /** As for a look-up that met it, but behind the answer. */
  private metDamage(error: IdFileDamageError): Error {
    if (this.isReadOnly) return error;
    // Many readers may meet it before it is mended.
    if (!this.mending) this.mend(error).catch(this.options.fatal);
    return idsDamaged(error);
  }

  /** To be called after each batch. */
  afterBatch(table: TransferTable): void {
    const { keptRows = KEPT_ROWS, keptExtras = KEPT_EXTRAS } = this.options;
    table.retire(keptRows, keptExtras);
    const isFull = this.plan.next(table, this.archived.rows) > 0;
    if (!isFull || table.count < this.retryAt || this.writing || this.stopped) return;
    this.writing = this.write(table).finally(() => (this.writing = undefined));
  }

  /**
   * From now on indexes are merged in the background. Not before the orphans were removed: whoever removes what nobody needs
   * must not meet files that come and go.
   */
  beginMerging(): void {
    this.mayMerge = true;
    this.mergeInBackground(this.archived);
  }

  /** Merges neighbouring indexes until none of them are of one size; done by itself after each run that is written. */
  async mergeIndexes(): Promise<void> {
    await this.idle();
    await this.indexes.mergeAll(this.archived, () => this.stopped);
  }

  /** Resolves when no run is being written. */
  async idle(): Promise<void> {
    await this.writing;
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await this.mending?.catch(() => undefined);
    await this.idle();
    await this.maker.close();
    await this.archived.close();
  }

  /** What turned out to be damaged gets another name: the next start does not trip over it. */
  async setAside({ file }: IdFileDamageError): Promise<void> {
    const { files, directory } = this.options;
    if (!(await files.exists(file))) return;
    await files.rename(file, file + ASIDE);
    await files.syncDirectory(directory);
  }

  /** Removes the runs that neither the state nor one of the snapshots needs. @param needed names of attachments */
  async removeOrphans(needed: ReadonlySet<string>): Promise<void> {
    const { files, directory } = this.options;
    const kept = new Set([...needed, ...this.attachments().map(({ name }) => name)]);
    for (const { name } of this.archived.indexList) kept.add(indexFile(name));
    for (const file of await files.list(directory)) {
      const isOurs = (runOf(file) ?? indexedBy(file)) !== undefined;
      if (isOurs && !kept.has(file)) await files.unlink(join(directory, file));
    }
  }

  /** Runs that were received, or whose indexes were lost, have an index each. */
  private mergeInBackground(archived: IdArchive): void {
    if (this.isReadOnly || this.writing) return;
    this.writing = this.indexes
      .mergeAll(archived, () => this.stopped)
      .catch((error: unknown) => {
        const { events, directory } = this.options;
        events.error(
          { err: error, directory },
          'indexes of ids could not be merged; it is tried again after the next run',
        );
      })
      .finally(() => (this.writing = undefined));
  }

  private async openNext(file: string, before: IdRun | undefined): Promise<IdRun> {
    const path = join(this.options.directory, file);
    const name = runOf(file);
    if (!name) throw newerRun(path);
    const run = await IdRun.open(this.options, name);
    const row = before ? before.name.first + before.name.count : 0;
    if (name.first === row && run.header.chainBefore.equals(before?.header.chainBehind ?? chainStart())) return run;
    await run.close();
    throw new IdFileDamageError(path, 0, `it does not continue the rows before row ${row}`);
  }

  /** A run that cannot be written leaves its rows in memory, and is tried again. */
  private async write(table: TransferTable): Promise<void> {
    const { events, directory } = this.options;
    const { archived } = this;
    let rows = 0;
    try {
      while ((rows = this.plan.next(table, archived.rows)) > 0 && !this.stopped) {
        const made = await this.maker.write(runSource(table, archived.rows, rows, archived.chain));
        if (this.archived !== archived) return;
        archived.append(await IdRun.open(this.options, made.name), await this.indexes.opened(made));
        await this.indexes.mergeAll(archived, () => this.stopped);
      }
    } catch (error) {
      this.retryAt = table.count + Math.ceil(rows / RETRY_PARTS);
      const what = isDiskFull(error) ? 'the disk has no room for a run of ids' : 'a run of ids could not be written';
      events.error({ err: error, directory }, `${what}; they stay in memory, and it is tried again by and by`);
    }
  }
}

function idsDamaged(error: IdFileDamageError): NodeError {
  const message = `${error.message} Ask another node, or this one again.`;
  return new NodeError('UNAVAILABLE', 'IDS_DAMAGED', message, { cause: error });
}
