import type { Entry, NodeId, ReadRefusalReason, SnapshotMeta } from './types';

/**
 * What peers say to each other. `term` is the sender's current term (preVote and a granting preVoteResp: the term that
 * the candidate would campaign in). Any message may be lost, repeated, delayed or overtaken by another.
 */
interface Envelope {
  readonly from: NodeId;
  readonly to: NodeId;
  readonly term: number;
  /** Which Raft group; set and read by the transport and the replica, not by the core. */
  readonly group?: number;
}

interface Clocked {
  /** The sender's wall clock in microseconds since the Unix epoch; set and read by the replica, not by the core. */
  readonly clock?: number;
}

/** Would you vote for me? Asked before a campaign, so that a node that cannot win does not raise the term (9.6). */
export interface PreVote extends Envelope {
  readonly type: 'preVote';
  readonly lastIndex: number;
  readonly lastTerm: number;
}

export interface PreVoteResp extends Envelope {
  readonly type: 'preVoteResp';
  readonly reject: boolean;
}

/** RequestVote (3.4). */
export interface Vote extends Envelope {
  readonly type: 'vote';
  readonly lastIndex: number;
  readonly lastTerm: number;
  /** The leader asked for this campaign, so that a vote is not denied because a leader was heard (3.10). */
  readonly transfer: boolean;
}

export interface VoteResp extends Envelope {
  readonly type: 'voteResp';
  readonly reject: boolean;
}

/** AppendEntries (3.5). */
export interface Append extends Envelope {
  readonly type: 'append';
  readonly prevIndex: number;
  readonly prevTerm: number;
  /** Dense, from prevIndex + 1 on; may be empty. */
  readonly entries: readonly Entry[];
  readonly commit: number;
}

export interface AppendResp extends Envelope, Clocked {
  readonly type: 'appendResp';
  readonly reject: boolean;
  /** Accepted: the log matches the leader's up to here, durably. Rejected: the prevIndex that did not match. */
  readonly index: number;
  /** Rejected only: the last index at which the follower's log could match, and its term there (0: unknown). */
  readonly hintIndex: number;
  readonly hintTerm: number;
  /** Rejected only: entries that this node had acknowledged are gone from its disk; what it acknowledged counts no more. */
  readonly lost: boolean;
}

export interface Heartbeat extends Envelope, Clocked {
  readonly type: 'heartbeat';
  /** Never above what the receiver is known to have. */
  readonly commit: number;
  /** The newest round of reads that waits for confirmation; 0: none. */
  readonly context: number;
}

export interface HeartbeatResp extends Envelope, Clocked {
  readonly type: 'heartbeatResp';
  readonly context: number;
}

/** Campaign at once: the leader hands over to you (3.10). */
export interface TimeoutNow extends Envelope {
  readonly type: 'timeoutNow';
}

/** A follower's linearizable read asks how far the log is committed (6.4). */
export interface ReadIndex extends Envelope {
  readonly type: 'readIndex';
  readonly context: number;
}

export interface ReadIndexResp extends Envelope {
  readonly type: 'readIndexResp';
  readonly context: number;
  /** Without meaning when refused. */
  readonly index: number;
  /** Empty when answered. */
  readonly refusal: ReadRefusalReason | '';
}

/**
 * A snapshot of the leader's has arrived whole: the receiving replica steps this into its core when the last chunk is
 * there and checked; the core answers with Ready.installSnapshot if it wants it.
 */
export interface InstallSnapshot extends Envelope {
  readonly type: 'snapshot';
  readonly meta: SnapshotMeta;
}

export type Message =
  | PreVote
  | PreVoteResp
  | Vote
  | VoteResp
  | Append
  | AppendResp
  | Heartbeat
  | HeartbeatResp
  | TimeoutNow
  | ReadIndex
  | ReadIndexResp
  | InstallSnapshot;

export type MessageType = Message['type'];
