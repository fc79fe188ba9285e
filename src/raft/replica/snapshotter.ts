import { NO_HASH, type BatchHeader } from '../../log/batch';
import type { RoomOnDisk } from '../../log/disk-space';
import { DiskFullError } from '../../log/log-errors';
import type { LogBoundary } from '../../log/log-store';
import type { SegmentedLog } from '../../log/segmented-log';
import { EMPTY_CONFIGURATION, type Configuration, type SnapshotMeta } from '../core';
import { SnapshotError, type SnapshotFileMeta, type SnapshotStore } from '../snapshot';
import { StableStoreError, whenRoom, type StableStore } from '../stable';
import type { EventLog } from './environment';
import type { StateMachine } from './state-machine';
import { UNREAD_TIMES, type UnreadLog } from './unread-log';

export interface SnapshotterOptions {
  readonly group: number;
  readonly store: SnapshotStore;
  readonly stable: StableStore;
  readonly log: SegmentedLog;
  readonly machine: StateMachine;
  /** A snapshot is taken after so many bytes of log. */
  readonly snapshotBytes: number;
  /** Of the log, what is under a snapshot and beyond so many bytes is dropped; undefined: nothing is. */
  readonly retentionBytes: number | undefined;
  /** What retention leaves longer. */
  readonly unread?: UnreadLog | undefined;
  /** Where an installation waits while the disk is full; without it, a full disk is a failure like any other. */
  readonly space?: RoomOnDisk | undefined;
  readonly events: EventLog;
}

/** What a snapshotter needs of the replica whose state it saves and replaces. */
export interface SnapshottedReplica {
  configurationAt(index: number): Configuration;
  pauseApplying(): void;
  /** The state stands at `index` now; applying goes on behind it. */
  stateJumped(index: number): void;
}

/** A file that damage made useless, and nothing older to fall back on. */
export class NoUsableSnapshotError extends Error {
  override readonly name = 'NoUsableSnapshotError';
}

/** Between two tries of a snapshot that finds no room, in calls of `upkeep`. */
const MAX_PAUSES = 32;

/** Which files there are and what is wrong with them. */
function refusals({ refused }: SnapshotStore): string {
  if (refused.length === 0) return '';
  return ` (${refused.map(({ file, error }) => `${file}: ${error.message}`).join(' ')})`;
}

function isForWantOfRoom(error: unknown): boolean {
  if (error instanceof SnapshotError || error instanceof StableStoreError) return error.code === 'DISK_FULL';
  return error instanceof DiskFullError;
}

const NOTHING: LogBoundary = { index: 0, term: 0, nextOffset: 0, hash: NO_HASH, time: 0 };

/**
 * Whole-file snapshots of one group: taken while writes go on (the state machine gives a consistent view and copies what
 * changes under it), restored at the start, installed in place of log and state when the leader says so.
 */
export class Snapshotter {
  private replica: SnapshottedReplica | undefined;
  private end: LogBoundary = NOTHING;
  private bytesSince = 0;
  private taking: Promise<number> | undefined;
  private installing: Promise<void> | undefined;
  /** A snapshot found no room: it is tried again, ever more rarely. */
  private overdue: { readonly pauses: number; left: number } | undefined;
  private stopped = false;
  private checking: Promise<void> = Promise.resolve();
  private holds = 0;
  private forbidden: string | undefined;

  constructor(private readonly options: SnapshotterOptions) {}

  attach(replica: SnapshottedReplica): void {
    this.replica = replica;
  }

  /** Index of the newest snapshot; 0 where there is none. */
  get newestIndex(): number {
    return this.options.store.newest?.meta.index ?? 0;
  }

  /**
   * At the start: brings the state machine to the newest snapshot that can be read, and the log in line with it. What was
   * replayed from the log alone begins at index 0. Throws NoUsableSnapshotError.
   */
  async restoreNewest(): Promise<SnapshotMeta> {
    const { store, stable, group, log, events } = this.options;
    for (const { file, error } of store.refused) events.warn({ file, err: error }, 'a snapshot cannot be used');
    for (const { meta, file } of [...store.list()].reverse()) {
      if (meta.index + 1 < log.firstIndex) break;
      try {
        await this.restoreFrom(meta);
      } catch (error) {
        if (!(error instanceof SnapshotError)) throw error;
        events.warn({ file, err: error }, 'a snapshot cannot be read; falling back on an older one');
        await store.setAside(file, error);
        continue;
      }
      // A crash between the installation of a snapshot and the reset of the log leaves a log that does not reach it.
      if (log.termAt(meta.index) !== meta.term) await log.reset(meta);
      this.end = meta;
      this.checking = this.checkOlder(meta.index);
      return meta;
    }
    const pointer = stable.snapshot(group);
    if (log.firstIndex > 1 || (pointer !== undefined && pointer.index > 0 && log.lastIndex < pointer.index)) {
      throw new NoUsableSnapshotError(
        `The log begins at index ${log.firstIndex}, and no snapshot that can be read reaches so far${refusals(store)}. ` +
          'Remove the data directory and let the node join again: it gets everything from its peers.',
      );
    }
    // That of a snapshot which cannot be read any more: the first one, or one that entries of this log made, and make again.
    return { index: 0, term: 0, configuration: pointer?.configuration ?? EMPTY_CONFIGURATION };
  }

  /** The state machine took a batch; now and then that is the moment for a snapshot. */
  applied(header: BatchHeader, bytes: number): void {
    const { index, term, baseOffset, count, hash, time } = header;
    this.end = { index, term, nextOffset: baseOffset + count, hash, time };
    this.bytesSince += bytes;
    if (this.bytesSince < this.options.snapshotBytes || this.taking || this.stopped || this.forbidden) return;
    this.takeInBackground();
  }

  /** To be called every few seconds: tries again what found no room. */
  upkeep(): void {
    if (!this.overdue || this.taking || this.stopped || this.forbidden) return;
    this.overdue.left -= 1;
    if (this.overdue.left <= 0) this.takeInBackground();
  }

  /** Saves the state as it is now; resolves to its index when that is durable. One at a time: a second caller gets the first's. */
  take(): Promise<number> {
    if (this.forbidden !== undefined) return Promise.reject(new Error(`No snapshot is taken: ${this.forbidden}`));
    this.taking ??= this.writeBesideNothing().finally(() => {
      this.taking = undefined;
    });
    return this.taking;
  }

  /** The newest one is gone: neither a peer nor the next start can wait for as much log as there is between two. */
  replaceNewest(): void {
    if (!this.taking && !this.stopped && this.forbidden === undefined) this.takeInBackground();
  }

  /** From now on nothing of the state gets to the disk: it is wrong, and a start from an older one makes it right. */
  forbid(why: string): void {
    this.forbidden = why;
  }

  /** Replaces state and log by the snapshot `wanted` stands for, which has been received whole. */
  async install(wanted: SnapshotMeta): Promise<void> {
    await this.taking?.catch(() => undefined);
    this.installing = this.replaceAll(wanted).finally(() => {
      this.installing = undefined;
    });
    return this.installing;
  }

  private async replaceAll(wanted: SnapshotMeta): Promise<void> {
    const { store, log, events } = this.options;
    const stored = store.list().find(({ meta }) => meta.index === wanted.index && meta.term === wanted.term);
    if (!stored) throw new Error(`The snapshot at index ${wanted.index} is to be installed, but it is not there.`);
    this.attached.pauseApplying();
    await this.restoreFrom(stored.meta);
    await whenRoom(this.options.space, () => this.point(stored.meta, stored.file));
    await log.reset(stored.meta);
    this.end = stored.meta;
    this.bytesSince = 0;
    this.attached.stateJumped(stored.meta.index);
    await store.removeOld();
    events.info({ index: stored.meta.index, bytes: stored.bytes }, 'a snapshot of the leader was installed');
  }

  /** Whether somebody holds the log. */
  get isLogHeld(): boolean {
    return this.holds > 0;
  }

  /** Nothing of the log is dropped until the returned function is called: somebody reads it from its beginning. */
  holdLog(): () => void {
    this.holds += 1;
    let held = true;
    return () => {
      if (held) this.holds -= 1;
      held = false;
    };
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await this.taking?.catch(() => undefined);
    await this.checking;
  }

  /** What is kept to fall back on is found damaged now, not when it is needed. Beside the start: a large one takes its time. */
  private async checkOlder(than: number): Promise<void> {
    const { store, events } = this.options;
    for (const snapshot of store.list()) {
      if (snapshot.meta.index >= than || this.stopped) continue;
      try {
        const error = await store.check(snapshot);
        if (error) events.warn({ file: snapshot.file, err: error }, 'an older snapshot is damaged; it is set aside');
      } catch (error) {
        events.warn({ file: snapshot.file, err: error }, 'an older snapshot could not be checked');
      }
    }
  }

  private takeInBackground(): void {
    const { events } = this.options;
    this.take().then(
      () => {
        this.overdue = undefined;
      },
      (error: unknown) => {
        if (!isForWantOfRoom(error)) {
          events.error({ err: error }, 'no snapshot could be taken; trying again after as much log');
          return;
        }
        const pauses = Math.min(MAX_PAUSES, 2 * (this.overdue?.pauses ?? 1));
        this.overdue = { pauses, left: pauses };
        events.error({ err: error }, 'the disk has no room for a snapshot; trying again by and by');
      },
    );
  }

  private get attached(): SnapshottedReplica {
    if (!this.replica) throw new Error('A snapshot was asked for before there was a replica.');
    return this.replica;
  }

  private async restoreFrom(meta: SnapshotFileMeta): Promise<void> {
    const reader = await this.options.store.read(meta.index);
    try {
      const { index, nextOffset, attachments } = meta;
      await this.options.machine.restore(reader.chunks(), { index, nextOffset, attachments });
    } finally {
      await reader.close();
    }
  }

  /** While state and log are replaced, the state is not the one that `end` names. */
  private writeBesideNothing(): Promise<number> {
    const { installing } = this;
    return installing ? installing.catch(() => undefined).then(() => this.write()) : this.write();
  }

  private async write(): Promise<number> {
    const { store, machine, events } = this.options;
    const { end } = this;
    if (end.index === this.newestIndex) return end.index;
    this.bytesSince = 0;
    const meta: SnapshotFileMeta = {
      ...{ ...end, hash: Buffer.from(end.hash) },
      configuration: this.attached.configurationAt(end.index),
      attachments: machine.attachments?.(),
    };
    const chunks = machine.snapshot();
    try {
      // What replay would derive again has to be durable before there is nothing to replay it from.
      await machine.flush();
      const stored = await store.write(meta, chunks);
      await this.point(meta, stored.file);
      await store.removeOld();
      await this.dropOldLog();
      events.info({ index: meta.index, bytes: stored.bytes }, 'a snapshot was taken');
      return meta.index;
    } finally {
      // Where it failed before anybody read it: what the machine has frozen for it is let go.
      chunks[Symbol.iterator]().return?.();
    }
  }

  private async point({ index, term, configuration }: SnapshotFileMeta, file: string): Promise<void> {
    await this.options.stable.saveSnapshot(this.options.group, { index, term, file, configuration });
  }

  /** Under the oldest snapshot that is kept, so that the log still continues it. */
  private async dropOldLog(): Promise<void> {
    const { log, store, retentionBytes, unread } = this.options;
    const oldest = store.list()[0];
    if (retentionBytes === undefined || !oldest || this.holds > 0) return;
    const segments = log.segmentViews();
    let total = segments.reduce((sum, segment) => sum + segment.bytes, 0);
    let upTo = 0;
    for (const segment of segments) {
      const bound = unread?.has(segment.lastIndex) ? retentionBytes * UNREAD_TIMES : retentionBytes;
      if (total - segment.bytes < bound || segment.lastIndex > oldest.meta.index) break;
      total -= segment.bytes;
      upTo = segment.lastIndex;
    }
    if (upTo > 0) await log.truncatePrefix(upTo);
  }
}
