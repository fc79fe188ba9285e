import { RaftInvariantError, type Configuration } from '../../../src/raft/core';
import { Cluster } from './cluster';
import { configuration, configurationEntry, entry, id, MemoryLog, server } from './memory-log';
import { Solo } from './solo';

/** Bugs that other systems shipped, each with a test that fails when the bug is put back in. Part: snapshots and members. */

const snapshot = (index: number, term: number) => ({ index, term, configuration: configuration([1, 2, 3]) });

/** What the replica does for Ready.installSnapshot. */
function install(solo: Solo, meta: { index: number; term: number; configuration: Configuration }): void {
  solo.sync();
  solo.log.reset(meta);
  solo.core.snapshotInstalled(meta);
  solo.sync();
}

describe('pitfall 22: a wiped disk comes back as a new node, by one logged change', () => {
  test('the old one is out and the new one a learner in the same entry, and does not vote until promoted', () => {
    const cluster = new Cluster(3);
    cluster.makeLeader(1);
    cluster.propose(1, 'before');
    cluster.run(5);
    cluster.crash(3);
    expect(cluster.change(1, { type: 'replace', old: id(3), server: { ...server(4), name: 'node-3' } })).toMatchObject({
      term: 1,
    });
    expect(cluster.status(1).configuration).toMatchObject({ voters: [id(1), id(2)], learners: [id(4)] });
    const wiped = cluster.add(4);
    cluster.runUntil(() => wiped.core.status().applied === cluster.status(1).lastIndex, 'the new node has caught up');
    wiped.call((core) => core.campaign());
    expect(wiped.core.status().role).toBe('follower');
    expect(cluster.change(1, { type: 'promote', id: id(4) })).toMatchObject({ term: 1 });
    cluster.run(5);
    expect(cluster.status(2).configuration.voters).toEqual([id(1), id(2), id(4)]);
  });
});

describe('pitfall 23: log and snapshot meet without a gap or an overlap', () => {
  test('after an install the next entry follows the snapshot', () => {
    const solo = new Solo([1, 2, 3]);
    solo.hear(2, 'snapshot', { term: 3, meta: snapshot(10, 2) });
    expect(solo.readies.at(-1)?.installSnapshot).toEqual(snapshot(10, 2));
    install(solo, snapshot(10, 2));
    expect(solo.core.status()).toMatchObject({ firstIndex: 11, lastIndex: 10, commit: 10, applied: 10, durable: 10 });
    solo.hearAppend(2, 3, [10, 2], [entry(11, 3)], 11);
    solo.sync();
    expect(solo.readies.flatMap((ready) => ready.committed ?? [])).toEqual([{ from: 11, to: 11 }]);
    expect(solo.sent('appendResp').map((m) => [m.reject, m.index])).toEqual([
      [false, 10],
      [false, 11],
    ]);
  });

  test('after a restart from snapshot and log', () => {
    const log = new MemoryLog({ index: 10, term: 2 }, [entry(11, 3)]);
    const solo = new Solo([1, 2, 3], { snapshotMeta: snapshot(10, 2) }, log);
    expect(solo.core.status()).toMatchObject({ firstIndex: 11, lastIndex: 11, commit: 10, applied: 10, durable: 11 });
    solo.hear(2, 'heartbeat', { term: 3, commit: 11, context: 0 });
    expect(solo.readies.flatMap((ready) => ready.committed ?? [])).toEqual([{ from: 11, to: 11 }]);
  });

  test.each([
    ['a gap', { index: 10, term: 2 }, new MemoryLog({ index: 11, term: 2 })],
    ['a log that ends before it', { index: 10, term: 2 }, new MemoryLog({ index: 0, term: 0 }, [entry(1, 1)])],
    ['another term', { index: 10, term: 2 }, new MemoryLog({ index: 10, term: 1 })],
  ])('a start with %s is refused', (_, at, log) => {
    expect(() => new Solo([1, 2, 3], { snapshotMeta: snapshot(at.index, at.term) }, log)).toThrow(RaftInvariantError);
  });

  test('a replica that installed something else is found out', () => {
    const solo = new Solo([1, 2, 3]);
    solo.hear(2, 'snapshot', { term: 3, meta: snapshot(10, 2) });
    solo.sync();
    solo.log.reset({ index: 11, term: 2 });
    expect(() => solo.core.snapshotInstalled(snapshot(11, 2))).toThrow(/the one to be installed is at 10/);
    expect(() => solo.core.snapshotInstalled(snapshot(10, 2))).toThrow(/but the log ends at 11/);
  });
});

describe('pitfall 24: no snapshot over a newer state, and each with the configuration of its index', () => {
  const withEntries = () => {
    const solo = new Solo([1, 2, 3]);
    solo.hearAppend(2, 1, [0, 0], [entry(1, 1), entry(2, 1), entry(3, 1)], 2);
    solo.sync();
    solo.forget();
    return solo;
  };

  test.each([1, 2])('a snapshot at %d is not installed where 2 is committed', (index) => {
    const solo = withEntries();
    solo.hear(2, 'snapshot', { term: 1, meta: snapshot(index, 1) });
    solo.sync();
    expect(solo.readies.some((ready) => ready.installSnapshot)).toBe(false);
    expect(solo.sent('appendResp').map((m) => m.index)).toEqual([2]);
  });

  test('a snapshot that the log contains removes nothing that follows it', () => {
    const solo = withEntries();
    solo.hearAppend(2, 1, [3, 1], [entry(4, 1)], 2);
    solo.hear(2, 'snapshot', { term: 1, meta: snapshot(3, 1) });
    solo.sync();
    expect(solo.readies.some((ready) => ready.installSnapshot)).toBe(false);
    expect(solo.core.status()).toMatchObject({ commit: 3, lastIndex: 4 });
  });

  test('a snapshot of applied state has the configuration in force there, not a later one of the log', () => {
    const solo = new Solo([1, 2, 3]);
    const later = configuration([1, 2, 3], [4]);
    solo.hearAppend(2, 1, [0, 0], [entry(1, 1), entry(2, 1), configurationEntry(3, 1, later)], 2);
    solo.sync();
    expect(solo.core.status()).toMatchObject({ applied: 2, configuration: later });
    expect(solo.core.configurationAt(2)).toEqual(configuration([1, 2, 3]));
    expect(solo.core.configurationAt(3)).toEqual(later);
  });

  test('while one is being installed, nothing else happens to the log', () => {
    const solo = withEntries();
    solo.hear(2, 'snapshot', { term: 2, meta: snapshot(10, 2) });
    solo.hearAppend(2, 2, [3, 1], [entry(4, 2)], 3);
    solo.hear(2, 'snapshot', { term: 2, meta: snapshot(12, 2) });
    solo.hear(2, 'heartbeat', { term: 2, commit: 3, context: 0 });
    solo.sync();
    expect(solo.core.status()).toMatchObject({ commit: 2, lastIndex: 3, installingSnapshot: true });
    expect(solo.sent('heartbeatResp')).toHaveLength(1);
    install(solo, snapshot(10, 2));
    expect(solo.core.status()).toMatchObject({ commit: 10, lastIndex: 10, installingSnapshot: false });
  });
});

describe('pitfall 26: changes of the configuration', () => {
  test('none before the first commit of the leader in its term', () => {
    const solo = new Solo([1, 2, 3]);
    solo.lead(false);
    expect(solo.core.proposeConfiguration({ type: 'remove', id: id(3) })).toBe('not_committed_in_term');
    solo.hearAccept(2, 1);
    expect(solo.core.proposeConfiguration({ type: 'remove', id: id(3) })).toEqual({ index: 2, term: 1 });
  });

  test('no second one before the first is committed', () => {
    const solo = new Solo([1, 2, 3]);
    solo.lead();
    solo.core.proposeConfiguration({ type: 'addLearner', server: server(4) });
    solo.sync();
    expect(solo.core.proposeConfiguration({ type: 'remove', id: id(3) })).toBe('change_pending');
    solo.hearAccept(2, 2);
    expect(solo.core.proposeConfiguration({ type: 'remove', id: id(3) })).toEqual({ index: 3, term: 1 });
  });

  test('in force when it is appended, at the leader and at a follower', () => {
    const solo = new Solo([1, 2, 3, 4]);
    solo.lead();
    solo.core.proposeConfiguration({ type: 'remove', id: id(4) });
    solo.sync();
    // Of three voters two suffice, of four it would take three.
    solo.hearAccept(2, 2);
    expect(solo.core.status().commit).toBe(2);

    const follower = new Solo([1, 2, 3]);
    follower.hearAppend(2, 1, [0, 0], [configurationEntry(1, 1, configuration([1, 2]))]);
    expect(follower.core.status()).toMatchObject({
      commit: 0,
      configuration: configuration([1, 2]),
      configurationIndex: 1,
    });
  });

  test('rolled back when its entry is truncated', () => {
    const solo = new Solo([1, 2, 3]);
    solo.hearAppend(2, 1, [0, 0], [entry(1, 1), configurationEntry(2, 1, configuration([1, 2]))]);
    solo.hearAppend(3, 2, [1, 1], [entry(2, 2)]);
    expect(solo.core.status()).toMatchObject({ configuration: configuration([1, 2, 3]), configurationIndex: 0 });
  });

  test('a leader that removes itself does not count itself, and steps down when that is committed', () => {
    const solo = new Solo([1, 2, 3]);
    solo.lead();
    solo.core.proposeConfiguration({ type: 'remove', id: id(1) });
    solo.sync();
    expect(solo.propose('x')).toBe('leaving');
    solo.hearAccept(2, 2);
    expect(solo.core.status()).toMatchObject({ role: 'leader', commit: 1 });
    solo.hearAccept(3, 2);
    expect(solo.core.status()).toMatchObject({ role: 'follower', commit: 2 });
    expect(solo.sent('timeoutNow')).toHaveLength(1);
    solo.tick(100);
    expect(solo.core.status().term).toBe(1);
  });

  test('a learner counts in no majority and never campaigns', () => {
    const solo = new Solo([1, 2, 3]);
    solo.lead();
    solo.core.proposeConfiguration({ type: 'addLearner', server: server(4) });
    solo.sync();
    solo.hearAccept(4, 2);
    expect(solo.core.status().commit).toBe(1);
    const learner = new Solo([2, 3, 4], {
      snapshotMeta: { index: 0, term: 0, configuration: configuration([2, 3, 4], [1]) },
    });
    learner.tick(100);
    learner.core.campaign();
    learner.hear(2, 'heartbeat', { term: 1, commit: 0, context: 0 });
    learner.hear(2, 'timeoutNow', { term: 1 });
    expect(learner.core.status()).toMatchObject({ role: 'follower', term: 1 });
  });
});
