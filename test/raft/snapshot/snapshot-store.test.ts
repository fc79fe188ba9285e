import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { NodeFiles } from '../../../src/log/node-files';
import { FileSystemError } from '../../../src/log/files';
import { SnapshotError, SnapshotStore } from '../../../src/raft/snapshot';
import { SNAPSHOT_FORMAT_VERSION } from '../../../src/raft/snapshot/snapshot-format';
import { FaultyFiles } from '../../support/faulty-files';
import { SeededRandom } from '../../support/seeded-random';
import { CLUSTER, contentOf, DIRECTORY, metaAt, openStore, someChunks } from './snapshot-kit';

const random = new SeededRandom(7);

describe('snapshots', () => {
  test('come back as they were written, on the real disk too, after a restart', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ledger-node-snapshots-'));
    try {
      const directory = join(folder, 'snapshots');
      const chunks = [...someChunks(random, 20), Buffer.alloc(3 << 20, 9)];
      const written = await (await openStore(new NodeFiles(), directory)).write(metaAt(12), chunks);
      expect(readdirSync(directory)).toEqual(['12-2.snap']);
      const again = await openStore(new NodeFiles(), directory);
      expect(again.list()).toEqual([written]);
      expect(again.newest?.meta).toEqual(metaAt(12));
      expect(Buffer.concat(await contentOf(again, 12)).equals(Buffer.concat(chunks))).toBe(true);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('may be empty, and may come from an asynchronous source', async () => {
    const store = await openStore(new FaultyFiles());
    await store.write(metaAt(1), []);
    expect(await contentOf(store, 1)).toEqual([]);
    const source = async function* () {
      for (const chunk of [Buffer.from('a'), Buffer.from('b')]) {
        await Promise.resolve();
        yield chunk;
      }
    };
    await store.write(metaAt(2), source());
    expect((await contentOf(store, 2)).map(String)).toEqual(['a', 'b']);
  });

  test('are listed in order; the newest two are kept, and one that is being read is read to its end', async () => {
    const files = new FaultyFiles();
    const store = await openStore(files);
    for (const index of [100, 9, 25]) await store.write(metaAt(index), someChunks(random, 5));
    expect(store.list().map(({ meta }) => meta.index)).toEqual([9, 25, 100]);
    const reader = await store.read(9);
    await store.removeOld();
    expect(files.namesIn(DIRECTORY)).toEqual(['100-2.snap', '25-2.snap']);
    await expect(reader.verify()).resolves.toBeUndefined();
    await reader.close();
    await expect(store.read(9)).rejects.toMatchObject({ code: 'MISSING' });
    expect(files.openFiles).toBe(0);
    await expect(store.removeOld(0)).rejects.toThrow(RangeError);
  });

  test('are not there at all when their source fails or the disk is full', async () => {
    const files = new FaultyFiles();
    const store = await openStore(files);
    const source = function* () {
      yield Buffer.from('one');
      throw new Error('the state is broken');
    };
    await expect(store.write(metaAt(1), source())).rejects.toThrow('the state is broken');
    files.intercept = (operation, path) => {
      if (operation === 'write') throw new FileSystemError('write', path, 'ENOSPC');
    };
    await expect(store.write(metaAt(1), [Buffer.from('x')])).rejects.toMatchObject({ code: 'DISK_FULL' });
    files.intercept = undefined;
    expect([files.namesIn(DIRECTORY), store.list(), files.openFiles]).toEqual([[], [], 0]);
    await store.write(metaAt(1), [Buffer.from('x')]);
    expect(store.newest?.meta.index).toBe(1);
  });

  test('of another cluster, group or name, and of a newer program, are refused', async () => {
    const files = new FaultyFiles();
    const store = await openStore(files);
    await store.write(metaAt(4), [Buffer.from('x')]);
    const path = join(DIRECTORY, '4-2.snap');
    const foreign = await SnapshotStore.open({ directory: DIRECTORY, files, clusterId: 'd'.repeat(32), group: 3 });
    expect(foreign.refused).toMatchObject([{ file: '4-2.snap', error: { code: 'FOREIGN' } }]);
    const otherGroup = await SnapshotStore.open({ directory: DIRECTORY, files, clusterId: CLUSTER, group: 4 });
    expect(otherGroup.refused).toMatchObject([{ error: { code: 'FOREIGN' } }]);
    const sound = files.inode(path).bytes;
    files.inode(path).write(newerFormat(sound), 0);
    expect((await openStore(files)).refused).toMatchObject([{ error: { code: 'NEWER_FORMAT' } }]);
    files.inode(path).write(sound, 0);
    await files.rename(path, join(DIRECTORY, '5-2.snap'));
    const renamed = await openStore(files);
    expect(renamed.refused).toMatchObject([{ file: '5-2.snap', error: { code: 'DAMAGED' } }]);
    expect(files.namesIn(DIRECTORY)).toEqual(['5-2.snap.damaged']);
  });

  test('a chunk that no reader would take is refused', async () => {
    const store = await openStore(new FaultyFiles());
    await expect(store.write(metaAt(1), [Buffer.alloc((16 << 20) + 1)])).rejects.toThrow(RangeError);
    expect(store.list()).toEqual([]);
  });
});

describe('a damaged snapshot', () => {
  async function stored(): Promise<{ files: FaultyFiles; bytes: number }> {
    const files = new FaultyFiles();
    const store = await openStore(files);
    await store.write(metaAt(1), [Buffer.from('older')]);
    const { bytes } = await store.write(metaAt(2), [Buffer.alloc(40, 1), Buffer.alloc(70, 2)]);
    return { files, bytes };
  }

  test('is noticed, whichever single bit is flipped, and the one before it is taken', async () => {
    const { files, bytes } = await stored();
    const inode = files.inode(join(DIRECTORY, '2-2.snap'));
    for (let bit = 0; bit < bytes * 8; bit++) {
      inode.rot(bit >> 3, 1 << (bit & 7));
      const store = await openStore(files);
      const newest = await store.newestValid();
      expect([bit, newest?.meta.index, store.refused.length]).toEqual([bit, 1, 1]);
      await files.rename(join(DIRECTORY, '2-2.snap.damaged'), join(DIRECTORY, '2-2.snap'));
      inode.rot(bit >> 3, 1 << (bit & 7));
    }
    expect((await (await openStore(files)).newestValid())?.meta.index).toBe(2);
    expect(files.openFiles).toBe(0);
  });

  test('is noticed at whatever length it ends, and when something follows it', async () => {
    const { files, bytes } = await stored();
    for (let length = 0; length < bytes; length++) {
      const cut = files.afterPowerLoss('everything');
      const file = await cut.open(join(DIRECTORY, '2-2.snap'), 'update');
      await file.truncate(length);
      await file.close();
      expect((await (await openStore(cut)).newestValid())?.meta.index).toBe(1);
    }
    const file = await files.open(join(DIRECTORY, '2-2.snap'), 'update');
    await file.write([Buffer.alloc(1)], bytes);
    await file.close();
    expect((await (await openStore(files)).newestValid())?.meta.index).toBe(1);
  });

  test('gives no chunk that is not verified', async () => {
    const { files } = await stored();
    files.inode(join(DIRECTORY, '2-2.snap')).rot(450, 4);
    const reader = await (await openStore(files)).read(2);
    const seen: Buffer[] = [];
    const readAll = async () => {
      for await (const chunk of reader.chunks()) seen.push(Buffer.from(chunk));
    };
    await expect(readAll()).rejects.toThrow(SnapshotError);
    for (const chunk of seen) expect([Buffer.alloc(40, 1), Buffer.alloc(70, 2)]).toContainEqual(chunk);
    await reader.close();
  });
});

test('a loss of power at any moment leaves no snapshot that is not whole, and none that was reported is gone', async () => {
  const chunks = someChunks(random, 6);
  const life = async (files: FaultyFiles, reported: number[]) => {
    const store = await openStore(files);
    for (const index of [1, 2, 3]) {
      await store.write(metaAt(index), chunks);
      reported.push(index);
      await store.removeOld();
    }
  };
  const whole = new FaultyFiles();
  await life(whole, []);
  for (let operation = 0; operation < whole.operations; operation++) {
    for (const survival of ['nothing', 'everything', random] as const) {
      const files = new FaultyFiles();
      const reported: number[] = [];
      files.losePowerAfter(operation);
      await expect(life(files, reported)).rejects.toThrow(/power/i);
      const store = await openStore(files.afterPowerLoss(survival));
      expect([operation, store.refused]).toEqual([operation, []]);
      const newest = (await store.newestValid())?.meta.index ?? 0;
      expect(newest).toBeGreaterThanOrEqual(reported.at(-1) ?? 0);
      if (newest > 0) expect(Buffer.concat(await contentOf(store, newest)).equals(Buffer.concat(chunks))).toBe(true);
    }
  }
});

/** The same file as a program writes it that knows one more format. */
function newerFormat(snapshot: Buffer): Buffer {
  const bytes = Buffer.from(snapshot);
  bytes.writeUInt16LE(SNAPSHOT_FORMAT_VERSION + 1, 4);
  const length = bytes.readUInt32LE(8);
  bytes.writeUInt32LE(crc32(bytes.subarray(16, length), crc32(bytes.subarray(0, 12))), 12);
  return bytes;
}
