import { join } from 'node:path';
import { SegmentedLog } from '../../src/log/segmented-log';
import { LogDamageError } from '../../src/log/log-errors';
import type { LogBoundary } from '../../src/log/log-store';
import { FIRST_GROUP } from '../../src/node/data-directory';
import { GroupStorage } from '../../src/node/group-storage';
import { serveEntries } from '../../src/node/log-entries';
import type { RepairPeers } from '../../src/node/log-repair';
import { PEER_CALLS } from '../../src/node/peer-calls';
import { CallError } from '../../src/raft/transport';
import { LevelStableStore } from '../../src/raft/stable';
import { FileKeyValues } from '../raft/stable/file-key-values';
import { MemoryLog } from '../support/memory-log';
import { FaultyFiles } from '../support/faulty-files';
import { CLUSTER, configurationOf, idOf, nameOf } from './members';
import { recordedEvents } from './recorded-events';

const DATA_DIR = '/node';
const LOG_DIR = join(DATA_DIR, 'groups', '0', 'log');
export const TERM = 7;

/** A disk with the log of a member of three, and peers that hold what a test gives them. */
export class DamagedMember {
  files = new FaultyFiles();
  readonly events = recordedEvents();
  /** Pauses that the repair has made. */
  pauses = 0;
  /** Called before each pause. */
  onPause: () => void = () => undefined;
  private readonly peerLogs = new Map<string, { readonly log: MemoryLog; readonly commit: number }>();

  /**
   * @param behind what the log begins behind, where its older part was dropped; the snapshot that covered it is nowhere
   * @param pointed whether the pointer to that snapshot is still there
   */
  static async make(batches: readonly Buffer[], behind?: LogBoundary, pointed = false): Promise<DamagedMember> {
    const member = new DamagedMember();
    const stable = await member.openStable();
    await stable.initialise({
      clusterId: CLUSTER,
      nodeName: nameOf(1),
      nodeId: idOf(1),
      createdAt: 0,
      partitions: 1,
    });
    await stable.createGroup(FIRST_GROUP);
    const { index, term } = behind && pointed ? behind : { index: 0, term: 0 };
    const file = index > 0 ? `${index}-${term}.snap` : '';
    await stable.saveSnapshot(FIRST_GROUP, { index, term, file, configuration: configurationOf([1, 2, 3]) });
    await stable.saveHardState(FIRST_GROUP, { term: TERM, vote: '' });
    await stable.close();
    const log = await member.openLog();
    if (behind) await log.reset(behind);
    for (const batch of batches) log.append(batch);
    await log.sync();
    await log.close();
    return member;
  }

  /** Another member that answers from now on. `commit`: as far as it knows. */
  peer(n: number, batches: readonly Buffer[], commit: number): void {
    const log = new MemoryLog();
    for (const batch of batches) log.append(batch);
    this.peerLogs.set(idOf(n), { log, commit });
  }

  peerLog(n: number): MemoryLog {
    return this.peerLogs.get(idOf(n))!.log;
  }

  segments(): string[] {
    return this.files.namesIn(LOG_DIR).filter((name) => name.endsWith('.log'));
  }

  namesInLog(): string[] {
    return this.files.namesIn(LOG_DIR);
  }

  /** Flips a bit within the bytes of `batch`, wherever it is. */
  rot(batch: Buffer, at = 180): void {
    for (const name of this.segments()) {
      const inode = this.files.inode(join(LOG_DIR, name));
      const position = inode.bytes.indexOf(batch);
      if (position >= 0) inode.rot(position + at, 2);
    }
  }

  rotSegment(name: string, position: number): void {
    this.files.inode(join(LOG_DIR, name)).rot(position, 2);
  }

  /** The first segment of another log in place of its own, which is whole in itself. */
  takeFirstSegment(other: DamagedMember): void {
    const [own, theirs] = [this, other].map((one) => one.files.inode(join(LOG_DIR, one.segments()[0]!)));
    own!.write(theirs!.bytes, 0);
    own!.truncate(theirs!.bytes.length);
    own!.sync();
  }

  truncateSegment(name: string, length: number): void {
    const inode = this.files.inode(join(LOG_DIR, name));
    inode.truncate(length);
    inode.sync();
  }

  async open(peers: Partial<RepairPeers> | 'nobody' = {}): Promise<GroupStorage> {
    const stable = await this.openStable();
    return GroupStorage.open({
      config: { dataDir: DATA_DIR, segmentBytes: 4_096, snapshotBytes: 1 << 30, retentionBytes: undefined },
      data: {
        files: this.files,
        stable,
        clusterId: CLUSTER,
        nodeId: idOf(1),
        groupFolder: (group) => join(DATA_DIR, 'groups', String(group)),
      },
      events: this.events,
      fatal: (error) => {
        throw error;
      },
      peers: { ...this.repairPeers(), ...(peers === 'nobody' ? { alone: () => true } : peers) },
    });
  }

  /** Whether the log can be opened without anybody's help. */
  async isWhole(): Promise<boolean> {
    try {
      await (await this.openLog()).close();
      return true;
    } catch (error) {
      if (error instanceof LogDamageError) return false;
      throw error;
    }
  }

  private repairPeers(): RepairPeers {
    return {
      peers: () => [idOf(2), idOf(3)],
      alone: () => false,
      call: async (to, _group, method, body) => {
        const peer = this.peerLogs.get(to);
        if (!peer || method !== PEER_CALLS.entries) {
          throw new CallError('UNAVAILABLE', 'NO_CONNECTION', 'nobody answers', { sent: false });
        }
        return serveEntries(peer.log, peer.commit, body);
      },
      pause: async () => {
        this.pauses += 1;
        this.onPause();
      },
    };
  }

  private openLog(): Promise<SegmentedLog> {
    const fail = (error: unknown): never => {
      throw error;
    };
    return SegmentedLog.open({
      dir: LOG_DIR,
      files: this.files,
      group: FIRST_GROUP,
      firstSegmentBytes: 2_048,
      segmentBytes: 4_096,
      onFatal: fail,
    });
  }

  private openStable(): Promise<LevelStableStore> {
    const { files } = this;
    return LevelStableStore.open({ dataDir: DATA_DIR, files, openKeyValues: () => FileKeyValues.open(files) });
  }
}
