import { Cluster } from './cluster';
import { configuration, configurationEntry, entry, id, MemoryLog } from './memory-log';
import { Solo } from './solo';

const ELECTION_TIMEOUT = [10, 20] as const;

function snapshot(index: number, term: number, voters = [1, 2, 3]) {
  return { index, term, configuration: configuration(voters) };
}

/** Does what Ready.installSnapshot asks of the replica: state and log are replaced, durably. */
function install(solo: Solo): void {
  solo.sync();
  const meta = solo.readies.find((ready) => ready.installSnapshot)?.installSnapshot;
  if (!meta) throw new Error('No snapshot was to be installed.');
  solo.log.reset(meta);
  solo.core.snapshotInstalled(meta);
  solo.sync();
}

/** Proposes and lets time pass, so many times. */
function proposeMany(cluster: Cluster, leader: number, values: string[]): void {
  for (const value of values) {
    expect(cluster.propose(leader, value)).toMatchObject({ term: cluster.status(leader).term });
    cluster.run(3);
  }
}

/** Node 1 hands leadership over, and is gone. */
function handOver(cluster: Cluster, to: number): void {
  cluster.call(1, (core) => core.transferLeadership(id(to)));
  cluster.runUntil(() => cluster.leaders().includes(to), `node ${to} leads`);
  cluster.crash(1);
}

/** The sections are those of the extended version of the Raft paper (2014). */
describe('5.6 timing and availability', () => {
  test('broadcast time below the election timeout: one leader stays, for hundreds of timeouts', () => {
    const cluster = new Cluster(5, { delay: [1, 3] });
    cluster.makeLeader(1);
    const { term } = cluster.status(1);
    for (let timeout = 0; timeout < 200; timeout += 1) {
      cluster.run(ELECTION_TIMEOUT[1]);
      expect(cluster.leaders()).toEqual([1]);
    }
    expect([1, 2, 3, 4, 5].map((n) => cluster.status(n).term)).toEqual([term, term, term, term, term]);
  });

  test('broadcast time above it: nobody leads, nothing unsafe happens, and it is over as soon as messages are fast again', () => {
    const cluster = new Cluster(3, { delay: [3 * ELECTION_TIMEOUT[1], 5 * ELECTION_TIMEOUT[1]] });
    for (let timeout = 0; timeout < 50; timeout += 1) {
      cluster.run(ELECTION_TIMEOUT[1]);
      expect(cluster.leaders()).toEqual([]);
    }
    expect([1, 2, 3].map((n) => cluster.status(n).commit)).toEqual([0, 0, 0]);
    cluster.settings = { ...cluster.settings, delay: [1, 2] };
    cluster.propose(cluster.electLeader(), 'now');
    cluster.converge();
    for (const n of [1, 2, 3]) expect(cluster.applied.get(id(n))).toEqual(['now']);
  });

  test('available while a majority runs, not without one, and again when it is back, whoever it is made of', () => {
    const cluster = new Cluster(5);
    cluster.makeLeader(1);
    proposeMany(cluster, 1, ['five']);
    cluster.crash(1);
    cluster.crash(2);
    proposeMany(cluster, cluster.electLeader(), ['three']);
    cluster.converge();
    const last = cluster.leaders()[0] ?? 0;
    const third = [3, 4, 5].find((n) => n !== last) ?? 0;
    cluster.crash(third);
    cluster.propose(last, 'two');
    cluster.run(10 * ELECTION_TIMEOUT[1]);
    expect(cluster.leaders()).toEqual([]);
    for (const n of [3, 4, 5].filter((n) => n !== third)) {
      expect(cluster.applied.get(id(n))).toEqual(['five', 'three']);
    }
    cluster.restart(1);
    proposeMany(cluster, cluster.electLeader(), ['again']);
    cluster.converge();
    // What was proposed without a majority was never acknowledged: it may have been kept, or replaced.
    const kept = (cluster.applied.get(id(1)) ?? []).filter((value) => value !== 'two');
    expect(kept).toEqual(['five', 'three', 'again']);
  });
});

describe('7 log compaction', () => {
  // The log of entries 1 to 7 was compacted up to 5, of term 2; 6 and 7 are of term 3.
  test.each([
    { prev: [5, 2], accepts: true },
    { prev: [5, 1], accepts: false },
    { prev: [7, 3], accepts: true },
    { prev: [7, 2], accepts: false },
  ])('the consistency check knows the entry before the first: behind $prev accepted: $accepts', ({ prev, accepts }) => {
    const log = new MemoryLog({ index: 5, term: 2 }, [entry(6, 3), entry(7, 3)]);
    const solo = new Solo([1, 2, 3], { snapshotMeta: snapshot(5, 2) }, log);
    // The snapshot covers committed entries, so whatever has its index and another term comes from no correct leader.
    const [index = 0, term = 0] = prev;
    solo.hearAppend(2, 4, [index, term], [entry(index + 1, 4)]);
    solo.sync();
    expect(solo.sent('appendResp').map((m) => m.reject)).toEqual([!accepts]);
  });

  test('an append that begins before the snapshot changes nothing, and is answered with what is committed', () => {
    const log = new MemoryLog({ index: 5, term: 2 }, [entry(6, 3)]);
    const solo = new Solo([1, 2, 3], { snapshotMeta: snapshot(5, 2) }, log);
    solo.hearAppend(2, 4, [3, 1], [entry(4, 1), entry(5, 2)]);
    solo.sync();
    expect(solo.sent('appendResp').map((m) => [m.reject, m.index])).toEqual([[false, 5]]);
    expect(solo.core.status()).toMatchObject({ firstIndex: 6, lastIndex: 6 });
  });

  test('a follower compacts by itself, and nobody sees a difference', () => {
    const cluster = new Cluster(3);
    cluster.makeLeader(1);
    proposeMany(cluster, 1, ['a', 'b']);
    cluster.node(2).compact(0);
    expect(cluster.status(2)).toMatchObject({ firstIndex: 4, lastIndex: 3, commit: 3 });
    proposeMany(cluster, 1, ['c']);
    cluster.converge();
    expect(cluster.applied.get(id(2))).toEqual(['a', 'b', 'c']);
    expect(cluster.sent.some((m) => m.type === 'snapshot')).toBe(false);
    // It has what a leader needs.
    handOver(cluster, 2);
    proposeMany(cluster, 2, ['d']);
    cluster.converge();
    expect(cluster.applied.get(id(3))).toEqual(['a', 'b', 'c', 'd']);
  });

  test('a leader sends a snapshot to whom it cannot send the next entry any more, and to nobody else', () => {
    const solo = new Solo([1, 2, 3]);
    solo.lead();
    for (const value of ['a', 'b', 'c']) solo.propose(value);
    solo.sync();
    solo.hearAccept(3, 4);
    solo.hearAccept(2, 1);
    solo.log.truncatePrefix(3);
    solo.core.unreachable(id(2));
    solo.hear(2, 'heartbeatResp', { term: 1, context: 0 });
    const asked = solo.readies.flatMap((ready) => ready.snapshotsToSend);
    expect(asked).toEqual([{ to: id(2) }]);
    solo.forget();
    solo.propose('d');
    expect(solo.sent('append').map((m) => m.to)).toEqual([id(3)]);
    // The snapshot was at 4: what is behind it follows as entries.
    solo.core.snapshotStatus(id(2), true, 4);
    solo.hearAccept(2, 4);
    expect(solo.sent('append').map((m) => [m.to, m.prevIndex, m.entries.map(({ index }) => index)])).toContainEqual([
      id(2),
      4,
      [5],
    ]);
  });

  test('a follower that was down while the log was compacted gets the snapshot and what follows, and can lead with it', () => {
    const cluster = new Cluster(3);
    cluster.makeLeader(1);
    cluster.crash(3);
    proposeMany(cluster, 1, ['a', 'b', 'c']);
    for (const n of [1, 2]) cluster.node(n).compact(0);
    proposeMany(cluster, 1, ['d']);
    cluster.restart(3);
    cluster.converge();
    expect(cluster.sent.filter((m) => m.type === 'snapshot').map((m) => m.to)).toContain(id(3));
    // What the snapshot covers is in the state; only what follows is applied from the log.
    expect(cluster.applied.get(id(3))).toEqual(['d']);
    expect(cluster.status(3).firstIndex).toBe(cluster.status(1).firstIndex);
    handOver(cluster, 3);
    proposeMany(cluster, 3, ['e']);
    cluster.converge();
    expect(cluster.applied.get(id(2))).toEqual(['a', 'b', 'c', 'd', 'e']);
  });
});

describe('7 InstallSnapshot, figure 13', () => {
  test('1: one of an older term is refused, and its sender told the newer term', () => {
    const solo = new Solo([1, 2, 3], { hardState: { term: 5, vote: '' } });
    solo.hear(2, 'snapshot', { term: 4, meta: snapshot(10, 4) });
    solo.sync();
    expect(solo.readies.some((ready) => ready.installSnapshot)).toBe(false);
    expect(solo.sent('appendResp')).toEqual([expect.objectContaining({ to: id(2), term: 5, reject: true })]);
  });

  test('it is a word of the leader: a candidate of its term follows, and no election begins meanwhile', () => {
    const solo = new Solo([1, 2, 3]);
    solo.core.campaign();
    solo.hear(3, 'preVoteResp', { term: 1, reject: false });
    expect(solo.core.status()).toMatchObject({ role: 'candidate', term: 1 });
    solo.hear(2, 'snapshot', { term: 1, meta: snapshot(10, 1) });
    solo.tick(ELECTION_TIMEOUT[0] - 1);
    solo.hear(2, 'snapshot', { term: 1, meta: snapshot(10, 1) });
    solo.tick(ELECTION_TIMEOUT[0] - 1);
    expect(solo.core.status()).toMatchObject({ role: 'follower', leader: id(2), term: 1 });
  });

  // The log has entries of terms 1, 1, 2, 2; the first is committed.
  test.each([
    { of: 'what is committed', index: 1, term: 1, installs: false },
    { of: 'a prefix of the log', index: 3, term: 2, installs: false },
    { of: 'all of the log', index: 4, term: 2, installs: false },
    { of: 'another entry at an index that the log has', index: 3, term: 3, installs: true },
    { of: 'more than the log has', index: 9, term: 3, installs: true },
  ])('6, 7: a snapshot of $of, $index of term $term; the log is discarded: $installs', ({ index, term, installs }) => {
    const solo = new Solo([1, 2, 3]);
    solo.hearAppend(2, 3, [0, 0], [entry(1, 1), entry(2, 1), entry(3, 2), entry(4, 2)], 1);
    solo.sync();
    solo.forget();
    solo.hear(2, 'snapshot', { term: 3, meta: snapshot(index, term) });
    if (installs) install(solo);
    else solo.sync();
    expect(solo.readies.some((ready) => ready.installSnapshot)).toBe(installs);
    const after = installs
      ? { firstIndex: index + 1, lastIndex: index, commit: index, applied: index }
      : { firstIndex: 1, lastIndex: 4, commit: index, applied: index };
    expect(solo.core.status()).toMatchObject(after);
    expect(solo.sent('appendResp').map((m) => [m.reject, m.index])).toEqual([[false, index]]);
  });

  test('5: an older snapshot than its own is not taken, although the log does not show any more what it covers', () => {
    const log = new MemoryLog({ index: 5, term: 2 }, [entry(6, 3)]);
    const solo = new Solo([1, 2, 3], { snapshotMeta: snapshot(5, 2) }, log);
    solo.hear(2, 'snapshot', { term: 4, meta: snapshot(3, 1) });
    solo.sync();
    expect(solo.readies.some((ready) => ready.installSnapshot)).toBe(false);
    expect(solo.core.status()).toMatchObject({ firstIndex: 6, lastIndex: 6, commit: 5 });
    expect(solo.sent('appendResp').map((m) => [m.reject, m.index])).toEqual([[false, 5]]);
  });

  test('8: the configuration is the one of the snapshot, whatever the discarded log said', () => {
    const solo = new Solo([1, 2, 3]);
    solo.hearAppend(2, 1, [0, 0], [entry(1, 1), configurationEntry(2, 1, configuration([1, 2]))], 1);
    expect(solo.core.status().configuration).toEqual(configuration([1, 2]));
    solo.hear(3, 'snapshot', { term: 2, meta: snapshot(10, 2, [1, 3, 4, 5]) });
    install(solo);
    expect(solo.core.status().configuration).toEqual(configuration([1, 3, 4, 5]));
    expect(solo.core.configurationAt(10)).toEqual(configuration([1, 3, 4, 5]));
  });
});
