import type { HardState } from '../core/types';
import type { Slots } from './vote-file';
import type { Slot, SlotRecord } from './vote-slot';

/** What `level` holds of one group's votes. */
export interface LevelVote {
  readonly sequence: number;
  readonly hardState: HardState;
}

/** Whom the slots must name; a file that was copied from elsewhere says nothing about this node. */
export interface Owner {
  readonly group: number;
  readonly nodeId: string;
  readonly incarnation: number;
  readonly clusterId: string;
}

export interface VoteCopies {
  readonly owner: Owner;
  /** `missing`: there is no vote file. */
  readonly slots: Slots | 'missing';
  /** `damaged`: there is a record, but not the one that was written. */
  readonly level: LevelVote | 'missing' | 'damaged';
}

export type Recovery =
  /** `finish`: what has to be written before anything else, where a crash has left it out. */
  | {
      readonly kind: 'ok';
      readonly hardState: HardState;
      readonly sequence: number;
      readonly levelSequence: number;
      readonly finish: 'nothing' | 'slot' | 'file';
    }
  | { readonly kind: 'doubtful'; readonly why: string; readonly highestTermSeen: number };

/**
 * What this node has voted, from the copies that are left. Every write goes to `level` first and, when it is durable there,
 * to the slot whose turn it is; only then is anything answered. So a crash leaves `level` at most one record ahead, and
 * can tear a slot only while `level` is ahead. Whatever else is found was not left by a crash: a disk has forgotten
 * something, and then it does not help that one copy still looks good.
 */
export function recoverVote({ owner, slots, level }: VoteCopies): Recovery {
  const doubtful = (why: string): Recovery => ({ kind: 'doubtful', why, highestTermSeen: highestTerm(slots, level) });
  if (level === 'missing') return doubtful('the database has no record of this group’s votes');
  if (level === 'damaged') return doubtful('the record of this group’s votes in the database is damaged');
  if (slots === 'missing' || isOfEarlierNode(slots, owner)) {
    if (level.sequence === 1) return fromLevel(level, 'file');
    return doubtful(slots === 'missing' ? 'the vote file is missing' : 'the vote file is of an earlier incarnation');
  }
  const stranger = valid(slots).find((record) => !belongs(record, owner));
  if (stranger) {
    return doubtful(
      `the vote file belongs to node ${stranger.nodeId}, incarnation ${stranger.incarnation}, group ${stranger.group}`,
    );
  }
  const [newest, older] = inOrder(slots);
  if (newest === undefined) return doubtful(`both slots of the vote file are unreadable: ${whyDamaged(slots)}`);
  const fault = disagreement(newest, older, level);
  if (fault !== undefined) return doubtful(fault);
  if (level.sequence === newest.sequence + 1) return fromLevel(level, 'slot');
  return {
    kind: 'ok',
    hardState: newest.hardState,
    sequence: newest.sequence,
    levelSequence: level.sequence,
    finish: 'nothing',
  };
}

function fromLevel(level: LevelVote, finish: 'slot' | 'file'): Recovery {
  const { hardState, sequence } = level;
  return { kind: 'ok', hardState, sequence, levelSequence: sequence, finish };
}

/** What does not go together, in a sentence; undefined where a crash explains everything. */
function disagreement(newest: SlotRecord, older: Slot, level: LevelVote): string | undefined {
  const { sequence, levelSequence } = newest;
  if (level.sequence < levelSequence) {
    return `the database is at vote ${level.sequence}, but it had recorded vote ${levelSequence}: it has lost what was durable`;
  }
  if (level.sequence > sequence + 1) {
    return `the vote file is at vote ${sequence}, the database at ${level.sequence}: the file has lost what was durable`;
  }
  if (level.sequence === sequence && !same(level.hardState, newest.hardState)) {
    return `the database and the vote file differ about vote ${sequence}`;
  }
  // The slot whose turn it is may be torn, but only while the database is ahead.
  if (older.kind !== 'valid' && level.sequence === sequence + 1) return undefined;
  if (older.kind === 'damaged') return `a slot of the vote file is unreadable: ${older.why}`;
  const before = older.kind === 'empty' ? 0 : older.record.sequence;
  if (before !== sequence - 1)
    return `the vote file holds votes ${before} and ${sequence}, which do not follow each other`;
  if (older.kind === 'valid' && level.sequence === before && !same(level.hardState, older.record.hardState)) {
    return `the database and the vote file differ about vote ${before}`;
  }
  return undefined;
}

function valid(slots: Slots): SlotRecord[] {
  return slots.flatMap((slot) => (slot.kind === 'valid' ? [slot.record] : []));
}

/** The newest readable record, if there is one, and the slot beside it. */
function inOrder(slots: Slots): [SlotRecord | undefined, Slot] {
  const [first, second] = slots;
  const [a, b] = [recordIn(first), recordIn(second)];
  return (a?.sequence ?? 0) > (b?.sequence ?? 0) ? [a, second] : [b, first];
}

function recordIn(slot: Slot): SlotRecord | undefined {
  return slot.kind === 'valid' ? slot.record : undefined;
}

function belongs(record: SlotRecord, owner: Owner): boolean {
  return (
    record.group === owner.group &&
    record.nodeId === owner.nodeId &&
    record.incarnation === owner.incarnation &&
    (record.clusterId === '' || record.clusterId === owner.clusterId)
  );
}

/** A new incarnation is made in the database first; a crash then leaves the file of the one before. */
function isOfEarlierNode(slots: Slots, owner: Owner): boolean {
  const records = valid(slots);
  return records.length > 0 && records.every(({ incarnation }) => incarnation < owner.incarnation);
}

function same(a: HardState, b: HardState): boolean {
  return a.term === b.term && a.vote === b.vote;
}

function highestTerm(slots: VoteCopies['slots'], level: VoteCopies['level']): number {
  const terms = slots === 'missing' ? [] : valid(slots).map((record) => record.hardState.term);
  if (typeof level === 'object') terms.push(level.hardState.term);
  return Math.max(0, ...terms);
}

function whyDamaged(slots: Slots): string {
  return slots.map((slot) => (slot.kind === 'damaged' ? slot.why : 'it is empty')).join('; ');
}
