import { NodeError, type RunningBackup } from '../api/node-port';
import { readHeader } from '../log/batch';
import { LogRangeError } from '../log/log-errors';
import type { LogBoundary } from '../log/log-store';
import type { SegmentedLog } from '../log/segmented-log';
import { type BackedUpEntries, type BackupHeader, type BackupSource, snapshotBytes, writeBackup } from '../raft/backup';
import { systemClock } from '../raft/replica/environment';
import { OutcomeDamageError } from './outcome-keeper';
import type { Replica } from '../raft/replica/replica';
import type { Snapshotter } from '../raft/replica/snapshotter';
import { SnapshotError, type AttachmentStore, type SnapshotReader, type SnapshotStore } from '../raft/snapshot';

export interface GroupBackupOptions {
  readonly group: number;
  readonly owner: () => Pick<BackupHeader, 'clusterId' | 'nodeName' | 'nodeId' | 'partitions'>;
  readonly log: SegmentedLog;
  readonly replica: Pick<Replica, 'appliedIndex' | 'configurationAt'>;
  /** Resolves when what was acknowledged before the call is applied here; rejects with NodeError. */
  readonly caughtUp: (deadlineMs: number) => Promise<void>;
  readonly snapshots: Pick<SnapshotStore, 'newestValid' | 'read'>;
  readonly attachments: Pick<AttachmentStore, 'check' | 'read'>;
  readonly snapshotter: Pick<Snapshotter, 'holdLog'>;
  /** Rejects with OutcomeDamageError where they are not what was written. */
  readonly readOutcomes: (offset: number, count: number) => Promise<Buffer>;
  /** False where no peer has given them. */
  readonly mendOutcomes: (damage: OutcomeDamageError) => Promise<boolean>;
  /** The offset after the last applied record. */
  readonly nextOffset: () => number;
}

const PART_BYTES = 1024 * 1024;
const RETRY_AFTER_MILLIS = 5_000;

/** Backups of a running group, one at a time: each reads all of the log, and keeps what it reads from being dropped. */
export class GroupBackup {
  private running = false;

  constructor(private readonly options: GroupBackupOptions) {}

  /** Rejects with NodeError. */
  async begin(deadlineMs: number): Promise<RunningBackup> {
    if (this.running) {
      const message = 'This node is making a backup already; wait until it is done, or ask another node.';
      throw new NodeError('RESOURCE_EXHAUSTED', 'BACKUP_UNDER_WAY', message, { retryAfterMs: RETRY_AFTER_MILLIS });
    }
    this.running = true;
    const release = this.options.snapshotter.holdLog();
    let reader: SnapshotReader | undefined;
    const close = async (): Promise<void> => {
      release();
      this.running = false;
      await reader?.close();
      reader = undefined;
    };
    try {
      reader = await this.newestSnapshot();
      await this.options.caughtUp(deadlineMs);
      if ((reader?.meta.index ?? 0) < beginningOf(this.options.log).index) throw replaced();
      const source = new RunningSource(this.options, reader);
      return { expectedBytes: source.expectedBytes, bytes: told(writeBackup(source)), close };
    } catch (error) {
      await close();
      throw error;
    }
  }

  private async newestSnapshot(): Promise<SnapshotReader | undefined> {
    const { snapshots } = this.options;
    const newest = await snapshots.newestValid();
    for (const { name } of newest?.meta.attachments ?? []) await this.checked(name);
    return newest && snapshots.read(newest.meta.index);
  }

  private async checked(name: string): Promise<void> {
    try {
      await this.options.attachments.check(name);
    } catch (cause) {
      if (!(cause instanceof SnapshotError)) throw cause;
      const message = `${cause.message} Make the backup of another node; this one is mended at its next start.`;
      throw new NodeError('UNAVAILABLE', 'NOT_READY', message, { retryAfterMs: RETRY_AFTER_MILLIS, cause });
    }
  }
}

class RunningSource implements BackupSource {
  readonly header: BackupHeader;

  constructor(
    private readonly options: GroupBackupOptions,
    private readonly reader: SnapshotReader | undefined,
  ) {
    const { log, replica, owner, group, nextOffset } = options;
    const lastIndex = replica.appliedIndex;
    this.header = {
      ...owner(),
      group,
      createdAt: systemClock.wallMicros(),
      before: beginningOf(log),
      lastIndex,
      nextOffset: nextOffset(),
      commitIndex: lastIndex,
      configuration: replica.configurationAt(lastIndex),
      snapshot: reader && backedUp(reader),
    };
  }

  get expectedBytes(): number {
    const log = this.options.log.segmentViews().reduce((sum, { bytes }) => sum + bytes, 0);
    return log + snapshotBytes(this.header);
  }

  async *snapshot(): AsyncGenerator<Buffer, void, undefined> {
    for (let at = 0; this.reader && at < this.reader.bytes; at += PART_BYTES) {
      yield await this.reader.read(at, PART_BYTES);
    }
    const { attachments } = this.options;
    for (const { name, bytes } of this.header.snapshot?.attachments ?? []) {
      for (let at = 0; at < bytes; at += PART_BYTES) {
        yield await attachments.read(name, at, Math.min(PART_BYTES, bytes - at));
      }
    }
  }

  async *entries(): AsyncGenerator<BackedUpEntries, void, undefined> {
    const { log } = this.options;
    const { before, lastIndex } = this.header;
    for (let from = before.index + 1; from <= lastIndex;) {
      const read = await log.read(from, PART_BYTES);
      const batches = read.filter((batch) => readHeader(batch).index <= lastIndex);
      if (batches.length === 0) throw new Error(`The log says that it holds entry ${from}, but gives none.`);
      const [first, last] = [readHeader(batches[0]!), readHeader(batches.at(-1)!)];
      const outcomes = await soundOutcomes(
        this.options,
        first.baseOffset,
        last.baseOffset + last.count - first.baseOffset,
      );
      yield { batches, outcomes };
      from = last.index + 1;
    }
  }
}

function backedUp({ meta, bytes }: SnapshotReader): BackupHeader['snapshot'] {
  const { index, term, attachments } = meta;
  return { index, term, bytes, attachments };
}

/** Outcomes that are damaged on this disk are taken from a peer; a backup that lacks them could not be restored. */
async function soundOutcomes(
  { readOutcomes, mendOutcomes }: GroupBackupOptions,
  offset: number,
  count: number,
): Promise<Buffer> {
  // Each try mends all of one entry, of which there are at most as many as records.
  for (let tries = 0; ; tries += 1) {
    try {
      return await readOutcomes(offset, count);
    } catch (error) {
      if (!(error instanceof OutcomeDamageError)) throw error;
      if (tries < count && (await mendOutcomes(error))) continue;
      const message = `${error.message} No peer has given it; make the backup of another node.`;
      throw new NodeError('UNAVAILABLE', 'NOT_READY', message, { retryAfterMs: RETRY_AFTER_MILLIS, cause: error });
    }
  }
}

/** A follower that is given another state while it is read can only begin again. */
async function* told(bytes: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  try {
    yield* bytes;
  } catch (error) {
    if (!(error instanceof LogRangeError)) throw error;
    throw replaced(error);
  }
}

function replaced(cause?: unknown): NodeError {
  const message = 'This node was given a snapshot by the leader while its log was being read; begin the backup again.';
  return new NodeError('UNAVAILABLE', 'NOT_READY', message, { retryAfterMs: RETRY_AFTER_MILLIS, cause });
}

/** What the first entry of a log continues. */
function beginningOf(log: SegmentedLog): LogBoundary {
  const [first] = log.segmentViews();
  if (!first) throw new Error('A log has no segment, though it always has one.');
  return first.before;
}
