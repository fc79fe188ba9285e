import { settleLoss } from './commit';
import { invariant } from './errors';
import type { Append, Heartbeat, InstallSnapshot } from './messages';
import type { RaftState } from './raft-state';
import type { Entry, NodeId, SnapshotMeta } from './types';
import { NOBODY } from './types';

/** AppendEntries at a follower (3.5). The caller has made sure that `m` comes from the leader of this term. */
export function handleAppend(r: RaftState, m: Append): void {
  if (r.installing !== undefined) return;
  const { log } = r;
  if (m.prevIndex < log.commit) {
    // Late. What is committed here is what the leader has; answering with it lets a leader that knows less catch up.
    accept(r, m.from, log.commit);
    return;
  }
  if (!log.has(m.prevIndex, m.prevTerm)) {
    reject(r, m.from, m.prevIndex, m.prevTerm);
    return;
  }
  const fresh = firstConflict(r, m.entries);
  if (fresh !== undefined) replaceLog(r, m.entries.slice(fresh));
  const lastMatched = m.prevIndex + m.entries.length;
  // Beyond what this message has matched the log may hold entries that the leader does not have.
  log.commitTo(Math.min(m.commit, lastMatched));
  accept(r, m.from, lastMatched);
}

export function handleHeartbeat(r: RaftState, m: Heartbeat): void {
  if (r.lost !== undefined && m.commit > r.log.lastIndex) {
    // The leader still counts this node for entries that are gone from its disk.
    reject(r, m.from, m.commit, m.term);
  } else if (r.installing === undefined) {
    r.log.commitTo(m.commit);
  }
  r.outbox.messages.push({
    type: 'heartbeatResp',
    from: r.id,
    to: m.from,
    term: r.term,
    context: m.context,
  });
}

/** The leader's snapshot is here, whole. Never installed over a state that is as new, nor over a log that contains it. */
export function handleSnapshot(r: RaftState, m: InstallSnapshot): void {
  if (r.installing !== undefined) return;
  const { log } = r;
  if (m.meta.index <= log.commit) {
    accept(r, m.from, log.commit);
  } else if (log.has(m.meta.index, m.meta.term)) {
    // The log has everything that the snapshot covers, perhaps more that was acknowledged: keep it.
    log.commitTo(m.meta.index);
    accept(r, m.from, m.meta.index);
  } else {
    r.installing = m.meta;
    r.outbox.installSnapshot = m.meta;
  }
}

/** The replica has replaced state and log by the snapshot, durably. */
export function snapshotInstalled(r: RaftState, meta: SnapshotMeta): void {
  invariant(
    r.installing !== undefined && r.installing.index === meta.index && r.installing.term === meta.term,
    () =>
      `A snapshot at ${meta.index} (term ${meta.term}) was reported as installed, ` +
      `but the one to be installed is ${r.installing === undefined ? 'none' : `at ${r.installing.index}`}.`,
  );
  r.log.resetTo(meta);
  r.membership.reset(meta);
  r.installing = undefined;
  settleLoss(r);
  if (r.leader !== NOBODY && !r.isLeader) accept(r, r.leader, meta.index);
}

/**
 * Where the entries first differ from the log, as a position in `entries`; undefined when the log has them all. Only from
 * there on the log is replaced: a late or doubled append must not remove what was acknowledged after it.
 */
function firstConflict(r: RaftState, entries: readonly Entry[]): number | undefined {
  for (let at = 0; at < entries.length; at++) {
    const entry = entries[at];
    if (entry !== undefined && !r.log.has(entry.index, entry.term)) return at;
  }
  return undefined;
}

function replaceLog(r: RaftState, entries: readonly Entry[]): void {
  const from = entries[0]?.index ?? Number.NaN;
  invariant(
    from > r.log.commit,
    () =>
      `The leader ${r.leader} of term ${r.term} sent entry ${from} with term ${entries[0]?.term}, ` +
      `but that entry is committed here with term ${r.log.termAt(from)}.`,
  );
  if (from <= r.log.lastIndex) r.membership.truncateFrom(from);
  r.log.replaceFrom(entries);
  for (const entry of entries) {
    if (entry.config !== undefined) r.membership.append(entry.index, entry.config);
  }
}

function accept(r: RaftState, to: NodeId, index: number): void {
  r.outbox.sendAfterSync({
    type: 'appendResp',
    from: r.id,
    to,
    term: r.term,
    reject: false,
    index,
    hintIndex: 0,
    hintTerm: 0,
    lost: false,
  });
}

/**
 * Says where the logs could match: no entry above the hint can, because its term is above the leader's at that place. One
 * answer so skips a whole run of terms (5.3, etcd's findConflictByTerm), and the leader does the same with its log.
 */
function reject(r: RaftState, to: NodeId, prevIndex: number, prevTerm: number): void {
  const hintIndex = r.log.lastIndexUpToTerm(prevIndex, prevTerm);
  r.outbox.sendAfterSync({
    type: 'appendResp',
    from: r.id,
    to,
    term: r.term,
    reject: true,
    index: prevIndex,
    hintIndex,
    hintTerm: r.log.termAt(hintIndex) ?? 0,
    lost: r.lost !== undefined && prevIndex > r.log.lastIndex,
  });
}
