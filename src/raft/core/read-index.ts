import { hasCommittedInTerm } from './commit';
import { broadcastHeartbeat } from './heartbeat';
import type { ReadIndex, ReadIndexResp } from './messages';
import { quorumIndex } from './quorum';
import type { RaftState } from './raft-state';
import type { PendingRead } from './read-queue';
import { NOBODY, type NodeId, type ReadRefusalReason } from './types';

/**
 * A linearizable read that this node was asked for (dissertation 6.4). No leases: a leader that was paused cannot answer
 * before a majority has told it, after the read came, that it still leads.
 */
export function requestRead(r: RaftState, context: number): void {
  if (r.isLeader) {
    addRead(r, { from: r.id, context });
  } else if (r.leader === NOBODY) {
    r.outbox.readRefusals.push({ context, reason: 'no_leader' });
  } else {
    r.outbox.messages.push({ type: 'readIndex', from: r.id, to: r.leader, term: r.term, context });
  }
}

export function handleReadIndex(r: RaftState, m: ReadIndex): void {
  const read = { from: m.from, context: m.context };
  if (r.isLeader) addRead(r, read);
  else refuse(r, read, 'not_leader');
}

/** An answer is right in whatever term it comes: the leader was confirmed after this node had asked. */
export function handleReadIndexResp(r: RaftState, m: ReadIndexResp): void {
  if (m.refusal === '') r.outbox.readStates.push({ context: m.context, index: m.index });
  else r.outbox.readRefusals.push({ context: m.context, reason: m.refusal });
}

/** All reads that came since the last Ready share one round. */
export function startReadRound(r: RaftState): void {
  if (!r.reads.startRound(r.log.commit)) return;
  confirmReads(r);
  if (r.reads.newestRound > 0) broadcastHeartbeat(r);
}

/** Answers the rounds that a quorum of voters has confirmed; of a single voter that is itself. */
export function confirmReads(r: RaftState): void {
  const own = r.reads.newestRound;
  if (own === 0) return;
  const upTo = quorumIndex(r.configuration, (id) => (id === r.id ? own : (r.progress.get(id)?.readRound ?? 0)));
  for (const round of r.reads.confirmed(upTo)) {
    for (const read of round.reads) answer(r, read, round.index, '');
  }
}

/** Leadership is over, so nobody will confirm it any more. */
export function refuseAllReads(r: RaftState): void {
  for (const read of r.reads.drain()) refuse(r, read, 'leadership_lost');
}

function addRead(r: RaftState, read: PendingRead): void {
  if (!hasCommittedInTerm(r)) refuse(r, read, 'not_committed_in_term');
  else if (!r.reads.add(read)) refuse(r, read, 'too_many_reads');
}

function refuse(r: RaftState, read: PendingRead, reason: ReadRefusalReason): void {
  answer(r, read, 0, reason);
}

function answer(r: RaftState, read: PendingRead, index: number, refusal: ReadRefusalReason | ''): void {
  if (read.from !== r.id) {
    const to: NodeId = read.from;
    r.outbox.messages.push({
      type: 'readIndexResp',
      from: r.id,
      to,
      term: r.term,
      context: read.context,
      index,
      refusal,
    });
  } else if (refusal === '') {
    r.outbox.readStates.push({ context: read.context, index });
  } else {
    r.outbox.readRefusals.push({ context: read.context, reason: refusal });
  }
}
