/**
 * Makes the data directory of the first node of a new cluster out of a backup: the same log, to the byte, the same outcomes
 * and the same state, and behind the last entry one more, a configuration in which this node is the only voter. So whatever the
 * backup holds is committed as soon as the node starts, and nobody of the old cluster has a say in the new one: its id is
 * another, and peers and gossip of another cluster are refused at the door.
 */

import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { BatchKind, type BatchHeader, readHeader, sealBatch } from '../log/batch';
import { endAfter } from '../log/continuity';
import type { FileSystem } from '../log/files';
import type { LogFailedError } from '../log/log-errors';
import type { LogBoundary } from '../log/log-store';
import { OutcomeStore } from '../log/outcomes';
import { SegmentedLog } from '../log/segmented-log';
import { OUTCOME_ROW_BYTES } from '../ledger/outcome-row';
import { FIRST_GROUP } from '../node/data-directory';
import { IDS } from '../node/ids/id-store';
import type { BackupSource } from '../raft/backup';
import { EMPTY_CONFIGURATION, encodeConfiguration } from '../raft/core';
import { systemClock } from '../raft/replica/environment';
import { SnapshotReader, SnapshotStore, type StoredSnapshot } from '../raft/snapshot';
import { LevelStableStore } from '../raft/stable';
import { writeInARow } from './files-in-a-row';

const NODE_ID_BYTES = 8;
const CLUSTER_ID_BYTES = 16;
const MIB = 1024 * 1024;
const CACHE_BYTES = 4 * MIB;
/** What was read is made durable so often, which bounds what waits in memory. */
const SYNC_EVERY_BYTES = 8 * MIB;
/** Where the node is until it says so itself, at its first start. */
const UNKNOWN_ADDRESS = '127.0.0.1:8300';
const INCOMING = 'incoming.snapshot';

export interface NewDirectoryOptions {
  readonly source: BackupSource;
  /** Not there yet; what a failure leaves there is of no use. */
  readonly dataDir: string;
  readonly nodeName: string;
  readonly files: FileSystem;
  /** Told how many bytes of the backup were written. */
  readonly onBytes: (bytes: number) => void;
}

export interface NewDirectory {
  readonly clusterId: string;
  readonly nodeId: string;
  /** Of the entry that makes this node the only voter. */
  readonly configurationIndex: number;
}

export async function makeDirectory(options: NewDirectoryOptions): Promise<NewDirectory> {
  return new DirectoryMaker(options).run();
}

class DirectoryMaker {
  private readonly clusterId = randomBytes(CLUSTER_ID_BYTES).toString('hex');
  private readonly nodeId = randomBytes(NODE_ID_BYTES).toString('hex');
  private readonly folder: string;
  private failure: LogFailedError | undefined;

  constructor(private readonly options: NewDirectoryOptions) {
    this.folder = join(options.dataDir, 'groups', String(FIRST_GROUP));
  }

  async run(): Promise<NewDirectory> {
    const { dataDir, files, nodeName, source } = this.options;
    const stable = await LevelStableStore.open({ dataDir, files });
    try {
      const createdAt = systemClock.wallMicros();
      await stable.initialise({ clusterId: '', nodeName, nodeId: this.nodeId, createdAt, partitions: 0 });
      await stable.createGroup(FIRST_GROUP);
      const snapshot = await this.writeSnapshot();
      const last = await this.writeLog();
      const pointer = snapshot ? { ...snapshot.meta, file: snapshot.file } : NO_SNAPSHOT;
      const { index, term, file, configuration } = pointer;
      await stable.saveSnapshot(FIRST_GROUP, { index, term, file, configuration });
      await stable.saveHardState(FIRST_GROUP, { term: last.term, vote: this.nodeId });
      await stable.saveLogEnd(FIRST_GROUP, { index: last.index, term: last.term });
      // Last: a directory that belongs to no cluster does not start by itself.
      await stable.joinCluster(this.clusterId, source.header.partitions);
      return { clusterId: this.clusterId, nodeId: this.nodeId, configurationIndex: last.index };
    } finally {
      await stable.close();
    }
  }

  /** As it was, but of the new cluster. */
  private async writeSnapshot(): Promise<StoredSnapshot | undefined> {
    const { files, source } = this.options;
    const store = await SnapshotStore.open({
      directory: join(this.folder, 'snapshots'),
      files,
      clusterId: this.clusterId,
      group: FIRST_GROUP,
    });
    const incoming = join(this.folder, INCOMING);
    if (!source.header.snapshot) return undefined;
    await this.receive(incoming);
    const reader = await SnapshotReader.open(files, incoming);
    try {
      return await store.write(reader.meta, reader.chunks());
    } finally {
      await reader.close();
      await files.unlink(incoming);
    }
  }

  private async receive(path: string): Promise<void> {
    const { files, source, onBytes } = this.options;
    const { bytes = 0, attachments = [] } = source.header.snapshot ?? {};
    const beside = attachments.map(({ name, bytes }) => ({ path: join(this.folder, IDS, name), bytes }));
    await writeInARow(files, [{ path, bytes }, ...beside], source.snapshot(), onBytes);
  }

  /** @returns where the entry stands that makes this node the only voter */
  private async writeLog(): Promise<LogBoundary> {
    const { files, source } = this.options;
    const log = await SegmentedLog.open({
      dir: join(this.folder, 'log'),
      files,
      group: FIRST_GROUP,
      cacheBytes: CACHE_BYTES,
      // Whoever waits for a sync hears of it as well.
      onFatal: (error) => (this.failure ??= error),
    });
    const outcomes = await OutcomeStore.open({ log, files });
    try {
      if (source.header.before.index > 0) await log.reset(source.header.before);
      const end = await this.copyEntries(log, outcomes);
      return await this.appendConfiguration(log, end);
    } finally {
      await outcomes.close();
      await log.close();
    }
  }

  private async copyEntries(log: SegmentedLog, outcomes: OutcomeStore): Promise<LogBoundary> {
    let end = this.options.source.header.before;
    let unsynced = 0;
    for await (const { batches, outcomes: rows } of this.options.source.entries()) {
      const first = end.nextOffset;
      for (const batch of batches) {
        const header = readHeader(batch);
        log.append(batch);
        keepOutcomes(outcomes, header, rows, first);
        end = endAfter(header);
        unsynced += batch.length;
        this.options.onBytes(batch.length);
      }
      if (unsynced < SYNC_EVERY_BYTES) continue;
      unsynced = 0;
      await log.sync();
      await outcomes.sync();
    }
    return end;
  }

  private async appendConfiguration(log: SegmentedLog, end: LogBoundary): Promise<LogBoundary> {
    const { nodeName, source } = this.options;
    const snapshotTerm = source.header.snapshot?.term ?? 0;
    const server = { id: this.nodeId, name: nodeName, rpcAddr: UNKNOWN_ADDRESS };
    const configuration = { voters: [this.nodeId], votersOutgoing: [], learners: [], servers: [server] };
    const batch = sealBatch(
      {
        kind: BatchKind.Configuration,
        index: end.index + 1,
        term: Math.max(end.term, snapshotTerm) + 1,
        baseOffset: end.nextOffset,
        count: 0,
        time: Math.max(systemClock.wallMicros(), end.time + 1),
        // Whatever the backup holds counts as committed in the new cluster.
        commitIndex: end.index,
        group: FIRST_GROUP,
        previousHash: end.hash,
      },
      [encodeConfiguration(configuration)],
    );
    log.append(batch);
    await log.sync();
    if (this.failure) throw this.failure;
    return endAfter(readHeader(batch));
  }
}

const NO_SNAPSHOT = { index: 0, term: 0, file: '', configuration: EMPTY_CONFIGURATION };

/** @param firstOffset of the first of the rows */
function keepOutcomes(
  outcomes: OutcomeStore,
  { baseOffset, count }: BatchHeader,
  rows: Buffer,
  firstOffset: number,
): void {
  const at = (baseOffset - firstOffset) * OUTCOME_ROW_BYTES;
  if (count > 0) outcomes.write(baseOffset, rows.subarray(at, at + count * OUTCOME_ROW_BYTES));
}
