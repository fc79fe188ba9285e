import { join } from 'node:path';
import { readHeader } from '../../src/log/batch';
import { type LogDamage, LogDamageError } from '../../src/log/log-errors';
import { repairSegment } from '../../src/log/segment-repair';
import { firstIndexOf, segmentName } from '../../src/log/segment-header';
import { BatchChain, boundaryAfter, readWholeLog } from '../support/batch-chain';
import { FaultyFiles } from '../support/faulty-files';
import { SeededRandom } from '../support/seeded-random';
import { DIRECTORY, isPowerLoss, openLog } from './crash-kit';

interface Damaged {
  readonly files: FaultyFiles;
  readonly batches: readonly Buffer[];
  readonly damage: LogDamage;
}

async function damageOf(files: FaultyFiles): Promise<LogDamage | undefined> {
  try {
    await (await openLog(files)).close();
    return undefined;
  } catch (error) {
    if (error instanceof LogDamageError) return error.damage;
    throw error;
  }
}

async function damaged(
  rot: (files: FaultyFiles, batches: readonly Buffer[]) => void,
  { killed = false } = {},
): Promise<Damaged> {
  const files = new FaultyFiles();
  const log = await openLog(files);
  const batches = new BatchChain().many(20, { payload: Buffer.alloc(300, 3) });
  for (const batch of batches) {
    log.append(batch);
    // Each in a flush of its own, so that nothing is behind the last one.
    if (killed) await log.sync();
  }
  await log.sync();
  if (!killed) await log.close();
  const remains = files.afterPowerLoss('nothing');
  rot(remains, batches);
  const damage = await damageOf(remains);
  if (!damage) throw new Error('The log was to be damaged.');
  return { files: remains, batches, damage };
}

function rotBatch(files: FaultyFiles, batch: Buffer): void {
  for (const name of files.namesIn(DIRECTORY).filter((n) => n.endsWith('.log'))) {
    const inode = files.inode(join(DIRECTORY, name));
    const at = inode.bytes.indexOf(batch);
    if (at >= 0) inode.rot(at + 180, 2);
  }
}

function fetched({ batches, damage }: Damaged): Buffer[] {
  return batches.filter((batch) => {
    const { index } = readHeader(batch);
    return index >= damage.fromIndex && index <= damage.toIndex;
  });
}

const options = (from: Damaged) => ({
  dir: DIRECTORY,
  files: from.files,
  group: 0,
  damage: from.damage,
  committed: 20,
});

async function expectWhole({ files, batches }: Damaged): Promise<void> {
  const log = await openLog(files);
  expect(log.recovery).toEqual({});
  expect((await readWholeLog(log)).map((batch) => batch.toString('hex'))).toEqual(
    batches.map((batch) => batch.toString('hex')),
  );
  log.append(BatchChain.after(batches.at(-1)!).next());
  expect(await log.sync()).toBe(21);
  await log.close();
  expect(files.openFiles).toBe(0);
}

describe('a damaged segment is made whole with entries from another node', () => {
  test('in the middle, and the damaged bytes are kept aside', async () => {
    const found = await damaged((files, batches) => rotBatch(files, batches[6]!));
    expect(found.damage).toMatchObject({ fromIndex: 7, toIndex: 7 });
    await repairSegment({ ...options(found), batches: fetched(found) });
    await expectWhole(found);
    expect(found.files.namesIn(DIRECTORY).some((name) => name.includes('.torn-'))).toBe(true);
  });

  test('also in the last segment, and in its last batch', async () => {
    const found = await damaged((files, batches) => rotBatch(files, batches[19]!));
    await repairSegment({ ...options(found), batches: fetched(found) });
    await expectWhole(found);
  });

  test('where several places are damaged, one after the other', async () => {
    const found = await damaged((files, batches) => [2, 3, 5, 15].forEach((i) => rotBatch(files, batches[i]!)));
    let { damage }: { damage: LogDamage | undefined } = found;
    for (let rounds = 0; damage && rounds < 10; rounds++) {
      const now: Damaged = { ...found, damage };
      damage = await repairSegment({ ...options(now), batches: fetched(now) }).then(
        () => damageOf(found.files),
        (error: unknown) => {
          if (!(error instanceof LogDamageError)) throw error;
          // More is missing: everything from the first to the last of it is fetched.
          return { ...error.damage, fromIndex: Math.min(now.damage.fromIndex, error.damage.fromIndex) };
        },
      );
    }
    await expectWhole(found);
  });

  test('in its header and its last batch: what nothing is chained to is still missing, not gone', async () => {
    const found = await damaged((files, batches) => {
      const name = files
        .namesIn(DIRECTORY)
        .filter((n) => n.endsWith('.log'))
        .at(-1)!;
      files.inode(join(DIRECTORY, name)).rot(20, 1);
      rotBatch(files, batches[19]!);
    });
    const first = found.damage.fromIndex;
    const before = boundaryAfter(found.batches[first - 2]!);
    await expect(repairSegment({ ...options(found), batches: [], before })).rejects.toMatchObject({
      damage: { fromIndex: 20, toIndex: 20 },
    });
    await repairSegment({ ...options(found), batches: found.batches.slice(first - 1), before });
    await expectWhole(found);
  });

  test('and where that was the last flush of a killed process, the loss is remembered', async () => {
    const found = await damaged(
      (files, batches) => {
        const name = files
          .namesIn(DIRECTORY)
          .filter((n) => n.endsWith('.log'))
          .at(-1)!;
        files.inode(join(DIRECTORY, name)).rot(20, 1);
        rotBatch(files, batches[19]!);
      },
      { killed: true },
    );
    const first = found.damage.fromIndex;
    const before = boundaryAfter(found.batches[first - 2]!);
    await repairSegment({ ...options(found), batches: [], before });
    const log = await openLog(found.files);
    expect([log.lastIndex, log.recovery.lostAcknowledged]).toEqual([19, 20]);
    await log.close();
  });

  test('where its header is damaged', async () => {
    const first = await damaged((files) => files.inode(join(DIRECTORY, segmentName(1))).rot(20, 1));
    await repairSegment({ ...options(first), batches: [] });
    await expectWhole(first);

    let index = 0;
    const later = await damaged((files) => {
      const name = files.namesIn(DIRECTORY).filter((n) => n.endsWith('.log'))[1]!;
      index = Number.parseInt(name, 10);
      files.inode(join(DIRECTORY, name)).rot(70, 1);
    });
    await expect(repairSegment({ ...options(later), batches: [] })).rejects.toThrow(`what is before entry ${index}`);
    await repairSegment({ ...options(later), batches: [], before: boundaryAfter(later.batches[index - 2]!) });
    await expectWhole(later);
  });

  test('but not with what does not fit the chain, and then nothing is changed', async () => {
    const found = await damaged((files, batches) => rotBatch(files, batches[6]!));
    const { bytes } = found.files.inode(found.damage.file);
    const other = BatchChain.after(found.batches[5]!).next({ payload: Buffer.from('forged') });
    await expect(repairSegment({ ...options(found), batches: [other] })).rejects.toThrow('Entry 8 cannot be repaired');
    await expect(repairSegment({ ...options(found), batches: [] })).rejects.toThrow(
      'Entry 7 cannot be repaired: it is missing',
    );
    expect(found.files.inode(found.damage.file).bytes).toEqual(bytes);
  });

  test('nor with a committed entry that the next segment does not continue: what is there was never committed', async () => {
    let last = 0;
    const found = await damaged((files, batches) => {
      const [, second] = files.namesIn(DIRECTORY).filter((name) => name.endsWith('.log'));
      last = firstIndexOf(second!)! - 1;
      rotBatch(files, batches[last - 1]!);
    });
    const other = BatchChain.after(found.batches[last - 2]!).next({
      term: 9,
      payload: Buffer.from('of a later leader'),
    });
    await expect(repairSegment({ ...options(found), batches: [other] })).rejects.toMatchObject({ reason: 'differs' });
    await repairSegment({ ...options(found), batches: fetched(found) });
    await expectWhole(found);
  });

  test('and a loss of power meanwhile leaves it damaged or whole', async () => {
    const found = await damaged((files, batches) => rotBatch(files, batches[6]!));
    for (let operations = 0, done = false; !done; operations++) {
      const files = found.files.afterPowerLoss('nothing');
      files.losePowerAfter(operations);
      const repaired = await repairSegment({ ...options({ ...found, files }), batches: fetched(found) }).then(
        () => true,
        (error: unknown) => {
          if (!isPowerLoss(error)) throw error;
          return false;
        },
      );
      const remains = files.afterPowerLoss(new SeededRandom(operations));
      const damage = await damageOf(remains);
      if (repaired) expect(damage).toBeUndefined();
      if (damage) expect(damage).toEqual(found.damage);
      else await expectWhole({ ...found, files: remains });
      done = repaired;
    }
  });
});
