import { Cluster } from './cluster';
import { entry, id, MemoryLog } from './memory-log';
import { Solo } from './solo';

/** Where the section has a dot and the paper has none, it is the dissertation's. */
describe('8 client interaction, 6.4 reads', () => {
  test('a leader begins its term with a no-op, which commits what is before it', () => {
    const log = new MemoryLog({ index: 0, term: 0 }, [entry(1, 1), entry(2, 1)]);
    const solo = new Solo([1, 2, 3], {}, log);
    solo.lead(false);
    expect(solo.log.at(3)).toMatchObject({ index: 3, term: 2, kind: 1 });
    expect(solo.core.status().commit).toBe(0);
    solo.hearAccept(2, 3);
    expect(solo.core.status().commit).toBe(3);
  });

  test('a read is answered with the commit index, after a majority has confirmed the leader', () => {
    const solo = new Solo([1, 2, 3]);
    solo.lead();
    solo.core.readIndex(77);
    solo.turn();
    const [round] = solo.sent('heartbeat');
    expect(round?.context).toBeGreaterThan(0);
    expect(solo.readies.flatMap((ready) => ready.readStates)).toEqual([]);
    solo.hear(3, 'heartbeatResp', { term: 1, context: round?.context ?? 0 });
    expect(solo.readies.at(-1)?.readStates).toEqual([{ context: 77, index: 1 }]);
  });

  test('reads that come together share a round; one that comes later waits for a later one', () => {
    const solo = new Solo([1, 2, 3]);
    solo.lead();
    for (const context of [1, 2, 3]) solo.core.readIndex(context);
    solo.turn();
    const first = solo.sent('heartbeat');
    expect(first).toHaveLength(2);
    solo.core.readIndex(4);
    solo.turn();
    const second = solo.sent('heartbeat');
    solo.hear(2, 'heartbeatResp', { term: 1, context: first[0]?.context ?? 0 });
    expect(solo.readies.at(-1)?.readStates.map((state) => state.context)).toEqual([1, 2, 3]);
    solo.hear(2, 'heartbeatResp', { term: 1, context: second[0]?.context ?? 0 });
    expect(solo.readies.at(-1)?.readStates.map((state) => state.context)).toEqual([4]);
  });

  test('a later round confirms the earlier ones, whose answers may be lost', () => {
    const solo = new Solo([1, 2, 3]);
    solo.lead();
    solo.core.readIndex(1);
    solo.turn();
    solo.core.readIndex(2);
    solo.turn();
    const context = solo.sent('heartbeat').at(-1)?.context ?? 0;
    solo.hear(2, 'heartbeatResp', { term: 1, context });
    expect(solo.readies.at(-1)?.readStates.map((state) => state.context)).toEqual([1, 2]);
  });

  test('a round whose heartbeats were lost is announced again by the next heartbeats', () => {
    const solo = new Solo([1, 2, 3]);
    solo.lead();
    solo.core.readIndex(1);
    solo.turn();
    const lost = solo.sent('heartbeat')[0]?.context;
    solo.tick(2);
    expect(solo.sent('heartbeat').map((m) => m.context)).toEqual([lost, lost]);
  });

  test('a single voter answers at once, learners or not', () => {
    const solo = new Solo([1]);
    solo.sync();
    solo.core.readIndex(5);
    solo.turn();
    expect(solo.readies.at(-1)?.readStates).toEqual([{ context: 5, index: 1 }]);
  });

  test('a follower asks its leader', () => {
    const cluster = new Cluster(3);
    cluster.makeLeader(1);
    cluster.propose(1, 'x');
    cluster.run(4);
    cluster.call(2, (core) => core.readIndex(9));
    cluster.runUntil(() => cluster.readies.some(({ ready }) => ready.readStates.length > 0), 'the read is answered');
    const answered = cluster.readies.find(({ ready }) => ready.readStates.length > 0);
    expect(answered?.node).toBe(id(2));
    expect(answered?.ready.readStates).toEqual([{ context: 9, index: 2 }]);
  });

  test('without a leader a read is refused, with the reason', () => {
    const solo = new Solo([1, 2, 3]);
    solo.core.readIndex(3);
    solo.turn();
    expect(solo.readies.at(-1)?.readRefusals).toEqual([{ context: 3, reason: 'no_leader' }]);
    solo.hear(2, 'readIndex', { term: 0, context: 4 });
    expect(solo.sent('readIndexResp')).toEqual([expect.objectContaining({ to: id(2), refusal: 'not_leader' })]);
  });

  test('the confirmation of learners does not count', () => {
    const cluster = new Cluster(3);
    cluster.makeLeader(1);
    for (const n of [4, 5]) {
      cluster.change(1, { type: 'addLearner', server: { id: id(n), name: `n${n}`, rpcAddr: '' } });
      cluster.add(n);
      cluster.run(6);
    }
    cluster.partition([1, 4, 5], [2, 3]);
    cluster.call(1, (core) => core.readIndex(1));
    cluster.run(8);
    expect(cluster.readies.flatMap(({ ready }) => ready.readStates)).toEqual([]);
  });
});

describe('9.6 pre-vote, 6.2 check quorum, 4.2.3 disruptive servers', () => {
  test('a candidate asks first, and raises no term, its own included', () => {
    const solo = new Solo([1, 2, 3], { hardState: { term: 3, vote: '' } });
    solo.tick(200);
    expect(solo.core.status()).toMatchObject({ role: 'preCandidate', term: 3 });
    expect(solo.sent('preVote').every((m) => m.term === 4)).toBe(true);
    expect(solo.sent('vote')).toEqual([]);
  });

  test('a denied pre-vote ends the campaign', () => {
    const solo = new Solo([1, 2, 3]);
    solo.core.campaign();
    for (const n of [2, 3]) solo.hear(n, 'preVoteResp', { term: 0, reject: true });
    expect(solo.core.status().role).toBe('follower');
  });

  test('a grant for an earlier campaign does not count', () => {
    const solo = new Solo([1, 2, 3], { hardState: { term: 5, vote: '' } });
    solo.core.campaign();
    solo.hear(2, 'preVoteResp', { term: 5, reject: false });
    expect(solo.core.status().role).toBe('preCandidate');
    solo.hear(2, 'preVoteResp', { term: 6, reject: false });
    expect(solo.core.status().role).toBe('candidate');
  });

  test.each(['preVote', 'vote'] as const)('who hears a leader ignores a %s, of whatever term', (type) => {
    const solo = new Solo([1, 2, 3]);
    solo.hear(2, 'heartbeat', { term: 1, commit: 0, context: 0 });
    solo.tick(9);
    const ask = { term: 8, lastIndex: 50, lastTerm: 7 };
    if (type === 'vote') solo.hear(3, 'vote', { ...ask, transfer: false });
    else solo.hear(3, 'preVote', ask);
    solo.sync();
    expect(solo.core.status().term).toBe(1);
    expect([...solo.sent('voteResp'), ...solo.sent('preVoteResp')]).toEqual([]);
  });

  test('a leader that hears from no majority for an election timeout steps down', () => {
    const solo = new Solo([1, 2, 3, 4, 5]);
    solo.lead();
    solo.tick(10);
    expect(solo.core.status().role).toBe('leader');
    solo.hear(2, 'heartbeatResp', { term: 1, context: 0 });
    solo.tick(10);
    expect(solo.core.status()).toMatchObject({ role: 'follower', term: 1, leader: '' });
  });

  test('a node that comes back with a newer term is led again', () => {
    const cluster = new Cluster(3);
    cluster.makeLeader(1);
    cluster.crash(3);
    cluster.node(3).disk.hardState = { term: 9, vote: id(3) };
    cluster.restart(3);
    cluster.runUntil(() => cluster.status(3).leader !== '', 'node 3 follows a leader');
    expect(cluster.status(3).term).toBeGreaterThanOrEqual(9);
  });
});
