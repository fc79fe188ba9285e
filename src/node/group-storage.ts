import { join } from 'node:path';
import { BatchKind, payloadOf } from '../log/batch';
import { LogDamageError, LogVersionError } from '../log/log-errors';
import { OutcomeStore } from '../log/outcomes';
import { SegmentedLog } from '../log/segmented-log';
import { decodeRulesVersion, Rules, RulesVersionError } from '../ledger/rules-versions';
import type { HardState, LogPosition, SnapshotMeta } from '../raft/core';
import { configurationsAbove, type ConfigurationAt } from '../raft/replica/entries';
import { NoUsableSnapshotError, Snapshotter } from '../raft/replica/snapshotter';
import { SnapshotStore } from '../raft/snapshot';
import { FIRST_GROUP, type DataDirectory } from './data-directory';
import type { GroupOptions } from './group-options';
import { LedgerMachine } from './ledger-machine';
import { StartupError } from './startup-error';

const HASH_SEED_DIGITS = 8;

/** What storage needs of the node: no more, so that it also runs on a simulated disk. */
export interface GroupStorageOptions extends Pick<GroupOptions, 'events' | 'fatal' | 'rules'> {
  readonly config: Pick<GroupOptions['config'], 'dataDir' | 'segmentBytes' | 'snapshotBytes' | 'retentionBytes'>;
  readonly data: Folder;
}

type Folder = Pick<DataDirectory, 'files' | 'stable' | 'clusterId' | 'nodeId' | 'groupFolder'>;

/** What one Raft group keeps on this node's disk, opened and brought in line: votes, log, outcomes, snapshots, state. */
export class GroupStorage {
  private constructor(
    private readonly data: Folder,
    readonly hardState: HardState,
    readonly log: SegmentedLog,
    readonly outcomes: OutcomeStore,
    readonly machine: LedgerMachine,
    readonly snapshots: SnapshotStore,
    readonly snapshotter: Snapshotter,
    readonly snapshotMeta: SnapshotMeta,
    readonly configurations: readonly ConfigurationAt[],
    readonly mayHaveLost: LogPosition | undefined,
  ) {}

  /** Rejects with StartupError where the disk does not allow this node to take part. */
  static async open({ config, data, events, fatal, rules = new Rules() }: GroupStorageOptions): Promise<GroupStorage> {
    const { stable, files } = data;
    const vote = stable.voteState(FIRST_GROUP);
    if (vote.kind === 'doubtful') throw votesDoubtful(config.dataDir, vote.why);
    const folder = data.groupFolder(FIRST_GROUP);
    const log = await openLog(join(folder, 'log'), config.segmentBytes, data, fatal);
    if (log.recovery.torn)
      events.warn({ ...log.recovery.torn }, 'a torn tail was cut off the log; its bytes are kept aside');
    const outcomes = await OutcomeStore.open({ log, files });
    const hashSeed = Number.parseInt(data.nodeId.slice(0, HASH_SEED_DIGITS), 16);
    const machine = new LedgerMachine(outcomes, hashSeed, rules);
    const directory = join(folder, 'snapshots');
    const store = await SnapshotStore.open({ directory, files, clusterId: data.clusterId, group: FIRST_GROUP });
    const snapshotter = new Snapshotter({
      group: FIRST_GROUP,
      store,
      stable,
      log,
      machine,
      snapshotBytes: config.snapshotBytes,
      retentionBytes: config.retentionBytes,
      events,
    });
    const meta = await restored(snapshotter, config.dataDir);
    const configurations = await lookedThrough(log, meta.index, rules, config.dataDir);
    const loss = await lossOf(log, data);
    return new GroupStorage(
      data,
      vote.hardState,
      log,
      outcomes,
      machine,
      store,
      snapshotter,
      meta,
      configurations,
      loss,
    );
  }

  /** What may have been lost is there again, or never was committed: the marks on the disk can go. */
  async settleLoss(): Promise<void> {
    await this.log.settleLoss();
    await this.data.stable.saveLossMark(FIRST_GROUP, undefined);
  }

  async close(): Promise<void> {
    await this.snapshotter.stop();
    await this.outcomes.close();
    await this.log.close();
  }
}

/** A cut that may have taken acknowledged entries is remembered until a leader has settled it. */
async function lossOf(log: SegmentedLog, data: Folder): Promise<LogPosition | undefined> {
  const marked = data.stable.lossMark(FIRST_GROUP);
  const { lostAcknowledged } = log.recovery;
  if (marked || lostAcknowledged === undefined) return marked;
  // The term of what is gone is not known; it is at least that of what is left.
  const mark = { index: lostAcknowledged, term: log.lastTerm };
  await data.stable.saveLossMark(FIRST_GROUP, mark);
  return mark;
}

async function restored(snapshotter: Snapshotter, dataDir: string): Promise<SnapshotMeta> {
  try {
    return await snapshotter.restoreNewest();
  } catch (error) {
    if (error instanceof NoUsableSnapshotError || error instanceof RulesVersionError)
      throw new StartupError(`${dataDir}: ${error.message}`, 1);
    throw error;
  }
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

async function openLog(
  dir: string,
  segmentBytes: number,
  data: Folder,
  onFatal: (error: unknown) => void,
): Promise<SegmentedLog> {
  try {
    return await SegmentedLog.open({ dir, files: data.files, group: FIRST_GROUP, segmentBytes, onFatal });
  } catch (error) {
    if (error instanceof LogDamageError || error instanceof LogVersionError) throw new StartupError(error.message, 1);
    throw error;
  }
}

function votesDoubtful(dataDir: string, why: string): StartupError {
  return new StartupError(
    `${dataDir}: this node does not know any more how it voted (${why}), and a second vote in one term could split the cluster. ` +
      'Remove the data directory and start the node with --start-join-addrs: it rejoins under its name as a new disk and gets everything from its peers',
    1,
  );
}
