/** Why a replica did not do what was asked of it. */
export type ReplicaErrorReason =
  /** This replica does not lead; nothing happened. `leader` says who does, if known. */
  | 'NOT_LEADER'
  /** Nobody leads, or no majority answered in time; nothing happened. */
  | 'NO_LEADER'
  /** A bound on queued or uncommitted bytes is reached; nothing happened. */
  | 'OVERLOADED'
  /** This leader's disk has no room; nothing happened. */
  | 'DISK_FULL'
  /** It was proposed, and whether it will be committed is not known. */
  | 'OUTCOME_UNKNOWN'
  /** It was proposed and then certainly overwritten by another leader; nothing happened. */
  | 'NOT_COMMITTED'
  /** The wall clock of this leader is ahead of a majority's; nothing happened. */
  | 'CLOCK_AHEAD'
  /** A change of membership is refused now; nothing happened. */
  | 'MEMBERSHIP_BUSY'
  /** The replica is stopping; nothing happened. */
  | 'STOPPING';

export class ReplicaError extends Error {
  override readonly name = 'ReplicaError';

  constructor(
    readonly reason: ReplicaErrorReason,
    message: string,
    readonly leader?: string,
  ) {
    super(message);
  }
}
