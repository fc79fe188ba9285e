import { RaftMessageError, type PeerStatus } from '../../../src/raft/core';
import { configuration, configurationEntry, entry, id, MemoryLog } from './memory-log';
import { Solo } from './solo';

/** Bugs that other systems shipped, each with a test that fails when the bug is put back in. Part: replication. */

function peer(solo: Solo, n: number): PeerStatus {
  const found = solo.core.status().peers.find((known) => known.id === id(n));
  if (!found) throw new Error(`There is no peer ${n}.`);
  return found;
}

test('pitfall 6: a late or doubled append removes nothing that was acknowledged after it', () => {
  const solo = new Solo([1, 2, 3]);
  solo.hearAppend(2, 1, [0, 0], [entry(1, 1)]);
  solo.hearAppend(2, 1, [1, 1], [entry(2, 1), entry(3, 1)]);
  solo.sync();
  solo.hearAppend(2, 1, [0, 0], [entry(1, 1)]);
  solo.hearAppend(2, 1, [0, 0], []);
  solo.sync();
  expect(solo.log.lastIndex).toBe(3);
  expect(solo.readies.some((ready) => ready.truncateFrom !== undefined)).toBe(false);
  // It answers for what the message has matched, no more and no less.
  expect(solo.sent('appendResp').map((m) => m.index)).toEqual([1, 3, 1, 0]);
});

describe('pitfall 7: a follower commits up to the last matched entry, not up to its last', () => {
  test('by an append', () => {
    const log = new MemoryLog({ index: 0, term: 0 }, [entry(1, 1), entry(2, 1), entry(3, 1)]);
    const solo = new Solo([1, 2, 3], {}, log);
    solo.hearAppend(2, 2, [1, 1], [], 3);
    expect(solo.core.status().commit).toBe(1);
  });

  test('by a heartbeat: the leader tells nobody to commit what it may not have', () => {
    const solo = new Solo([1, 2, 3]);
    solo.lead();
    solo.propose('x');
    solo.sync();
    solo.hearAccept(2, 2);
    expect(solo.core.status().commit).toBe(2);
    solo.forget();
    solo.tick(2);
    expect(solo.sent('heartbeat').map((m) => [m.to, m.commit])).toEqual([
      [id(2), 2],
      [id(3), 1],
    ]);
  });
});

describe('pitfall 8: a late, doubled or wrong answer moves match and next neither back nor too far', () => {
  const leader = () => {
    const solo = new Solo([1, 2, 3]);
    solo.lead();
    for (const value of ['a', 'b', 'c']) solo.propose(value);
    solo.sync();
    solo.hearAccept(2, 4);
    return solo;
  };

  test('an old acceptance', () => {
    const solo = leader();
    solo.hearAccept(2, 2);
    expect(peer(solo, 2)).toMatchObject({ match: 4, next: 5, state: 'replicate' });
  });

  test('an old rejection', () => {
    const solo = leader();
    solo.hearReject(2, 3, 0, 0);
    solo.hearReject(2, 4, 0, 0);
    expect(peer(solo, 2)).toMatchObject({ match: 4, next: 5, state: 'replicate' });
  });

  test('a rejection while probing that is not about the probe', () => {
    const solo = leader();
    solo.core.unreachable(id(2));
    solo.turn();
    solo.hearReject(2, 1, 0, 0);
    expect(peer(solo, 2)).toMatchObject({ match: 4, next: 5, state: 'probe' });
  });

  test('an acceptance beyond the end of the log is refused as a whole', () => {
    const solo = leader();
    expect(() => solo.hearAccept(3, 5)).toThrow(RaftMessageError);
    expect(peer(solo, 3)).toMatchObject({ match: 1, next: 5 });
    expect(solo.core.status().commit).toBe(4);
  });

  test('an acceptance of an earlier term', () => {
    const solo = leader();
    solo.hearAccept(3, 4, 0);
    expect(peer(solo, 3).match).toBe(1);
  });

  test('an answer of a node that is no member', () => {
    const solo = leader();
    solo.hearAccept(9, 4);
    solo.hear(9, 'heartbeatResp', { term: 1, context: 0 });
    expect(solo.core.status().peers.map((known) => known.id)).toEqual([id(2), id(3)]);
  });
});

describe('pitfall 9: entries that were replaced before they were handed over are seen nowhere any more', () => {
  test('not by the log, not by a leader that sends it on', () => {
    const solo = new Solo([1, 2, 3]);
    const step = (from: number, term: number, prev: [number, number], entries: ReturnType<typeof entry>[]) =>
      solo.core.step({
        type: 'append',
        from: id(from),
        to: id(1),
        term,
        prevIndex: prev[0],
        prevTerm: prev[1],
        entries,
        commit: 0,
      });
    step(2, 1, [0, 0], [entry(1, 1), entry(2, 1, 'old'), entry(3, 1, 'old')]);
    step(3, 2, [1, 1], [entry(2, 2, 'new')]);
    solo.sync();
    expect(solo.log.entries).toEqual([entry(1, 1), entry(2, 2, 'new')]);
    expect(solo.readies.flatMap((ready) => ready.entries)).toEqual([entry(1, 1), entry(2, 2, 'new')]);
    solo.lead(false);
    solo.hearReject(2, 2, 1, 1);
    expect(solo.sent('append').at(-1)?.entries.slice(0, 1)).toEqual([entry(2, 2, 'new')]);
  });

  test('a conflict below what was handed over is cut from the log, once', () => {
    const solo = new Solo([1, 2, 3]);
    solo.hearAppend(2, 1, [0, 0], [entry(1, 1), entry(2, 1), entry(3, 1)]);
    solo.hearAppend(3, 2, [1, 1], [entry(2, 2)]);
    expect(solo.readies.map((ready) => ready.truncateFrom)).toEqual([undefined, 2]);
    expect(solo.log.entries).toEqual([entry(1, 1), entry(2, 2)]);
  });
});

describe('pitfall 10: a write in flight does not count for what has replaced it, nor for what has replaced that (ABA)', () => {
  test('entries of term 1, replaced in term 2, and back again in term 3', () => {
    const solo = new Solo([1, 2, 3, 4, 5]);
    const first = [entry(1, 1), entry(2, 1)];
    solo.hearAppend(2, 1, [0, 0], first);
    solo.hearAppend(3, 2, [0, 0], [entry(1, 2), entry(2, 2)]);
    solo.hearAppend(2, 3, [0, 0], first);
    const acks = solo.unsynced.map((ready) => ready.ack);
    expect(acks).toEqual([
      expect.objectContaining({ term: 1, index: 2, entryTerm: 1 }),
      expect.objectContaining({ term: 2, index: 2, entryTerm: 2 }),
      expect.objectContaining({ term: 3, index: 2, entryTerm: 1 }),
    ]);
    const durable = acks.map((ack) => {
      if (ack) solo.core.appended(ack);
      return solo.core.status().durable;
    });
    expect(durable).toEqual([0, 0, 2]);
  });

  test('what a leader of the same term has replaced', () => {
    const solo = new Solo([1, 2, 3], { hardState: { term: 2, vote: '' } });
    solo.hearAppend(2, 2, [0, 0], [entry(1, 1), entry(2, 1)]);
    const [old] = solo.unsynced;
    solo.hearAppend(2, 3, [0, 0], [entry(1, 1), entry(2, 3)]);
    solo.core.appended(old?.ack ?? { term: 3, index: 2, entryTerm: 1 });
    solo.core.appended({ term: 3, index: 2, entryTerm: 1 });
    expect(solo.core.status().durable).toBe(0);
  });

  test('a leader does not count its own writes of a term that has passed', () => {
    const solo = new Solo([1, 2, 3]);
    solo.hearAppend(2, 1, [0, 0], [entry(1, 1)]);
    const early = solo.unsynced[0]?.ack;
    solo.core.campaign();
    solo.hear(3, 'preVoteResp', { term: 2, reject: false });
    if (early) solo.core.appended(early);
    expect(solo.core.status().durable).toBe(0);
  });
});

describe('pitfall 11: the uncommitted tail of a leader that is cut off is bounded', () => {
  test('it refuses, and goes on when entries are committed', () => {
    const solo = new Solo([1, 2, 3], { maxUncommittedBytes: 10 });
    solo.lead();
    expect(solo.propose('12345678')).toMatchObject({ index: 2 });
    expect(solo.propose('123')).toBe('too_much_uncommitted');
    expect(solo.propose('12')).toMatchObject({ index: 3 });
    expect(solo.core.status().uncommittedBytes).toBe(10);
    solo.sync();
    solo.hearAccept(2, 2);
    expect(solo.core.status().uncommittedBytes).toBe(2);
    expect(solo.propose('123')).toMatchObject({ index: 4 });
  });

  test('a proposal larger than the bound passes when it is alone', () => {
    const solo = new Solo([1, 2, 3], { maxUncommittedBytes: 4 });
    solo.lead();
    expect(solo.propose('123456')).toMatchObject({ index: 2 });
    expect(solo.propose('1')).toBe('too_much_uncommitted');
  });

  test('a change of the configuration passes: it may be what brings a majority back', () => {
    const solo = new Solo([1, 2, 3], { maxUncommittedBytes: 4 });
    solo.lead();
    solo.propose('1234');
    expect(solo.core.proposeConfiguration({ type: 'remove', id: id(3) })).toMatchObject({ index: 3 });
  });

  test('what a former leadership left uncommitted does not count', () => {
    const solo = new Solo([1, 2, 3], { maxUncommittedBytes: 10 });
    solo.lead();
    solo.propose('1234567890');
    solo.sync();
    solo.tick(20);
    solo.lead(false);
    expect(solo.core.status().uncommittedBytes).toBe(0);
    expect(solo.propose('1234567890')).toMatchObject({ term: 2 });
  });
});

test('pitfall 13: only the end of a log is replaced, and never what is committed', () => {
  const solo = new Solo([1, 2, 3]);
  const changed = configurationEntry(2, 1, configuration([1, 2, 3, 4]));
  solo.hearAppend(2, 1, [0, 0], [entry(1, 1), changed, entry(3, 1)], 2);
  solo.sync();
  solo.hearAppend(3, 2, [0, 0], [entry(1, 2)]);
  expect(solo.log.entries).toEqual([entry(1, 1), changed, entry(3, 1)]);
  solo.hearAppend(3, 2, [2, 1], [entry(3, 2)]);
  expect(solo.log.entries).toEqual([entry(1, 1), changed, entry(3, 2)]);
  expect(solo.readies.flatMap((ready) => ready.truncateFrom ?? [])).toEqual([3]);
});
