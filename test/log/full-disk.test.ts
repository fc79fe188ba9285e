import { DiskSpace } from '../../src/log/disk-space';
import { FileSystemError } from '../../src/log/files';
import { DiskFullError, LogFailedError } from '../../src/log/log-errors';
import type { SegmentedLog } from '../../src/log/segmented-log';
import { BatchChain, readWholeLog } from '../support/batch-chain';
import { FaultyFiles, type FileOperation } from '../support/faulty-files';
import { DIRECTORY, openLog } from './crash-kit';

interface Filling {
  readonly files: FaultyFiles;
  readonly space: DiskSpace;
  readonly log: SegmentedLog;
  readonly fatal: LogFailedError[];
  readonly chain: BatchChain;
}

const PAYLOAD = Buffer.alloc(1_000, 7);

/** A log of one segment with one durable batch, on a disk that has no room for another segment. */
async function fill(): Promise<Filling> {
  const files = new FaultyFiles();
  await files.makeDirectory(DIRECTORY);
  const space = await watch(files);
  const fatal: LogFailedError[] = [];
  files.capacityBytes = 2_048;
  const log = await openLog(files, { space, onFatal: (error) => fatal.push(error) });
  const chain = new BatchChain();
  log.append(chain.next({ payload: PAYLOAD }));
  await log.sync();
  return { files, space, log, fatal, chain };
}

function watch(files: FaultyFiles): Promise<DiskSpace> {
  return DiskSpace.open({ files, directory: DIRECTORY, reserveBytes: 0, every: () => () => undefined });
}

/** Everything that can happen without another look at the disk has happened: a disk in memory takes no time. */
function quiet(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

describe('a log on a full disk', () => {
  test('waits with a new segment, serves what it has, and goes on by itself', async () => {
    const { files, space, log, fatal, chain } = await fill();
    const batches = chain.many(3, { payload: PAYLOAD });
    for (const batch of batches) log.append(batch);
    let synced = false;
    const sync = log.sync().then(() => (synced = true));
    await quiet();
    await space.look();
    await quiet();
    expect({ synced, full: space.full, durable: log.durableIndex, last: log.lastIndex }).toEqual({
      synced: false,
      full: true,
      durable: 1,
      last: 4,
    });
    expect(await log.read(1, 1)).toHaveLength(1);
    expect(await log.read(2, 1)).toEqual([batches[0]]);
    expect(files.namesIn(DIRECTORY)).toEqual(['00000000000000000001.log']);

    files.capacityBytes = 100_000;
    for (let looks = 0; looks < 8 && !synced; looks++) {
      await space.look();
      await quiet();
    }
    await sync;
    expect(log.durableIndex).toBe(4);
    expect(fatal).toEqual([]);
    const again = await openLog(files.afterPowerLoss('nothing'));
    expect((await readWholeLog(again)).slice(1)).toEqual(batches);
    await space.look();
    expect(space.full).toBe(false);
    await log.close();
    expect(files.openFiles).toBe(0);
  });

  test.each<[FileOperation, string]>([
    ['open', '.spare'],
    ['write', '.spare'],
    ['datasync', '.spare'],
    ['sync', '.spare'],
    ['rename', '.spare'],
  ])('a %s that finds it full while a segment is made is tried again with a new file', async (wanted, suffix) => {
    const { files, space, log, fatal, chain } = await fill();
    files.capacityBytes = 100_000;
    await space.look();
    let left = 2;
    files.intercept = (operation, path) => {
      if (operation !== wanted || !path.endsWith(suffix) || left === 0) return;
      left -= 1;
      if (operation === 'datasync' || operation === 'sync') files.inode(path).dropUnsynced();
      throw new FileSystemError(operation, path, left === 1 ? 'ENOSPC' : 'EDQUOT');
    };
    log.append(chain.next({ payload: PAYLOAD }));
    const sync = log.sync();
    for (let looks = 0; looks < 8; looks++) {
      await quiet();
      await space.look();
    }
    expect(await sync).toBe(2);
    expect({ left, fatal }).toEqual({ left: 0, fatal: [] });
    expect(await readWholeLog(await openLog(files.afterPowerLoss('nothing')))).toHaveLength(2);
  });

  test.each<[string, FileOperation, RegExp]>([
    ['write into a segment', 'write', /\.log$/],
    ['fsync of a segment', 'datasync', /\.log$/],
    ['fsync of the folder', 'sync folder', /log$/],
  ])('a %s that says so is fatal: what the disk holds is in doubt (pitfall 18)', async (_what, wanted, path) => {
    const files = new FaultyFiles();
    await files.makeDirectory(DIRECTORY);
    const fatal: LogFailedError[] = [];
    const space = await watch(files);
    const log = await openLog(files, { space, onFatal: (error) => fatal.push(error) });
    const [first, second] = new BatchChain().many(2, { payload: PAYLOAD });
    files.intercept = (operation, where) => {
      if (operation === wanted && path.test(where)) throw new FileSystemError(operation, where, 'ENOSPC');
    };
    log.append(first!);
    log.append(second!);
    await expect(log.sync()).rejects.toThrow(LogFailedError);
    expect(fatal).toHaveLength(1);
    expect(space.full).toBe(false);
  });

  test('begins anew behind a snapshot as soon as there is room, and is the old one until then', async () => {
    const { files, space, log, fatal } = await fill();
    const at = { index: 50, term: 3, nextOffset: 70, hash: Buffer.alloc(32, 5), time: 9_000_000 };
    let done = false;
    const reset = log.reset(at).then(() => (done = true));
    await quiet();
    expect({ done, full: space.full }).toEqual({ done: false, full: true });
    expect(await readWholeLog(await openLog(roomy(files.afterPowerLoss('nothing'))))).toHaveLength(1);
    files.capacityBytes = 100_000;
    await space.look();
    await reset;
    expect(fatal).toEqual([]);
    expect((await openLog(files.afterPowerLoss('nothing'))).firstIndex).toBe(51);
  });

  test('makes no segment ahead on the reserve', async () => {
    const files = new FaultyFiles();
    await files.makeDirectory(DIRECTORY);
    files.capacityBytes = 20_000;
    const space = await DiskSpace.open({
      files,
      directory: DIRECTORY,
      reserveBytes: 17_000,
      every: () => () => undefined,
    });
    const log = await openLog(files, { space });
    await quiet();
    expect(files.namesIn(DIRECTORY)).toEqual(['00000000000000000001.log']);
    await log.close();
  });

  test('that is closed while it waits says what was never durable, and nothing is in doubt', async () => {
    const { files, space, log, fatal, chain } = await fill();
    log.append(chain.next({ payload: PAYLOAD }));
    const sync = log.sync();
    await quiet();
    space.close();
    await expect(sync).rejects.toThrow(DiskFullError);
    expect(() => log.append(chain.next())).toThrow(DiskFullError);
    await expect(log.close()).rejects.toThrow(DiskFullError);
    expect({ fatal, open: files.openFiles }).toEqual({ fatal: [], open: 0 });
    const again = await openLog(roomy(files.afterPowerLoss('nothing')));
    expect({ last: again.lastIndex, recovery: again.recovery }).toEqual({ last: 1, recovery: {} });
  });
});

describe('opening a log on a full disk', () => {
  test('does not wait: whoever starts a node is told', async () => {
    const files = new FaultyFiles();
    await files.makeDirectory(DIRECTORY);
    files.capacityBytes = 1_000;
    await expect(openLog(files, { space: await watch(files) })).rejects.toMatchObject({ code: 'ENOSPC' });
    expect(files.namesIn(DIRECTORY)).toEqual([]);
  });

  /** A flush that was not finished: its second sector never came. */
  async function torn(rot: boolean): Promise<FaultyFiles> {
    const files = new FaultyFiles();
    const log = await openLog(files);
    const chain = new BatchChain();
    log.append(chain.next());
    await log.sync();
    log.append(chain.next({ payload: Buffer.alloc(900, 1) }));
    await log.sync();
    const left = files.afterPowerLoss('nothing');
    const path = `${DIRECTORY}/00000000000000000001.log`;
    const { bytes } = left.inode(path);
    const at = bytes.indexOf(Buffer.alloc(800, 1));
    if (rot) left.inode(path).rot(at + 20, 1);
    else
      for (let i = Math.ceil(at / 512) * 512; i < Math.ceil(at / 512) * 512 + 512; i++)
        left.inode(path).rot(i, bytes[i]!);
    left.capacityBytes = left.usedBytes + 10;
    return left;
  }

  test('cuts a torn tail without keeping its bytes aside: nobody was told of them', async () => {
    const files = await torn(false);
    const log = await openLog(files);
    expect(log.lastIndex).toBe(1);
    expect(log.recovery.torn?.bytes).toBeGreaterThan(0);
    expect(log.recovery.torn).not.toHaveProperty('keptAs');
    expect(files.namesIn(DIRECTORY).filter((name) => name.includes('torn'))).toEqual([]);
  });

  test('does not cut what may have been acknowledged before there is room to keep it', async () => {
    const files = await torn(true);
    const path = `${DIRECTORY}/00000000000000000001.log`;
    const before = files.inode(path).bytes;
    await expect(openLog(files)).rejects.toMatchObject({ code: 'ENOSPC' });
    expect(files.inode(path).bytes.equals(before)).toBe(true);
    expect(files.namesIn(DIRECTORY).filter((name) => name.includes('torn'))).toEqual([]);
    const log = await openLog(roomy(files));
    expect(log.recovery.lostAcknowledged).toBe(2);
    expect(log.recovery.torn?.keptAs).toContain('torn-1');
  });
});

function roomy(files: FaultyFiles): FaultyFiles {
  files.capacityBytes = Infinity;
  return files;
}
