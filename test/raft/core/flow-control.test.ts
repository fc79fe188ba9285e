import { RaftInvariantError, type CoreOptions, type PeerStatus } from '../../../src/raft/core';
import { Cluster } from './cluster';
import { configuration, entry, id, MemoryLog } from './memory-log';
import { Solo } from './solo';

/** Probing, sending ahead within bounds, entries that are not in memory, and snapshots for those far behind. */

function peer(solo: Solo, n: number): PeerStatus {
  const found = solo.core.status().peers.find((known) => known.id === id(n));
  if (!found) throw new Error(`There is no peer ${n}.`);
  return found;
}

function leaderOf(entries: number, options: Partial<CoreOptions> = {}, boundary = 0): Solo {
  const stored = Array.from({ length: entries }, (_, n) => entry(boundary + n + 1, 1));
  const log = new MemoryLog({ index: boundary, term: boundary === 0 ? 0 : 1 }, stored);
  const snapshotMeta = { index: boundary, term: boundary === 0 ? 0 : 1, configuration: configuration([1, 2, 3]) };
  const solo = new Solo([1, 2, 3], { snapshotMeta, ...options }, log);
  solo.lead(false);
  return solo;
}

test('a probe is one append at a time; the first acceptance opens the window', () => {
  const solo = leaderOf(9);
  expect(peer(solo, 2)).toMatchObject({ state: 'probe', next: 10, match: 0 });
  solo.propose('x');
  expect(solo.sent('append')).toEqual([]);
  solo.hearReject(2, 9, 4, 1);
  expect(solo.sent('append').map((m) => [m.prevIndex, m.entries.length])).toEqual([[4, 7]]);
  solo.hearAccept(2, 11);
  expect(peer(solo, 2)).toMatchObject({ state: 'replicate', match: 11, next: 12 });
});

test('at most maxInflightMessages appends are on their way; answers free the window', () => {
  const solo = new Solo([1, 2, 3], { maxInflightMessages: 3 });
  solo.lead();
  for (let i = 0; i < 6; i++) solo.propose(`v${i}`);
  expect(solo.sent('append').filter((m) => m.to === id(2))).toHaveLength(3);
  expect(peer(solo, 2)).toMatchObject({ inflightMessages: 3, next: 5 });
  solo.hearAccept(2, 3);
  // What had to wait goes in one message.
  expect(
    solo
      .sent('append')
      .filter((m) => m.to === id(2))
      .map((m) => m.entries.length),
  ).toEqual([3]);
  expect(peer(solo, 2)).toMatchObject({ inflightMessages: 2, next: 8 });
});

test('no more appends go out once maxInflightBytes are on their way', () => {
  const solo = new Solo([1, 2, 3], { maxInflightMessages: 100, maxInflightBytes: 20 });
  solo.lead();
  for (let i = 0; i < 6; i++) solo.propose('0123456');
  expect(solo.sent('append').filter((m) => m.to === id(2))).toHaveLength(2);
  expect(peer(solo, 2).inflightBytes).toBe(22);
});

test('an append holds at most maxMessageBytes, and one entry at least', () => {
  const solo = new Solo([1, 2, 3], { maxMessageBytes: 25 });
  solo.lead();
  for (const size of [6, 6, 50, 6]) solo.core.propose(0, [Buffer.alloc(size)], 1);
  solo.turn();
  const sizes = solo
    .sent('append')
    .filter((m) => m.to === id(2))
    .map((m) => m.entries.length);
  expect(sizes).toEqual([2, 1, 1]);
});

test('a lost connection makes the leader probe again from what was acknowledged', () => {
  const solo = new Solo([1, 2, 3]);
  solo.lead();
  solo.propose('x');
  solo.propose('y');
  solo.hearAccept(2, 2);
  solo.forget();
  solo.core.unreachable(id(2));
  solo.turn();
  expect(solo.sent('append').map((m) => [m.to, m.prevIndex, m.entries.length])).toEqual([[id(2), 2, 1]]);
  expect(peer(solo, 2)).toMatchObject({ state: 'probe', inflightMessages: 0 });
});

describe('entries that are not in memory', () => {
  const behind = () => {
    const solo = leaderOf(20);
    solo.log.inMemoryFrom = 15;
    solo.forget();
    solo.hearReject(2, 20, 3, 1);
    return solo;
  };

  test('are asked for, and the peer waits for them alone', () => {
    const solo = behind();
    expect(solo.readies.at(-1)?.reads).toEqual([{ peer: id(2), from: 4 }]);
    solo.propose('x');
    expect(solo.readies.at(-1)?.reads).toEqual([]);
    expect(solo.sent('append')).toEqual([]);
    expect(solo.core.appendFor(id(2), solo.log.read(4, 1000, 5))).toBe(true);
    solo.turn();
    expect(solo.sent('append').map((m) => [m.to, m.prevIndex, m.entries.length])).toEqual([[id(2), 3, 5]]);
  });

  test('are asked for again when loading them failed', () => {
    const solo = behind();
    solo.core.entriesLoaded(id(2));
    solo.turn();
    expect(solo.readies.at(-1)?.reads).toEqual([{ peer: id(2), from: 4 }]);
  });

  test('are of no use when the peer has moved on, was not waiting, or this node leads no more', () => {
    const solo = behind();
    expect(solo.core.appendFor(id(2), solo.log.read(5, 1000, 5))).toBe(false);
    expect(solo.core.appendFor(id(3), solo.log.read(4, 1000, 5))).toBe(false);
    solo.hear(3, 'heartbeat', { term: 9, commit: 0, context: 0 });
    expect(solo.core.appendFor(id(2), solo.log.read(4, 1000, 5))).toBe(false);
  });

  test('are of no use when the log was cut under a snapshot beyond them while they were read: the peer gets the snapshot', () => {
    const solo = behind();
    const loaded = solo.log.read(4, 1000, 5);
    solo.log.truncatePrefix(9);
    expect(solo.core.appendFor(id(2), loaded)).toBe(false);
    solo.turn();
    expect(solo.readies.at(-1)?.snapshotsToSend).toEqual([{ to: id(2) }]);
  });

  test('have to be those of the log', () => {
    const solo = behind();
    expect(() => solo.core.appendFor(id(2), [entry(4, 7)])).toThrow(RaftInvariantError);
  });

  test('a whole log comes from the disk, message after message', () => {
    const cluster = new Cluster(3);
    cluster.makeLeader(1);
    cluster.crash(3);
    for (let i = 0; i < 100; i++) {
      cluster.propose(1, `v${i}`);
      cluster.run(1);
    }
    cluster.node(1).log.inMemoryFrom = cluster.node(1).log.lastIndex;
    cluster.restart(3);
    cluster.converge();
    expect(cluster.applied.get(id(3))).toHaveLength(100);
  });
});

describe('a peer that needs entries which are gone', () => {
  const farBehind = () => {
    const solo = leaderOf(5, {}, 100);
    solo.forget();
    solo.hearReject(2, 105, 7, 1);
    return solo;
  };

  test('gets a snapshot, and nothing else meanwhile', () => {
    const solo = farBehind();
    expect(solo.readies.at(-1)?.snapshotsToSend).toEqual([{ to: id(2) }]);
    expect(peer(solo, 2).state).toBe('snapshot');
    solo.propose('x');
    solo.hear(2, 'heartbeatResp', { term: 2, context: 0 });
    solo.hearReject(2, 105, 7, 1);
    expect(solo.sent('append').filter((m) => m.to === id(2))).toEqual([]);
    expect(peer(solo, 2).state).toBe('snapshot');
  });

  test('goes on behind the snapshot when it was sent, after a sign of life', () => {
    const solo = farBehind();
    solo.core.snapshotStatus(id(2), true, 103);
    solo.turn();
    expect(peer(solo, 2)).toMatchObject({ state: 'probe', next: 104 });
    expect(solo.sent('append')).toEqual([]);
    solo.hear(2, 'heartbeatResp', { term: 2, context: 0 });
    expect(solo.sent('append').map((m) => m.prevIndex)).toEqual([103]);
  });

  test('goes on as soon as it says that it has what the log can continue', () => {
    const solo = farBehind();
    solo.hearAccept(2, 60);
    expect(peer(solo, 2)).toMatchObject({ state: 'snapshot', match: 60 });
    solo.hearAccept(2, 102);
    expect(peer(solo, 2)).toMatchObject({ state: 'replicate', match: 102 });
  });

  test('is sent another one when that failed, after a sign of life', () => {
    const solo = farBehind();
    solo.core.snapshotStatus(id(2), false);
    solo.turn();
    expect(solo.readies.at(-1)?.snapshotsToSend).not.toEqual([]);
    solo.hear(2, 'heartbeatResp', { term: 2, context: 0 });
    expect(solo.readies.at(-1)?.snapshotsToSend).toEqual([{ to: id(2) }]);
  });

  test('is not sent any while it is silent', () => {
    const solo = leaderOf(5, {}, 100);
    for (let i = 0; i < 4; i++) {
      solo.tick(10);
      solo.hear(3, 'heartbeatResp', { term: 2, context: 0 });
    }
    solo.hear(2, 'heartbeatResp', { term: 2, context: 0 });
    for (let i = 0; i < 4; i++) {
      solo.tick(9);
      solo.hear(3, 'heartbeatResp', { term: 2, context: 0 });
    }
    expect(solo.core.status().role).toBe('leader');
    expect(solo.readies.flatMap((ready) => ready.snapshotsToSend)).toEqual([]);
    expect(peer(solo, 2).recentActive).toBe(false);
  });

  test('a cluster that compacts brings a new member up to date', () => {
    const cluster = new Cluster(3);
    cluster.makeLeader(1);
    cluster.crash(3);
    for (let i = 0; i < 60; i++) {
      cluster.propose(1, `v${i}`);
      cluster.run(1);
    }
    for (const n of [1, 2]) cluster.node(n).compact(0);
    cluster.restart(3);
    cluster.converge();
    expect(cluster.node(3).log.firstIndex).toBeGreaterThan(1);
  });
});
