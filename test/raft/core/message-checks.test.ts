import { RaftInvariantError, RaftMessageError, type Message } from '../../../src/raft/core';
import { configuration, configurationEntry, entry, id } from './memory-log';
import { Solo } from './solo';

const envelope = { from: id(2), to: id(1), term: 1 };
const append = { ...envelope, type: 'append', prevIndex: 0, prevTerm: 0, entries: [], commit: 0 } as const;
const answer = {
  ...envelope,
  type: 'appendResp',
  reject: false,
  index: 0,
  hintIndex: 0,
  hintTerm: 0,
  lost: false,
} as const;

describe('a message that no correct peer sends is refused and changes nothing', () => {
  test.each<[string, Message]>([
    ['for somebody else', { ...append, to: id(3) }],
    ['from this node itself', { ...append, from: id(1) }],
    ['of a term that is no whole number', { ...append, term: 1.5 }],
    ['of a negative term', { ...append, term: -1 }],
    ['with a gap between its entries', { ...append, entries: [entry(1, 1), entry(3, 1)] }],
    ['whose entries do not follow its position', { ...append, prevIndex: 4, entries: [entry(1, 1)] }],
    ['whose terms go back', { ...append, term: 3, entries: [entry(1, 2), entry(2, 1)] }],
    ['with an entry of a term after its own', { ...append, entries: [entry(1, 2)] }],
    ['that follows an entry of a term after its own', { ...append, prevTerm: 2 }],
    ['with a position that is no index', { ...append, prevIndex: Number.NaN }],
    ['with a commit that is no index', { ...append, commit: -5 }],
    ['with a configuration that was not decoded', { ...append, entries: [{ ...entry(1, 1), kind: 2 }] }],
    [
      'with a configuration where none belongs',
      { ...append, entries: [{ ...configurationEntry(1, 1, configuration([1])), kind: 0 }] },
    ],
    ['that acknowledges no index', { ...answer, index: -1 }],
    ['with a hint that is no index', { ...answer, hintIndex: 0.5 }],
    ['with a vote for a log of no length', { ...envelope, type: 'vote', lastIndex: -1, lastTerm: 0, transfer: false }],
    ['with a heartbeat of no context', { ...envelope, type: 'heartbeat', commit: 0, context: -1 }],
    ['with an answer of no context', { ...envelope, type: 'heartbeatResp', context: Number.POSITIVE_INFINITY }],
    ['with a read of no context', { ...envelope, type: 'readIndex', context: -1 }],
    ['with a read at no index', { ...envelope, type: 'readIndexResp', context: 1, index: -1, refusal: '' }],
    [
      'with a snapshot of no index',
      { ...envelope, type: 'snapshot', meta: { index: -1, term: 0, configuration: configuration([1]) } },
    ],
  ])('one %s', (_, message) => {
    const solo = new Solo([1, 2, 3]);
    const before = solo.core.status();
    expect(() => solo.core.step(message)).toThrow(RaftMessageError);
    expect(solo.core.status()).toEqual(before);
    expect(solo.core.ready()).toBeUndefined();
  });

  test('the refusal says what, from whom and why', () => {
    const solo = new Solo([1, 2, 3]);
    expect(() => solo.core.step({ ...append, entries: [entry(1, 1), entry(3, 1)] })).toThrow(
      `The message append from ${id(2)} was not processed: entry 3 of term 1 follows entry 1 of term 1.`,
    );
  });
});

describe('what cannot happen while nobody lies ends the process', () => {
  test('two leaders in one term', () => {
    const solo = new Solo([1, 2, 3]);
    solo.hearAppend(2, 1, [0, 0], []);
    expect(() => solo.hearAppend(3, 1, [0, 0], [])).toThrow(RaftInvariantError);
    solo.lead();
    expect(() => solo.hear(3, 'heartbeat', { term: 2, commit: 0, context: 0 })).toThrow(/two leaders/);
  });

  test('a seal for another entry than the one that was to be sealed', () => {
    const solo = new Solo([1], { seal: (kind, index, term) => ({ ...entry(index + 1, term), kind }) });
    expect(() => solo.sync()).toThrow(/the seal is for entry 2/);
  });

  test('a random source that gives no chance', () => {
    expect(() => new Solo([1, 2, 3], { random: { next: () => 1 } })).toThrow(/not in \[0, 1\)/);
  });
});

describe('a replica that does not keep the contract of Ready is found out', () => {
  test('entries that were not appended', () => {
    const solo = new Solo([1, 2, 3]);
    solo.lead();
    solo.core.propose(0, [Buffer.from('x')], 1);
    expect(solo.core.ready()?.entries).toHaveLength(1);
    expect(() => solo.core.ready()).toThrow(/has to append them before it calls the core again/);
  });

  test('entries applied that were never handed over', () => {
    const solo = new Solo([1, 2, 3]);
    expect(() => solo.core.applied(1)).toThrow(/only those up to 0 were handed over/);
  });

  test('a proposal of an entry that the core makes itself', () => {
    const solo = new Solo([1, 2, 3]);
    solo.lead();
    expect(() => solo.core.propose(1, [], 0)).toThrow(/the core makes those itself/);
    expect(() => solo.core.propose(2, [], 0)).toThrow(/the core makes those itself/);
  });

  test.each([
    [{ electionTicks: [10, 10] as const }, /expected 0 < heartbeat < least timeout/],
    [{ heartbeatTicks: 10 }, /expected 0 < heartbeat < least timeout/],
    [{ heartbeatTicks: 0 }, /expected 0 < heartbeat < least timeout/],
    [{ id: '' }, /needs an id/],
    [{ maxMessageBytes: 0 }, /maxMessageBytes is 0/],
    [{ hardState: { term: -1, vote: '' } }, /not a whole number/],
    [{ snapshotMeta: { index: 0, term: 0, configuration: configuration([1, 1]) } }, /names a server twice/],
    [{ configurations: [{ index: 0, configuration: configuration([1]) }] }, /cannot follow/],
  ])('options %j', (options, message) => {
    expect(() => new Solo([1, 2, 3], options)).toThrow(message);
  });
});
