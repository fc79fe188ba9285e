import { BatchChain } from '../support/batch-chain';
import { FaultyFiles } from '../support/faulty-files';
import { Gate } from '../support/gate';
import { openLog } from './crash-kit';

const MIB = 1024 * 1024;

describe('group commit', () => {
  test('what waits while a flush is under way goes with the next one, in one fdatasync', async () => {
    const files = new FaultyFiles();
    const log = await openLog(files, { firstSegmentBytes: MIB, segmentBytes: MIB });
    const chain = new BatchChain();
    const gate = new Gate('datasync');
    log.append(chain.next());
    files.intercept = gate.intercept;
    const first = log.sync();
    await gate.reached;
    const others: Promise<number>[] = [];
    for (let i = 0; i < 500; i++) {
      log.append(chain.next());
      others.push(log.sync());
    }
    expect(log.durableIndex).toBe(0);
    gate.release();
    await first;
    expect(log.durableIndex).toBe(1);
    await Promise.all(others);
    expect(log.stats()).toMatchObject({ fsyncs: 2, batches: 501 });
    await log.close();
  });

  test('nothing is acknowledged before its own fdatasync has returned (pitfall 17)', async () => {
    const files = new FaultyFiles();
    const log = await openLog(files);
    const gate = new Gate('datasync');
    files.intercept = gate.intercept;
    log.append(new BatchChain().next());
    let acknowledged = false;
    const synced = log.sync().then(() => (acknowledged = true));
    await gate.reached;
    expect([acknowledged, log.durableIndex]).toEqual([false, 0]);
    gate.release();
    await synced;
    expect(log.durableIndex).toBe(1);
  });

  test('a large queue is written in several flushes, and who waits for its beginning does not wait for its end', async () => {
    const log = await openLog(new FaultyFiles(), { firstSegmentBytes: 64 * MIB, segmentBytes: 64 * MIB });
    const chain = new BatchChain();
    const durableAt: number[] = [];
    const waiting: Promise<unknown>[] = [];
    for (const batch of chain.many(12, { payload: Buffer.alloc(3 * MIB, 1) })) {
      log.append(batch);
      waiting.push(log.sync().then(() => durableAt.push(log.durableIndex)));
    }
    await Promise.all(waiting);
    expect(durableAt[0]).toBeLessThan(4);
    expect(durableAt.at(-1)).toBe(12);
    expect(log.stats().fsyncs).toBeGreaterThan(4);
  });

  test('segments roll by size, doubling up to the bound, and by age', async () => {
    const log = await openLog(new FaultyFiles(), { firstSegmentBytes: 2_048, segmentBytes: 8_192 });
    for (const batch of new BatchChain().many(40, { payload: Buffer.alloc(500, 1) })) log.append(batch);
    await log.sync();
    expect(
      log
        .segmentViews()
        .map(({ bytes }) => bytes)
        .slice(0, 4),
    ).toEqual([2_048, 4_096, 8_192, 8_192]);

    const aging = await openLog(new FaultyFiles(), { segmentBytes: MIB, firstSegmentBytes: MIB, segmentAge: 5_000 });
    // One batch every 1,000 µs.
    for (const batch of new BatchChain().many(12)) aging.append(batch);
    await aging.sync();
    expect(aging.segmentViews().map(({ firstIndex, lastIndex }) => [firstIndex, lastIndex])).toEqual([
      [1, 5],
      [6, 10],
      [11, 12],
    ]);
  });

  test('what is not durable stays in memory beyond the bound of the cache, what is durable goes', async () => {
    const log = await openLog(new FaultyFiles(), { cacheBytes: 1_000 });
    const batches = new BatchChain().many(20);
    for (const batch of batches) log.append(batch);
    expect(log.cached(1, MIB)).toEqual(batches);
    await log.sync();
    expect(log.cached(1, MIB)).toBeUndefined();
    const held = log.cached(20, MIB);
    expect(held).toEqual([batches[19]]);
    // The buffers that were appended, not copies of them.
    expect(held![0]).toBe(batches[19]);
  });
});
