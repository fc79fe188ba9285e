import { isVoter } from './configuration';
import { isRemovedLeader } from './proposals';
import type { RaftState } from './raft-state';
import { becomeFollower } from './roles';
import { NOBODY, type NodeId, type TransferRefusal } from './types';

/**
 * Hands leadership over (dissertation 3.10): takes no proposals from now on, brings the target's log up to date, then has
 * it campaign at once. Given up after the least election timeout. A second request takes the place of the first.
 */
export function transferLeadership(r: RaftState, to: NodeId): TransferRefusal | undefined {
  if (!r.isLeader) return 'not_leader';
  if (to === r.id) return 'already_leader';
  if (!r.configuration.voters.includes(to)) return 'not_a_voter';
  if (to === r.transferee) return undefined;
  r.transferee = to;
  r.transferElapsed = 0;
  r.timeoutNowSent = false;
  const peer = r.progress.get(to);
  if (peer !== undefined) peer.poke = true;
  return undefined;
}

/** One tick; the target may have died or its campaign may have failed, and proposals are refused meanwhile. */
export function tickTransfer(r: RaftState): void {
  if (r.transferee === NOBODY) return;
  r.transferElapsed += 1;
  if (r.transferElapsed >= r.minElectionTicks) r.transferee = NOBODY;
}

/** The target has the whole log, so that it can win. */
export function handOverIfCaughtUp(r: RaftState): void {
  if (r.transferee === NOBODY || r.timeoutNowSent) return;
  if (r.progress.get(r.transferee)?.match !== r.log.lastIndex) return;
  r.timeoutNowSent = true;
  sendTimeoutNow(r, r.transferee);
}

/** Steps down after the removal of this leader is committed, and spares the others the wait for an election timeout. */
export function stepDownIfRemoved(r: RaftState): void {
  if (!isRemovedLeader(r)) return;
  let successor = NOBODY;
  let best = -1;
  for (const [id, peer] of r.progress) {
    if (!isVoter(r.configuration, id) || !peer.recentActive || peer.match <= best) continue;
    successor = id;
    best = peer.match;
  }
  if (successor !== NOBODY) sendTimeoutNow(r, successor);
  becomeFollower(r, r.term, NOBODY);
}

function sendTimeoutNow(r: RaftState, to: NodeId): void {
  r.outbox.messages.push({ type: 'timeoutNow', from: r.id, to, term: r.term });
}
