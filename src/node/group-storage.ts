import { join } from 'node:path';
import { BatchKind, payloadOf } from '../log/batch';
import type { DiskSpace } from '../log/disk-space';
import { isDiskFull } from '../log/files';
import { DiskFullError } from '../log/log-errors';
import { OutcomeStore } from '../log/outcomes';
import type { SegmentedLog } from '../log/segmented-log';
import { decodeRulesVersion, Rules, RulesVersionError } from '../ledger/rules-versions';
import type { HardState, LogPosition, SnapshotMeta } from '../raft/core';
import { configurationsAbove, type ConfigurationAt } from '../raft/replica/entries';
import { NoUsableSnapshotError, Snapshotter } from '../raft/replica/snapshotter';
import { UnreadLog } from '../raft/replica/unread-log';
import { SnapshotError, SnapshotStore } from '../raft/snapshot';
import { StableStoreError, whenRoom, type StableStore } from '../raft/stable';
import { FIRST_GROUP } from './data-directory';
import { GroupRecovery } from './group-recovery';
import { IDS, IdStore } from './ids/id-store';
import { LedgerMachine } from './ledger-machine';
import type { GroupFolder, GroupStorageOptions } from './group-storage-options';
import { StartupError } from './startup-error';

const HASH_SEED_DIGITS = 8;

/** What one Raft group keeps on this node's disk, opened and brought in line: votes, log, outcomes, snapshots, state. */
export class GroupStorage {
  private constructor(
    private readonly data: GroupFolder,
    readonly space: DiskSpace | undefined,
    readonly hardState: HardState,
    readonly log: SegmentedLog,
    readonly outcomes: OutcomeStore,
    readonly machine: LedgerMachine,
    readonly ids: IdStore,
    readonly snapshots: SnapshotStore,
    readonly snapshotter: Snapshotter,
    readonly unread: UnreadLog,
    readonly snapshotMeta: SnapshotMeta,
    readonly configurations: readonly ConfigurationAt[],
    readonly mayHaveLost: LogPosition | undefined,
  ) {}

  /** Rejects with StartupError where the disk does not allow this node to take part, and nobody can help. */
  static async open(options: GroupStorageOptions): Promise<GroupStorage> {
    try {
      return await GroupStorage.opened(options);
    } catch (error) {
      if (!lacksRoom(error)) throw error;
      const what = error instanceof Error ? error.message : '';
      throw new StartupError(
        `${options.config.dataDir}: the disk is full (${what}) Make room on it, and start again`,
        1,
      );
    }
  }

  private static async opened(options: GroupStorageOptions): Promise<GroupStorage> {
    const { config, data, events, space, rules = new Rules() } = options;
    const { stable, files } = data;
    const vote = stable.voteState(FIRST_GROUP);
    if (vote.kind === 'doubtful') throw votesDoubtful(config.dataDir, vote.why);
    const folder = data.groupFolder(FIRST_GROUP);
    const recovery = new GroupRecovery(options, vote.hardState);
    const log = await recovery.openLog();
    const { torn } = log.recovery;
    if (torn)
      events.warn(
        { ...torn },
        torn.keptAs
          ? 'a torn tail was cut off the log; its bytes are kept aside'
          : 'a torn tail was cut off the log; there was no room to keep it aside',
      );
    events.debug({ firstIndex: log.firstIndex, lastIndex: log.lastIndex }, 'the log is open');
    const outcomes = await OutcomeStore.open({ log, files, space });
    const hashSeed = Number.parseInt(data.nodeId.slice(0, HASH_SEED_DIGITS), 16);
    const ids = await openIds(options, folder, hashSeed);
    const machine = new LedgerMachine(outcomes, hashSeed, rules, ids);
    const directory = join(folder, 'snapshots');
    const store = await SnapshotStore.open({ directory, files, clusterId: data.clusterId, group: FIRST_GROUP, space });
    const unread = new UnreadLog();
    const snapshotter = new Snapshotter({
      group: FIRST_GROUP,
      store,
      stable,
      log,
      machine,
      snapshotBytes: config.snapshotBytes,
      ...{ retentionBytes: config.retentionBytes, unread },
      space,
      events,
    });
    const meta = await restored(snapshotter, config.dataDir);
    if (meta instanceof NoUsableSnapshotError) {
      await ids.stop();
      await outcomes.close();
      await log.close();
      if (await recovery.beginAnew(meta.message)) return GroupStorage.open(options);
      throw new StartupError(`${config.dataDir}: ${meta.message}`, 1);
    }
    events.debug({ index: meta.index, offset: machine.nextOffset }, 'the state is restored');
    // What has arrived of a leader's snapshot is needed by that one, which is not in the list yet.
    if (!(await store.isReceiving())) await ids.removeOrphans(attachmentsOf(store));
    ids.beginMerging();
    const configurations = await lookedThrough(log, meta.index, rules, config.dataDir);
    events.debug({}, 'the log above the snapshot is looked through');
    const loss = await recovery.loss(log);
    if (loss && options.peers?.alone()) throw nobodyToSettle(folder, log, loss);
    return new GroupStorage(
      data,
      space,
      vote.hardState,
      log,
      outcomes,
      machine,
      ids,
      store,
      snapshotter,
      unread,
      meta,
      configurations,
      loss,
    );
  }

  /** What may have been lost is there again, or never was committed: the marks on the disk can go. */
  async settleLoss(): Promise<void> {
    await this.log.settleLoss();
    await whenRoom(this.space, () => this.data.stable.saveLossMark(FIRST_GROUP, undefined));
  }

  async close(): Promise<void> {
    await this.snapshotter.stop();
    await this.ids.stop();
    await this.outcomes.close();
    try {
      await this.log.close();
    } catch (error) {
      // What waited for room was acknowledged to nobody.
      if (!(error instanceof DiskFullError)) throw error;
    }
    await this.rememberEnd(this.data.stable);
  }

  /** Should the end of the log be missing at the next start, nothing in the log itself may show it. */
  private async rememberEnd(stable: StableStore): Promise<void> {
    const { durableIndex: index } = this.log;
    const term = this.log.termAt(index);
    if (term === undefined)
      throw new Error(`The log does not know the term of entry ${index}, the last that is durable.`);
    try {
      await stable.saveLogEnd(FIRST_GROUP, { index, term });
    } catch (error) {
      // What was remembered before stays: it is an older end, and shows that this log is not shorter than that one.
      if (!lacksRoom(error)) throw error;
    }
  }
}

function attachmentsOf(store: SnapshotStore): ReadonlySet<string> {
  return new Set(store.list().flatMap(({ meta }) => (meta.attachments ?? []).map(({ name }) => name)));
}

function lacksRoom(error: unknown): boolean {
  if (error instanceof StableStoreError || error instanceof SnapshotError) return error.code === 'DISK_FULL';
  return error instanceof DiskFullError || isDiskFull(error);
}

/** What is wrong, where no snapshot can be used. */
async function restored(snapshotter: Snapshotter, dataDir: string): Promise<SnapshotMeta | NoUsableSnapshotError> {
  try {
    return await snapshotter.restoreNewest();
  } catch (error) {
    if (error instanceof NoUsableSnapshotError) return error;
    if (error instanceof RulesVersionError) throw new StartupError(`${dataDir}: ${error.message}`, 1);
    throw error;
  }
}

function openIds(options: GroupStorageOptions, folder: string, seed: number): Promise<IdStore> {
  const { data, events, fatal } = options;
  return IdStore.open({ directory: join(folder, IDS), files: data.files, seed, events, fatal, ...options.ids });
}

/**
 * The configurations above the snapshot. On the way it looks for rules that this program does not know: they would end it
 * as soon as a leader says that they are committed, in the middle of its service.
 */
async function lookedThrough(
  log: SegmentedLog,
  after: number,
  rules: Rules,
  dataDir: string,
): Promise<readonly ConfigurationAt[]> {
  try {
    return await configurationsAbove(log, after, (header, batch) => {
      if (header.kind !== BatchKind.Version) return;
      rules.check(decodeRulesVersion(payloadOf(batch)), `Entry ${header.index} of the log switches on`);
    });
  } catch (error) {
    if (error instanceof RulesVersionError) throw new StartupError(`${dataDir}: ${error.message}`, 1);
    throw error;
  }
}

function nobodyToSettle(folder: string, log: SegmentedLog, loss: LogPosition): StartupError {
  const where = log.segmentViews().at(-1);
  return new StartupError(
    `${where?.path ?? folder} from byte ${log.recovery.torn?.position ?? 0} on: entries ${log.lastIndex + 1} to ${loss.index} may have been ` +
      'acknowledged and are not there any more, and no other node of this cluster is known that could have them. ' +
      'Restore the data directory from a backup, or start the node with --start-join-addrs if there are others',
    1,
  );
}

function votesDoubtful(dataDir: string, why: string): StartupError {
  return new StartupError(
    `${dataDir}: this node does not know any more how it voted (${why}), and a second vote in one term could split the cluster. ` +
      'Remove the data directory and start the node with --start-join-addrs: it rejoins under its name as a new disk and gets everything from its peers',
    1,
  );
}
