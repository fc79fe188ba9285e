import { Cluster } from './cluster';
import { configuration, entry, id, MemoryLog } from './memory-log';
import { Solo } from './solo';

/** A disk that has lost what it had acknowledged (CoreOptions.mayHaveLost). */

const cut = (terms: number[]) =>
  new MemoryLog(
    { index: 0, term: 0 },
    terms.map((term, n) => entry(n + 1, term)),
  );

describe('a node whose log may have been longer', () => {
  const doubtful = () => new Solo([1, 2, 3], { mayHaveLost: { index: 5, term: 2 } }, cut([1, 1, 2]));

  test('does not campaign, whatever calls for it', () => {
    const solo = doubtful();
    solo.tick(100);
    solo.core.campaign();
    solo.hear(2, 'heartbeat', { term: 2, commit: 0, context: 0 });
    solo.hear(2, 'timeoutNow', { term: 2 });
    expect(solo.core.status()).toMatchObject({ role: 'follower', term: 2, mayHaveLost: true });
  });

  test.each([
    { lastIndex: 3, lastTerm: 2, granted: false },
    { lastIndex: 4, lastTerm: 2, granted: false },
    { lastIndex: 5, lastTerm: 2, granted: true },
    { lastIndex: 1, lastTerm: 3, granted: true },
  ])('votes for a log that ends with $lastIndex of term $lastTerm: $granted', ({ lastIndex, lastTerm, granted }) => {
    const solo = doubtful();
    solo.hear(2, 'preVote', { term: 3, lastIndex, lastTerm });
    expect(solo.sent('preVoteResp').map((m) => m.reject)).toEqual([!granted]);
    solo.hear(2, 'vote', { term: 3, lastIndex, lastTerm, transfer: false });
    solo.sync();
    expect(solo.sent('voteResp').map((m) => m.reject)).toEqual([!granted]);
  });

  test('is as good as before when a leader has brought it there, durably', () => {
    const solo = doubtful();
    solo.hearAppend(2, 2, [3, 2], [entry(4, 2)]);
    solo.sync();
    expect(solo.core.status().mayHaveLost).toBe(true);
    solo.hearAppend(2, 2, [4, 2], [entry(5, 2)]);
    expect(solo.core.status().mayHaveLost).toBe(true);
    solo.sync();
    expect(solo.core.status().mayHaveLost).toBe(false);
    expect(solo.readies.filter((ready) => ready.lossSettled)).toHaveLength(1);
  });

  test('and when an entry of a later term shows that what is missing was never committed', () => {
    const solo = doubtful();
    solo.hearAppend(2, 3, [3, 2], [entry(4, 3)]);
    solo.sync();
    expect(solo.core.status().mayHaveLost).toBe(false);
  });

  test('tells a leader that still counts it, also where there is nothing to send', () => {
    const solo = doubtful();
    solo.hear(2, 'heartbeat', { term: 2, commit: 5, context: 0 });
    solo.sync();
    expect(solo.sent('appendResp')).toEqual([
      expect.objectContaining({ reject: true, lost: true, index: 5, hintIndex: 3, hintTerm: 2 }),
    ]);
    expect(solo.core.status().commit).toBe(0);
  });

  test('one that has lost nothing fails loudly instead', () => {
    const solo = new Solo([1, 2, 3], {}, cut([1, 1, 2]));
    expect(() => solo.hear(2, 'heartbeat', { term: 2, commit: 5, context: 0 })).toThrow(
      /acknowledged entries are gone/,
    );
  });

  test('where the snapshot is as new as what was lost there is no doubt', () => {
    const meta = { index: 5, term: 2, configuration: configuration([1, 2, 3]) };
    const log = new MemoryLog({ index: 5, term: 2 });
    const solo = new Solo([1, 2, 3], { mayHaveLost: { index: 5, term: 2 }, snapshotMeta: meta }, log);
    solo.turn();
    expect(solo.core.status().mayHaveLost).toBe(false);
    expect(solo.readies[0]?.lossSettled).toBe(true);
  });
});

test('a leader takes back what it counted for such a node, and brings it up again', () => {
  const solo = new Solo([1, 2, 3]);
  solo.lead();
  for (const value of ['a', 'b', 'c']) solo.propose(value);
  solo.hearAccept(2, 4);
  solo.forget();
  solo.hear(2, 'appendResp', { term: 1, reject: true, index: 4, hintIndex: 2, hintTerm: 1, lost: true });
  expect(solo.core.status().peers[0]).toMatchObject({ match: 2, next: 3, state: 'probe' });
  expect(solo.sent('append').map((m) => [m.to, m.prevIndex, m.entries.length])).toEqual([[id(2), 2, 2]]);
  solo.sync();
  expect(solo.core.status().commit).toBe(2);
});

test('an entry that one disk has lost after it was committed survives an election', () => {
  for (let seed = 1; seed <= 20; seed++) {
    const cluster = new Cluster(3, { seed });
    cluster.makeLeader(1);
    cluster.partition([1, 2], [3]);
    cluster.propose(1, 'committed');
    cluster.run(5);
    cluster.crash(2);
    cluster.node(2).damage(1);
    cluster.crash(1);
    cluster.heal();
    cluster.restart(2);
    // Without the entry, nodes 2 and 3 are a majority; they must wait for node 1.
    for (let i = 0; i < 5; i++) {
      cluster.call(3, (core) => core.campaign());
      cluster.run(30);
      expect(cluster.leaders()).toEqual([]);
    }
    cluster.restart(1);
    cluster.converge();
    expect(cluster.applied.get(id(3))).toEqual(['committed']);
    expect(cluster.status(2).mayHaveLost).toBe(false);
  }
});
