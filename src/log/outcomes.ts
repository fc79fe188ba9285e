/**
 * What apply decided about each record, beside the segment that holds the record: `<segment>.outcomes`, rows of 64 bytes,
 * row n for the n-th offset of the segment. Derived data: replay writes the same rows again, so nothing is done about a torn
 * write but to write it again, and what was never written reads as zeros. A row that is there says so in itself.
 */

import { dirname } from 'node:path';
import type { RoomOnDisk } from './disk-space';
import { type FileSystem, isDiskFull, isMissing, type RandomAccessFile } from './files';
import { DiskFullError, LogClosedError } from './log-errors';
import { lay, ROW_BYTES } from './outcome-overlay';
import type { Segment } from './segment';
import { OUTCOMES_SUFFIX } from './segment-files';

const MAX_OPEN_FILES = 4;

/** Whoever makes outcomes waits while more bytes than this wait for the disk; see {@link OutcomeStore.backlog}. */
const MAX_PENDING_BYTES = 64 * 1024 * 1024;

/** What the outcomes have to know of the log: which segment a record is in, which is decided when it is appended. */
export interface OutcomeSegments {
  /** Offsets below it are in no segment any more. */
  readonly firstOffset: number;
  /** @returns undefined where the log does not hold the offset */
  segmentOfOffset(offset: number): Segment | undefined;
  holdsSegment(segment: Segment): boolean;
}

export interface OutcomeStoreOptions {
  readonly log: OutcomeSegments;
  readonly files: FileSystem;
  /** Where rows wait while the disk is full; without it, a full disk is a failure like any other. */
  readonly space?: RoomOnDisk | undefined;
  readonly maxPendingBytes?: number;
}

interface Pending {
  readonly segment: Segment;
  readonly offset: number;
  readonly rows: Buffer;
}

interface OpenedOutcomes {
  readonly file: RandomAccessFile;
  dirty: boolean;
}

export class OutcomeStore {
  /** Written and read through, in order of writing; read over what the files hold. */
  private pending: Pending[] = [];
  private pendingBytes = 0;
  private backlogWaiters: (() => void)[] = [];
  private readonly opened = new Map<Segment, OpenedOutcomes>();
  private readonly newNamesIn = new Set<string>();
  /** One thing at a time happens to the files. */
  private last: Promise<void> = Promise.resolve();
  private writing = false;
  private failure: Error | undefined;
  private closed = false;

  private constructor(private readonly options: OutcomeStoreOptions) {}

  static async open(options: OutcomeStoreOptions): Promise<OutcomeStore> {
    return new OutcomeStore(options);
  }

  /**
   * Readable at once, written behind, durable after {@link sync}. Rows of records that the log dropped are forgotten.
   * @param offset of the first row's record, which is appended to the log, and in the same segment as the last one's
   * @param rows 64 bytes each; kept until they are written, so they must not change
   */
  write(offset: number, rows: Buffer): void {
    this.assertOpen('to write outcomes');
    if (rows.length % ROW_BYTES !== 0) {
      throw new RangeError(`Outcomes have ${ROW_BYTES} bytes each, but ${rows.length} bytes were given.`);
    }
    if (rows.length === 0 || offset < this.options.log.firstOffset) return;
    const segment = this.options.log.segmentOfOffset(offset);
    if (!segment || offset + rows.length / ROW_BYTES > segment.nextOffset) {
      throw new RangeError(
        `Outcomes of ${rows.length / ROW_BYTES} records from offset ${offset} on do not belong to one segment.`,
      );
    }
    this.pending.push({ segment, offset, rows });
    this.pendingBytes += rows.length;
    if (this.writing) return;
    this.writing = true;
    // A failure is kept for whoever syncs.
    this.writeBehind().catch(() => undefined);
  }

  /** Bytes of rows that are not written yet. */
  get waitingBytes(): number {
    return this.pendingBytes;
  }

  /** Undefined where more may be written; else resolves when it may, or when nothing is written any more. */
  backlog(): Promise<void> | undefined {
    if (this.pendingBytes <= this.maxPending || this.closed || this.failure) return undefined;
    return new Promise((resolve) => this.backlogWaiters.push(resolve));
  }

  /** @returns `count` rows from `offset` on; zeros where nothing was written */
  async read(offset: number, count: number): Promise<Buffer> {
    this.assertOpen('to read outcomes');
    const rows = Buffer.alloc(count * ROW_BYTES);
    // Taken before the files are read: what is written meanwhile is the same in both.
    const overlay = [...this.pending];
    for (let at = offset; at < offset + count;) {
      const segment = this.options.log.segmentOfOffset(at);
      if (!segment) break;
      const end = Math.min(offset + count, segment.nextOffset);
      await this.enqueue(() =>
        this.readFile(segment, at, rows.subarray((at - offset) * ROW_BYTES, (end - offset) * ROW_BYTES)),
      );
      at = end;
    }
    for (const { offset: from, rows: written } of overlay) lay(rows, offset, written, from);
    return rows;
  }

  /** Where the row of a record is kept, for who has to name it; undefined where the log does not hold the record. */
  placeOf(offset: number): { readonly file: string; readonly position: number } | undefined {
    const at = this.options.log.segmentOfOffset(offset);
    return at && { file: at.path + OUTCOMES_SUFFIX, position: (offset - at.before.nextOffset) * ROW_BYTES };
  }

  /**
   * Makes everything durable that was written before the call.
   * @throws DiskFullError where there is no room for it now: it stays readable, and is written when there is
   */
  async sync(): Promise<void> {
    this.assertOpen('to sync outcomes');
    await this.enqueue(async () => {
      await this.writePending();
      for (const entry of this.opened.values()) await this.syncFile(entry);
      for (const directory of this.newNamesIn) await this.options.files.syncDirectory(directory);
      this.newNamesIn.clear();
    });
  }

  async close(): Promise<void> {
    if (this.closed) return;
    const synced = this.sync();
    this.closed = true;
    this.wake();
    try {
      await synced;
    } catch (error) {
      // No snapshot has been taken of what these rows belong to: replay makes them again.
      if (!(error instanceof DiskFullError)) throw error;
    } finally {
      for (const segment of [...this.opened.keys()]) await this.closeFile(segment);
    }
  }

  private enqueue(task: () => Promise<void>): Promise<void> {
    const run = this.last.then(async () => {
      if (this.failure) throw this.failure;
      await task();
    });
    this.last = run.catch((error: unknown) => {
      if (error instanceof DiskFullError) return;
      this.failure ??= error instanceof Error ? error : new Error(String(error));
      this.wake();
    });
    return run;
  }

  private get maxPending(): number {
    return this.options.maxPendingBytes ?? MAX_PENDING_BYTES;
  }

  /** Writes what waits; on a full disk again and again, as often as there seems to be room. */
  private async writeBehind(): Promise<void> {
    const { space } = this.options;
    for (;;) {
      try {
        await this.enqueue(() => this.writePending());
        return;
      } catch (error) {
        if (!(error instanceof DiskFullError) || !space) throw error;
      }
      await space.untilRoom(this.pendingBytes);
    }
  }

  private async writePending(): Promise<void> {
    while (this.pending.length > 0) {
      const run = this.firstRun();
      // What the log dropped meanwhile has no file to be written to.
      if (this.options.log.holdsSegment(run[0]!.segment)) await this.writeRun(run);
      this.pending = this.pending.slice(run.length);
      for (const { rows } of run) this.pendingBytes -= rows.length;
      if (this.pendingBytes <= this.maxPending) this.wake();
    }
    this.writing = false;
  }

  private async writeRun(run: readonly Pending[]): Promise<void> {
    const { segment, offset } = run[0]!;
    const entry = await this.fileToWrite(segment);
    entry.dirty = true;
    const parts = run.map(({ rows }) => rows);
    // What a full disk took of it is written again over itself.
    await this.needingRoom(segment, entry.file.write(parts, (offset - segment.before.nextOffset) * ROW_BYTES));
  }

  /** A full disk is no failure here: only a sync that fails leaves in doubt what the file holds. */
  private async needingRoom<T>({ path }: Segment, work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      if (!this.options.space || !isDiskFull(error)) throw error;
      throw new DiskFullError(`outcomes of ${path} wait in memory.`, { cause: error });
    }
  }

  private wake(): void {
    for (const resolve of this.backlogWaiters.splice(0)) resolve();
  }

  /** As many of the oldest pending rows as follow each other in one file. */
  private firstRun(): Pending[] {
    const run: Pending[] = [];
    for (const next of this.pending) {
      const before = run.at(-1);
      if (before && (next.segment !== before.segment || next.offset !== before.offset + before.rows.length / ROW_BYTES))
        break;
      run.push(next);
    }
    return run;
  }

  private async readFile(segment: Segment, offset: number, into: Buffer): Promise<void> {
    const entry = await this.fileToRead(segment);
    await entry?.file.read(into, (offset - segment.before.nextOffset) * ROW_BYTES);
  }

  private async fileToWrite(segment: Segment): Promise<OpenedOutcomes> {
    const existing = await this.fileToRead(segment);
    if (existing) return existing;
    const file = await this.needingRoom(segment, this.options.files.open(segment.path + OUTCOMES_SUFFIX, 'create'));
    this.newNamesIn.add(dirname(segment.path));
    return this.remember(segment, file);
  }

  private async fileToRead(segment: Segment): Promise<OpenedOutcomes | undefined> {
    const known = this.opened.get(segment);
    if (known) return known;
    try {
      return await this.remember(segment, await this.options.files.open(segment.path + OUTCOMES_SUFFIX, 'update'));
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  /** Lets go of the files of segments that are gone, whose space is not free before, and of the oldest beyond the bound. */
  private async remember(segment: Segment, file: RandomAccessFile): Promise<OpenedOutcomes> {
    for (const other of [...this.opened.keys()]) {
      const excess = this.opened.size >= MAX_OPEN_FILES;
      if (excess || !this.options.log.holdsSegment(other)) await this.closeFile(other);
    }
    const entry = { file, dirty: false };
    this.opened.set(segment, entry);
    return entry;
  }

  private async closeFile(segment: Segment): Promise<void> {
    const entry = this.opened.get(segment)!;
    this.opened.delete(segment);
    await this.syncFile(entry);
    await entry.file.close();
  }

  private async syncFile(entry: OpenedOutcomes): Promise<void> {
    if (!entry.dirty) return;
    await entry.file.datasync();
    entry.dirty = false;
  }

  private assertOpen(what: string): void {
    if (this.closed) throw new LogClosedError(what);
    if (this.failure) throw this.failure;
  }
}
