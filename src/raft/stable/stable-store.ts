import type { Configuration, HardState, LogPosition, NodeId } from '../core/types';

/** Who a data directory belongs to. Made once; only a new incarnation replaces it. */
export interface NodeIdentity {
  /** 32 hex digits; empty until this node belongs to a cluster. */
  readonly clusterId: string;
  readonly nodeName: string;
  readonly nodeId: NodeId;
  /** Microseconds since the Unix epoch. */
  readonly createdAt: number;
  /** Partitions of the ledger, the cluster's value; 0 until this node belongs to a cluster. */
  readonly partitions: number;
}

/** The newest complete snapshot of a group. */
export interface SnapshotPointer extends LogPosition {
  /** Name of the file in the group's folder of snapshots; empty for index 0, the first configuration of a cluster. */
  readonly file: string;
  /** The membership as of the snapshot; what came later is in the log above it. */
  readonly configuration: Configuration;
}

/**
 * Whether this node knows what it voted. Doubtful: the copies on the disk do not go together in a way that a crash could
 * explain, so an answered vote may be forgotten. It must not vote, nor count as a voter, until it has a new incarnation.
 */
export type VoteState =
  | { readonly kind: 'ok'; readonly hardState: HardState }
  | {
      readonly kind: 'doubtful';
      readonly why: string;
      readonly highestTermSeen: number;
      /** Where to look. */
      readonly file: string;
      readonly position: number;
    };

export type StableStoreErrorCode =
  /** The database cannot be read at all. */
  | 'UNREADABLE'
  /** There are groups in this directory, but who they belong to is gone. */
  | 'IDENTITY_LOST'
  /** Written by a newer program. */
  | 'NEWER_FORMAT'
  /** Another process has the database open. */
  | 'LOCKED'
  | 'ALREADY_INITIALISED'
  | 'NOT_INITIALISED'
  | 'GROUP_EXISTS'
  | 'GROUP_UNKNOWN'
  /** See VoteState. */
  | 'VOTE_DOUBTFUL'
  /** The disk is full. Votes are still recorded; this was something else. Nothing has changed; try again later. */
  | 'DISK_FULL'
  /** A write or a sync failed: what is on the disk is not known any more. The process has to end. */
  | 'FAILED'
  | 'CLOSED';

export class StableStoreError extends Error {
  override readonly name = 'StableStoreError';

  constructor(
    readonly code: StableStoreErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/**
 * What is small and must survive everything: votes, identity, where the snapshots are. One for all groups of a node. Reads
 * answer from memory; every promise of a write resolves when it is durable, and what is read changes then, not before.
 * All rejections are StableStoreErrors.
 */
export interface StableStore {
  /** Undefined in a new directory. */
  readonly identity: NodeIdentity | undefined;
  /** Records that were found damaged and left out when the store was opened, each with a sentence; votes are in `voteState`. */
  readonly damage: readonly string[];

  /** Makes a new directory this node's. */
  initialise(identity: NodeIdentity): Promise<void>;
  /** The node belongs to a cluster from now on. Refused where it belongs to another one already. */
  joinCluster(clusterId: string, partitions: number): Promise<void>;
  /**
   * Turns this directory into a new node: another id, term `highestTermSeen` and no vote in every group. The way on for a
   * node whose votes are doubtful; the cluster replaces the old id by the new one in one change of membership.
   */
  reincarnate(nodeId: NodeId): Promise<void>;

  /** Ascending. */
  groups(): readonly number[];
  /** A new group, with term 0 and no vote. Comes before anything else is put into the group's folder. */
  createGroup(group: number): Promise<void>;
  voteState(group: number): VoteState;
  /** Term and vote together. The term never falls, and a vote once given in a term never changes: both are asserted. */
  saveHardState(group: number, hardState: HardState): Promise<void>;

  snapshot(group: number): SnapshotPointer | undefined;
  saveSnapshot(group: number, snapshot: SnapshotPointer): Promise<void>;

  /** See CoreOptions.mayHaveLost; undefined when nothing is doubted. */
  lossMark(group: number): LogPosition | undefined;
  saveLossMark(group: number, mark: LogPosition | undefined): Promise<void>;
  /** Where the log ended when it was last closed; a log that ends before it now has lost something. */
  logEnd(group: number): LogPosition | undefined;
  saveLogEnd(group: number, end: LogPosition): Promise<void>;

  /** Gossip addresses that were alive when this was saved; at most MAX_KNOWN_PEERS. */
  knownPeers(): readonly string[];
  saveKnownPeers(addresses: readonly string[]): Promise<void>;

  /** Waits for writes under way. Everything after it is refused. */
  close(): Promise<void>;
}

export const MAX_KNOWN_PEERS = 64;
