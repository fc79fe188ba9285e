import { invariant } from './errors';
import type { Progress } from './progress';
import type { RaftState } from './raft-state';
import type { Entry, NodeId } from './types';

/** More entries than this never travel in one append, however small they are. */
const MAX_ENTRIES_PER_MESSAGE = 1024;

/** After so many least election timeouts the replica is reminded of a snapshot or of entries that it was asked for. */
const REMINDER_TIMEOUTS = 10;

const NO_ENTRIES: readonly Entry[] = Object.freeze([]);

/**
 * Sends every peer what it may get now. Called once for each Ready, so that everything proposed in one turn travels
 * together; the leader's own disk is written at the same time (10.2.1).
 */
export function flushAppends(r: RaftState): void {
  for (const [id, peer] of r.progress) flushTo(r, id, peer);
}

/** Entries that were loaded for a peer, from the index on that Ready.reads named. False when they came too late. */
export function appendLoaded(r: RaftState, id: NodeId, entries: readonly Entry[]): boolean {
  const peer = r.progress.get(id);
  const first = entries[0];
  const last = entries.at(-1);
  if (peer === undefined || !peer.loading) return false;
  peer.loading = false;
  if (first === undefined || last === undefined || first.index !== peer.next || peer.state === 'snapshot') return false;
  // Dropped under a snapshot while they were read: the peer needs that snapshot now.
  if (last.index < r.log.firstIndex - 1) return false;
  invariant(
    last.index === first.index + entries.length - 1 && r.log.has(last.index, last.term),
    () =>
      `Entries ${first.index} to ${last.index} were loaded for ${id}, but the log has term ${r.log.termAt(last.index)} there.`,
  );
  const prevTerm = r.log.termAt(first.index - 1);
  if (prevTerm === undefined || (peer.state === 'replicate' ? peer.inflights.full : peer.probeSent)) return false;
  sendAppend(r, id, peer, prevTerm, entries);
  return true;
}

/** Loading came to an end without entries: look again whether they are in memory, on the disk, or gone. */
export function loadingEnded(r: RaftState, id: NodeId): void {
  const peer = r.progress.get(id);
  if (peer !== undefined) peer.loading = false;
}

/** The connection broke: appends on their way may be lost, so find out what arrived. */
export function peerUnreachable(r: RaftState, id: NodeId): void {
  const peer = r.progress.get(id);
  if (peer?.state === 'replicate') peer.becomeProbe();
}

/** The replica has sent a snapshot, or failed to. Either way the next append waits for a sign of life. */
export function snapshotSent(r: RaftState, id: NodeId, ok: boolean, index: number | undefined): void {
  const peer = r.progress.get(id);
  if (peer?.state !== 'snapshot') return;
  peer.snapshotIndex = ok ? Math.max(peer.snapshotIndex, index ?? 0) : 0;
  peer.becomeProbe();
  peer.probeSent = true;
}

/** A report of the replica's may be lost like any message, and no peer may wait for it for ever. */
export function remindOfWaitingPeers(r: RaftState): void {
  const patience = REMINDER_TIMEOUTS * r.minElectionTicks;
  for (const [id, peer] of r.progress) {
    if (!peer.loading && peer.state !== 'snapshot') continue;
    peer.waitedTicks += 1;
    // The reminder itself waits for a sign of life, which may come any time after this tick.
    if (peer.waitedTicks < patience || !peer.recentActive) continue;
    peer.waitedTicks = 0;
    peer.loading = false;
    if (peer.state === 'snapshot') r.outbox.snapshotsToSend.push({ to: id });
  }
}

function flushTo(r: RaftState, id: NodeId, peer: Progress): void {
  if (peer.loading || peer.state === 'snapshot') return;
  if (peer.state === 'probe') {
    if (!peer.probeSent) sendNext(r, id, peer);
    return;
  }
  const { log } = r;
  while (peer.next <= log.lastIndex && !peer.inflights.full) {
    if (!sendNext(r, id, peer)) return;
  }
  // A follower applies, and answers reads, only what it knows to be committed.
  const toldLess = peer.sentCommit < log.commit && !peer.inflights.full;
  if (toldLess || peer.poke) {
    const prevTerm = log.termAt(peer.next - 1);
    if (prevTerm === undefined) askForSnapshot(r, id, peer);
    else sendAppend(r, id, peer, prevTerm, NO_ENTRIES);
  }
}

/** One append with as much as it may hold. False when something outside has to happen first. */
function sendNext(r: RaftState, id: NodeId, peer: Progress): boolean {
  const { log } = r;
  const prevTerm = log.termAt(peer.next - 1);
  if (prevTerm === undefined) {
    askForSnapshot(r, id, peer);
    return false;
  }
  let entries: readonly Entry[] | undefined = NO_ENTRIES;
  if (peer.next <= log.lastIndex) {
    entries = log.entries(peer.next, r.options.maxMessageBytes, MAX_ENTRIES_PER_MESSAGE);
    if (entries === undefined) {
      peer.loading = true;
      peer.waitedTicks = 0;
      r.outbox.reads.push({ peer: id, from: peer.next });
      return false;
    }
  }
  sendAppend(r, id, peer, prevTerm, entries);
  return true;
}

/** The log begins behind what the peer needs. One that was not heard of lately would not take the snapshot either. */
function askForSnapshot(r: RaftState, id: NodeId, peer: Progress): void {
  if (!peer.recentActive) return;
  peer.becomeSnapshot(r.log.firstIndex - 1);
  r.outbox.snapshotsToSend.push({ to: id });
}

function sendAppend(r: RaftState, to: NodeId, peer: Progress, prevTerm: number, entries: readonly Entry[]): void {
  const prevIndex = peer.next - 1;
  const commit = r.log.commit;
  r.outbox.messages.push({ type: 'append', from: r.id, to, term: r.term, prevIndex, prevTerm, entries, commit });
  let bytes = 0;
  for (const entry of entries) bytes += entry.data.length;
  peer.sent(prevIndex + entries.length, bytes, entries.length, commit);
}
