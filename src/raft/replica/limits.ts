/** Bounds of one replica. Bytes, counts, milliseconds. */
export interface ReplicaLimits {
  /** Chunks that are proposed together stay below this in a batch, unless one alone is larger. */
  readonly batchBytes: number;
  readonly batchRecords: number;
  /** While a batch of this leader is on its way to its own disk, the next one is made once so many bytes wait. */
  readonly eagerBytes: number;
  readonly queueBytes: number;
  readonly queueProposals: number;
  readonly uncommittedBytes: number;
  readonly inflightMessages: number;
  readonly inflightBytes: number;
  readonly messageBytes: number;
  /** Bytes a second from its disk for each peer that is behind; see CatchUpPace. */
  readonly catchUpBytes: number;
  readonly waitingReads: number;
  /** A leader whose clock is so much ahead of a majority's does not propose. */
  readonly clockLeadMicros: number;
}

export const DEFAULT_REPLICA_LIMITS: ReplicaLimits = {
  batchBytes: 1 << 20,
  batchRecords: 65_536,
  eagerBytes: 256 << 10,
  queueBytes: 64 << 20,
  queueProposals: 100_000,
  uncommittedBytes: 64 << 20,
  inflightMessages: 64,
  inflightBytes: 16 << 20,
  messageBytes: 1 << 20,
  catchUpBytes: 32 << 20,
  waitingReads: 100_000,
  clockLeadMicros: 2_000_000,
};
