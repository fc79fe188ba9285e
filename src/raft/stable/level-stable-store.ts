import { join } from 'node:path';
import type { FileSystem } from '../../log/files';
import type { HardState, LogPosition, NodeId } from '../core/types';
import { GroupVotes, type VotesPlace } from './group-votes';
import { LevelKeyValues, type Change, type KeyValues } from './key-values';
import { groupFolder, groupFolders } from './group-folders';
import { StableContents } from './stable-contents';
import { failed, StableDatabase } from './stable-database';
import {
  encodeRecord,
  groupKey,
  IDENTITY_KEY,
  PEERS_KEY,
  STABLE_FORMAT_VERSION,
  type IdentityRecord,
} from './stable-records';
import {
  MAX_KNOWN_PEERS,
  StableStoreError,
  type NodeIdentity,
  type SnapshotPointer,
  type StableStore,
  type VoteState,
} from './stable-store';

export interface LevelStableStoreOptions {
  /** The node's data directory; the database is in `stable/`, each group's vote file in `groups/<group>/`. */
  readonly dataDir: string;
  readonly files: FileSystem;
  /** Another database than the real one, for tests that break it. */
  readonly openKeyValues?: (directory: string) => Promise<KeyValues>;
}

const NO_VOTE: HardState = { term: 0, vote: '' };

/** StableStore on one `level` database and one vote file a group; see docs/internals/stable-storage.md. */
export class LevelStableStore implements StableStore {
  private readonly votes = new Map<number, GroupVotes>();
  private closed = false;

  private constructor(
    private readonly options: LevelStableStoreOptions,
    private readonly database: StableDatabase,
    private readonly contents: StableContents,
  ) {}

  /** Rejects with UNREADABLE, IDENTITY_LOST, NEWER_FORMAT or LOCKED. */
  static async open(options: LevelStableStoreOptions): Promise<LevelStableStore> {
    const { dataDir, files, openKeyValues = (directory) => LevelKeyValues.open(directory) } = options;
    await files.makeDirectory(dataDir);
    const { database, entries } = await StableDatabase.open(() => openKeyValues(join(dataDir, 'stable')));
    try {
      const contents = StableContents.read(entries);
      const store = new LevelStableStore(options, database, contents);
      const folders = await groupFolders(files, dataDir);
      if (contents.identity === undefined) store.refuseOrphans(folders.length);
      // A group is made in the database first: a folder without a record there is no new group, but a lost record.
      for (const group of new Set([...contents.votes.keys(), ...folders])) {
        const level = contents.votes.get(group) ?? 'missing';
        store.votes.set(group, await GroupVotes.open(store.placeOf(group), level));
      }
      return store;
    } catch (error) {
      await database.close();
      throw error instanceof StableStoreError ? error : failed(error);
    }
  }

  get identity(): NodeIdentity | undefined {
    const { identity } = this.contents;
    if (identity === undefined) return undefined;
    const { clusterId, nodeName, nodeId, createdAt, partitions } = identity;
    return { clusterId, nodeName, nodeId, createdAt, partitions };
  }

  get damage(): readonly string[] {
    return this.contents.damage;
  }

  async initialise(identity: NodeIdentity): Promise<void> {
    if (this.contents.identity) {
      const message = `This data directory belongs to node "${this.contents.identity.nodeName}" already.`;
      throw new StableStoreError('ALREADY_INITIALISED', message);
    }
    await this.saveIdentity({ ...identity, formatVersion: STABLE_FORMAT_VERSION, incarnation: 1 }, []);
  }

  async joinCluster(clusterId: string, partitions: number): Promise<void> {
    const identity = this.initialised();
    if (identity.clusterId !== '' && identity.clusterId !== clusterId) {
      const message = `This node belongs to cluster ${identity.clusterId} and cannot join cluster ${clusterId}.`;
      throw new StableStoreError('ALREADY_INITIALISED', message);
    }
    await this.saveIdentity({ ...identity, clusterId, partitions }, []);
  }

  async reincarnate(nodeId: NodeId): Promise<void> {
    const identity = this.initialised();
    const incarnation = identity.incarnation + 1;
    const states = [...this.votes.keys()].map((group) => [group, this.voteStateAnew(group)] as const);
    const changes = states.flatMap(([group, hardState]): Change[] => [
      voteChange(group, hardState),
      [groupKey(group, 'loss'), undefined],
    ]);
    // First the database, in one step; a crash before the files are replaced is found by their older incarnation.
    await this.saveIdentity({ ...identity, nodeId, incarnation }, changes);
    this.contents.losses.clear();
    this.contents.lostMarks.clear();
    for (const [group, hardState] of states) {
      await this.votes.get(group)?.close();
      this.votes.set(group, await this.createVotes(group, hardState));
    }
  }

  groups(): readonly number[] {
    return [...this.votes.keys()].sort((a, b) => a - b);
  }

  async createGroup(group: number): Promise<void> {
    this.initialised();
    if (this.votes.has(group)) throw new StableStoreError('GROUP_EXISTS', `Group ${group} exists already.`);
    await this.write([voteChange(group, NO_VOTE)]);
    this.votes.set(group, await this.createVotes(group, NO_VOTE));
  }

  voteState(group: number): VoteState {
    const { state } = this.votesOf(group);
    if (state.kind === 'doubtful' || !this.contents.lostMarks.has(group)) return state;
    const why = 'the record of what this node may have lost is damaged';
    const highestTermSeen = state.hardState.term;
    return { kind: 'doubtful', why, highestTermSeen, file: join(this.options.dataDir, 'stable'), position: 0 };
  }

  async saveHardState(group: number, hardState: HardState): Promise<void> {
    this.assertOpen();
    await this.votesOf(group).save(hardState);
  }

  snapshot(group: number): SnapshotPointer | undefined {
    return this.contents.snapshots.get(group);
  }

  async saveSnapshot(group: number, snapshot: SnapshotPointer): Promise<void> {
    this.votesOf(group);
    const key = groupKey(group, 'snapshot');
    await this.write([[key, encodeRecord(key, snapshot)]]);
    this.contents.snapshots.set(group, snapshot);
  }

  lossMark(group: number): LogPosition | undefined {
    return this.contents.losses.get(group);
  }

  async saveLossMark(group: number, mark: LogPosition | undefined): Promise<void> {
    this.votesOf(group);
    const key = groupKey(group, 'loss');
    await this.write([[key, mark && encodeRecord(key, mark)]]);
    if (mark) this.contents.losses.set(group, mark);
    else this.contents.losses.delete(group);
  }

  logEnd(group: number): LogPosition | undefined {
    return this.contents.ends.get(group);
  }

  async saveLogEnd(group: number, end: LogPosition): Promise<void> {
    this.votesOf(group);
    const key = groupKey(group, 'end');
    await this.write([[key, encodeRecord(key, end)]]);
    this.contents.ends.set(group, end);
  }

  knownPeers(): readonly string[] {
    return this.contents.peers;
  }

  async saveKnownPeers(addresses: readonly string[]): Promise<void> {
    const peers = addresses.slice(0, MAX_KNOWN_PEERS);
    await this.write([[PEERS_KEY, encodeRecord(PEERS_KEY, peers)]]);
    this.contents.peers = peers;
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    for (const votes of this.votes.values()) await votes.close();
    await this.database.close();
  }

  private async saveIdentity(identity: IdentityRecord, changes: readonly Change[]): Promise<void> {
    await this.write([[IDENTITY_KEY, encodeRecord(IDENTITY_KEY, identity)], ...changes]);
    this.contents.identity = identity;
  }

  private async write(changes: readonly Change[]): Promise<void> {
    this.assertOpen();
    if ((await this.database.write(changes)) === 'durable') return;
    throw new StableStoreError(
      'DISK_FULL',
      'The disk is full: free some space and try again. Votes are still recorded.',
    );
  }

  private async createVotes(group: number, hardState: HardState): Promise<GroupVotes> {
    try {
      return await GroupVotes.create(this.placeOf(group), hardState);
    } catch (error) {
      throw failed(error);
    }
  }

  private voteStateAnew(group: number): HardState {
    const state = this.voteState(group);
    return { term: state.kind === 'ok' ? state.hardState.term : state.highestTermSeen, vote: '' };
  }

  private placeOf(group: number): VotesPlace {
    return {
      files: this.options.files,
      directory: groupFolder(this.options.dataDir, group),
      database: this.database,
      owner: () => {
        const { nodeId, incarnation, clusterId } = this.initialised();
        return { group, nodeId, incarnation, clusterId };
      },
    };
  }

  /** Groups without an identity are not a new directory: the database has lost what was durable. */
  private refuseOrphans(folders: number): void {
    if (folders === 0 && this.contents.votes.size === 0) return;
    const message =
      `${this.options.dataDir} holds ${folders} groups, but its database does not say which node they belong to.` +
      ' Restore the directory from a backup, or remove it, and this node comes back as a new one.';
    throw new StableStoreError('IDENTITY_LOST', message);
  }

  private votesOf(group: number): GroupVotes {
    const votes = this.votes.get(group);
    if (votes === undefined) throw new StableStoreError('GROUP_UNKNOWN', `There is no group ${group} here.`);
    return votes;
  }

  private initialised(): IdentityRecord {
    const { identity } = this.contents;
    if (identity) return identity;
    throw new StableStoreError('NOT_INITIALISED', 'This data directory belongs to no node yet.');
  }

  private assertOpen(): void {
    if (this.closed) throw new StableStoreError('CLOSED', 'The stable store is closed.');
  }
}

function voteChange(group: number, hardState: HardState): Change {
  const key = groupKey(group, 'vote');
  return [key, encodeRecord(key, { sequence: 1, hardState })];
}
