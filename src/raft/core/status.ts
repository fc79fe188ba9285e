import type { Configuration, NodeId, Role } from './types';

export type ProgressState = 'probe' | 'replicate' | 'snapshot';

/** What a leader knows of one peer. */
export interface PeerStatus {
  readonly id: NodeId;
  /** Durable there up to this index. */
  readonly match: number;
  /** The index to be sent next. */
  readonly next: number;
  readonly state: ProgressState;
  /** It was heard since the check of the quorum before the last one: within one to two least election timeouts. */
  readonly recentActive: boolean;
  /** Entries that it is behind this leader's log. */
  readonly lag: number;
  readonly inflightMessages: number;
  readonly inflightBytes: number;
  readonly learner: boolean;
}

export interface CoreStatus {
  readonly id: NodeId;
  readonly role: Role;
  readonly term: number;
  readonly vote: NodeId;
  readonly leader: NodeId;
  readonly firstIndex: number;
  readonly lastIndex: number;
  /** Durable here up to this index. */
  readonly durable: number;
  readonly commit: number;
  readonly applied: number;
  readonly configuration: Configuration;
  readonly configurationIndex: number;
  /** The target of a leadership transfer that is under way, else NOBODY. */
  readonly transferee: NodeId;
  readonly uncommittedBytes: number;
  readonly pendingReads: number;
  /** See CoreOptions.mayHaveLost. */
  readonly mayHaveLost: boolean;
  readonly installingSnapshot: boolean;
  /** A leader's only. */
  readonly peers: readonly PeerStatus[];
}
