import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readHeader } from '../../../src/log/batch';
import { NodeFiles } from '../../../src/log/node-files';
import { SegmentedLog } from '../../../src/log/segmented-log';
import type { Configuration, SnapshotMeta } from '../../../src/raft/core';
import { Snapshotter } from '../../../src/raft/replica/snapshotter';
import { UnreadLog } from '../../../src/raft/replica/unread-log';
import type { StateMachine } from '../../../src/raft/replica/state-machine';
import { SnapshotStore } from '../../../src/raft/snapshot';
import { LevelStableStore } from '../../../src/raft/stable';
import { recordedEvents } from '../../node/recorded-events';
import { BatchChain, boundaryAfter } from '../../support/batch-chain';

const NODE = '00000000000000a1';
export const CLUSTER = 'c'.repeat(32);
export const CONFIGURATION: Configuration = {
  voters: [NODE],
  votersOutgoing: [],
  learners: [],
  servers: [{ id: NODE, name: 'a', rpcAddr: '127.0.0.1:1' }],
};

/** Its state is the list of the indexes that it has applied, after whatever it was restored from. */
class ListMachine implements StateMachine {
  state: string[] = [];
  flushes = 0;

  apply(): Buffer {
    throw new Error('Applied through the group.');
  }

  snapshot(): Iterable<Buffer> {
    const seen = [...this.state];
    return seen.map((line) => Buffer.from(`${line}\n`));
  }

  async restore(chunks: AsyncIterable<Buffer>, at: { readonly nextOffset: number }): Promise<void> {
    const parts: Buffer[] = [];
    for await (const chunk of chunks) parts.push(Buffer.from(chunk));
    const state = Buffer.concat(parts).toString().split('\n').slice(0, -1);
    if (state.length !== at.nextOffset) throw new Error('The snapshot stands elsewhere.');
    this.state = state;
  }

  async flush(): Promise<void> {
    this.flushes += 1;
  }
}

export interface GroupFlags {
  readonly snapshotBytes?: number;
  readonly retentionBytes?: number;
}

/** What a snapshotter works on, all of it real, on a folder; and a replica that only remembers what it was told. */
export class SnapshottedGroup {
  readonly machine = new ListMachine();
  readonly told: string[] = [];
  readonly events = recordedEvents();
  readonly unread = new UnreadLog();
  chain = new BatchChain();
  snapshotter!: Snapshotter;
  restored!: SnapshotMeta;

  private constructor(
    readonly folder: string,
    readonly log: SegmentedLog,
    readonly stable: LevelStableStore,
    readonly store: SnapshotStore,
  ) {}

  static folder(): string {
    return mkdtempSync(join(tmpdir(), 'ledger-snapshots-'));
  }

  static remove(folder: string): void {
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  }

  /** As a node starts: opens what is there, and brings the machine to the newest snapshot. */
  static async open(folder: string, flags: GroupFlags = {}): Promise<SnapshottedGroup> {
    const files = new NodeFiles();
    const stable = await LevelStableStore.open({ dataDir: folder, files });
    if (stable.identity === undefined) {
      await stable.initialise({ clusterId: CLUSTER, nodeName: 'a', nodeId: NODE, createdAt: 1, partitions: 1 });
      await stable.createGroup(0);
    }
    const failed = (error: unknown): never => {
      throw error;
    };
    const sizes = { firstSegmentBytes: 4096, segmentBytes: 4096 };
    const log = await SegmentedLog.open({ dir: join(folder, 'log'), files, group: 0, ...sizes, onFatal: failed });
    const directory = join(folder, 'snapshots');
    const store = await SnapshotStore.open({ directory, files, clusterId: CLUSTER, group: 0 });
    const group = new SnapshottedGroup(folder, log, stable, store);
    group.snapshotter = new Snapshotter({
      group: 0,
      store,
      stable,
      log,
      machine: group.machine,
      snapshotBytes: flags.snapshotBytes ?? Number.MAX_SAFE_INTEGER,
      ...{ retentionBytes: flags.retentionBytes, unread: group.unread },
      events: group.events,
    });
    group.snapshotter.attach({
      configurationAt: () => CONFIGURATION,
      pauseApplying: () => void group.told.push('pause'),
      stateJumped: (index) => void group.told.push(`jumped to ${index}`),
    });
    try {
      group.restored = await group.snapshotter.restoreNewest();
    } catch (error) {
      await group.close();
      throw error;
    }
    await group.replay();
    return group;
  }

  /** Appends and applies so many entries, each with one record. */
  async write(entries: number): Promise<void> {
    for (let at = 0; at < entries; at += 1) {
      const batch = this.chain.next({ payload: Buffer.alloc(100) });
      this.log.append(batch);
      this.apply(batch);
    }
    await this.log.sync();
  }

  async until(what: string, look: () => boolean): Promise<void> {
    const end = Date.now() + 10_000;
    while (!look()) {
      if (Date.now() > end) throw new Error(`Waited in vain for ${what}.`);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }

  /** The snapshot that is being taken now, if one is, is durable. */
  async settled(): Promise<void> {
    await this.snapshotter.stop();
  }

  async close(): Promise<void> {
    await this.snapshotter.stop();
    await this.log.close();
    await this.stable.close();
  }

  private apply(batch: Buffer): void {
    this.machine.state.push(`entry ${readHeader(batch).index}`);
    this.snapshotter.applied(readHeader(batch), batch.length);
  }

  /** What the log has above the snapshot, as the replica would do it. */
  private async replay(): Promise<void> {
    const { log, restored } = this;
    for (let from = Math.max(restored.index + 1, log.firstIndex); from <= log.lastIndex;) {
      for (const batch of await log.read(from, 1 << 20)) {
        this.apply(batch);
        from = readHeader(batch).index + 1;
      }
    }
    const last = log.lastIndex >= log.firstIndex ? (await log.read(log.lastIndex, 1))[0] : undefined;
    const meta = this.store.newest?.meta;
    if (last) this.chain = new BatchChain(boundaryAfter(last));
    else if (meta) this.chain = new BatchChain(meta);
  }
}
