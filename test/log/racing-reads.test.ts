import { readHeader } from '../../src/log/batch';
import { LogRangeError } from '../../src/log/log-errors';
import type { SegmentedLog } from '../../src/log/segmented-log';
import { BatchChain } from '../support/batch-chain';
import { FaultyFiles } from '../support/faulty-files';
import { Gate } from '../support/gate';
import { openLog } from './crash-kit';

const EVERYTHING = 1 << 30;

interface Prepared {
  readonly files: FaultyFiles;
  readonly log: SegmentedLog;
  readonly batches: readonly Buffer[];
}

/** A log of 20 entries, all on the disk and none in memory, in several segments. */
async function prepare(): Promise<Prepared> {
  const files = new FaultyFiles();
  const log = await openLog(files, { cacheBytes: 0 });
  const batches = new BatchChain().many(20, { payload: Buffer.alloc(200, 1) });
  for (const batch of batches) log.append(batch);
  await log.sync();
  expect(log.cached(20, 1)).toBeUndefined();
  return { files, log, batches };
}

/** Lets `change` happen while `reading` waits for the disk. */
async function during<T>(files: FaultyFiles, reading: () => Promise<T>, change: () => Promise<void>): Promise<T> {
  const gate = new Gate('read');
  files.intercept = gate.intercept;
  const result = reading();
  result.catch(() => undefined);
  await gate.reached;
  const changed = change();
  gate.release();
  files.intercept = undefined;
  await changed;
  return result;
}

describe('a read that races with a truncation', () => {
  test('of what it reads says so', async () => {
    const { files, log } = await prepare();
    const racing = during(
      files,
      () => log.read(4, EVERYTHING),
      () => log.truncateSuffix(3),
    );
    await expect(racing).rejects.toMatchObject({ name: 'LogRangeError', reason: 'truncated' });
  });

  test('of the end of what it reads gives the beginning', async () => {
    const { files, log, batches } = await prepare();
    expect(
      await during(
        files,
        () => log.read(1, EVERYTHING),
        () => log.truncateSuffix(3),
      ),
    ).toEqual(batches.slice(0, 2));
  });

  test('does not give the old entry for the new one of the same index', async () => {
    const { files, log, batches } = await prepare();
    const change = async (): Promise<void> => {
      const truncated = log.truncateSuffix(4);
      log.append(BatchChain.after(batches[2]!).next({ term: 2 }));
      await truncated;
      await log.sync();
    };
    await expect(during(files, () => log.read(4, 1), change)).rejects.toThrow(LogRangeError);
  });

  test('of the prefix gives what it read, or says so', async () => {
    const { files, log, batches } = await prepare();
    const found = await during(
      files,
      () => log.read(1, 1),
      () => log.truncatePrefix(19),
    ).catch((error: unknown) => error);
    if (found instanceof LogRangeError) expect(found.reason).toBe('compacted');
    else expect(found).toEqual([batches[0]]);
    expect(log.firstIndex).toBeGreaterThan(1);
    await expect(log.read(1, 1)).rejects.toMatchObject({ reason: 'compacted' });
  });

  test('by a snapshot that is installed says so, also in a search', async () => {
    const { files, log } = await prepare();
    const at = { index: 500, term: 3, nextOffset: 900, hash: Buffer.alloc(32, 1), time: 1e9 };
    await expect(
      during(
        files,
        () => log.read(3, 1),
        () => log.reset(at),
      ),
    ).rejects.toMatchObject({ reason: 'truncated' });

    const other = await prepare();
    const search = during(
      other.files,
      () => other.log.indexOfOffset(7),
      () => other.log.reset(at),
    );
    await expect(search).rejects.toThrow(LogRangeError);
  });

  test('keeps no file open afterwards', async () => {
    const { files, log } = await prepare();
    await during(
      files,
      () => log.read(1, 1),
      () => log.truncatePrefix(19),
    );
    await log.close();
    expect(files.openFiles).toBe(0);
  });
});

describe('reading from the disk', () => {
  test('gives every entry by index, by offset and by time, in memory or not', async () => {
    for (const cacheBytes of [0, 3_000, EVERYTHING]) {
      const log = await openLog(new FaultyFiles(), { cacheBytes, firstSegmentBytes: 1 << 20, segmentBytes: 1 << 21 });
      const chain = new BatchChain();
      // Several entries of the sparse index, and batches larger than the distance between them.
      const batches = Array.from({ length: 60 }, (_, i) =>
        chain.next({ payload: Buffer.alloc((i % 7) * 17_000, i), count: i % 3 }),
      );
      for (const batch of batches) log.append(batch);
      await log.sync();
      let offset = 0;
      for (const [i, batch] of batches.entries()) {
        expect((await log.read(i + 1, 1))[0]!.equals(batch)).toBe(true);
        for (let n = 0; n < i % 3; n++) expect(await log.indexOfOffset(offset++)).toBe(i + 1);
        const time = (i + 1) * 1_000;
        const { baseOffset } = readHeader(batch);
        const entry = { index: i + 1, offset: baseOffset };
        expect([await log.entryAtTime(time), await log.entryAtTime(time - 999)]).toEqual([entry, entry]);
      }
      expect(await log.entryAtTime(60_001)).toBeUndefined();
      expect(await log.entryAtTime(-5)).toEqual({ index: 1, offset: 0 });
      await log.close();
    }
  });

  test('keeps a bounded number of files open', async () => {
    const files = new FaultyFiles();
    const log = await openLog(files, { cacheBytes: 0, segmentBytes: 2_048 });
    const batches = new BatchChain().many(60, { payload: Buffer.alloc(900, 1) });
    for (const batch of batches) log.append(batch);
    await log.sync();
    expect(log.stats().segments).toBeGreaterThan(40);
    for (let index = 1; index <= 60; index++) await log.read(index, 1);
    await Promise.all(batches.map((_, i) => log.read(i + 1, 1)));
    expect(files.openFiles).toBeLessThan(25);
    await log.close();
    expect(files.openFiles).toBe(0);
  });

  test('a time between the last entry on the disk and the first in memory leads to the latter', async () => {
    const log = await openLog(new FaultyFiles(), {
      cacheBytes: 2_000,
      segmentBytes: 1 << 20,
      firstSegmentBytes: 1 << 20,
    });
    const batches = new BatchChain().many(12, { count: 2, payload: Buffer.alloc(600) });
    for (const batch of batches) log.append(batch);
    await log.sync();
    const oldest = batches.findIndex((_, i) => log.cached(i + 1, 1) !== undefined);
    expect(oldest).toBeGreaterThan(0);
    for (const [i, batch] of batches.entries()) {
      const entry = { index: i + 1, offset: 2 * i };
      expect(await log.entryAtTime(readHeader(batch).time - 1)).toEqual(entry);
    }
    await log.close();
  });
});
