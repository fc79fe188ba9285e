import { Cluster } from './cluster';
import { id } from './memory-log';
import { Solo } from './solo';

/** A leader whose process has ended is not waited for (4.2.3, 9.6 with a reason to think that nobody leads). */

const LEAST = 10;

/** Node 1 follows node 2, for which it voted in term 1 or not. */
function follower(voted = true): Solo {
  const solo = new Solo([1, 2, 3]);
  if (voted) solo.hear(2, 'vote', { term: 1, lastIndex: 0, lastTerm: 0, transfer: false });
  solo.hear(2, 'heartbeat', { term: 1, commit: 0, context: 0 });
  solo.sync();
  solo.forget();
  return solo;
}

function asked(solo: Solo, type: 'preVote' | 'vote', term: number): boolean | undefined {
  if (type === 'preVote') solo.hear(3, 'preVote', { term, lastIndex: 0, lastTerm: 0 });
  else solo.hear(3, 'vote', { term, lastIndex: 0, lastTerm: 0, transfer: false });
  solo.sync();
  return solo.sent(`${type}Resp`).at(-1)?.reject;
}

describe('a follower that is told that its leader is gone', () => {
  test('asks for votes well before the least election timeout, with a pre-vote', () => {
    const solo = follower();
    solo.core.peerGone(id(2));
    solo.turn();
    expect(solo.core.status().leader).toBe('');
    solo.tick(2);
    expect(solo.sent('preVote').map((m) => m.term)).toEqual([2, 2]);
    expect(solo.core.status().term).toBe(1);
  });

  test('gives its vote to another, which one that has not been told denies', () => {
    const told = follower();
    const untold = follower();
    told.core.peerGone(id(2));
    expect(asked(told, 'preVote', 2)).toBe(false);
    expect(asked(untold, 'preVote', 2)).toBeUndefined();
    expect(asked(told, 'vote', 2)).toBe(false);
    expect(asked(untold, 'vote', 2)).toBeUndefined();
    expect(untold.core.status().term).toBe(1);
  });

  test('does not vote a second time in the term of that leader', () => {
    const solo = follower();
    solo.core.peerGone(id(2));
    expect(asked(solo, 'vote', 1)).toBe(true);
    expect(solo.core.status()).toMatchObject({ term: 1, vote: id(2) });
  });

  test('follows it again, and for a whole election timeout, where it speaks after all', () => {
    const solo = follower();
    solo.core.peerGone(id(2));
    solo.hear(2, 'heartbeat', { term: 1, commit: 0, context: 0 });
    expect(solo.core.status().leader).toBe(id(2));
    solo.tick(LEAST - 1);
    expect(solo.sent('preVote')).toEqual([]);
    solo.hear(2, 'heartbeat', { term: 1, commit: 0, context: 0 });
    expect(asked(solo, 'vote', 2)).toBeUndefined();
  });

  test('asks again soon when the others were not ready for it, as long as it is told so', () => {
    const solo = follower();
    solo.core.peerGone(id(2));
    solo.tick(2);
    expect(solo.sent('preVote')).toHaveLength(2);
    solo.hear(3, 'preVoteResp', { term: 1, reject: true });
    solo.core.peerGone(id(2));
    solo.tick(4);
    expect(solo.sent('preVote')).toHaveLength(2);
  });
});

test('that a peer is gone which does not lead changes nothing', () => {
  const solo = follower();
  solo.core.peerGone(id(3));
  solo.tick(LEAST - 1);
  expect(solo.sent('preVote')).toEqual([]);
  expect(solo.core.status().leader).toBe(id(2));

  const leader = new Solo([1, 2, 3]);
  leader.lead();
  leader.core.peerGone(id(2));
  leader.tick(2);
  expect(leader.core.status().role).toBe('leader');
});

test('a learner that is told so forgets its leader and does not campaign', () => {
  const cluster = new Cluster(2);
  cluster.makeLeader(1);
  cluster.add(3);
  cluster.change(1, { type: 'addLearner', server: { id: id(3), name: 'n3', rpcAddr: '127.0.0.1:3' } });
  cluster.runUntil(() => cluster.status(3).leader === id(1), 'the learner follows');
  cluster.partition([1, 2]);
  cluster.call(3, (core) => core.peerGone(id(1)));
  cluster.run(60);
  expect(cluster.sent.filter((m) => m.from === id(3) && m.type === 'preVote')).toEqual([]);
});

test('all followers are told: there is a new leader before an election timeout could have passed', () => {
  for (let seed = 1; seed <= 50; seed++) {
    const cluster = new Cluster(5, { seed, options: { electionTicks: [100, 200] } });
    cluster.makeLeader(1);
    cluster.propose(1, 'before');
    cluster.converge();
    cluster.crash(1);
    const died = cluster.now();
    const told = [2, 3, 4, 5];
    cluster.runUntil(
      () => {
        // As a transport does that dials again and again.
        if ((cluster.now() - died) % 8 === 2) for (const n of told) cluster.call(n, (core) => core.peerGone(id(1)));
        return cluster.leaders().length === 1;
      },
      'another leader',
      99,
    );
    cluster.propose(cluster.electLeader(), 'after');
    cluster.restart(1);
    cluster.converge();
    expect(cluster.applied.get(id(1))).toEqual(['before', 'after']);
  }
});
