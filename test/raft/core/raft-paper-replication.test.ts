import { EntryKind, type Entry } from '../../../src/raft/core';
import { Cluster } from './cluster';
import { entry, id, MemoryLog } from './memory-log';
import { freshDisk } from './sim-node';
import { configuration } from './memory-log';
import { Solo } from './solo';

/** A log from the terms of its entries, index 1 on. */
function logOf(terms: number[]): MemoryLog {
  return new MemoryLog(
    { index: 0, term: 0 },
    terms.map((term, n) => entry(n + 1, term)),
  );
}

function termsOf(log: { entries: readonly Entry[] }): number[] {
  return log.entries.map((stored) => stored.term);
}

describe('5.3 log replication', () => {
  test('a proposal is in the leader log at once, goes to all others, and is committed with a majority', () => {
    const solo = new Solo([1, 2, 3]);
    solo.lead();
    expect(solo.propose('x')).toEqual({ index: 2, term: 1 });
    expect(solo.log.lastIndex).toBe(2);
    expect(solo.sent('append').map((m) => [m.to, m.prevIndex, m.entries.length])).toEqual([
      [id(2), 1, 1],
      [id(3), 1, 1],
    ]);
    solo.sync();
    expect(solo.core.status().commit).toBe(1);
    solo.hearAccept(3, 2);
    expect(solo.core.status().commit).toBe(2);
    expect(solo.readies.at(-1)?.committed).toEqual({ from: 2, to: 2 });
    // The follower learns of it without waiting for the next heartbeat.
    expect(solo.sent('append')).toEqual([
      expect.objectContaining({ to: id(2), commit: 2 }),
      expect.objectContaining({ to: id(3), commit: 2 }),
    ]);
  });

  test('what is proposed in one turn travels together', () => {
    const solo = new Solo([1, 2, 3]);
    solo.lead();
    for (const value of ['a', 'b', 'c']) solo.core.propose(EntryKind.records, [Buffer.from(value)], 1);
    solo.turn();
    expect(solo.sent('append').map((m) => m.entries.length)).toEqual([3, 3]);
  });

  // The follower's log has terms 1, 2 at indexes 1, 2.
  test.each([
    { prev: [0, 0], accepts: true },
    { prev: [1, 1], accepts: true },
    { prev: [2, 2], accepts: true },
    { prev: [1, 2], accepts: false },
    { prev: [2, 1], accepts: false },
    { prev: [3, 2], accepts: false },
  ])('an append behind entry $prev is accepted: $accepts', ({ prev: [index = 0, term = 0], accepts }) => {
    const solo = new Solo([1, 2, 3], {}, logOf([1, 2]));
    solo.hearAppend(2, 3, [index, term], []);
    solo.sync();
    expect(solo.sent('appendResp').map((m) => m.reject)).toEqual([!accepts]);
  });

  test.each([
    { prev: [2, 2], terms: [3], after: [1, 2, 3], truncated: undefined },
    { prev: [1, 1], terms: [3, 4], after: [1, 3, 4], truncated: 2 },
    { prev: [0, 0], terms: [1], after: [1, 2], truncated: undefined },
    { prev: [0, 0], terms: [3], after: [3], truncated: 1 },
    { prev: [0, 0], terms: [1, 2, 3], after: [1, 2, 3], truncated: undefined },
  ])('entries of terms $terms behind $prev give $after', ({ prev: [index = 0, term = 0], terms, after, truncated }) => {
    const solo = new Solo([1, 2, 3], {}, logOf([1, 2]));
    const entries = terms.map((t, n) => entry(index + 1 + n, t));
    solo.hearAppend(2, 4, [index, term], entries);
    expect(termsOf(solo.log)).toEqual(after);
    expect(solo.readies.find((ready) => ready.truncateFrom !== undefined)?.truncateFrom).toBe(truncated);
  });

  // Figure 7: the leader of term 8 brings every kind of log in line with its own.
  test.each([
    ['a', [1, 1, 1, 4, 4, 5, 5, 6, 6]],
    ['b', [1, 1, 1, 4]],
    ['c', [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6]],
    ['d', [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7]],
    ['e', [1, 1, 1, 4, 4, 4, 4]],
    ['f', [1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3]],
  ])('figure 7, follower (%s)', (_, terms) => {
    const cluster = new Cluster(0);
    const all = configuration([1, 2, 3]);
    const leaderTerms = [1, 1, 1, 4, 4, 5, 5, 6, 6, 6];
    for (const [n, log] of [
      [1, logOf(leaderTerms)],
      [2, logOf(terms)],
      [3, logOf([])],
    ] as const) {
      cluster.start(n, { ...freshDisk(all), log, hardState: { term: 7, vote: '' } });
    }
    cluster.crash(2);
    cluster.makeLeader(1);
    cluster.restart(2);
    cluster.converge();
    expect(termsOf(cluster.node(2).log)).toEqual([...leaderTerms, 8]);
  });

  test('a rejected probe skips whole terms, on both sides', () => {
    const leader = logOf([1, 1, 1, ...Array<number>(200).fill(5)]);
    const follower = logOf([1, 1, 1, ...Array<number>(200).fill(2)]);
    const cluster = new Cluster(0);
    const all = configuration([1, 2, 3]);
    cluster.start(1, { ...freshDisk(all), log: leader, hardState: { term: 6, vote: '' } });
    cluster.start(2, { ...freshDisk(all), log: follower, hardState: { term: 6, vote: '' } });
    cluster.start(3, { ...freshDisk(all), log: leader.copy(), hardState: { term: 6, vote: '' } });
    cluster.makeLeader(1);
    cluster.converge();
    const rejected = cluster.sent.filter((m) => m.type === 'appendResp' && m.reject && m.from === id(2));
    expect(rejected.length).toBeLessThanOrEqual(2);
    expect(termsOf(cluster.node(2).log)).toEqual(termsOf(cluster.node(1).log));
  });

  test('5.5 a follower that was down gets what it missed', () => {
    const cluster = new Cluster(3);
    cluster.makeLeader(1);
    cluster.crash(3);
    for (let i = 0; i < 40; i++) {
      cluster.propose(1, `v${i}`);
      cluster.run(1);
    }
    cluster.restart(3);
    cluster.converge();
    expect(cluster.applied.get(id(3))).toEqual(cluster.applied.get(id(1)));
  });

  test('a minority cannot commit, and what it took is replaced when it comes back', () => {
    const cluster = new Cluster(5);
    cluster.makeLeader(1);
    cluster.partition([1, 2], [3, 4, 5]);
    cluster.propose(1, 'lost');
    cluster.call(3, (core) => core.campaign());
    cluster.runUntil(
      () => cluster.leaders().includes(3) || cluster.leaders().some((n) => n > 3),
      'the majority elects a leader',
    );
    const leader = cluster.leaders().find((n) => n >= 3) ?? 0;
    cluster.propose(leader, 'kept');
    cluster.run(10);
    expect(cluster.applied.get(id(1))).toEqual([]);
    cluster.heal();
    cluster.converge();
    for (const n of [1, 2, 3, 4, 5]) expect(cluster.applied.get(id(n))).toEqual(['kept']);
  });
});

describe('5.4.2 committing entries from previous terms', () => {
  test('figure 8: an older entry on a majority is not committed by being there', () => {
    // (c): S1 leads term 4 again; index 2 of term 2 reaches S3, so S1, S2, S3 have it.
    const solo = new Solo([1, 2, 3, 4, 5], { hardState: { term: 3, vote: '' } }, logOf([1, 2]));
    solo.lead(false);
    expect(termsOf(solo.log)).toEqual([1, 2, 4]);
    for (const n of [2, 3]) solo.hearAccept(n, 2);
    expect(solo.core.status().commit).toBe(0);
    // (e): only with an entry of its own term.
    for (const n of [2, 3]) solo.hearAccept(n, 3);
    expect(solo.core.status().commit).toBe(3);
  });

  test('figure 8 (d): S5 may still win and replace it everywhere', () => {
    const all = configuration([1, 2, 3, 4, 5]);
    const cluster = new Cluster(0);
    const disks: [number, number[]][] = [
      [1, [1, 2]],
      [2, [1, 2]],
      [3, [1, 2]],
      [4, [1]],
      [5, [1, 3]],
    ];
    for (const [n, terms] of disks) {
      cluster.start(n, { ...freshDisk(all), log: logOf(terms), hardState: { term: 4, vote: '' } });
    }
    cluster.crash(1);
    cluster.makeLeader(5);
    cluster.restart(1);
    cluster.converge();
    for (const n of [1, 2, 3, 4]) expect(termsOf(cluster.node(n).log)).toEqual([1, 3, 5]);
  });
});
