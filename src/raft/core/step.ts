import { handleTimeoutNow, handleVoteRequest, handleVoteResp } from './election';
import { invariant } from './errors';
import { handleAppend, handleHeartbeat, handleSnapshot } from './follower';
import { checkMessage } from './message-checks';
import type { Append, Heartbeat, InstallSnapshot, Message } from './messages';
import { handleAppendResp, handleHeartbeatResp } from './peer-responses';
import type { RaftState } from './raft-state';
import { handleReadIndex, handleReadIndexResp } from './read-index';
import { becomeFollower } from './roles';
import { NOBODY } from './types';

/** Throws RaftMessageError, having changed nothing, for what no correct peer sends. */
export function step(r: RaftState, m: Message): void {
  checkMessage(r, m);
  if (m.term > r.term && !acceptHigherTerm(r, m)) return;
  if (m.term < r.term) answerLowerTerm(r, m);
  else dispatch(r, m);
}

/** The rules for all servers of figure 3.1, and their exceptions. False when the message is to be ignored. */
function acceptHigherTerm(r: RaftState, m: Message): boolean {
  switch (m.type) {
    case 'preVote':
      return !r.hearsLeader;
    case 'vote':
      // A node that was removed, or that hears less than this one, must not depose a leader who is heard here (4.2.3).
      if (r.hearsLeader && !m.transfer) return false;
      becomeFollower(r, m.term, NOBODY);
      return true;
    case 'preVoteResp':
      // A grant is for a term that nobody has entered yet; only a denial tells of one that somebody is in.
      if (m.reject) becomeFollower(r, m.term, NOBODY);
      return true;
    case 'append':
    case 'heartbeat':
    case 'snapshot':
      becomeFollower(r, m.term, m.from);
      return true;
    case 'voteResp':
    case 'appendResp':
    case 'heartbeatResp':
    case 'timeoutNow':
    case 'readIndex':
    case 'readIndexResp':
      becomeFollower(r, m.term, NOBODY);
      return true;
  }
}

function answerLowerTerm(r: RaftState, m: Message): void {
  switch (m.type) {
    case 'append':
    case 'heartbeat':
    case 'snapshot':
      // Tells a deposed leader of the new term. Without it a node whose term is ahead could never be led again: with
      // pre-vote it would not campaign, and its leader would never hear of its term.
      r.outbox.messages.push({
        type: 'appendResp',
        from: r.id,
        to: m.from,
        term: r.term,
        reject: true,
        index: 0,
        hintIndex: 0,
        hintTerm: 0,
        lost: false,
      });
      return;
    case 'preVote':
      // Tells a candidate that is behind, so that it does not ask for its old term for ever.
      r.outbox.messages.push({ type: 'preVoteResp', from: r.id, to: m.from, term: r.term, reject: true });
      return;
    case 'readIndex':
      handleReadIndex(r, m);
      return;
    case 'readIndexResp':
      handleReadIndexResp(r, m);
      return;
    case 'vote':
    case 'preVoteResp':
    case 'voteResp':
    case 'appendResp':
    case 'heartbeatResp':
    case 'timeoutNow':
      return;
  }
}

function dispatch(r: RaftState, m: Message): void {
  switch (m.type) {
    case 'preVote':
    case 'vote':
      return handleVoteRequest(r, m);
    case 'preVoteResp':
    case 'voteResp':
      return handleVoteResp(r, m);
    case 'append':
      followLeader(r, m);
      return handleAppend(r, m);
    case 'heartbeat':
      followLeader(r, m);
      return handleHeartbeat(r, m);
    case 'snapshot':
      followLeader(r, m);
      return handleSnapshot(r, m);
    case 'appendResp':
      return handleAppendResp(r, m);
    case 'heartbeatResp':
      return handleHeartbeatResp(r, m);
    case 'timeoutNow':
      return handleTimeoutNow(r, m);
    case 'readIndex':
      return handleReadIndex(r, m);
    case 'readIndexResp':
      return handleReadIndexResp(r, m);
  }
}

/** Whoever sends these in this term has won it: a candidate gives up, and the election timer starts anew (3.4). */
function followLeader(r: RaftState, m: Append | Heartbeat | InstallSnapshot): void {
  invariant(
    !r.isLeader && (r.leader === NOBODY || r.leader === m.from),
    () => `Term ${r.term} has two leaders, ${r.leader} and ${m.from}.`,
  );
  if (r.role === 'follower' && r.leader === m.from) r.electionElapsed = 0;
  else becomeFollower(r, r.term, m.from);
}
