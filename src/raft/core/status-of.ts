import type { RaftState } from './raft-state';
import type { CoreStatus, PeerStatus } from './status';

/** A picture for metrics and operators; nothing in the core depends on it. */
export function statusOf(r: RaftState): CoreStatus {
  const { log, membership } = r;
  return {
    id: r.id,
    role: r.role,
    term: r.term,
    vote: r.vote,
    leader: r.leader,
    firstIndex: log.firstIndex,
    lastIndex: log.lastIndex,
    durable: log.durable,
    commit: log.commit,
    applied: log.applied,
    configuration: membership.current,
    configurationIndex: membership.index,
    transferee: r.transferee,
    uncommittedBytes: r.uncommitted.bytes,
    pendingReads: r.reads.pending,
    mayHaveLost: r.lost !== undefined,
    installingSnapshot: r.installing !== undefined,
    peers: peersOf(r),
  };
}

function peersOf(r: RaftState): PeerStatus[] {
  const { lastIndex } = r.log;
  return [...r.progress].map(([id, peer]) => ({
    id,
    match: peer.match,
    next: peer.next,
    state: peer.state,
    recentActive: peer.recentActive,
    lag: lastIndex - peer.match,
    inflightMessages: peer.inflights.messages,
    inflightBytes: peer.inflights.bytes,
    learner: r.configuration.learners.includes(id),
  }));
}
