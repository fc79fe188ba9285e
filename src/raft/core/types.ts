/**
 * The vocabulary of the consensus core. Names follow Ongaro's dissertation ("Consensus: Bridging Theory and Practice",
 * 2014) and etcd's `raft` package. Indexes and terms are numbers, asserted to be safe integers; index 0 and term 0 stand
 * for "before everything". Nothing here holds a clock: time is counted in calls of `RaftCore.tick`.
 */

/** 16 lower-case hex digits, drawn when a data directory is made: a wiped disk comes back as another node. */
export type NodeId = string;

/** In place of a NodeId: nobody. */
export const NOBODY: NodeId = '';

/** The kinds of entries, as the byte in the batch header has them. The core makes those of kind noop and configuration. */
export const EntryKind = {
  records: 0,
  noop: 1,
  configuration: 2,
  system: 3,
  version: 4,
} as const;

/** One Raft entry = one sealed batch. */
export interface Entry {
  readonly index: number;
  readonly term: number;
  /** One of EntryKind; the core passes kinds that it does not know through. */
  readonly kind: number;
  /** The sealed batch, header included: its length is what the core counts against every bound of bytes. */
  readonly data: Buffer;
  /** Decoded from the payload. Present exactly where `kind` is EntryKind.configuration. */
  readonly config?: Configuration;
}

export interface Server {
  readonly id: NodeId;
  readonly name: string;
  readonly rpcAddr: string;
}

/** A node that was taken out for good: it is not to come back by itself. */
export interface RemovedServer {
  readonly id: NodeId;
  readonly name: string;
}

/**
 * Who belongs to the group. All lists are sorted and without repeats; `servers` names exactly those who are in one of the
 * others. A node that was never told a configuration has the empty one.
 */
export interface Configuration {
  readonly voters: readonly NodeId[];
  /** The voters of the configuration that is being left, in a joint configuration (dissertation 4.3); else empty. */
  readonly votersOutgoing: readonly NodeId[];
  readonly learners: readonly NodeId[];
  readonly servers: readonly Server[];
  /** The last ones that were removed for good, oldest first, at most MAX_REMOVED; left out where there are none. */
  readonly removed?: readonly RemovedServer[];
}

/** What has to survive a crash beside the log, before any answer that depends on it. */
export interface HardState {
  readonly term: number;
  /** Whom this node voted for in `term`; NOBODY if none. */
  readonly vote: NodeId;
}

export interface LogPosition {
  readonly index: number;
  readonly term: number;
}

/** The last entry that a snapshot contains, and the configuration as of that entry. */
export interface SnapshotMeta extends LogPosition {
  readonly configuration: Configuration;
}

export type Role = 'follower' | 'preCandidate' | 'candidate' | 'leader';

/** What is lost at a crash and of interest to the surroundings only. */
export interface SoftState {
  readonly role: Role;
  /** NOBODY while no leader of the current term is known. */
  readonly leader: NodeId;
}

/**
 * One change to the configuration; each is one entry (dissertation 4.1: one voter at a time), but `setVoters`, which goes
 * through a joint configuration (4.3) and is followed by the leader's own entry that leaves it.
 * - addLearner: a new server that gets the log and does not vote.
 * - promote: a learner that has caught up becomes a voter.
 * - remove: a voter or learner leaves. A leader may remove itself: it leads until the entry is committed. `forGood`: it is
 *   remembered, so that whoever takes in newcomers can tell it from one.
 * - readmit: servers of this name that were removed for good are newcomers again.
 * - replace: `old` leaves and `server`, a new node, becomes a learner in the same entry.
 * - updateServer: another name or address for a server that is there.
 * - setVoters: exactly these servers, all of them members, vote; voters that are not listed become learners.
 */
export type ConfigurationChange =
  | { readonly type: 'addLearner'; readonly server: Server }
  | { readonly type: 'promote'; readonly id: NodeId }
  | { readonly type: 'remove'; readonly id: NodeId; readonly forGood?: boolean }
  | { readonly type: 'readmit'; readonly name: string }
  | { readonly type: 'replace'; readonly old: NodeId; readonly server: Server }
  | { readonly type: 'updateServer'; readonly server: Server }
  | { readonly type: 'setVoters'; readonly voters: readonly NodeId[] };

/** Where a proposal was put. It is committed when this index is committed with this term, and lost otherwise. */
export type Proposed = LogPosition;

/**
 * - not_leader: ask the leader (Ready.softState, status().leader).
 * - transferring: leadership is being handed over; ask again when that is over, here or there.
 * - leaving: this leader has removed itself and leads only until that is committed.
 * - too_much_uncommitted: maxUncommittedBytes wait for a majority already.
 */
export type ProposeRefusal = 'not_leader' | 'transferring' | 'leaving' | 'too_much_uncommitted';

/**
 * - not_committed_in_term: the no-op of this leader's term is not committed yet (Ongaro's erratum of 2015); try again soon.
 * - change_pending: the change before is not committed and applied yet; try again soon.
 * - learner_not_caught_up: it would hold up commits as a voter; try again later.
 * - already_member, not_a_member, not_a_learner, no_voter_left, too_many_members, unchanged: the change makes no sense here.
 */
export type ConfigurationRefusal =
  | 'not_leader'
  | 'transferring'
  | 'leaving'
  | 'not_committed_in_term'
  | 'change_pending'
  | 'learner_not_caught_up'
  | 'already_member'
  | 'not_a_member'
  | 'not_a_learner'
  | 'no_voter_left'
  | 'too_many_members'
  | 'unchanged';

export type TransferRefusal = 'not_leader' | 'not_a_voter' | 'already_leader';

/**
 * - no_leader: no leader of the current term is known.
 * - not_leader: the node that was asked does not lead.
 * - not_committed_in_term: the new leader's no-op is not committed, so it does not know yet how far the log is (6.4).
 * - leadership_lost: the leader stepped down before a majority had confirmed it.
 * - too_many_reads: MAX_PENDING_READS wait already.
 */
export type ReadRefusalReason =
  'no_leader' | 'not_leader' | 'not_committed_in_term' | 'leadership_lost' | 'too_many_reads';
