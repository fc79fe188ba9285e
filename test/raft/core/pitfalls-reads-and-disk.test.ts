import { Cluster } from './cluster';
import { id } from './memory-log';
import { Solo } from './solo';

/** Bugs that other systems shipped, each with a test that fails when the bug is put back in. Part: reads and the disk. */

const readStates = (cluster: Cluster) => cluster.readies.flatMap(({ ready }) => ready.readStates);
const refusals = (cluster: Cluster) => cluster.readies.flatMap(({ ready }) => ready.readRefusals);

describe('pitfall 14: a new leader answers no read before it has committed in its own term', () => {
  test('its own reads and those of followers are refused, with the reason', () => {
    const solo = new Solo([1, 2, 3]);
    solo.lead(false);
    solo.core.readIndex(1);
    solo.turn();
    expect(solo.readies.at(-1)?.readRefusals).toEqual([{ context: 1, reason: 'not_committed_in_term' }]);
    solo.hear(2, 'readIndex', { term: 1, context: 2 });
    expect(solo.sent('readIndexResp')).toEqual([
      expect.objectContaining({ to: id(2), context: 2, refusal: 'not_committed_in_term' }),
    ]);
    solo.hearAccept(2, 1);
    solo.core.readIndex(3);
    solo.turn();
    solo.hear(3, 'heartbeatResp', { term: 1, context: solo.sent('heartbeat').at(-1)?.context ?? 0 });
    expect(solo.readies.at(-1)?.readStates).toEqual([{ context: 3, index: 1 }]);
  });
});

describe('pitfall 15: a deposed leader answers no read', () => {
  test('cut off while others go on', () => {
    const cluster = new Cluster(3);
    cluster.makeLeader(1);
    cluster.partition([1], [2, 3]);
    cluster.call(2, (core) => core.campaign());
    cluster.call(1, (core) => core.readIndex(1));
    cluster.run(200);
    expect(cluster.leaders().filter((n) => n !== 1)).toHaveLength(1);
    expect(readStates(cluster)).toEqual([]);
    expect(refusals(cluster)).toEqual([{ context: 1, reason: 'leadership_lost' }]);
  });

  test('the answer to an earlier read confirms no later one', () => {
    const solo = new Solo([1, 2, 3]);
    solo.lead();
    solo.core.readIndex(1);
    solo.turn();
    const early = solo.sent('heartbeat')[0]?.context ?? 0;
    solo.hear(2, 'heartbeatResp', { term: 1, context: early });
    solo.core.readIndex(2);
    solo.turn();
    solo.hear(2, 'heartbeatResp', { term: 1, context: early });
    solo.hear(3, 'heartbeatResp', { term: 1, context: 0 });
    expect(solo.readies.flatMap((ready) => ready.readStates).map((state) => state.context)).toEqual([1]);
  });

  test('an answer of an earlier term confirms nothing', () => {
    const solo = new Solo([1, 2, 3]);
    solo.lead();
    solo.tick(20);
    solo.lead();
    solo.core.readIndex(1);
    solo.turn();
    solo.hear(2, 'heartbeatResp', { term: 1, context: solo.sent('heartbeat')[0]?.context ?? 0 });
    expect(solo.readies.flatMap((ready) => ready.readStates)).toEqual([]);
  });
});

test('pitfall 16: a leader that was stopped for longer than the election timeout answers nothing from before', () => {
  const cluster = new Cluster(3);
  cluster.makeLeader(1);
  // Stopped: nothing reaches it and it does nothing, its clock included, while the others elect and commit.
  const stopped = cluster.node(1);
  const wasPassing = stopped.core.status();
  cluster.pause(1);
  cluster.call(2, (core) => core.campaign());
  cluster.runUntil(() => cluster.leaders().some((n) => n !== 1), 'another node leads');
  const leader = cluster.leaders().find((n) => n !== 1) ?? 0;
  cluster.propose(leader, 'new');
  cluster.runUntil(() => cluster.status(leader).commit > wasPassing.commit + 1, 'it commits');
  // It goes on where it was: the first thing that happens is a read, before any message is looked at.
  expect(cluster.status(1).role).toBe('leader');
  cluster.call(1, (core) => core.readIndex(1));
  cluster.resume(1);
  cluster.run(60);
  expect(readStates(cluster)).toEqual([]);
  expect(refusals(cluster)).toEqual([{ context: 1, reason: 'leadership_lost' }]);
});

describe('pitfall 17: the leader counts itself only after its own sync', () => {
  test('one of two others does not make a majority with a log that is not on the disk', () => {
    const solo = new Solo([1, 2, 3]);
    solo.lead();
    solo.propose('x');
    solo.hearAccept(2, 2);
    expect(solo.core.status().commit).toBe(1);
    solo.sync();
    expect(solo.core.status().commit).toBe(2);
  });

  test('a majority of others commits without it, but it applies nothing that its own disk does not have', () => {
    const solo = new Solo([1, 2, 3]);
    solo.lead();
    solo.propose('x');
    solo.hearAccept(2, 2);
    solo.hearAccept(3, 2);
    expect(solo.core.status()).toMatchObject({ commit: 2, durable: 1, applied: 1 });
    solo.sync();
    expect(solo.core.status().applied).toBe(2);
  });

  test('a single node commits nothing before its sync', () => {
    const solo = new Solo([1]);
    solo.turn();
    expect(solo.core.status().role).toBe('candidate');
    solo.sync();
    expect(solo.core.status()).toMatchObject({ role: 'leader', commit: 1 });
    solo.propose('x');
    expect(solo.core.status().commit).toBe(1);
    solo.sync();
    expect(solo.core.status().commit).toBe(2);
  });

  test('a follower acknowledges nothing before its sync', () => {
    const solo = new Solo([1, 2, 3]);
    solo.hearAppend(2, 1, [0, 0], []);
    solo.sync();
    solo.forget();
    const { readies } = solo;
    solo.core.step({
      type: 'append',
      from: id(2),
      to: id(1),
      term: 1,
      prevIndex: 0,
      prevTerm: 0,
      entries: [{ index: 1, term: 1, kind: 0, data: Buffer.from('1.1:') }],
      commit: 1,
    });
    solo.turn();
    expect(solo.sent('appendResp')).toEqual([]);
    expect(readies.at(-1)?.committed).toBeUndefined();
    solo.sync();
    expect(solo.sent('appendResp').map((m) => m.index)).toEqual([1]);
    expect(solo.core.status()).toMatchObject({ commit: 1, applied: 1 });
  });
});
