import type { HardState } from '../../../src/raft/core/types';
import { recoverVote, type LevelVote, type Recovery, type VoteCopies } from '../../../src/raft/stable/vote-recovery';
import { decodeSlot, encodeSlot, SLOT_BYTES, type Slot, type SlotRecord } from '../../../src/raft/stable/vote-slot';

const NODE = '00000000000000a1';
const OWNER = { group: 0, nodeId: NODE, incarnation: 1, clusterId: 'c'.repeat(32) };
const DAMAGED: Slot = { kind: 'damaged', why: 'a test spoilt it' };
const EMPTY: Slot = { kind: 'empty' };
const WRITES = 6;

/** The n-th state that is saved: terms rise, and in some terms a vote follows the term. */
function state(sequence: number): HardState {
  const term = Math.floor(sequence / 2);
  return { term, vote: sequence % 2 === 0 ? '' : NODE };
}

function level(sequence: number): LevelVote {
  return { sequence, hardState: state(sequence) };
}

function slot(sequence: number, levelSequence = sequence): Slot {
  if (sequence === 0) return EMPTY;
  return { kind: 'valid', record: { ...OWNER, sequence, levelSequence, hardState: state(sequence) } };
}

/** The two slots in their places, after `newest` was written over the one before the one before. */
function slots(newest: Slot, older: Slot, newestSequence: number): [Slot, Slot] {
  return newestSequence % 2 === 0 ? [newest, older] : [older, newest];
}

function clean(sequence: number): [Slot, Slot] {
  return slots(slot(sequence), slot(sequence - 1), sequence);
}

function recover(copies: Pick<VoteCopies, 'slots' | 'level'>): Recovery {
  return recoverVote({ owner: OWNER, ...copies });
}

/** Index of the recovered state in the order of the saves; 'doubtful' where there is none. */
function outcome(copies: Pick<VoteCopies, 'slots' | 'level'>): number | 'doubtful' {
  const recovery = recover(copies);
  if (recovery.kind === 'doubtful') return 'doubtful';
  const { term, vote } = recovery.hardState;
  return term * 2 + (vote === '' ? 0 : 1);
}

describe('what a crash leaves while save n + 1 is written', () => {
  const rows = Array.from({ length: WRITES }, (_, i) => i + 1).flatMap(
    (n): [string, number, [Slot, Slot], LevelVote, number][] => [
      ['nothing of it', n, clean(n), level(n), n],
      ['the database has it', n, clean(n), level(n + 1), n + 1],
      ['the slot is torn', n, slots(slot(n), DAMAGED, n), level(n + 1), n + 1],
      ['the slot lost its bytes', n, slots(slot(n), EMPTY, n), level(n + 1), n + 1],
      ['both have it, and nobody was told', n, clean(n + 1), level(n + 1), n + 1],
    ],
  );

  test.each(rows)('%s (n = %d)', (_what, _n, copies, inLevel, expected) => {
    expect(outcome({ slots: copies, level: inLevel })).toBe(expected);
  });

  test('a group that is being made: in the database, without its file', () => {
    expect(recover({ slots: 'missing', level: level(1) })).toMatchObject({ kind: 'ok', finish: 'file' });
    expect(recover({ slots: 'missing', level: level(2) })).toMatchObject({ kind: 'doubtful' });
  });

  test('a new incarnation that is being made: the file is of the one before', () => {
    const owner = { ...OWNER, nodeId: '00000000000000b2', incarnation: 2 };
    expect(recoverVote({ owner, slots: clean(5), level: level(1) })).toMatchObject({ kind: 'ok', finish: 'file' });
    expect(recoverVote({ owner, slots: clean(5), level: level(2) })).toMatchObject({ kind: 'doubtful' });
  });
});

describe('what a full disk and then a crash leave', () => {
  /** Save n was the last that the database took; k more are in the file alone. */
  const rows = [1, 2, 3, 4].flatMap((n) => [1, 2, 3].map((k) => [n, k] as const));

  test.each(rows)('save %d in the database, %d more in the file', (n, k) => {
    const last = n + k;
    const alone = slots(slot(last, n), slot(last - 1, Math.min(n, last - 1)), last);
    expect(outcome({ slots: alone, level: level(n) })).toBe(last);
    // A write that was refused may be found in the database after all.
    for (let found = n; found <= last; found++) expect(outcome({ slots: alone, level: level(found) })).toBe(last);
    expect(outcome({ slots: alone, level: level(last + 1) })).toBe(last + 1);
    expect(outcome({ slots: slots(slot(last, n), DAMAGED, last), level: level(last + 1) })).toBe(last + 1);
    if (n > 1) expect(outcome({ slots: alone, level: level(n - 1) })).toBe('doubtful');
    expect(outcome({ slots: slots(slot(last, n), DAMAGED, last), level: level(n) })).toBe('doubtful');
  });
});

describe('one copy that has forgotten or is damaged never makes an older vote', () => {
  test.each(Array.from({ length: WRITES }, (_, i) => i + 2))('after save %d', (n) => {
    const levels: VoteCopies['level'][] = ['missing', 'damaged'];
    for (let old = 1; old < n; old++) levels.push(level(old));
    for (const forgetful of levels) expect(outcome({ slots: clean(n), level: forgetful })).toBe('doubtful');

    const files: VoteCopies['slots'][] = ['missing', [DAMAGED, DAMAGED], [EMPTY, EMPTY], slots(DAMAGED, EMPTY, n)];
    for (let old = 1; old < n; old++)
      files.push(clean(old), slots(slot(old), DAMAGED, old), slots(slot(old), EMPTY, old));
    for (const spoilt of files) expect([n, 'doubtful']).toContain(outcome({ slots: spoilt, level: level(n) }));
    expect(outcome({ slots: slots(slot(n), DAMAGED, n), level: level(n) })).toBe('doubtful');
  });

  test('two copies of one save that differ are doubtful, with the highest term of all', () => {
    const other: LevelVote = { sequence: 5, hardState: { term: 9, vote: '' } };
    expect(recover({ slots: clean(5), level: other })).toMatchObject({ kind: 'doubtful', highestTermSeen: 9 });
  });

  test.each<[string, Partial<SlotRecord>]>([
    ['another node', { nodeId: '00000000000000ff' }],
    ['another group', { group: 1 }],
    ['another cluster', { clusterId: 'd'.repeat(32) }],
    ['a later incarnation', { incarnation: 2 }],
  ])('a file of %s is doubtful', (_what, change) => {
    const record = { ...OWNER, sequence: 1, levelSequence: 1, hardState: state(1), ...change };
    expect(recover({ slots: [EMPTY, { kind: 'valid', record }], level: level(1) })).toMatchObject({ kind: 'doubtful' });
  });
});

describe('every flipped bit of a vote file', () => {
  /** All 65,536 of them, on the bytes as they are on the disk. */
  test.each([1, 2, 7])('after save %d is either noticed or harmless', (n) => {
    const image = Buffer.alloc(2 * SLOT_BYTES);
    for (const sequence of [n - 1, n].filter((s) => s > 0)) {
      const record = { ...OWNER, sequence, levelSequence: sequence, hardState: state(sequence) };
      encodeSlot(record).copy(image, (sequence % 2) * SLOT_BYTES);
    }
    const untouched = [decodeSlot(image.subarray(0, SLOT_BYTES)), decodeSlot(image.subarray(SLOT_BYTES))] as const;
    expect(outcome({ slots: untouched, level: level(n) })).toBe(n);
    const outcomes = new Set<unknown>();
    for (let bit = 0; bit < image.length * 8; bit++) {
      const at = bit >> 3;
      image.writeUInt8(image.readUInt8(at) ^ (1 << (bit & 7)), at);
      const side = at < SLOT_BYTES ? 0 : 1;
      const decoded = decodeSlot(image.subarray(side * SLOT_BYTES, (side + 1) * SLOT_BYTES));
      outcomes.add(outcome({ slots: side === 0 ? [decoded, untouched[1]] : [untouched[0], decoded], level: level(n) }));
      image.writeUInt8(image.readUInt8(at) ^ (1 << (bit & 7)), at);
    }
    // Where the newest slot is hit, the database is one ahead, as after a crash, and has the very vote that was hit.
    outcomes.delete(n);
    expect([...outcomes]).toEqual(['doubtful']);
  });
});

test('a slot comes back as it was written', () => {
  const record: SlotRecord = {
    group: 12,
    sequence: Number.MAX_SAFE_INTEGER,
    levelSequence: 3,
    hardState: { term: 2 ** 50, vote: '' },
    nodeId: NODE,
    incarnation: 9,
    clusterId: '',
  };
  expect(decodeSlot(encodeSlot(record))).toEqual({ kind: 'valid', record });
  expect(decodeSlot(Buffer.alloc(100))).toMatchObject({ kind: 'damaged' });
  expect(() => encodeSlot({ ...record, hardState: { term: -1, vote: '' } })).toThrow(RangeError);
});
