import { basename } from 'node:path';
import { BatchChain, readWholeLog } from '../support/batch-chain';
import { FaultyFiles } from '../support/faulty-files';
import { DIRECTORY, openLog } from './crash-kit';

const SECOND = 1_000_000;

function firstIndexes(log: { segmentViews(): { firstIndex: number }[] }): number[] {
  return log.segmentViews().map(({ firstIndex }) => firstIndex);
}

describe('segments and time', () => {
  test('a segment takes no entry that is too much later than its first', async () => {
    const log = await openLog(new FaultyFiles(), { segmentAge: 10 * SECOND });
    const chain = new BatchChain();
    for (const seconds of [100, 105, 109.9, 110, 119, 130]) log.append(chain.next({ time: seconds * SECOND }));
    await log.sync();
    expect(firstIndexes(log)).toEqual([1, 4, 6]);
    await log.close();
  });

  test('a segment whose first entry is old is closed although nobody writes, once, and an empty one never', async () => {
    const files = new FaultyFiles();
    const log = await openLog(files);
    const chain = new BatchChain();
    await log.upkeep.rollBefore(Number.MAX_SAFE_INTEGER);
    expect(firstIndexes(log)).toEqual([1]);
    log.append(chain.next({ time: 100 * SECOND }));
    await log.upkeep.rollBefore(100 * SECOND);
    expect(firstIndexes(log)).toEqual([1]);
    await log.upkeep.rollBefore(100 * SECOND + 1);
    await log.upkeep.rollBefore(200 * SECOND);
    expect(firstIndexes(log)).toEqual([1, 2]);
    expect(log).toMatchObject({ firstIndex: 1, lastIndex: 1, durableIndex: 1 });
    expect(await log.entryAtTime(100 * SECOND)).toEqual({ index: 1, offset: 0 });
    expect(await log.indexOfOffset(0)).toBe(1);

    await log.truncatePrefix(1);
    expect(log).toMatchObject({ firstIndex: 2, lastIndex: 1, firstOffset: 1, nextOffset: 1 });
    expect(log.termAt(1)).toBe(1);
    const next = chain.next();
    log.append(next);
    await log.sync();
    await log.close();
    const again = await openLog(files.afterPowerLoss('nothing'));
    expect(await readWholeLog(again)).toEqual([next]);
    expect(again.segmentViews().map(({ path }) => basename(path))).toEqual([
      expect.stringMatching(/^0+2\.log$/) as string,
    ]);
  });

  test('a segment that age left half empty is followed by a small one, a full one by a larger one', async () => {
    const files = new FaultyFiles();
    const sizes = { firstSegmentBytes: 2_048, segmentBytes: 64 * 1_024 };
    const log = await openLog(files, { ...sizes, segmentAge: 10 * SECOND });
    const chain = new BatchChain();
    for (let n = 0; n < 40; n++) log.append(chain.next({ payload: Buffer.alloc(1_000) }));
    await log.sync();
    const grown = log.segmentViews().map(({ bytes }) => bytes);
    expect(grown).toEqual([2_048, 4_096, 8_192, 16_384, 32_768]);
    for (const seconds of [100, 200, 300, 400]) {
      log.append(chain.next({ time: seconds * SECOND }));
      await log.upkeep.rollBefore((seconds + 50) * SECOND);
    }
    await log.sync();
    const aged = log.segmentViews().map(({ bytes }) => bytes);
    expect(aged.at(-1)).toBe(2_048);
    await log.close();
    expect(files.namesIn(DIRECTORY).filter((name) => name.endsWith('.log'))).toHaveLength(aged.length);
  });
});
