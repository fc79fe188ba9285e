import { FaultyFiles, PowerLoss } from './faulty-files';
import { describeFileSystem, describeFullDisk } from './file-system-contract';
import { SeededRandom } from './seeded-random';

describeFileSystem('FaultyFiles', async () => ({ files: new FaultyFiles(), root: '/root' }));

describeFullDisk('FaultyFiles', async () => {
  const files = new FaultyFiles();
  await files.makeDirectory('/root');
  files.capacityBytes = 8_000_000;
  return { files, root: '/root' };
});

async function withFile(): Promise<FaultyFiles> {
  const files = new FaultyFiles();
  await files.makeDirectory('/d');
  const file = await files.open('/d/f', 'create');
  await file.write([Buffer.alloc(2_048, 1)], 0);
  await file.sync();
  await files.syncDirectory('/d');
  await file.write([Buffer.alloc(2_048, 2)], 0);
  return files;
}

function sectorsOf(files: FaultyFiles): number[] {
  const { bytes } = files.inode('/d/f');
  return [0, 512, 1_024, 1_536].map((at) => bytes[at]!);
}

describe('a loss of power', () => {
  test('leaves what was synced, and any sectors of what was not', async () => {
    const files = await withFile();
    expect(sectorsOf(files.afterPowerLoss('nothing'))).toEqual([1, 1, 1, 1]);
    expect(sectorsOf(files.afterPowerLoss('everything'))).toEqual([2, 2, 2, 2]);
    const random = new SeededRandom(5);
    const seen = new Set(Array.from({ length: 200 }, () => sectorsOf(files.afterPowerLoss(random)).join('')));
    expect([...seen].filter((sectors) => !/^[12]{4}$/.test(sectors))).toEqual([]);
    expect(seen.size).toBe(16);
  });

  test('takes what a sync that failed has forgotten, also where the next one succeeded', async () => {
    const files = await withFile();
    files.inode('/d/f').dropUnsynced();
    const file = await files.open('/d/f', 'update');
    await file.write([Buffer.alloc(512, 3)], 512);
    await file.datasync();
    expect(sectorsOf(files)).toEqual([2, 3, 2, 2]);
    expect(sectorsOf(files.afterPowerLoss('everything'))).toEqual([1, 3, 1, 1]);
  });

  test('takes names back whose folder was not synced', async () => {
    const files = await withFile();
    await files.rename('/d/f', '/d/g');
    expect(files.afterPowerLoss('nothing').namesIn('/d')).toEqual(['f']);
    expect(files.afterPowerLoss('everything').namesIn('/d')).toEqual(['g']);
    await files.syncDirectory('/d');
    expect(files.afterPowerLoss('nothing').namesIn('/d')).toEqual(['g']);
  });

  test('ends everything', async () => {
    const files = await withFile();
    files.losePowerAfter(1);
    await files.rename('/d/f', '/d/g');
    await expect(files.rename('/d/g', '/d/h')).rejects.toThrow(PowerLoss);
    await expect(files.list('/d')).rejects.toThrow(PowerLoss);
    expect(files.afterPowerLoss('everything').namesIn('/d')).toEqual(['h']);
  });
});

describe('a disk of bounded capacity', () => {
  test('does a write as far as it fits, and counts files without a name while they are open', async () => {
    const files = new FaultyFiles();
    files.capacityBytes = 1_000;
    await files.makeDirectory('/d');
    const file = await files.open('/d/f', 'create');
    await expect(file.write([Buffer.alloc(1_500, 7)], 0)).rejects.toMatchObject({ code: 'ENOSPC' });
    expect(await file.size()).toBe(1_000);
    await expect(files.open('/d/g', 'create')).rejects.toMatchObject({ code: 'ENOSPC' });
    await files.unlink('/d/f');
    expect(await files.freeBytes('/d')).toBe(0);
    await file.close();
    expect(await files.freeBytes('/d')).toBe(1_000);
    expect(files.afterPowerLoss('everything').capacityBytes).toBe(1_000);
  });
});
