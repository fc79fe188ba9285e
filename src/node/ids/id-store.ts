import { join } from 'node:path';
import { FileSystemError, isDiskFull, isMissing } from '../../log/files';
import { CHAIN_ROWS, chainStart } from '../../ledger/row-chain';
import { TRANSFER_WORDS, type TransferTable } from '../../ledger/transfer-table';
import type { EventLog } from '../../raft/replica/environment';
import { type Attachment, SnapshotError } from '../../raft/snapshot';
import { IdArchive } from './id-archive';
import { IdRun } from './id-run';
import { indexFile } from './index-format';
import { IdFileDamageError, runBytes, runFile, runOf } from './run-format';
import { RunReceiver } from './run-receiver';
import { BEING_WRITTEN, type RunFolder, writeIndex, writeRun } from './run-writer';

/** The folder of a group in which runs are. */
export const IDS = 'ids';
/** Rows of a run; a multiple of CHAIN_ROWS. */
export const RUN_ROWS = 1 << 20;
/** Rows that stay in memory at least. */
export const KEPT_ROWS = 1 << 21;
/** After a failure it is tried again when so many parts of a run more have come. */
const RETRY_PARTS = 16;
/** At the end of each batch so many rows leave memory, and so many times as many as the batch had records. */
const RETIRED_AT_LEAST = 64;
const RETIRED_PER_RECORD = 2;
const ASIDE = '.damaged';

export interface IdStoreOptions extends RunFolder {
  readonly events: EventLog;
  readonly runRows?: number | undefined;
  readonly keptRows?: number | undefined;
}

/** Writes runs in the background, and lets the rows in them go from memory. Consensus never waits for it. */
export class IdStore {
  private archived: IdArchive;
  private writing: Promise<void> | undefined;
  private retryAt = 0;
  private stopped = false;
  private isReadOnly = false;
  private readonly mending = new Map<IdRun, Promise<void>>();
  /** Gives runs to others, and takes theirs. */
  readonly receiver: RunReceiver;

  private constructor(private readonly options: IdStoreOptions) {
    this.receiver = new RunReceiver(options.files, options.directory);
    this.archived = this.archiveOf([]);
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
  static readOnly(options: IdStoreOptions): IdStore {
    const store = new IdStore(options);
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
      this.archived = this.archiveOf(runs);
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
    return this.archived;
  }

  /** To be called after each batch. @param records that the batch had */
  afterBatch(table: TransferTable, records: number): void {
    const { keptRows = KEPT_ROWS } = this.options;
    table.retire(keptRows, RETIRED_AT_LEAST + RETIRED_PER_RECORD * records);
    const next = this.archived.rows + this.runRows;
    if (table.count < next || table.count < this.retryAt || this.writing || this.stopped) return;
    this.writing = this.write(table).finally(() => (this.writing = undefined));
  }

  /** Resolves when no run is being written. */
  async idle(): Promise<void> {
    await this.writing;
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await this.idle();
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
    const keptFiles = new Set([...kept, ...[...kept].map(indexFile)]);
    for (const file of await files.list(directory)) {
      const isOurs = runOf(file.replace(/\.index$/, '.rows')) !== undefined;
      if (isOurs && !keptFiles.has(file)) await files.unlink(join(directory, file));
    }
  }

  private get runRows(): number {
    return this.options.runRows ?? RUN_ROWS;
  }

  private archiveOf(runs: IdRun[]): IdArchive {
    return new IdArchive(this.options.seed, runs, (run, damage) => this.mend(run, damage));
  }

  private async openNext(file: string, before: IdRun | undefined): Promise<IdRun> {
    const path = join(this.options.directory, file);
    const name = runOf(file);
    if (!name) throw new IdFileDamageError(path, 0, 'its name is not that of a run');
    const run = await (this.isReadOnly ? IdRun.openReadOnly(this.options, name) : IdRun.open(this.options, name));
    const row = before ? before.name.first + before.name.count : 0;
    if (name.first === row && run.header.chainBefore.equals(before?.header.chainBehind ?? chainStart())) return run;
    await run.close();
    throw new IdFileDamageError(path, 0, `it does not continue the rows before row ${row}`);
  }

  /** A run that cannot be written leaves its rows in memory, and is tried again. */
  private async write(table: TransferTable): Promise<void> {
    const { events, directory } = this.options;
    const { archived } = this;
    try {
      while (table.count >= archived.rows + this.runRows && !this.stopped) {
        const run = await this.writtenRun(table, archived);
        if (this.archived !== archived) return await run.close();
        archived.append(run);
      }
    } catch (error) {
      this.retryAt = table.count + Math.ceil(this.runRows / RETRY_PARTS);
      const what = isDiskFull(error) ? 'the disk has no room for a run of ids' : 'a run of ids could not be written';
      events.error({ err: error, directory }, `${what}; they stay in memory, and it is tried again by and by`);
    }
  }

  private async writtenRun(table: TransferTable, archived: IdArchive): Promise<IdRun> {
    const captured = table.rows.capture();
    const { pageShift } = table.rows;
    const inPage = (1 << pageShift) - 1;
    const written = await writeRun(this.options, {
      first: archived.rows,
      count: this.runRows,
      chainBefore: archived.chain,
      unit: (row) => {
        const from = (row & inPage) * TRANSFER_WORDS;
        return captured.page(row >>> pageShift).subarray(from, from + CHAIN_ROWS * TRANSFER_WORDS);
      },
    });
    await writeIndex(this.options, written);
    return IdRun.open(this.options, written.name);
  }

  private mend(run: IdRun, damage: IdFileDamageError): Promise<void> {
    const known = this.mending.get(run);
    if (known) return known;
    this.options.events.warn({ file: damage.file, err: damage }, 'an index of ids is damaged; it is made anew');
    const work = run.mendIndex().finally(() => this.mending.delete(run));
    this.mending.set(run, work);
    return work;
  }
}
