import { Cluster } from './cluster';
import { entry, id, MemoryLog } from './memory-log';
import { Solo } from './solo';

/** Bugs that other systems shipped, each with a test that fails when the bug is put back in. Part: votes and terms. */

test('pitfall 1: an entry of an earlier term is not committed by counting replicas (figure 3.7)', () => {
  const log = new MemoryLog({ index: 0, term: 0 }, [entry(1, 1), entry(2, 2)]);
  const solo = new Solo([1, 2, 3], { hardState: { term: 3, vote: '' } }, log);
  solo.lead(false);
  solo.hearAccept(2, 2);
  solo.hearAccept(3, 2);
  solo.sync();
  expect(solo.core.status()).toMatchObject({ term: 4, commit: 0 });
  solo.hearAccept(2, 3);
  expect(solo.core.status().commit).toBe(3);
});

describe('pitfall 2: no vote and no term is told before it is durable', () => {
  test('a vote leaves only after the sync', () => {
    const solo = new Solo([1, 2, 3]);
    solo.hear(2, 'vote', { term: 1, lastIndex: 0, lastTerm: 0, transfer: false });
    expect(solo.sent('voteResp')).toEqual([]);
    expect(solo.unsynced.at(-1)?.hardState).toEqual({ term: 1, vote: id(2) });
    solo.sync();
    expect(solo.sent('voteResp').map((m) => m.reject)).toEqual([false]);
  });

  test('a campaign, and the own vote in it, waits for the sync', () => {
    const solo = new Solo([1, 2, 3]);
    solo.core.campaign();
    solo.hear(2, 'preVoteResp', { term: 1, reject: false });
    expect(solo.sent('vote')).toEqual([]);
    solo.hear(2, 'voteResp', { term: 1, reject: false });
    expect(solo.core.status().role).toBe('candidate');
    solo.sync();
    expect(solo.core.status().role).toBe('leader');
  });

  test('power fails at any moment of an election: nobody votes twice in a term', () => {
    // The invariants of the cluster watch every vote that leaves a node.
    for (let seed = 1; seed <= 40; seed++) {
      const cluster = new Cluster(3, { seed, storage: [1, 8], delay: [1, 5] });
      for (let round = 0; round < 12; round++) {
        for (const n of [1, 2, 3]) cluster.call(n, (core) => core.campaign());
        cluster.run(cluster.random.below(12));
        const n = 1 + cluster.random.below(3);
        cluster.crash(n);
        cluster.restart(n);
      }
      cluster.electLeader();
    }
  });
});

describe('pitfall 3: a vote is not forgotten within its term', () => {
  const ask = (solo: Solo, term: number): boolean | undefined => {
    solo.hear(3, 'vote', { term, lastIndex: 99, lastTerm: term - 1, transfer: true });
    solo.sync();
    return solo.sent('voteResp').at(-1)?.reject;
  };

  test('when a candidate gives up for a leader of the same term', () => {
    const solo = new Solo([1, 2, 3]);
    solo.core.campaign();
    solo.hear(2, 'preVoteResp', { term: 1, reject: false });
    solo.sync();
    solo.hearAppend(2, 1, [0, 0], []);
    expect(solo.core.status()).toMatchObject({ role: 'follower', vote: id(1) });
    expect(ask(solo, 1)).toBe(true);
  });

  test('when a leader steps down because it hears no majority', () => {
    const solo = new Solo([1, 2, 3]);
    solo.lead();
    solo.tick(20);
    expect(solo.core.status()).toMatchObject({ role: 'follower', term: 1, vote: id(1) });
    expect(ask(solo, 1)).toBe(true);
  });

  test('when a candidate has lost', () => {
    const solo = new Solo([1, 2, 3]);
    solo.core.campaign();
    solo.hear(2, 'preVoteResp', { term: 1, reject: false });
    solo.sync();
    for (const n of [2, 3]) solo.hear(n, 'voteResp', { term: 1, reject: true });
    expect(solo.core.status().role).toBe('follower');
    expect(ask(solo, 1)).toBe(true);
  });

  test('when leadership was handed over', () => {
    const solo = new Solo([1, 2, 3]);
    solo.lead();
    expect(solo.core.transferLeadership(id(2))).toBeUndefined();
    solo.turn();
    solo.hear(2, 'vote', { term: 2, lastIndex: 1, lastTerm: 1, transfer: true });
    solo.sync();
    expect(solo.sent('voteResp').map((m) => [m.to, m.reject])).toEqual([[id(2), false]]);
    expect(ask(solo, 2)).toBe(true);
  });
});

describe('pitfall 4: the election timer is started anew only by a leader of this term and by a vote that is granted', () => {
  const longLog = () => new MemoryLog({ index: 0, term: 0 }, [entry(1, 1), entry(2, 4)]);
  const follower = () => {
    const solo = new Solo([1, 2, 3], { hardState: { term: 5, vote: '' } }, longLog());
    solo.tick(9);
    expect(solo.sent('preVote')).toEqual([]);
    return solo;
  };

  test.each([5, 6])('a denied vote request of term %d', (term) => {
    const solo = follower();
    solo.hear(2, 'vote', { term, lastIndex: 1, lastTerm: 1, transfer: false });
    solo.tick();
    expect(solo.sent('preVote')).toHaveLength(2);
  });

  test('a denied pre-vote request', () => {
    const solo = follower();
    solo.hear(2, 'preVote', { term: 6, lastIndex: 1, lastTerm: 1 });
    solo.tick();
    expect(solo.sent('preVote')).toHaveLength(2);
  });

  test("a stale leader's append and heartbeat", () => {
    const solo = follower();
    solo.hearAppend(2, 4, [2, 4], []);
    solo.hear(2, 'heartbeat', { term: 4, commit: 0, context: 0 });
    solo.tick();
    expect(solo.sent('preVote')).toHaveLength(2);
  });

  test('but a granted vote and a heartbeat of this term do start it anew', () => {
    for (const calm of [
      (solo: Solo) => solo.hear(2, 'vote', { term: 6, lastIndex: 9, lastTerm: 4, transfer: false }),
      (solo: Solo) => solo.hear(2, 'heartbeat', { term: 5, commit: 0, context: 0 }),
    ]) {
      const solo = follower();
      calm(solo);
      solo.tick(9);
      expect(solo.sent('preVote')).toEqual([]);
    }
  });
});

describe('pitfall 5: no half-connected or removed node disturbs those who have a leader', () => {
  test.each([
    { what: 'of five nodes, two see only a third', nodes: 5, links: ['12', '13', '23', '34', '35'] },
    {
      what: 'of five nodes, two see only a third and each other',
      nodes: 5,
      links: ['12', '13', '23', '34', '35', '45'],
    },
    { what: 'of three nodes, one sees only the follower', nodes: 3, links: ['12', '23'] },
  ])('$what: leader and term stay', ({ nodes, links }) => {
    const cluster = new Cluster(nodes);
    cluster.makeLeader(1);
    const { term } = cluster.status(1);
    const linked = new Set(links.flatMap(([a, b]) => [id(Number(a)) + id(Number(b)), id(Number(b)) + id(Number(a))]));
    cluster.passes = (m) => linked.has(m.from + m.to);
    for (let i = 0; i < 100; i++) {
      cluster.run(5);
      expect([cluster.leaders(), cluster.status(1).term]).toEqual([[1], term]);
    }
    cluster.heal();
    cluster.run(50);
    expect([cluster.leaders(), cluster.status(1).term]).toEqual([[1], term]);
  });

  test('a node that was cut off comes back without a new election', () => {
    const cluster = new Cluster(3);
    cluster.makeLeader(1);
    cluster.partition([1, 2], [3]);
    cluster.run(300);
    cluster.heal();
    cluster.run(100);
    expect([cluster.leaders(), cluster.status(3).term]).toEqual([[1], 1]);
  });

  test('a removed node that does not know it asks in vain', () => {
    const cluster = new Cluster(4);
    cluster.makeLeader(1);
    cluster.partition([1, 2, 3], [4]);
    cluster.change(1, { type: 'remove', id: id(4) });
    cluster.run(20);
    cluster.heal();
    cluster.run(300);
    expect([cluster.leaders(), cluster.status(1).term]).toEqual([[1], 1]);
    expect(cluster.status(4).role).not.toBe('leader');
  });

  test('a leader that can send but not receive gives way', () => {
    const cluster = new Cluster(3);
    cluster.makeLeader(1);
    cluster.passes = (m) => m.to !== id(1);
    cluster.runUntil(() => cluster.leaders().some((n) => n !== 1), 'another node leads');
    const leader = cluster.leaders().find((n) => n !== 1) ?? 0;
    cluster.propose(leader, 'goes on');
    cluster.runUntil(() => cluster.applied.get(id(leader))?.includes('goes on') ?? false, 'the others commit');
  });
});
