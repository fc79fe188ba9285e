import type { Rules } from '../../src/ledger/rules-versions';
import { readHeader } from '../../src/log/batch';
import { DiskSpace } from '../../src/log/disk-space';
import { GroupStorage } from '../../src/node/group-storage';
import type { Configuration, SnapshotMeta } from '../../src/raft/core';
import { LevelStableStore } from '../../src/raft/stable';
import { FileKeyValues } from '../raft/stable/file-key-values';
import { BatchChain, boundaryAfter, type NextBatch } from '../support/batch-chain';
import { FaultyFiles } from '../support/faulty-files';
import { CLUSTER, configurationOf, idOf, nameOf } from './members';
import { recordedEvents, type RecordedEvents } from './recorded-events';

const DATA_DIR = '/node';
const GROUP = 0;
export const CONFIGURATION: Configuration = configurationOf([1]);

export interface StorageFlags {
  readonly rules?: Rules;
  readonly segmentBytes?: number;
  readonly snapshotBytes?: number;
  readonly retentionBytes?: number;
  /** Milliseconds. */
  readonly retentionAge?: number;
  /** Runs of ids; the usual ones where nothing is said. */
  readonly ids?: { readonly runRows: number; readonly keptRows: number };
  /** Watches the disk, with this reserve; it looks when the test says so. */
  readonly reserveBytes?: number;
}

/** Is told of every batch before the disk is. */
export interface Witness {
  made(batch: Buffer): void;
}

function openStable(files: FaultyFiles): Promise<LevelStableStore> {
  return LevelStableStore.open({ dataDir: DATA_DIR, files, openKeyValues: () => FileKeyValues.open(files) });
}

function watch(files: FaultyFiles, reserveBytes: number): Promise<DiskSpace> {
  return DiskSpace.open({ files, directory: DATA_DIR, reserveBytes, every: () => () => undefined });
}

/** The data directory of the first node of a new cluster, all of it durable. */
export async function formatted(): Promise<FaultyFiles> {
  const files = new FaultyFiles();
  const stable = await openStable(files);
  await stable.initialise({ clusterId: CLUSTER, nodeName: nameOf(1), nodeId: idOf(1), createdAt: 0, partitions: 1 });
  await stable.createGroup(GROUP);
  await stable.saveSnapshot(GROUP, { index: 0, term: 0, file: '', configuration: CONFIGURATION });
  await stable.close();
  return files;
}

/** The real storage of one group on a disk in memory, driven as a replica drives it, without consensus. */
export class StorageKit {
  private chain: BatchChain;
  /** Index up to which batches were applied. */
  applied: number;
  /** Hash of the state as the newest snapshot gave it, before the log was applied on top. */
  readonly restored: string;

  private constructor(
    readonly files: FaultyFiles,
    readonly stable: LevelStableStore,
    readonly storage: GroupStorage,
    readonly events: RecordedEvents,
    readonly space: DiskSpace | undefined,
    end: BatchChain['end'],
    private readonly witness: Witness,
  ) {
    this.restored = storage.machine.hash();
    this.chain = new BatchChain(end);
    this.applied = storage.snapshotMeta.index;
    storage.snapshotter.attach({
      configurationAt: () => CONFIGURATION,
      pauseApplying: () => undefined,
      stateJumped: (index) => (this.applied = index),
    });
  }

  /** As a node opens it; what the log has above the snapshot is applied, as if a leader had said that it is committed. */
  static async open(
    files: FaultyFiles,
    flags: StorageFlags = {},
    witness: Witness = { made: () => undefined },
  ): Promise<StorageKit> {
    const events = recordedEvents();
    const stable = await openStable(files);
    const { reserveBytes } = flags;
    const space = reserveBytes === undefined ? undefined : await watch(files, reserveBytes);
    const storage = await GroupStorage.open({
      config: {
        dataDir: DATA_DIR,
        segmentBytes: flags.segmentBytes ?? 64 * 1024,
        snapshotBytes: flags.snapshotBytes ?? Number.MAX_SAFE_INTEGER,
        retentionBytes: flags.retentionBytes,
        retentionAge: flags.retentionAge,
      },
      data: {
        files,
        stable,
        clusterId: CLUSTER,
        nodeId: idOf(1),
        groupFolder: (group) => `${DATA_DIR}/groups/${group}`,
      },
      events,
      fatal: () => undefined,
      ...(space && { space }),
      ...(flags.rules && { rules: flags.rules }),
      ...(flags.ids && { ids: flags.ids }),
    });
    const { lastIndex: index, lastTerm: term, nextOffset, lastHash: hash, lastTime: time } = storage.log;
    const kit = new StorageKit(files, stable, storage, events, space, { index, term, nextOffset, hash, time }, witness);
    await kit.replay();
    return kit;
  }

  /** Appends batches without waiting for the disk. */
  append(...batches: readonly NextBatch[]): void {
    for (const next of batches) {
      const batch = this.chain.next(next);
      this.witness.made(batch);
      this.storage.log.append(batch);
    }
  }

  /** What was appended is durable, and then applied. */
  async commit(): Promise<void> {
    await this.storage.log.sync();
    await this.replay();
  }

  /** Another leader's entries take the place of those from `from` on. */
  async replace(from: number, ...batches: readonly NextBatch[]): Promise<void> {
    const [before] = await this.storage.log.read(from - 1, 1);
    const term = this.storage.log.lastTerm + 1;
    this.chain = BatchChain.after(before as Buffer);
    const truncated = this.storage.log.truncateSuffix(from);
    this.append(...batches.map((next) => ({ ...next, term })));
    await Promise.all([truncated, this.storage.log.sync()]);
  }

  /** The newest snapshot as it would be sent. */
  async newestSnapshot(): Promise<{ readonly meta: SnapshotMeta; readonly bytes: Buffer }> {
    const { snapshots } = this.storage;
    const { meta } = snapshots.newest as NonNullable<typeof snapshots.newest>;
    const reader = await snapshots.read(meta.index);
    const bytes = await reader.read(0, reader.bytes);
    await reader.close();
    return { meta, bytes };
  }

  /** Receives a peer's snapshot in pieces, from where an earlier attempt ended, and puts it in place of log and state. */
  async install(
    { meta, bytes }: { readonly meta: SnapshotMeta; readonly bytes: Buffer },
    pieceBytes: number,
  ): Promise<void> {
    const incoming = await this.storage.snapshots.beginReceive(meta, bytes.length);
    while (!incoming.isComplete) {
      const at = incoming.received;
      await incoming.write(at, bytes.subarray(at, at + pieceBytes));
    }
    await incoming.finish();
    await this.storage.snapshotter.install(meta);
    const { lastIndex: index, lastTerm: term, nextOffset, lastHash: hash, lastTime: time } = this.storage.log;
    this.chain = new BatchChain({ index, term, nextOffset, hash, time });
  }

  async close(): Promise<void> {
    this.space?.close();
    await this.storage.close();
    await this.stable.close();
  }

  private async replay(): Promise<void> {
    const { log, machine, snapshotter } = this.storage;
    while (this.applied < log.lastIndex) {
      for (const batch of await log.read(this.applied + 1, 1 << 20)) {
        const header = readHeader(batch);
        await machine.prepare(batch, header);
        machine.apply(batch, header);
        snapshotter.applied(header, batch.length);
        this.applied = boundaryAfter(batch).index;
      }
    }
  }
}
