import type { FetchedBatch } from '../../src/ledger/projection/source';
import { BatchKind } from '../../src/log/batch';
import { AppliedSignal } from '../../src/node/applied-signal';
import { OutcomeDamageError } from '../../src/node/outcome-keeper';
import { ProjectionFeed } from '../../src/node/projection-feed';
import { BatchChain } from '../support/batch-chain';
import { MemoryLog } from '../support/memory-log';

const ALL = 1 << 30;
const ROW = 64;

class World {
  readonly log = new MemoryLog();
  readonly chain = new BatchChain();
  readonly signal = new AppliedSignal();
  applied = 0;
  rowBytes = ROW;
  readonly askedPeers: [number, number][] = [];
  fromPeers: readonly FetchedBatch[] | Error = new Error('no peer has it');

  readonly feed = new ProjectionFeed({
    log: this.log,
    readOutcomes: async (_offset, count) => Buffer.alloc(count * this.rowBytes, 7),
    mendOutcomes: async () => false,
    damageAt: (offset) => new OutcomeDamageError(offset, undefined),
    appliedIndex: () => this.applied,
    nextOffset: () => this.applied * 2,
    signal: this.signal,
    fromPeers: async (...asked) => {
      this.askedPeers.push(asked);
      if (this.fromPeers instanceof Error) throw this.fromPeers;
      return this.fromPeers;
    },
  });

  constructor() {
    this.log.append(this.chain.next({ kind: BatchKind.NoOp, payload: Buffer.alloc(0) }));
    for (const batch of this.chain.many(3, { count: 2 })) this.log.append(batch);
    this.applied = 3;
  }
}

describe('ProjectionFeed', () => {
  let world: World;
  beforeEach(() => {
    world = new World();
  });

  test('gives applied batches with their outcomes, and how far the node is', async () => {
    const { batches, commitIndex, nextOffset } = await world.feed.fetch(1, ALL);
    expect(batches.map(({ batch }) => batch)).toEqual((await world.log.read(1, ALL)).slice(0, 3));
    expect(batches.map(({ outcomes }) => outcomes.length)).toEqual([0, 2 * ROW, 2 * ROW]);
    expect([commitIndex, nextOffset]).toEqual([3, 6]);
  });

  test('waits at the end until more is applied', async () => {
    const waiting = world.feed.fetch(4, ALL);
    world.applied = 4;
    world.signal.notify();
    expect((await waiting).batches).toHaveLength(1);
  });

  test('and no longer than its long poll', async () => {
    // A wait of the feed does not keep the process alive, so the test has to.
    const alive = setInterval(() => undefined, 1_000);
    expect(await world.feed.fetch(4, ALL)).toEqual({ batches: [], commitIndex: 3, nextOffset: 6 });
    clearInterval(alive);
  });

  test('below its own log it asks the peers', async () => {
    await world.log.sync();
    await world.log.truncatePrefix(2);
    await expect(world.feed.fetch(1, 50)).rejects.toThrow('no peer has it');
    world.fromPeers = [];
    expect((await world.feed.fetch(2, 50)).batches).toEqual([]);
    expect(world.askedPeers).toEqual([
      [1, 50],
      [2, 50],
    ]);
    expect((await world.feed.fetch(3, 50)).batches).toHaveLength(1);
  });

  test('a peer that asks gets only what is here and applied', async () => {
    await world.log.sync();
    await world.log.truncatePrefix(1);
    expect(await world.feed.own(1, ALL)).toEqual([]);
    expect(await world.feed.own(2, ALL)).toHaveLength(2);
    expect(await world.feed.own(4, ALL)).toEqual([]);
    expect(world.askedPeers).toEqual([]);
  });

  test('outcomes that are not those of the batch never reach the rows', async () => {
    world.rowBytes = 63;
    await expect(world.feed.fetch(2, ALL)).rejects.toThrow('Batch 2 has 2 records, but 126 bytes of outcomes are kept');
  });
});
