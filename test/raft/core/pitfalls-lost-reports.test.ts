import { Cluster } from './cluster';
import { id } from './memory-log';

/** Bugs that other systems shipped, each with a test that fails when the bug is put back in. Part: what gets lost. */

describe('pitfall 12: no peer stays for ever in probe or snapshot state after something was lost', () => {
  const withFollowerBehind = (lostReports: number) => {
    const cluster = new Cluster(3, { lostReports });
    cluster.makeLeader(1);
    cluster.crash(3);
    for (let i = 0; i < 30; i++) {
      cluster.propose(1, `v${i}`);
      cluster.run(1);
    }
    cluster.run(10);
    return cluster;
  };
  const state = (cluster: Cluster) => cluster.status(1).peers.find((known) => known.id === id(3))?.state;

  test('the report that a snapshot was sent, and the snapshot itself', () => {
    const cluster = withFollowerBehind(1);
    cluster.node(1).compact(0);
    cluster.restart(3);
    cluster.passes = (m) => m.type !== 'snapshot';
    cluster.runUntil(() => state(cluster) === 'snapshot', 'a snapshot is to be sent');
    cluster.run(50);
    cluster.heal();
    cluster.converge();
    cluster.run(10);
    expect(state(cluster)).toBe('replicate');
  });

  test("the follower's word that it has installed the snapshot", () => {
    const cluster = withFollowerBehind(0);
    cluster.node(1).compact(0);
    cluster.restart(3);
    cluster.passes = (m) => !(m.type === 'appendResp' && m.from === id(3) && !m.reject);
    cluster.runUntil(
      () => !cluster.node(3).core.status().installingSnapshot && cluster.status(3).commit > 20,
      'it is installed',
    );
    cluster.run(3);
    cluster.heal();
    cluster.converge();
    cluster.run(10);
    expect(state(cluster)).toBe('replicate');
  });

  test('a probe', () => {
    const cluster = withFollowerBehind(0);
    cluster.restart(3);
    let lost = 0;
    cluster.passes = (m) => !(m.type === 'append' && m.to === id(3) && ++lost <= 5);
    cluster.converge();
    cluster.run(10);
    expect(lost).toBeGreaterThan(5);
    expect(state(cluster)).toBe('replicate');
  });

  test('appends that were sent ahead, the window full of them', () => {
    const cluster = new Cluster(3, { options: { maxInflightMessages: 3 } });
    cluster.makeLeader(1);
    cluster.passes = (m) => !(m.type === 'append' && m.to === id(3));
    for (let i = 0; i < 10; i++) {
      cluster.propose(1, `v${i}`);
      cluster.run(1);
    }
    cluster.heal();
    cluster.converge();
    expect(cluster.applied.get(id(3))).toHaveLength(10);
  });

  test('entries that were to be loaded from the disk', () => {
    const cluster = withFollowerBehind(1);
    cluster.node(1).log.inMemoryFrom = 1_000;
    cluster.restart(3);
    cluster.run(60);
    expect(cluster.status(1).peers.find((known) => known.id === id(3))?.lag).toBeGreaterThan(0);
    cluster.settings = {};
    cluster.converge();
  });
});
