import { Cluster } from './cluster';
import { id, server } from './memory-log';
import { Solo } from './solo';

/** Dissertation 3.10. */

test('leadership moves to the target, without an election timeout and without losing a proposal', () => {
  const cluster = new Cluster(3);
  cluster.makeLeader(1);
  cluster.propose(1, 'before');
  const started = cluster.now();
  expect(cluster.call(1, (core) => core.transferLeadership(id(3)))).toBeUndefined();
  cluster.runUntil(() => cluster.leaders().join() === '3', 'node 3 leads');
  expect(cluster.now() - started).toBeLessThan(10);
  cluster.propose(3, 'after');
  cluster.converge();
  expect(cluster.applied.get(id(1))).toEqual(['before', 'after']);
});

test('a target that is behind gets the log first', () => {
  const cluster = new Cluster(3);
  cluster.makeLeader(1);
  cluster.partition([1, 2], [3]);
  cluster.propose(1, 'x');
  cluster.run(4);
  cluster.heal();
  cluster.call(1, (core) => core.transferLeadership(id(3)));
  expect(cluster.sent.some((m) => m.type === 'timeoutNow')).toBe(false);
  cluster.runUntil(() => cluster.leaders().join() === '3', 'node 3 leads');
  expect(cluster.node(3).log.lastIndex).toBeGreaterThanOrEqual(2);
});

test('proposals are refused meanwhile; it is given up after the least election timeout', () => {
  const solo = new Solo([1, 2, 3]);
  solo.lead();
  solo.core.transferLeadership(id(2));
  solo.turn();
  expect(solo.sent('timeoutNow').map((m) => m.to)).toEqual([id(2)]);
  expect(solo.propose('x')).toBe('transferring');
  expect(solo.core.proposeConfiguration({ type: 'addLearner', server: server(4) })).toBe('transferring');
  for (let i = 0; i < 10; i++) {
    expect(solo.core.status().transferee).toBe(id(2));
    solo.tick();
  }
  expect(solo.core.status()).toMatchObject({ role: 'leader', transferee: '' });
  expect(solo.propose('x')).toMatchObject({ term: 1 });
});

test('a second request takes the place of the first, the same again changes nothing', () => {
  const solo = new Solo([1, 2, 3]);
  solo.lead();
  solo.propose('x');
  solo.core.transferLeadership(id(2));
  solo.tick(9);
  solo.core.transferLeadership(id(2));
  solo.tick();
  expect(solo.core.status().transferee).toBe('');
  solo.core.transferLeadership(id(2));
  solo.core.transferLeadership(id(3));
  solo.hearAccept(3, 2);
  expect(solo.sent('timeoutNow').map((m) => m.to)).toEqual([id(3)]);
});

test('only a voter, another one, by the leader', () => {
  const solo = new Solo([1, 2, 3]);
  expect(solo.core.transferLeadership(id(2))).toBe('not_leader');
  solo.lead();
  expect(solo.core.transferLeadership(id(1))).toBe('already_leader');
  expect(solo.core.transferLeadership(id(9))).toBe('not_a_voter');
  solo.core.proposeConfiguration({ type: 'addLearner', server: server(4) });
  expect(solo.core.transferLeadership(id(4))).toBe('not_a_voter');
});

test('a target that is removed is one no more', () => {
  const solo = new Solo([1, 2, 3]);
  solo.lead();
  solo.core.proposeConfiguration({ type: 'remove', id: id(3) });
  expect(solo.core.transferLeadership(id(3))).toBe('not_a_voter');
});

test('the call to campaign is heeded only from the leader of the term', () => {
  const solo = new Solo([1, 2, 3]);
  solo.hear(2, 'heartbeat', { term: 3, commit: 0, context: 0 });
  solo.hear(3, 'timeoutNow', { term: 3 });
  solo.hear(2, 'timeoutNow', { term: 2 });
  expect(solo.core.status()).toMatchObject({ role: 'follower', term: 3 });
  solo.hear(2, 'timeoutNow', { term: 3 });
  expect(solo.core.status()).toMatchObject({ role: 'candidate', term: 4 });
  solo.sync();
  expect(solo.sent('vote').map((m) => m.transfer)).toEqual([true, true]);
});

test('a vote asked for by the leader is not denied because that leader is heard', () => {
  const solo = new Solo([1, 2, 3]);
  solo.hear(2, 'heartbeat', { term: 3, commit: 0, context: 0 });
  solo.hear(3, 'vote', { term: 4, lastIndex: 0, lastTerm: 0, transfer: true });
  solo.sync();
  expect(solo.sent('voteResp').map((m) => m.reject)).toEqual([false]);
});
