import { advanceCommit } from './commit';
import type { AppendResp, HeartbeatResp } from './messages';
import type { Progress } from './progress';
import type { RaftState } from './raft-state';
import { confirmReads } from './read-index';

/** A follower's answer to an append. It may be late, doubled, or about an append that was given up. */
export function handleAppendResp(r: RaftState, m: AppendResp): void {
  const peer = r.progress.get(m.from);
  if (peer === undefined) return;
  peer.heardThisPeriod = true;
  if (m.reject) handleReject(r, m, peer);
  else handleAccept(r, m.index, peer);
}

export function handleHeartbeatResp(r: RaftState, m: HeartbeatResp): void {
  const peer = r.progress.get(m.from);
  if (peer === undefined) return;
  peer.heardThisPeriod = true;
  // It is alive: if an append or its answer was lost, find out now.
  peer.probeSent = false;
  if (peer.match < r.log.lastIndex) peer.poke = true;
  if (m.context > peer.readRound && m.context <= r.reads.newestRound) {
    peer.readRound = m.context;
    confirmReads(r);
  }
}

function handleReject(r: RaftState, m: AppendResp, peer: Progress): void {
  if (m.lost && m.hintIndex < peer.match) {
    peer.regress(m.hintIndex);
    return;
  }
  // Above this, the entries here have terms that the follower's log does not reach at its hint.
  const hint = m.hintTerm > 0 ? r.log.lastIndexUpToTerm(m.hintIndex, m.hintTerm) : m.hintIndex;
  peer.rejected(m.index, hint);
}

function handleAccept(r: RaftState, index: number, peer: Progress): void {
  const advanced = peer.accepted(index);
  switch (peer.state) {
    case 'probe':
      // It answers the probe (perhaps with what was known); an older answer would tell nothing about where it stands.
      if (index + 1 >= peer.next) peer.becomeReplicate();
      break;
    case 'snapshot':
      // Whatever brought it there, the log reaches back far enough now.
      if (peer.match + 1 >= r.log.firstIndex) peer.becomeReplicate();
      break;
    case 'replicate':
      peer.inflights.freeUpTo(index);
      break;
  }
  if (advanced) advanceCommit(r);
}
