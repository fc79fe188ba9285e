import { Outbox } from './outbox';
import type { RaftState } from './raft-state';
import type { Ready } from './ready';
import type { HardState, NodeId, Role } from './types';

/** What the replica was told last, to tell it only what has changed. */
export interface Told {
  hardState: HardState;
  role: Role;
  leader: NodeId;
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** Hands over everything that waits; undefined when nothing does. */
export function takeReady(r: RaftState, told: Told): Ready | undefined {
  const hardStateChanged = r.term !== told.hardState.term || r.vote !== told.hardState.vote;
  const softStateChanged = r.role !== told.role || r.leader !== told.leader;
  const committed = committedRange(r);
  const toStore = hardStateChanged || r.log.hasPending;
  if (!toStore && !softStateChanged && committed === undefined && r.outbox.isEmpty) return undefined;

  const { outbox } = r;
  r.outbox = new Outbox();
  const { index, term } = { index: r.log.lastIndex, term: r.log.lastTerm };
  const { truncateFrom, entries } = r.log.takeChanges();
  const ready: Writable<Ready> = {
    entries,
    messages: outbox.messages,
    messagesAfterSync: outbox.messagesAfterSync,
    readStates: outbox.readStates,
    readRefusals: outbox.readRefusals,
    snapshotsToSend: outbox.snapshotsToSend,
    reads: outbox.reads,
  };
  if (softStateChanged) {
    told.role = r.role;
    told.leader = r.leader;
    ready.softState = { role: r.role, leader: r.leader };
  }
  if (hardStateChanged) ready.hardState = told.hardState = { term: r.term, vote: r.vote };
  if (truncateFrom !== undefined) ready.truncateFrom = truncateFrom;
  if (toStore) {
    ready.ack = {
      term: r.term,
      index,
      entryTerm: term,
      ...(ready.hardState === undefined ? {} : { hardState: ready.hardState }),
    };
  }
  if (committed !== undefined) {
    r.log.handedOver = committed.to;
    ready.committed = committed;
  }
  if (outbox.installSnapshot !== undefined) ready.installSnapshot = outbox.installSnapshot;
  if (outbox.lossSettled) ready.lossSettled = true;
  return ready;
}

/** What is committed and durable here, and was not handed over yet. */
function committedRange(r: RaftState): { from: number; to: number } | undefined {
  if (r.installing !== undefined) return undefined;
  const to = Math.min(r.log.commit, r.log.durable);
  return to > r.log.handedOver ? { from: r.log.handedOver + 1, to } : undefined;
}
