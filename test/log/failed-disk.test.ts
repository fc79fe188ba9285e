import { FileSystemError } from '../../src/log/files';
import { LogFailedError } from '../../src/log/log-errors';
import { BatchChain, readWholeLog } from '../support/batch-chain';
import { FaultyFiles, type FileOperation } from '../support/faulty-files';
import { openLog } from './crash-kit';

/** The next operation of this kind fails, and then all is well again: as disks and systems do it. */
function failOnce(files: FaultyFiles, wanted: FileOperation, code: string): void {
  files.intercept = (operation, path) => {
    if (operation !== wanted) return;
    files.intercept = undefined;
    if (operation === 'datasync') files.inode(path).dropUnsynced();
    throw new FileSystemError(operation, path, code);
  };
}

describe('a disk that fails', () => {
  test('a failed fsync is not tried again: it would "succeed" (pitfall 18)', async () => {
    const files = new FaultyFiles();
    const fatal: LogFailedError[] = [];
    const log = await openLog(files, { onFatal: (error) => fatal.push(error) });
    const chain = new BatchChain();
    const durable = chain.next();
    log.append(durable);
    await log.sync();

    failOnce(files, 'datasync', 'EIO');
    log.append(chain.next());
    await expect(log.sync()).rejects.toThrow(LogFailedError);
    expect(fatal).toHaveLength(1);
    expect(fatal[0]!.message).toContain('Could not datasync');
    expect(log.durableIndex).toBe(1);
    await expect(log.sync()).rejects.toBe(fatal[0]);
    expect(() => log.append(chain.next())).toThrow(LogFailedError);
    expect(log.durableIndex).toBe(1);
    await expect(log.close()).rejects.toBe(fatal[0]);
    expect(fatal).toHaveLength(1);
    expect(files.openFiles).toBe(0);

    const again = await openLog(files.afterPowerLoss('nothing'));
    expect(await readWholeLog(again)).toEqual([durable]);
  });

  test('what a failed fsync has forgotten is written again by the next process before it counts as durable', async () => {
    const files = new FaultyFiles();
    const log = await openLog(files);
    const batches = new BatchChain().many(2);
    log.append(batches[0]!);
    await log.sync();
    failOnce(files, 'datasync', 'EIO');
    log.append(batches[1]!);
    await expect(log.sync()).rejects.toThrow(LogFailedError);

    // The machine runs on: its memory has the entry, and no sync brings it to the disk.
    const next = await openLog(files);
    expect(await next.sync()).toBe(2);
    const afterPowerLoss = await openLog(files.afterPowerLoss('nothing'));
    expect(await readWholeLog(afterPowerLoss)).toEqual(batches);
  });

  test.each<FileOperation>(['write', 'rename', 'sync folder', 'open'])(
    'a failed %s while a segment is made is fatal',
    async (operation) => {
      const files = new FaultyFiles();
      let fatal = 0;
      const log = await openLog(files, { onFatal: () => (fatal += 1) });
      const [first, second] = new BatchChain().many(2, { payload: Buffer.alloc(1_100) });
      log.append(first!);
      await log.sync();
      failOnce(files, operation, 'EIO');
      log.append(second!);
      await expect(log.sync()).rejects.toThrow(LogFailedError);
      expect(fatal).toBe(1);
      expect(log.durableIndex).toBe(1);
    },
  );

  test('a full disk in the background is no fault until the space is needed', async () => {
    const files = new FaultyFiles();
    let full = false;
    files.intercept = (operation, path) => {
      if (full && operation === 'write' && path.endsWith('.spare'))
        throw new FileSystemError(operation, path, 'ENOSPC');
    };
    full = true;
    await expect(openLog(files)).rejects.toMatchObject({ code: 'ENOSPC' });
    full = false;
    const log = await openLog(files);
    full = true;
    const chain = new BatchChain();
    log.append(chain.next());
    expect(await log.sync()).toBe(1);
    full = false;
    for (const batch of chain.many(5, { payload: Buffer.alloc(1_500) })) log.append(batch);
    expect(await log.sync()).toBe(6);
    await log.close();
  });

  test('a failed truncation rejects, and nothing is appended in its place', async () => {
    const files = new FaultyFiles();
    const log = await openLog(files);
    for (const batch of new BatchChain().many(3)) log.append(batch);
    await log.sync();
    failOnce(files, 'truncate', 'EIO');
    await expect(log.truncateSuffix(2)).rejects.toThrow(LogFailedError);
    await expect(log.sync()).rejects.toThrow(LogFailedError);
    expect(log.durableIndex).toBe(1);
  });
});
