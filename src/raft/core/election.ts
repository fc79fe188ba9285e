import { memberIds, isVoter } from './configuration';
import type { PreVote, PreVoteResp, TimeoutNow, Vote, VoteResp } from './messages';
import { voteResult } from './quorum';
import { isAtLeast } from './raft-log';
import type { RaftState } from './raft-state';
import { becomeCandidate, becomeFollower, becomeLeader, becomePreCandidate } from './roles';
import { NOBODY, type NodeId } from './types';

/** Learners never campaign, nor does a node whose log is in doubt or being replaced by a snapshot. */
export function mayCampaign(r: RaftState): boolean {
  return (
    !r.isLeader && r.installing === undefined && r.lost === undefined && r.membership.isVoterSince(r.log.commit, r.id)
  );
}

/** Asks first whether it could win: a node that cannot must not raise the term of those who have a leader (9.6). */
export function campaign(r: RaftState): void {
  if (!mayCampaign(r)) return;
  becomePreCandidate(r);
  const { lastIndex, lastTerm } = r.log;
  for (const to of otherVoters(r)) {
    r.outbox.messages.push({ type: 'preVote', from: r.id, to, term: r.term + 1, lastIndex, lastTerm });
  }
  recordVote(r, r.id, true);
}

/**
 * The campaign proper (3.4). Both the requests and this node's own vote count only when term and vote are on its disk:
 * otherwise, after a crash, it could lead or vote in this term a second time.
 * @param transfer the leader asked for it: nobody denies the vote because that leader was heard (3.10)
 */
function campaignNow(r: RaftState, transfer: boolean): void {
  becomeCandidate(r);
  const { lastIndex, lastTerm } = r.log;
  for (const to of otherVoters(r)) {
    r.outbox.sendAfterSync({ type: 'vote', from: r.id, to, term: r.term, lastIndex, lastTerm, transfer });
  }
}

/** This node's vote for itself in `term` is durable. */
export function ownVoteDurable(r: RaftState, term: number, vote: NodeId): void {
  if (r.role === 'candidate' && term === r.term && vote === r.id) recordVote(r, r.id, true);
}

export function handleVoteRequest(r: RaftState, m: PreVote | Vote): void {
  const preVote = m.type === 'preVote';
  const free = r.vote === m.from || (r.vote === NOBODY && r.leader === NOBODY) || (preVote && m.term > r.term);
  const candidate = { index: m.lastIndex, term: m.lastTerm };
  // Also where this node is no voter as far as it knows: the candidate may know more, and counts who votes.
  const granted = free && r.log.isUpToDate(candidate) && (r.lost === undefined || isAtLeast(candidate, r.lost));
  if (preVote) {
    // Granted for the term that was asked about; a denial tells the own one, in case that is newer.
    const term = granted ? m.term : r.term;
    r.outbox.messages.push({ type: 'preVoteResp', from: r.id, to: m.from, term, reject: !granted });
    return;
  }
  if (granted) {
    r.vote = m.from;
    r.restartElectionTimer();
  }
  r.outbox.sendAfterSync({ type: 'voteResp', from: r.id, to: m.from, term: r.term, reject: !granted });
}

export function handleVoteResp(r: RaftState, m: PreVoteResp | VoteResp): void {
  const awaited =
    m.type === 'preVoteResp'
      ? // A grant names the term that was asked about, so that one from a campaign long ago is not counted.
        r.role === 'preCandidate' && (m.reject || m.term === r.term + 1)
      : r.role === 'candidate';
  if (awaited) recordVote(r, m.from, !m.reject);
}

export function handleTimeoutNow(r: RaftState, m: TimeoutNow): void {
  if (r.role === 'follower' && r.leader === m.from && mayCampaign(r)) campaignNow(r, true);
}

/** The first answer of each voter stands. */
function recordVote(r: RaftState, id: NodeId, granted: boolean): void {
  if (!r.votes.has(id)) r.votes.set(id, granted);
  const result = voteResult(r.configuration, (voter) => r.votes.get(voter));
  if (result === 'lost') becomeFollower(r, r.term, NOBODY);
  else if (result === 'won') {
    if (r.role === 'preCandidate') campaignNow(r, false);
    else becomeLeader(r);
  }
}

function otherVoters(r: RaftState): NodeId[] {
  return memberIds(r.configuration).filter((id) => id !== r.id && isVoter(r.configuration, id));
}
