import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { FileSystem } from '../log/files';
import { systemClock, type EventLog } from '../raft/replica/environment';
import {
  auditLevel,
  LevelStableStore,
  ownerByVotes,
  recreateStable,
  StableStoreError,
  type LevelFault,
  type StableStore,
  type VoteState,
} from '../raft/stable';
import type { NodeConfig } from './config/node-config';
import { StartupError } from './startup-error';

const NODE_ID_BYTES = 8;
const STABLE = 'stable';

export function newNodeId(): string {
  return randomBytes(NODE_ID_BYTES).toString('hex');
}

export interface StableDirectoryOptions {
  readonly config: Pick<NodeConfig, 'dataDir' | 'nodeName' | 'startJoinAddrs'>;
  readonly files: FileSystem;
  readonly events: EventLog;
}

/**
 * Opens the stable store of a data directory. One that does not know any more how it voted, or whose it is, goes on as a new
 * node of the same name, with the log and the snapshots that are there: the cluster replaces the old node by it. Where there is
 * no cluster to do that, and where it is not certain which one it was, the start ends with the file and the byte.
 */
export async function openStable(options: StableDirectoryOptions): Promise<StableStore> {
  const { config, files, events } = options;
  const faults = await auditLevel(files, join(config.dataDir, STABLE));
  for (const fault of faults)
    events.warn({ ...fault }, 'a file of the database for votes and identity is damaged or torn');
  const opened = await openUnlessDamaged(options, faults);
  if (typeof opened === 'string') return recreated(options, opened);
  try {
    const doubt = firstDoubt(opened);
    if (!doubt) return opened;
    const place = `${doubt.file} from byte ${doubt.position} on${faults.map(described).join('')}`;
    if (!knowsPeers(opened, config)) throw votesDoubtful(place, doubt.why);
    const before = opened.identity?.nodeId;
    await opened.reincarnate(newNodeId());
    events.warn(
      { ...doubt, before, nodeId: opened.identity?.nodeId },
      'this node does not know any more how it voted: it goes on as a new node of the same name, which the cluster takes in place of the old one',
    );
    return opened;
  } catch (error) {
    await opened.close();
    throw error;
  }
}

/** @returns what is wrong, where the database cannot be used */
async function openUnlessDamaged(
  { config: { dataDir }, files }: StableDirectoryOptions,
  faults: readonly LevelFault[],
): Promise<LevelStableStore | string> {
  const damage = faults.find(({ kind }) => kind === 'damage');
  if (damage) return `${damage.file} from byte ${damage.position} on: ${damage.what}`;
  let store: LevelStableStore;
  try {
    store = await LevelStableStore.open({ dataDir, files });
  } catch (error) {
    if (!(error instanceof StableStoreError)) throw error;
    const where = faults[0] ? described(faults[0]) : ` (${join(dataDir, STABLE)} from byte 0 on)`;
    if (error.code === 'UNREADABLE' || error.code === 'IDENTITY_LOST') return `${error.message}${where}`;
    throw new StartupError(`${dataDir}: ${error.message} (${error.code})`, 1);
  }
  if (store.identity?.clusterId !== '' || !(await ownerByVotes(files, dataDir))) return store;
  await store.close();
  return `The database in ${join(dataDir, STABLE)} has forgotten from byte 0 on that this node belongs to a cluster.`;
}

async function recreated({ config, files, events }: StableDirectoryOptions, why: string): Promise<StableStore> {
  const { dataDir, nodeName } = config;
  const owner = await ownerByVotes(files, dataDir);
  if (!owner || config.startJoinAddrs.length === 0) throw identityLost(dataDir, why, owner !== undefined);
  const setAside = await setStableAside(files, dataDir);
  const identity = { clusterId: owner.clusterId, nodeName, nodeId: newNodeId(), createdAt: systemClock.wallMicros() };
  const store = await recreateStable({ dataDir, files }, { ...identity, partitions: owner.groups }, owner);
  events.warn(
    { why, setAside, before: owner.nodeId, nodeId: identity.nodeId, cluster: owner.clusterId },
    'the database for votes and identity is lost: this node goes on as a new one of the same name, which the cluster takes in place of the old one',
  );
  return store;
}

async function setStableAside(files: FileSystem, dataDir: string): Promise<string | undefined> {
  const path = join(dataDir, STABLE);
  if (!(await files.exists(path))) return undefined;
  const numbers = (await files.list(dataDir)).map((name) => Number(/^stable\.damaged-(\d+)$/.exec(name)?.[1] ?? 0));
  const aside = `${path}.damaged-${Math.max(0, ...numbers) + 1}`;
  await files.rename(path, aside);
  await files.syncDirectory(dataDir);
  return aside;
}

function firstDoubt(store: StableStore): Extract<VoteState, { kind: 'doubtful' }> | undefined {
  for (const group of store.groups()) {
    const state = store.voteState(group);
    if (state.kind === 'doubtful') return state;
  }
  return undefined;
}

/** A cluster that has only ever been this node cannot replace it. */
function knowsPeers(store: StableStore, { startJoinAddrs }: Pick<NodeConfig, 'startJoinAddrs'>): boolean {
  if (startJoinAddrs.length > 0 || store.knownPeers().length > 0) return true;
  const own = store.identity?.nodeId;
  return store
    .groups()
    .some((group) => store.snapshot(group)?.configuration.servers.some(({ id }) => id !== own) === true);
}

function described({ file, position, what }: LevelFault): string {
  return ` (${file} from byte ${position} on: ${what})`;
}

function votesDoubtful(place: string, why: string): StartupError {
  return new StartupError(
    `${place}: this node does not know any more how it voted (${why}), and no other node of its cluster is known. ` +
      'If there are others, start it with --start-join-addrs: it goes on as a new node of the same name. Otherwise restore the data directory from a backup',
    1,
  );
}

function identityLost(dataDir: string, why: string, known: boolean): StartupError {
  const advice = known
    ? 'If the cluster has other nodes, start it with --start-join-addrs: it goes on as a new node of the same name. Otherwise restore the data directory from a backup'
    : 'Restore the data directory from a backup, or remove it and start the node with --start-join-addrs: it comes back under its name as a new disk';
  return new StartupError(`${dataDir}: ${why} ${advice}`, 1);
}
