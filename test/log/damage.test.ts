import { join } from 'node:path';
import { BatchKind, readHeader, sealBatch } from '../../src/log/batch';
import { LogDamageError, LogVersionError } from '../../src/log/log-errors';
import type { SegmentedLog } from '../../src/log/segmented-log';
import { segmentName } from '../../src/log/segment-header';
import { BatchChain, readWholeLog } from '../support/batch-chain';
import { FaultyFiles } from '../support/faulty-files';
import { DIRECTORY, isPowerLoss, openLog, survivals } from './crash-kit';

const FIRST = join(DIRECTORY, segmentName(1));

interface Written {
  readonly files: FaultyFiles;
  readonly batches: readonly Buffer[];
}

/** A log of so many batches; each is synced on its own, or all together. */
async function write(count: number, how: { together?: boolean; clean?: boolean; payload?: number }): Promise<Written> {
  const files = new FaultyFiles();
  const log = await openLog(files);
  const batches = new BatchChain().many(count, { payload: Buffer.alloc(how.payload ?? 100, 5) });
  for (const batch of batches) {
    log.append(batch);
    if (!how.together) await log.sync();
  }
  await log.sync();
  if (how.clean) await log.close();
  return { files: files.afterPowerLoss('nothing'), batches };
}

/** Where a batch begins in the first segment. */
function positionOf(files: FaultyFiles, batch: Buffer): number {
  const position = files.inode(FIRST).bytes.indexOf(batch);
  if (position < 0) throw new Error('The first segment does not hold the batch.');
  return position;
}

async function damageFoundIn(files: FaultyFiles): Promise<LogDamageError> {
  const before = new Map(files.namesIn(DIRECTORY).map((name) => [name, files.inode(join(DIRECTORY, name)).bytes]));
  const error: unknown = await openLog(files).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof LogDamageError)) throw new Error(`LogDamageError expected, but: ${String(error)}`);
  for (const [name, bytes] of before) {
    if (name.endsWith('.log')) expect(files.inode(join(DIRECTORY, name)).bytes).toEqual(bytes);
  }
  return error;
}

async function reopened(files: FaultyFiles): Promise<SegmentedLog> {
  const log = await openLog(files);
  expect(log.durableIndex).toBe(log.lastIndex);
  return log;
}

describe('rot before good entries is named and never cut (pitfall 20)', () => {
  test('in a batch of an earlier flush', async () => {
    const { files, batches } = await write(3, {});
    const position = positionOf(files, batches[1]!);
    files.inode(FIRST).rot(position + 170, 1);
    const { damage, message } = await damageFoundIn(files);
    expect(damage).toEqual({ file: FIRST, position, fromIndex: 2, toIndex: 2 });
    expect(message).toContain(`Damaged: ${FIRST} from byte ${position} on, entries 2 to 2.`);
  });

  test('in an earlier batch of the last flush', async () => {
    const { files, batches } = await write(4, { together: true });
    const position = positionOf(files, batches[1]!);
    files.inode(FIRST).rot(position + 16, 0x80);
    expect((await damageFoundIn(files)).damage).toEqual({ file: FIRST, position, fromIndex: 2, toIndex: 2 });
  });

  test('in the last batch, when the log was closed properly', async () => {
    const { files, batches } = await write(3, { clean: true });
    const position = positionOf(files, batches[2]!);
    files.inode(FIRST).rot(position + 161, 4);
    expect((await damageFoundIn(files)).damage).toEqual({ file: FIRST, position, fromIndex: 3, toIndex: 3 });
  });

  test('in the last batch of a segment that others follow', async () => {
    const { files, batches } = await write(12, {});
    const last = batches.filter((batch) => files.inode(FIRST).bytes.includes(batch)).at(-1)!;
    const position = positionOf(files, last);
    const { index } = readHeader(last);
    files.inode(FIRST).rot(position + 100, 1);
    expect((await damageFoundIn(files)).damage).toEqual({ file: FIRST, position, fromIndex: index, toIndex: index });
  });

  test('in the header of a segment', async () => {
    const { files } = await write(12, {});
    files.inode(FIRST).rot(40, 1);
    expect((await damageFoundIn(files)).damage).toMatchObject({ file: FIRST, position: 0, fromIndex: 1 });
  });

  test('a segment in the middle that is missing', async () => {
    const { files } = await write(30, {});
    const [, second, third] = files.namesIn(DIRECTORY).filter((name) => name.endsWith('.log'));
    await files.unlink(join(DIRECTORY, second!));
    await files.syncDirectory(DIRECTORY);
    const { damage } = await damageFoundIn(files);
    expect(damage).toMatchObject({ file: FIRST, toIndex: Number.parseInt(third!, 10) - 1 });
    expect(damage.fromIndex).toBe(Number.parseInt(second!, 10));
  });
});

describe('rot at the very end is cut, and what may be lost is said (pitfall 20)', () => {
  test('in the last batch: its bytes are all there, so it may have been acknowledged', async () => {
    const { files, batches } = await write(3, {});
    const position = positionOf(files, batches[2]!);
    files.inode(FIRST).rot(position + 200, 1);
    const log = await reopened(files);
    expect(await readWholeLog(log)).toEqual(batches.slice(0, 2));
    expect(log.recovery.lostAcknowledged).toBe(3);
    expect(log.recovery.torn).toMatchObject({ file: FIRST, position, bytes: 260 });
    expect(files.inode(log.recovery.torn!.keptAs!).bytes).toHaveLength(260);
    await log.close();
  });

  test('it is said at every opening until it is settled', async () => {
    const { files, batches } = await write(3, {});
    files.inode(FIRST).rot(positionOf(files, batches[2]!) + 200, 1);
    for (let i = 0; i < 2; i++) {
      const log = await reopened(files);
      expect(log.recovery.lostAcknowledged).toBe(3);
      if (i === 1) await log.settleLoss();
      await log.close();
    }
    const log = await reopened(files);
    expect(log.recovery).toEqual({});
    await log.close();
  });

  test('it is not forgotten by a loss of power during the opening that cuts', async () => {
    const { files, batches } = await write(3, {});
    files.inode(FIRST).rot(positionOf(files, batches[2]!) + 200, 1);
    for (let operations = 0, opened = false; !opened; operations++) {
      const first = files.afterPowerLoss('nothing');
      first.losePowerAfter(operations);
      opened = await openLog(first).then(
        (log) => log.close().then(() => true),
        (error: unknown) => {
          if (!isPowerLoss(error)) throw error;
          return false;
        },
      );
      for (const survival of survivals(operations)) {
        const log = await reopened(first.afterPowerLoss(survival));
        expect(log.recovery.lostAcknowledged).toBe(3);
        await log.close();
      }
    }
  });

  test('in a payload of zeros: a sector that is zero by right is not one that was lost', async () => {
    const files = new FaultyFiles();
    const log = await openLog(files);
    const batch = new BatchChain().next({ payload: Buffer.alloc(1_200) });
    log.append(batch);
    await log.sync();
    const remains = files.afterPowerLoss('nothing');
    remains.inode(FIRST).rot(positionOf(remains, batch) + 50, 1);
    const again = await reopened(remains);
    expect(again.lastIndex).toBe(0);
    expect(again.recovery.lostAcknowledged).toBe(1);
  });

  test('in the mark of the last flush', async () => {
    const { files, batches } = await write(3, {});
    const rotten = positionOf(files, batches[2]!);
    files.inode(FIRST).rot(rotten - 20, 1);
    expect((await damageFoundIn(files)).damage).toMatchObject({ fromIndex: 3, toIndex: 3 });
    files.inode(FIRST).rot(rotten + 10, 1);
    const log = await reopened(files);
    expect(log.lastIndex).toBe(2);
    expect(log.recovery.lostAcknowledged).toBe(3);
  });

  test('garbage behind the end is cut without a doubt about entries', async () => {
    const { files, batches } = await write(3, {});
    const end = positionOf(files, batches[2]!) + batches[2]!.length;
    const inode = files.inode(FIRST);
    for (let at = Math.ceil(end / 64) * 64; at < inode.size; at += 7) inode.rot(at, 0x55);
    const log = await reopened(files);
    expect(log.lastIndex).toBe(3);
    expect(log.recovery.lostAcknowledged).toBeUndefined();
    expect(log.recovery.torn).toMatchObject({ file: FIRST });
  });
});

test('one flipped bit anywhere never loses an entry in silence (pitfall 20)', async () => {
  for (const clean of [true, false]) {
    const written = await write(9, { clean, payload: 180 });
    const names = written.files.namesIn(DIRECTORY).filter((name) => name.endsWith('.log'));
    expect(names.length).toBeGreaterThan(1);
    for (const name of names) {
      const { size } = written.files.inode(join(DIRECTORY, name));
      for (let position = 0; position < size; position += 5) {
        const files = written.files.afterPowerLoss('nothing');
        files.inode(join(DIRECTORY, name)).rot(position, 1 << (position % 8));
        await expectNothingLostInSilence(files, written.batches, clean, `${name} byte ${position}`);
      }
    }
  }
});

async function expectNothingLostInSilence(
  files: FaultyFiles,
  batches: readonly Buffer[],
  clean: boolean,
  where: string,
): Promise<void> {
  let log: SegmentedLog;
  try {
    log = await openLog(files);
  } catch (error) {
    // A bit of a version makes a segment that seems to be a newer program's: refused as well.
    if (error instanceof LogDamageError || error instanceof LogVersionError) return;
    throw error;
  }
  const found = await readWholeLog(log);
  const known = found.every((batch, i) => batch.equals(batches[i]!));
  const admitted = log.recovery.lostAcknowledged ?? 0;
  const complete = found.length === batches.length || (!clean && admitted === batches.length);
  await log.close();
  if (!known || !complete) throw new Error(`${where}: ${found.length} entries found, ${admitted} admitted as lost.`);
}

describe('what a newer program wrote is refused, not cut', () => {
  test('a batch of another format version', async () => {
    const files = new FaultyFiles();
    const log = await openLog(files);
    const batch = new BatchChain().next();
    log.append(batch);
    await log.sync();
    const remains = files.afterPowerLoss('nothing');
    const position = positionOf(remains, batch);
    await rewrite(remains, position, newerVersionOf(batch));
    await expect(openLog(remains)).rejects.toThrow(LogVersionError);
  });

  function newerVersionOf(batch: Buffer): Buffer {
    const { crc32 } = jest.requireActual<{ crc32(bytes: Buffer, seed?: number): number }>('node:zlib');
    const newer = Buffer.from(batch);
    newer.writeUInt16LE(2, 4);
    newer.writeUInt32LE(crc32(newer.subarray(12), crc32(newer.subarray(0, 8))), 8);
    return newer;
  }

  async function rewrite(files: FaultyFiles, position: number, bytes: Buffer): Promise<void> {
    const file = await files.open(FIRST, 'update');
    await file.write([bytes], position);
    await file.sync();
    await file.close();
  }
});

test('a log of another group is refused', async () => {
  const { files } = await write(1, {});
  const other = openLog(files, { group: 3 });
  await expect(other).rejects.toThrow('A segment states group 0');
});

test('an appended batch that the log was not asked to verify is still found out when it is read', async () => {
  const files = new FaultyFiles();
  const log = await openLog(files, { cacheBytes: 0 });
  const fields = {
    kind: BatchKind.System,
    index: 1,
    term: 1,
    baseOffset: 0,
    count: 0,
    time: 1,
    commitIndex: 0,
    group: 0,
  };
  const batch = sealBatch({ ...fields, previousHash: Buffer.alloc(32) }, [Buffer.alloc(300, 1)]);
  log.append(batch);
  await log.sync();
  files.inode(FIRST).rot(positionOf(files, batch) + 290, 1);
  await expect(log.read(1, 1)).rejects.toThrow(LogDamageError);
});
