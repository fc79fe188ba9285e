import { Cluster } from './cluster';
import { entry, id, MemoryLog } from './memory-log';
import { Solo } from './solo';

/** The sections are those of "In Search of an Understandable Consensus Algorithm" (extended version, 2014). */
describe('5.1 terms', () => {
  test('a follower takes over a newer term and forgets whom it voted for', () => {
    const solo = new Solo([1, 2, 3]);
    solo.hear(2, 'vote', { term: 1, lastIndex: 0, lastTerm: 0, transfer: false });
    expect(solo.core.status()).toMatchObject({ term: 1, vote: id(2) });
    solo.hearAppend(3, 2, [0, 0], []);
    expect(solo.core.status()).toMatchObject({ term: 2, vote: '', leader: id(3), role: 'follower' });
  });

  test.each(['candidate', 'leader'] as const)('a %s that learns of a newer term becomes a follower', (role) => {
    const solo = new Solo([1, 2, 3]);
    if (role === 'leader') solo.lead();
    else {
      solo.core.campaign();
      solo.hear(2, 'preVoteResp', { term: 1, reject: false });
    }
    expect(solo.core.status().role).toBe(role);
    solo.hear(3, 'heartbeat', { term: 7, commit: 0, context: 0 });
    expect(solo.core.status()).toMatchObject({ role: 'follower', term: 7, leader: id(3) });
  });

  test('a message of an older term changes nothing; its leader is told the newer term', () => {
    const solo = new Solo([1, 2, 3], { hardState: { term: 5, vote: '' } });
    solo.hearAppend(2, 4, [0, 0], [entry(1, 4)]);
    expect(solo.log.lastIndex).toBe(0);
    expect(solo.sent('appendResp')).toEqual([expect.objectContaining({ to: id(2), term: 5, reject: true })]);
    solo.hear(2, 'vote', { term: 4, lastIndex: 9, lastTerm: 4, transfer: false });
    solo.sync();
    expect(solo.sent('voteResp')).toEqual([]);
  });

  test('after a crash the term is at least that of the last entry, although it was not written down itself', () => {
    const solo = new Solo(
      [1, 2, 3],
      { hardState: { term: 2, vote: id(2) } },
      new MemoryLog({ index: 0, term: 0 }, [entry(1, 3)]),
    );
    solo.turn();
    expect(solo.core.status()).toMatchObject({ term: 3, vote: '' });
    expect(solo.readies[0]?.hardState).toEqual({ term: 3, vote: '' });
  });
});

describe('5.2 leader election', () => {
  test('a node starts as a follower and stays one while it hears from a leader', () => {
    const solo = new Solo([1, 2, 3]);
    for (let i = 0; i < 30; i++) {
      solo.tick(9);
      solo.hear(2, 'heartbeat', { term: 1, commit: 0, context: 0 });
    }
    expect(solo.core.status()).toMatchObject({ role: 'follower', leader: id(2), term: 1 });
  });

  test('a leader sends heartbeats at its interval, to everyone', () => {
    const solo = new Solo([1, 2, 3]);
    solo.lead();
    solo.tick(2);
    expect(solo.sent('heartbeat').map((m) => m.to)).toEqual([id(2), id(3)]);
    solo.tick(1);
    expect(solo.sent('heartbeat')).toEqual([]);
    solo.tick(1);
    expect(solo.sent('heartbeat')).toHaveLength(2);
  });

  test('a follower that hears nothing asks for votes in the next term and votes for itself', () => {
    const solo = new Solo([1, 2, 3], { hardState: { term: 4, vote: '' } });
    solo.tick(10);
    solo.hear(2, 'preVoteResp', { term: 5, reject: false });
    expect(solo.core.status()).toMatchObject({ role: 'candidate', term: 5, vote: id(1) });
    solo.sync();
    expect(solo.sent('vote').map((m) => [m.to, m.term])).toEqual([
      [id(2), 5],
      [id(3), 5],
    ]);
  });

  test.each([
    { voters: 1, granted: 0, refused: 0, role: 'leader' },
    { voters: 3, granted: 1, refused: 0, role: 'leader' },
    { voters: 3, granted: 1, refused: 1, role: 'leader' },
    { voters: 3, granted: 0, refused: 1, role: 'candidate' },
    { voters: 3, granted: 0, refused: 2, role: 'follower' },
    { voters: 5, granted: 1, refused: 2, role: 'candidate' },
    { voters: 5, granted: 2, refused: 0, role: 'leader' },
    { voters: 5, granted: 1, refused: 3, role: 'follower' },
  ])('of $voters voters, $granted others for and $refused against: $role', ({ voters, granted, refused, role }) => {
    const solo = new Solo(Array.from({ length: voters }, (_, n) => n + 1));
    solo.core.campaign();
    for (let n = 2; n <= voters; n++) solo.hear(n, 'preVoteResp', { term: 1, reject: false });
    solo.sync();
    for (let n = 2; n < 2 + granted + refused; n++) solo.hear(n, 'voteResp', { term: 1, reject: n >= 2 + granted });
    expect(solo.core.status().role).toBe(role);
  });

  test('votes are given to the first who asks, once a term, and again to the same', () => {
    const solo = new Solo([1, 2, 3]);
    const ask = (from: number) => {
      solo.hear(from, 'vote', { term: 1, lastIndex: 0, lastTerm: 0, transfer: false });
      solo.sync();
      return solo.sent('voteResp').map((m) => m.reject);
    };
    expect([ask(2), ask(3), ask(2)]).toEqual([[false], [true], [false]]);
  });

  test('a doubled vote counts once', () => {
    const solo = new Solo([1, 2, 3, 4, 5]);
    solo.core.campaign();
    for (const n of [2, 3]) solo.hear(n, 'preVoteResp', { term: 1, reject: false });
    solo.sync();
    for (let i = 0; i < 3; i++) solo.hear(2, 'voteResp', { term: 1, reject: false });
    expect(solo.core.status().role).toBe('candidate');
  });

  test.each([1, 2])('a candidate of term 1 that hears from a leader of term %d follows it', (term) => {
    const solo = new Solo([1, 2, 3]);
    solo.core.campaign();
    solo.hear(2, 'preVoteResp', { term: 1, reject: false });
    solo.hearAppend(3, term, [0, 0], []);
    expect(solo.core.status()).toMatchObject({ role: 'follower', leader: id(3), term });
  });

  test('election timeouts are drawn from the whole range, anew for each election', () => {
    const timeouts = new Set<number>();
    let drawn = 0;
    const solo = new Solo([1, 2, 3], { random: { next: () => (drawn = (drawn + 0.37) % 1) } });
    for (let i = 0; i < 50; i++) {
      let ticks = 0;
      solo.forget();
      while (solo.sent('preVote').length === 0) {
        solo.tick();
        ticks += 1;
      }
      timeouts.add(ticks);
    }
    expect(Math.min(...timeouts)).toBe(10);
    expect(Math.max(...timeouts)).toBe(19);
    expect(timeouts.size).toBe(10);
  });

  test('a split vote is resolved: many clusters that all start at once elect a leader', () => {
    for (let seed = 1; seed <= 30; seed++) {
      const cluster = new Cluster(4, { seed, delay: [1, 4] });
      for (const n of [1, 2, 3, 4]) cluster.call(n, (core) => core.campaign());
      cluster.electLeader();
    }
  });
});

describe('5.4.1 election restriction', () => {
  // The voter's log ends with index 3 of term 3.
  test.each([
    { lastIndex: 3, lastTerm: 3, granted: true, why: 'the same' },
    { lastIndex: 4, lastTerm: 3, granted: true, why: 'longer' },
    { lastIndex: 2, lastTerm: 3, granted: false, why: 'shorter' },
    { lastIndex: 1, lastTerm: 4, granted: true, why: 'shorter, but of a later term' },
    { lastIndex: 9, lastTerm: 2, granted: false, why: 'longer, but of an earlier term' },
  ])('a log that is $why: granted $granted', ({ lastIndex, lastTerm, granted }) => {
    const log = new MemoryLog({ index: 0, term: 0 }, [entry(1, 1), entry(2, 3), entry(3, 3)]);
    const solo = new Solo([1, 2, 3], {}, log);
    solo.hear(2, 'preVote', { term: 9, lastIndex, lastTerm });
    expect(solo.sent('preVoteResp').map((m) => m.reject)).toEqual([!granted]);
    solo.hear(2, 'vote', { term: 9, lastIndex, lastTerm, transfer: false });
    solo.sync();
    expect(solo.sent('voteResp').map((m) => m.reject)).toEqual([!granted]);
  });

  test('a node that lacks a committed entry is not elected', () => {
    const cluster = new Cluster(3);
    cluster.makeLeader(1);
    cluster.partition([1, 2], [3]);
    cluster.propose(1, 'committed without 3');
    cluster.run(5);
    cluster.crash(1);
    cluster.partition([2, 3]);
    cluster.call(3, (core) => core.campaign());
    const leader = cluster.electLeader();
    expect(leader).toBe(2);
    cluster.converge();
    expect(cluster.applied.get(id(3))).toEqual(['committed without 3']);
  });
});
