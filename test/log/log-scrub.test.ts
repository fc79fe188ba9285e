import { FileSystemError } from '../../src/log/files';
import type { LogDamage } from '../../src/log/log-errors';
import type { LogScrub } from '../../src/log/log-scrub';
import type { SegmentedLog } from '../../src/log/segmented-log';
import { BatchChain } from '../support/batch-chain';
import { FaultyFiles } from '../support/faulty-files';
import { DIRECTORY, openLog } from './crash-kit';

interface Scrubbed {
  readonly files: FaultyFiles;
  readonly log: SegmentedLog;
  readonly scrub: LogScrub;
  readonly found: LogDamage[];
  readonly failed: unknown[];
  busy: boolean;
}

/** A log of several segments, nothing of it in memory any more. */
async function prepare(): Promise<Scrubbed> {
  const files = new FaultyFiles();
  const log = await openLog(files, { cacheBytes: 0 });
  for (const batch of new BatchChain().many(20, { payload: Buffer.alloc(700, 3) })) log.append(batch);
  await log.sync();
  const found: LogDamage[] = [];
  const failed: unknown[] = [];
  log.damage.subscribe((damage) => found.push(damage));
  const prepared = { files, log, found, failed, busy: false };
  const scrub = log.upkeep.scrub(
    () => prepared.busy,
    (error) => failed.push(error),
  );
  return Object.assign(prepared, { scrub });
}

async function tick(scrub: LogScrub, times = 1): Promise<void> {
  for (let n = 0; n < times; n++) {
    scrub.tick();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Ticks until a whole pass is done. */
async function pass(scrub: LogScrub): Promise<void> {
  const { passes } = scrub;
  for (let n = 0; n < 8_000 && scrub.passes === passes; n++) await tick(scrub);
  expect(scrub.passes).toBe(passes + 1);
}

function pathOf(log: SegmentedLog, nth: number): string {
  return log.segmentViews()[nth]!.path;
}

describe('the scrub', () => {
  test('reads all segments at rest, one step a tick, and finds nothing in a log that is whole', async () => {
    const { log, files, scrub, found, failed } = await prepare();
    const read = new Set<string>();
    let reads = 0;
    files.intercept = (operation, path) => {
      if (operation !== 'read') return;
      read.add(path);
      reads += 1;
    };
    await tick(scrub, 2);
    expect(reads).toBeLessThanOrEqual(2);
    await pass(scrub);
    const all = log.segmentViews().map(({ path }) => path);
    expect([...read]).toEqual(all.slice(0, -1));
    expect({ found, failed }).toEqual({ found: [], failed: [] });
    // The next pass begins much later.
    const { steps } = scrub;
    await tick(scrub, 100);
    expect(scrub.steps).toBe(steps);
    await log.close();
    expect(files.openFiles).toBe(0);
  });

  test.each([
    ['the payload of a batch', 800],
    ['a flush mark', 520],
    ['a header of a batch', 600],
  ])(
    'finds a flipped bit in %s, names it, and counts and tells it once, whoever else finds it',
    async (_what, position) => {
      const { log, files, scrub, found } = await prepare();
      const file = pathOf(log, 1);
      const { firstIndex, lastIndex } = log.segmentViews()[1]!;
      files.inode(file).rot(position, 4);
      await pass(scrub);
      expect(found).toEqual([
        { file, position: expect.any(Number) as number, fromIndex: firstIndex, toIndex: lastIndex },
      ]);
      expect(log.damage.count).toBe(1);
      await pass(scrub);
      expect(found).toHaveLength(1);
      log.damage.mended(file);
      await pass(scrub);
      expect(log.damage.count).toBe(2);
      await log.close();
    },
  );

  test('a sector that cannot be read is damage; another fault of the disk is said, and the rest is read', async () => {
    const { log, files, scrub, found, failed } = await prepare();
    const [bad, locked] = [pathOf(log, 0), pathOf(log, 2)];
    files.intercept = (operation, path) => {
      if (operation === 'read' && path === bad) throw new FileSystemError('read', path, 'EIO');
      if (operation === 'open' && path === locked) throw new FileSystemError('open', path, 'EMFILE');
    };
    await pass(scrub);
    expect(found.map(({ file }) => file)).toEqual([bad]);
    expect(failed).toMatchObject([{ code: 'EMFILE' }]);
    await expect(log.read(1, 1)).rejects.toMatchObject({ name: 'LogDamageError', damage: { file: bad, fromIndex: 1 } });
    await log.close();
  });

  test('leaves a busy disk alone, but not for ever', async () => {
    const prepared = await prepare();
    const { scrub, log } = prepared;
    prepared.busy = true;
    await tick(scrub, 9);
    expect(scrub.steps).toBe(0);
    await tick(scrub, 60);
    expect(scrub.steps).toBeGreaterThan(2);
    expect(scrub.steps).toBeLessThan(10);
    await log.close();
  });

  test('takes what is dropped meanwhile for no damage', async () => {
    const { log, scrub, found, failed, files } = await prepare();
    await tick(scrub, 2);
    await log.truncatePrefix(10);
    await log.truncateSuffix(14);
    await pass(scrub);
    expect({ found, failed }).toEqual({ found: [], failed: [] });
    await tick(scrub);
    scrub.stop();
    await log.close();
    expect(files.openFiles).toBe(0);
    expect(files.namesIn(DIRECTORY).length).toBeGreaterThan(0);
  });

  test('a reader that finds damage first is who tells it', async () => {
    const { log, files, found, scrub } = await prepare();
    const file = pathOf(log, 1);
    const { firstIndex } = log.segmentViews()[1]!;
    files.inode(file).rot(800, 4);
    for (let n = 0; n < 3; n++) {
      await expect(log.read(firstIndex, 1)).rejects.toMatchObject({ name: 'LogDamageError' });
    }
    expect(found).toMatchObject([{ file, fromIndex: firstIndex }]);
    await pass(scrub);
    expect(log.damage.count).toBe(1);
    await log.close();
  });
});
