import type { RaftState } from './raft-state';

/**
 * Tells every peer that this leader leads, how far what it has is committed, and the newest round of reads that waits for
 * confirmation (also if that round was announced before: the announcement may be lost).
 */
export function broadcastHeartbeat(r: RaftState): void {
  r.heartbeatElapsed = 0;
  for (const [id, peer] of r.progress) {
    r.outbox.messages.push({
      type: 'heartbeat',
      from: r.id,
      to: id,
      term: r.term,
      // What the peer is not known to have, it must not commit: its log may differ there.
      commit: Math.min(peer.match, r.log.commit),
      context: r.reads.newestRound,
    });
  }
}
