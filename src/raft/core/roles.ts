import { memberIds } from './configuration';
import { invariant } from './errors';
import { appendOwn } from './leader-log';
import type { RaftState } from './raft-state';
import { refuseAllReads } from './read-index';
import { EntryKind, NOBODY, type NodeId } from './types';

/**
 * @param leader whoever is known to lead `term`, or NOBODY. The election timer is started anew only for a leader, and
 * for one that has led: a vote request, denied, or a message of a stale leader must not keep this node quiet.
 */
export function becomeFollower(r: RaftState, term: number, leader: NodeId): void {
  invariant(term >= r.term, () => `The term was to go back from ${r.term} to ${term}.`);
  const led = r.isLeader;
  if (term > r.term) {
    r.term = term;
    r.vote = NOBODY;
  }
  r.role = 'follower';
  r.leader = leader;
  r.votes.clear();
  if (led) {
    r.progress.clear();
    r.uncommitted.reset(0);
    r.transferee = NOBODY;
    r.termStart = 0;
    refuseAllReads(r);
  }
  if (leader !== NOBODY) r.goneLeader = NOBODY;
  if (led || leader !== NOBODY) r.restartElectionTimer();
}

/** Asks whether it could win, without touching term and vote (9.6). */
export function becomePreCandidate(r: RaftState): void {
  invariant(!r.isLeader, () => `The leader of term ${r.term} was to become a candidate.`);
  r.role = 'preCandidate';
  r.leader = NOBODY;
  r.votes.clear();
  r.restartElectionTimer();
}

export function becomeCandidate(r: RaftState): void {
  invariant(!r.isLeader, () => `The leader of term ${r.term} was to become a candidate.`);
  r.role = 'candidate';
  r.term += 1;
  r.vote = r.id;
  r.leader = NOBODY;
  r.votes.clear();
  r.restartElectionTimer();
}

/** The no-op is the first entry of the term: with it, everything before is committed (3.6.2, 6.4). */
export function becomeLeader(r: RaftState): void {
  invariant(
    r.role === 'candidate' && r.vote === r.id,
    () => `A ${r.role} that voted for "${r.vote}" was to lead term ${r.term}.`,
  );
  invariant(
    !r.log.hasPending,
    () => `The candidate of term ${r.term} won before its log was handed to the replica: its entries would not chain.`,
  );
  r.role = 'leader';
  r.leader = r.id;
  r.goneLeader = NOBODY;
  r.votes.clear();
  r.electionElapsed = 0;
  r.heartbeatElapsed = 0;
  r.uncommitted.reset(r.log.lastIndex);
  invariant(memberIds(r.configuration).length > 0, () => `Node ${r.id} was to lead an empty configuration.`);
  r.followMembers();
  r.termStart = appendOwn(r, EntryKind.noop, [], 0).index;
}
