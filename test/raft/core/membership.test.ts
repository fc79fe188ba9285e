import type { ConfigurationChange } from '../../../src/raft/core';
import { Cluster } from './cluster';
import { configuration, configurationEntry, entry, id, MemoryLog, server } from './memory-log';
import { Solo } from './solo';

/** Section 6 of the paper, chapter 4 of the dissertation. */

function committed(cluster: Cluster, leader: number, change: ConfigurationChange): void {
  const result = cluster.change(leader, change);
  if (typeof result === 'string') throw new Error(`The change ${change.type} was refused: ${result}.`);
  cluster.runUntil(() => cluster.status(leader).commit >= result.index, `the change ${change.type} is committed`);
}

test('a cluster grows from one to three and shrinks to another one, without losing anything', () => {
  const cluster = new Cluster(1);
  cluster.electLeader();
  for (const n of [2, 3]) {
    cluster.propose(1, `before ${n}`);
    committed(cluster, 1, { type: 'addLearner', server: server(n) });
    cluster.add(n);
    cluster.converge();
    cluster.run(2);
    committed(cluster, 1, { type: 'promote', id: id(n) });
  }
  expect(cluster.status(1).configuration).toEqual(configuration([1, 2, 3]));
  committed(cluster, 1, { type: 'remove', id: id(2) });
  cluster.crash(2);
  cluster.change(1, { type: 'remove', id: id(1) });
  cluster.runUntil(() => cluster.leaders().includes(3), 'node 3 leads alone');
  cluster.propose(3, 'after');
  cluster.run(5);
  expect(cluster.status(3).configuration).toEqual(configuration([3]));
  expect(cluster.applied.get(id(3))).toEqual(['before 2', 'before 3', 'after']);
});

test('4.2.1 a new learner takes entries from a leader that it does not know, before it knows the configuration', () => {
  const solo = new Solo([], { snapshotMeta: { index: 0, term: 0, configuration: configuration([]) } });
  solo.hearAppend(5, 7, [0, 0], [entry(1, 7), configurationEntry(2, 7, configuration([5], [1]))], 2);
  solo.sync();
  expect(solo.core.status()).toMatchObject({ applied: 2, leader: id(5), configuration: configuration([5], [1]) });
  expect(solo.sent('appendResp').map((m) => m.index)).toEqual([2]);
});

test('a node without a configuration never campaigns, and answers who asks', () => {
  const solo = new Solo([], { snapshotMeta: { index: 0, term: 0, configuration: configuration([]) } });
  solo.tick(100);
  expect(solo.core.status()).toMatchObject({ role: 'follower', term: 0 });
  solo.hear(9, 'preVote', { term: 4, lastIndex: 3, lastTerm: 3 });
  expect(solo.sent('preVoteResp').map((m) => m.reject)).toEqual([false]);
});

test('4.2.2 a leader that fails after it has appended its own removal can still be the one that commits it', () => {
  const cluster = new Cluster(2);
  cluster.makeLeader(1);
  cluster.passes = (m) => !(m.type === 'append' && m.entries.length > 0);
  cluster.change(1, { type: 'remove', id: id(1) });
  cluster.run(2);
  // Node 2 needs the vote of node 1, which has the longer log and so must win itself.
  cluster.crash(1);
  cluster.heal();
  cluster.restart(1);
  cluster.runUntil(
    () => cluster.leaders().includes(2) && cluster.status(2).configuration.voters.length === 1,
    'node 2 is alone',
  );
  cluster.propose(2, 'alone');
  cluster.run(3);
  expect(cluster.applied.get(id(2))).toEqual(['alone']);
});

test('a learner is promoted only when it has caught up and answers', () => {
  const cluster = new Cluster(1, { options: { maxInflightMessages: 4 } });
  cluster.electLeader();
  for (let i = 0; i < 20; i++) cluster.propose(1, `v${i}`);
  committed(cluster, 1, { type: 'addLearner', server: server(2) });
  expect(cluster.change(1, { type: 'promote', id: id(2) })).toBe('learner_not_caught_up');
  cluster.add(2);
  cluster.converge();
  cluster.run(2);
  expect(cluster.change(1, { type: 'promote', id: id(2) })).toMatchObject({ term: 1 });
});

describe('a change that makes no sense is refused', () => {
  const base = configuration([1, 2], [3]);
  const solo = new Solo([1, 2], { snapshotMeta: { index: 0, term: 0, configuration: base } });
  solo.lead();
  test.each<[ConfigurationChange, string]>([
    [{ type: 'addLearner', server: server(2) }, 'already_member'],
    [{ type: 'addLearner', server: server(3) }, 'already_member'],
    [{ type: 'promote', id: id(2) }, 'not_a_learner'],
    [{ type: 'promote', id: id(9) }, 'not_a_member'],
    [{ type: 'remove', id: id(9) }, 'not_a_member'],
    [{ type: 'replace', old: id(9), server: server(4) }, 'not_a_member'],
    [{ type: 'replace', old: id(2), server: server(3) }, 'already_member'],
    [{ type: 'updateServer', server: server(9) }, 'not_a_member'],
    [{ type: 'updateServer', server: server(2) }, 'unchanged'],
    [{ type: 'setVoters', voters: [id(2), id(1)] }, 'unchanged'],
    [{ type: 'setVoters', voters: [id(9)] }, 'not_a_member'],
    [{ type: 'setVoters', voters: [] }, 'no_voter_left'],
  ])('%j: %s', (change, refusal) => {
    expect(solo.core.proposeConfiguration(change)).toBe(refusal);
    expect(solo.core.status().lastIndex).toBe(1);
  });

  test('the last voter stays', () => {
    const alone = new Solo([1]);
    alone.sync();
    expect(alone.core.proposeConfiguration({ type: 'remove', id: id(1) })).toBe('no_voter_left');
    expect(alone.core.proposeConfiguration({ type: 'replace', old: id(1), server: server(2) })).toBe('no_voter_left');
  });

  test('a follower refuses all', () => {
    const follower = new Solo([1, 2, 3]);
    expect(follower.core.proposeConfiguration({ type: 'remove', id: id(2) })).toBe('not_leader');
  });
});

test('an address is updated without a change of the majority', () => {
  const cluster = new Cluster(3);
  cluster.makeLeader(1);
  committed(cluster, 1, { type: 'updateServer', server: { ...server(2), rpcAddr: '127.0.0.1:9999' } });
  cluster.run(4);
  expect(cluster.status(3).configuration.servers[1]).toEqual({ ...server(2), rpcAddr: '127.0.0.1:9999' });
  expect(cluster.status(3).configuration.voters).toHaveLength(3);
});

describe('4.3 joint consensus', () => {
  test('all voters are exchanged at once; the leader leaves the joint configuration by itself', () => {
    const cluster = new Cluster(3);
    cluster.makeLeader(1);
    for (const n of [4, 5, 6]) {
      committed(cluster, 1, { type: 'addLearner', server: server(n) });
      cluster.add(n);
    }
    cluster.converge();
    cluster.run(2);
    expect(cluster.change(1, { type: 'setVoters', voters: [id(4), id(5), id(6)] })).toMatchObject({ term: 1 });
    expect(cluster.status(1).configuration).toEqual(configuration([4, 5, 6], [], [1, 2, 3]));
    cluster.runUntil(() => cluster.leaders().some((n) => n > 3), 'one of the new voters leads');
    const leader = cluster.leaders().find((n) => n > 3) ?? 0;
    expect(cluster.status(leader).configuration).toEqual(configuration([4, 5, 6], [1, 2, 3]));
    for (const n of [1, 2, 3]) cluster.crash(n);
    cluster.propose(leader, 'new majority');
    cluster.runUntil(() => cluster.applied.get(id(leader))?.includes('new majority') ?? false, 'the new voters commit');
  });

  test('while it is joint, neither half alone commits, and no other change begins', () => {
    const base = configuration([1, 2, 3], [4, 5]);
    const solo = new Solo([1, 2, 3], { snapshotMeta: { index: 0, term: 0, configuration: base } });
    solo.lead();
    for (const n of [4, 5]) solo.hearAccept(n, 1);
    expect(solo.core.proposeConfiguration({ type: 'setVoters', voters: [id(1), id(4), id(5)] })).toMatchObject({
      index: 2,
    });
    solo.sync();
    solo.hearAccept(4, 2);
    expect(solo.core.status().commit).toBe(1);
    expect(solo.core.proposeConfiguration({ type: 'remove', id: id(5) })).toBe('change_pending');
    solo.hearAccept(2, 2);
    expect(solo.core.status()).toMatchObject({
      commit: 2,
      lastIndex: 3,
      configuration: configuration([1, 4, 5], [2, 3]),
    });
    solo.sync();
    solo.hearAccept(2, 3);
    solo.hearAccept(3, 3);
    expect(solo.core.status().commit).toBe(2);
    solo.hearAccept(5, 3);
    expect(solo.core.status().commit).toBe(3);
  });

  test('a leader elected while it is joint needs both halves, and finishes the change', () => {
    const joint = configurationEntry(1, 1, configuration([1, 4, 5], [], [1, 2, 3]));
    const log = new MemoryLog({ index: 0, term: 0 }, [joint]);
    const solo = new Solo(
      [1, 2, 3],
      { configurations: [{ index: 1, configuration: joint.config ?? configuration([]) }] },
      log,
    );
    solo.core.campaign();
    for (const n of [2, 3, 4]) solo.hear(n, 'preVoteResp', { term: 2, reject: false });
    solo.sync();
    for (const n of [2, 3]) solo.hear(n, 'voteResp', { term: 2, reject: false });
    expect(solo.core.status().role).toBe('candidate');
    solo.hear(4, 'voteResp', { term: 2, reject: false });
    expect(solo.core.status().role).toBe('leader');
    solo.sync();
    for (const n of [2, 4]) solo.hearAccept(n, 2);
    expect(solo.core.status()).toMatchObject({ commit: 2, configuration: configuration([1, 4, 5], [2, 3]) });
  });
});
