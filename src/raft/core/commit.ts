import { invariant } from './errors';
import { isAtLeast } from './raft-log';
import { quorumIndex } from './quorum';
import type { RaftState } from './raft-state';

/**
 * Commits what a majority has on its disks, if the last of it is of this term: an older entry on a majority can still be
 * overwritten (5.4.2, figure 3.7), and is committed together with the first entry of this term.
 */
export function advanceCommit(r: RaftState): void {
  const index = quorumIndex(r.configuration, r.matchOf);
  if (index <= r.log.commit || !r.log.has(index, r.term)) return;
  r.log.commitTo(index);
  r.uncommitted.committedTo(index);
}

/** This leader's no-op is committed, so that its commit index covers everything that was ever committed (6.4). */
export function hasCommittedInTerm(r: RaftState): boolean {
  return r.isLeader && r.log.commit >= r.termStart;
}

/** What was doubted at start-up is settled when the log on the disk is as good as the one that may have been there. */
export function settleLoss(r: RaftState): void {
  if (r.lost === undefined || r.installing !== undefined) return;
  const { durable } = r.log;
  if (!isAtLeast({ index: durable, term: r.log.termOf(durable) }, r.lost)) return;
  r.lost = undefined;
  r.outbox.lossSettled = true;
}

/** The replica has applied the log up to `index`. */
export function appliedTo(r: RaftState, index: number): void {
  // A snapshot that was installed meanwhile may be ahead of what was being applied.
  if (index <= r.log.applied) return;
  invariant(
    index <= r.log.handedOver,
    () => `Entry ${index} was reported as applied, but only those up to ${r.log.handedOver} were handed over to be.`,
  );
  r.log.applied = index;
  r.membership.compactTo(index);
}
