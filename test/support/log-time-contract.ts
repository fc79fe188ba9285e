import { BatchKind, readHeader } from '../../src/log/batch';
import type { LogStore } from '../../src/log/log-store';
import { BatchChain } from './batch-chain';

/** What a `LogStore` has to find by time; part of `describeLogStore`. */
export function describeTimes(log: () => LogStore): void {
  test('every time leads to the first entry at or after it, and to the offset of the first record at or after it', async () => {
    const { log: store, chain } = { log: log(), chain: new BatchChain() };
    expect(await store.entryAtTime(0)).toBeUndefined();
    const batches = [chain.next({ count: 2 }), chain.next({ kind: BatchKind.NoOp, payload: Buffer.alloc(0) })];
    batches.push(chain.next({ count: 3 }), chain.next({ kind: BatchKind.System }), chain.next({ count: 1 }));
    for (const batch of batches) store.append(batch);
    await store.sync();
    const [first, noOp, third, , last] = batches.map((batch) => readHeader(batch).time) as [number, ...number[]];
    const asked = [0, first - 1, first, first + 1, noOp!, third!, third! + 1, last!, last! + 1];
    expect(await Promise.all(asked.map((time) => store.entryAtTime(time)))).toEqual([
      { index: 1, offset: 0 },
      { index: 1, offset: 0 },
      { index: 1, offset: 0 },
      { index: 2, offset: 2 },
      { index: 2, offset: 2 },
      { index: 3, offset: 2 },
      { index: 4, offset: 5 },
      { index: 5, offset: 5 },
      undefined,
    ]);
  });

  test('a time that was truncated is not found, and one before what was dropped leads to the beginning', async () => {
    const chain = new BatchChain();
    const batches = chain.many(20, { payload: Buffer.alloc(3_000) });
    for (const batch of batches) log().append(batch);
    await log().sync();
    const timeOf = (index: number): number => readHeader(batches[index - 1]!).time;
    await log().truncateSuffix(16);
    expect(await log().entryAtTime(timeOf(16))).toBeUndefined();
    expect(await log().entryAtTime(timeOf(15))).toEqual({ index: 15, offset: 14 });
    await log().truncatePrefix(8);
    const { firstIndex, firstOffset } = log();
    expect(await log().entryAtTime(0)).toEqual({ index: firstIndex, offset: firstOffset });
    expect(await log().entryAtTime(timeOf(firstIndex) + 1)).toEqual({ index: firstIndex + 1, offset: firstOffset + 1 });
  });
}
