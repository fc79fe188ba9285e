import type { RaftState } from './raft-state';
import { NOBODY, type NodeId } from './types';

/** Heartbeats within which the followers of a leader that is gone campaign: wide enough that two of them seldom collide. */
const HEARTBEATS = 2;

/**
 * A peer's process has ended: its connections broke and nobody listens at its address. Where it led, there is nobody left
 * whose leadership the silence of an election timeout (3.4) and the denial of votes (4.2.3) would protect: it is forgotten,
 * and this node campaigns after a short time drawn at random. Pre-vote, term and vote stay as they are, so this can cost
 * an election but never a guarantee; should the leader live after all, its next message makes it the leader here again.
 *
 * Told again as long as it is true, so that a campaign which came too early for the others is soon repeated.
 */
export function peerGone(r: RaftState, peer: NodeId): void {
  if (peer === NOBODY || r.isLeader) return;
  if (r.leader === peer) {
    r.leader = NOBODY;
    r.goneLeader = peer;
  }
  if (r.leader !== NOBODY || r.goneLeader !== peer) return;
  const { heartbeatTicks } = r.options;
  // A campaign that is under way gets the time that answers take.
  const least = r.role === 'follower' ? 1 : heartbeatTicks;
  const wait = r.electionElapsed + least + r.draw(HEARTBEATS * heartbeatTicks);
  r.electionTimeout = Math.min(r.electionTimeout, wait);
}
