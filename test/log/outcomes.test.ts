import { join } from 'node:path';
import { FileSystemError } from '../../src/log/files';
import { OutcomeStore } from '../../src/log/outcomes';
import type { SegmentedLog } from '../../src/log/segmented-log';
import { BatchChain } from '../support/batch-chain';
import { FaultyFiles } from '../support/faulty-files';
import { Gate } from '../support/gate';
import { DIRECTORY, openLog } from './crash-kit';

const ROW = 64;

function rows(from: number, count: number): Buffer {
  return Buffer.concat(Array.from({ length: count }, (_, i) => Buffer.alloc(ROW, ((from + i) % 250) + 1)));
}

async function prepare(
  files = new FaultyFiles(),
): Promise<{ files: FaultyFiles; log: SegmentedLog; outcomes: OutcomeStore }> {
  const log = await openLog(files);
  return { files, log, outcomes: await OutcomeStore.open({ log, files }) };
}

/** Batches of 5 records each, in several segments. */
function append(log: SegmentedLog, batches: number): void {
  const chain = new BatchChain({
    index: log.lastIndex,
    term: log.lastTerm,
    nextOffset: log.nextOffset,
    hash: log.lastHash,
    time: log.lastTime,
  });
  for (const batch of chain.many(batches, { count: 5, payload: Buffer.alloc(400, 1) })) log.append(batch);
}

function outcomeFiles(files: FaultyFiles): string[] {
  return files.namesIn(DIRECTORY).filter((name) => name.endsWith('.outcomes'));
}

describe('outcomes', () => {
  test('are readable at once, in any range, across segments', async () => {
    const { log, outcomes, files } = await prepare();
    append(log, 12);
    for (let offset = 0; offset < 60; offset += 5) outcomes.write(offset, rows(offset, 5));
    expect((await outcomes.read(0, 60)).equals(rows(0, 60))).toBe(true);
    await outcomes.sync();
    expect((await outcomes.read(13, 30)).equals(rows(13, 30))).toBe(true);
    await log.sync();
    expect(outcomeFiles(files).length).toBeGreaterThan(2);
    await outcomes.close();
    await log.close();
    expect(files.openFiles).toBe(0);
  });

  test('that were never written read as zeros, also beyond the end', async () => {
    const { log, outcomes } = await prepare();
    append(log, 2);
    outcomes.write(5, rows(5, 5));
    expect(
      (await outcomes.read(3, 10)).equals(Buffer.concat([Buffer.alloc(2 * ROW), rows(5, 5), Buffer.alloc(3 * ROW)])),
    ).toBe(true);
  });

  test('are beside the segment that their record was appended to, whether or not it is written (no misplaced row)', async () => {
    const { log, outcomes, files } = await prepare();
    const gate = new Gate('write');
    files.intercept = gate.intercept;
    append(log, 12);
    for (let offset = 0; offset < 60; offset += 5) outcomes.write(offset, rows(offset, 5));
    gate.release();
    await log.sync();
    await outcomes.close();
    await log.close();
    const again = await prepare(files.afterPowerLoss('everything'));
    expect((await again.outcomes.read(0, 60)).equals(rows(0, 60))).toBe(true);
  });

  test('survive a loss of power once they are synced', async () => {
    const { log, outcomes, files } = await prepare();
    append(log, 12);
    await log.sync();
    for (let offset = 0; offset < 60; offset += 5) outcomes.write(offset, rows(offset, 5));
    await outcomes.sync();
    const again = await prepare(files.afterPowerLoss('nothing'));
    expect((await again.outcomes.read(0, 60)).equals(rows(0, 60))).toBe(true);
  });

  test('go with their segment', async () => {
    const { log, outcomes, files } = await prepare();
    append(log, 12);
    await log.sync();
    for (let offset = 0; offset < 60; offset += 5) outcomes.write(offset, rows(offset, 5));
    await outcomes.sync();
    const before = outcomeFiles(files).length;
    await log.truncatePrefix(10);
    expect(outcomeFiles(files).length).toBeLessThan(before);
    expect(files.namesIn(DIRECTORY)).toEqual(
      expect.arrayContaining(outcomeFiles(files).map((name) => name.replace('.outcomes', ''))),
    );
    outcomes.write(0, rows(0, 5));
    await outcomes.sync();
    expect((await outcomes.read(0, 5)).equals(Buffer.alloc(5 * ROW))).toBe(true);
    expect((await outcomes.read(log.firstOffset, 5)).equals(rows(log.firstOffset, 5))).toBe(true);
    await log.reset({ index: 100, term: 1, nextOffset: 500, hash: Buffer.alloc(32), time: 1e9 });
    expect(outcomeFiles(files)).toEqual([]);
    await outcomes.close();
    await log.close();
    expect(files.openFiles).toBe(0);
  });

  test('without a segment are removed when the log is opened', async () => {
    const { log, files } = await prepare();
    await log.close();
    const orphan = join(DIRECTORY, '00000000000000000077.log.outcomes');
    await (await files.open(orphan, 'create')).close();
    await (await openLog(files)).close();
    expect(await files.exists(orphan)).toBe(false);
  });

  test('of records that the log does not have, or of another size, are a fault of the caller', async () => {
    const { log, outcomes } = await prepare();
    append(log, 1);
    expect(() => outcomes.write(0, Buffer.alloc(65))).toThrow(RangeError);
    expect(() => outcomes.write(3, rows(3, 5))).toThrow(RangeError);
    expect(() => outcomes.write(5, rows(5, 1))).toThrow(RangeError);
    outcomes.write(0, Buffer.alloc(0));
    await outcomes.close();
    expect(() => outcomes.write(0, rows(0, 1))).toThrow('The log is closed');
  });

  test('that cannot be written are said to whoever syncs', async () => {
    const { log, outcomes, files } = await prepare();
    append(log, 1);
    await log.sync();
    files.intercept = (operation, path) => {
      if (operation === 'write') throw new FileSystemError('write', path, 'ENOSPC');
    };
    outcomes.write(0, rows(0, 5));
    await expect(outcomes.sync()).rejects.toMatchObject({ code: 'ENOSPC' });
    expect(() => outcomes.write(0, rows(0, 5))).toThrow(FileSystemError);
  });
});
