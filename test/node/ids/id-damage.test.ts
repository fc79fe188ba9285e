import { crc32 } from 'node:zlib';
import { INDEX_BLOCK_BYTES, indexFile } from '../../../src/node/ids/index-format';
import {
  BLOCK_BYTES,
  EXTRAS_CRC_BYTES,
  extrasPosition,
  IdFileDamageError,
  RUN_HEADER_BYTES,
  runOf,
  sealBlock,
} from '../../../src/node/ids/run-format';
import { SnapshotError } from '../../../src/raft/snapshot';
import { until } from '../../ledger/projection/until';
import { WrittenRuns } from './id-kit';

/** Changes one bit of a file, as rot does. */
function flip(written: WrittenRuns, name: string, position: number): void {
  const inode = written.files.inode(written.path(name));
  inode.write(Buffer.of((inode.bytes[position] as number) ^ 4), position);
}

function indexOf(written: WrittenRuns, at: number): string {
  return indexFile(runOf(written.attachments[at]!.name)!);
}

const everything = (written: WrittenRuns): Uint32Array => written.idsOf(written.rows.map((_, row) => row));

describe('damage to ids', () => {
  test.each([1, 4])('in an index of %s runs, at any byte, is mended from the rows', async (runs) => {
    const written = await WrittenRuns.make(
      runs,
      Array.from({ length: runs }, () => 1),
    );
    const first = await written.open();
    await first.mergeIndexes();
    const [index] = first.archive.indexList;
    await first.stop();
    const file = indexFile(index!.name);
    const { bytes } = written.files.inode(written.path(file));
    const length = bytes.length;
    for (let position = 0; position < length; position += 131) {
      if (!(await written.files.exists(written.path(file)))) break;
      flip(written, file, position);
      const store = await written.open();
      expect(await store.lookUp(everything(written))).toHaveLength(written.rows.length);
      await store.mergeIndexes();
      await store.stop();
    }
    expect(written.files.openFiles).toBe(0);
  });

  test('in rows is named with file and byte, and the file set aside: the next start does not trip over it', async () => {
    const written = await WrittenRuns.make(1, [2, 1]);
    const [run] = written.attachments;
    flip(written, run!.name, RUN_HEADER_BYTES + BLOCK_BYTES + 77);
    const store = await written.open();
    // Of the sound block, and of the other run, rows are found.
    expect(await store.lookUp(written.idsOf([0, 63, 130]))).toHaveLength(3);
    const failed = store.lookUp(written.idsOf([3, 100]));
    await expect(failed).rejects.toMatchObject({
      name: 'IdFileDamageError',
      file: written.path(run!.name),
      position: RUN_HEADER_BYTES + BLOCK_BYTES,
    });
    expect(() => store.archive.readRow(100)).toThrow();
    await store.stop();
    expect(written.files.namesIn('/ids')).toContain(`${run!.name}.damaged`);
    await expect(written.open()).rejects.toMatchObject({ name: 'SnapshotError', code: 'DAMAGED' });
  });

  test('in extras is named with file and byte, by the look-up and the read that meet it, and by who reads all of the run', async () => {
    const written = await WrittenRuns.make(1, [2, 1]);
    const [run] = written.attachments;
    const rows = written.rows.map((_, row) => row);
    const [near, far] = [
      rows.find((row) => written.extras[row]!.length > 0)!,
      rows.find((row) => row >= 64 && written.extras[row]!.length > 0)!,
    ];
    const bare = rows.find((row) => row >= 64 && written.extras[row]!.length === 0)!;
    // The last byte of what the second block's rows have, before its checksum.
    flip(written, run!.name, run!.bytes - EXTRAS_CRC_BYTES - 1);
    const firstBlock = written.extras.slice(0, 64).reduce((sum, { length }) => sum + length, 0);
    const place = {
      file: written.path(run!.name),
      position: extrasPosition({ count: 128 }) + firstBlock + EXTRAS_CRC_BYTES,
    };
    const store = await written.open();
    expect(await store.lookUp(written.idsOf([near, bare, 130]))).toHaveLength(3);
    expect(() => store.archive.readExtras(far)).toThrow(expect.objectContaining({ reason: 'IDS_DAMAGED' }) as Error);
    await until('the process ends', () => written.fatal.length > 0);
    expect(written.fatal).toEqual([expect.objectContaining(place)]);
    await store.stop();

    await written.files.rename(`${place.file}.damaged`, place.file);
    const again = await written.open();
    await expect(again.receiver.check(run!.name)).rejects.toMatchObject({ code: 'DAMAGED', cause: place });
    await expect(again.lookUp(written.idsOf([far]))).rejects.toMatchObject({ name: 'IdFileDamageError', ...place });
    await again.stop();
    expect(written.files.namesIn('/ids')).toContain(`${run!.name}.damaged`);
  });

  test('extras that stand elsewhere than behind those of the rows before are found by who reads all of the run', async () => {
    const written = await WrittenRuns.make(1, [2]);
    const [run] = written.attachments;
    const inode = written.files.inode(written.path(run!.name));
    const position = RUN_HEADER_BYTES + BLOCK_BYTES;
    const block = Buffer.from(inode.bytes.subarray(position, position + BLOCK_BYTES));
    sealBlock(block, 64, 1);
    inode.write(block, position);
    const store = await written.open();
    const cause = { file: written.path(run!.name), position };
    await expect(store.receiver.check(run!.name)).rejects.toMatchObject({ code: 'DAMAGED', cause });
    await store.stop();
  });

  test('what a newer program has written is not damage, and stays where it is', async () => {
    const written = await WrittenRuns.make(1, [1]);
    const [run] = written.attachments;
    const inode = written.files.inode(written.path(run!.name));
    const header = Buffer.from(inode.bytes.subarray(0, RUN_HEADER_BYTES));
    header.writeUInt16LE(3, 4);
    header.writeUInt32LE(crc32(header.subarray(12)), 8);
    inode.write(header, 0);
    await expect(written.open()).rejects.toThrow(/a newer one has written it/);
    expect(written.files.namesIn('/ids')).toContain(run!.name);
    expect(written.files.openFiles).toBe(0);
  });

  test('in rows that a read meets is answered with file and byte, and ends the process', async () => {
    const written = await WrittenRuns.make(1, [2, 1]);
    const [run] = written.attachments;
    flip(written, run!.name, RUN_HEADER_BYTES + BLOCK_BYTES + 77);
    const store = await written.open();
    const refusal = {
      code: 'UNAVAILABLE',
      reason: 'IDS_DAMAGED',
      message: expect.stringContaining(run!.name) as string,
    };
    expect(() => store.archive.readRow(100)).toThrow(expect.objectContaining(refusal) as Error);
    await until('the process ends', () => written.fatal.length > 0);
    const position = RUN_HEADER_BYTES + BLOCK_BYTES;
    expect(written.fatal).toEqual([expect.objectContaining({ file: written.path(run!.name), position })]);
    expect(written.files.namesIn('/ids')).toContain(`${run!.name}.damaged`);
    expect(() => store.archive.readRow(30)).toThrow(expect.objectContaining(refusal) as Error);
    await store.stop();
  });

  test('in rows that a look-up meets on which no state rests is answered, and ends the process as well', async () => {
    const written = await WrittenRuns.make(1, [2, 1]);
    const [run] = written.attachments;
    flip(written, run!.name, RUN_HEADER_BYTES + BLOCK_BYTES + 77);
    const store = await written.open();
    expect(await store.lookUpToRead(written.idsOf([0, 130]))).toHaveLength(2);
    expect(await store.lookUpToRead(new Uint32Array(0))).toEqual([]);
    const refusal = { reason: 'IDS_DAMAGED', message: expect.stringContaining(run!.name) as string };
    await expect(store.lookUpToRead(written.idsOf([100]))).rejects.toMatchObject(refusal);
    expect(written.fatal).toEqual([expect.objectContaining({ file: written.path(run!.name) })]);
    await store.stop();
  });

  test('in an index that a read meets is answered with file and byte, and mended behind the answer', async () => {
    const written = await WrittenRuns.make(1, [1]);
    const store = await written.open();
    const file = indexOf(written, 0);
    flip(written, file, written.files.inode(written.path(file)).bytes.length - INDEX_BLOCK_BYTES + 5);
    const id = written.idOf(7);
    expect(() => store.archive.findRows(id, 0)).toThrow(expect.objectContaining({ reason: 'IDS_DAMAGED' }) as Error);
    await until('the index is mended', () => {
      try {
        return store.archive.findRows(id, 0).length === 1;
      } catch (error) {
        expect(error).toMatchObject({ reason: 'IDS_DAMAGED' });
        return false;
      }
    });
    expect(written.fatal).toEqual([]);
    await store.stop();
  });

  test.each<[string, (written: WrittenRuns, name: string) => void | Promise<void>]>([
    ['is missing', (written, name) => written.files.unlink(written.path(name))],
    ['is cut short', (written, name) => written.files.inode(written.path(name)).truncate(5_000)],
    ['has another header', (written, name) => flip(written, name, 30)],
    ['has another chain', (written, name) => flip(written, name, 70)],
  ])('a run that %s makes the snapshot one that cannot be used', async (_what, damage) => {
    const written = await WrittenRuns.make(2, [1, 1]);
    const { name } = written.attachments[1]!;
    await damage(written, name);
    const error: unknown = await written.open().catch((one: unknown) => one);
    expect(error).toBeInstanceOf(SnapshotError);
    expect((error as SnapshotError).message).toContain(name);
    expect(written.files.openFiles).toBe(0);
  });

  test('runs that do not continue each other are refused', async () => {
    const written = await WrittenRuns.make(2, [1, 1]);
    written.attachments.shift();
    await expect(written.open()).rejects.toThrow(/does not continue/);
  });

  test('rows that a peer has found damaged are looked at here, and get another name if they are', async () => {
    const written = await WrittenRuns.make(2, [1, 1]);
    const store = await written.open();
    const [first, second] = written.attachments.map(({ name }) => name) as [string, string];
    written.files.inode(written.path(second)).rot(300, 1);
    await store.receiver.doubted(first);
    await expect(store.receiver.doubted(second)).rejects.toThrow(IdFileDamageError);
    expect(written.files.namesIn('/ids')).toEqual(expect.arrayContaining([first, `${second}.damaged`]));
    expect(written.files.namesIn('/ids')).not.toContain(second);
    await store.stop();
  });

  test('indexes come and go only once what nobody needs is removed', async () => {
    const written = await WrittenRuns.make(2, [1, 1, 1, 1]);
    const store = await written.open();
    const indexes = () => written.files.namesIn('/ids').filter((name) => name.endsWith('.index')).length;
    await store.idle();
    expect(indexes()).toBe(4);
    store.beginMerging();
    await store.idle();
    expect(indexes()).toBe(1);
    await store.stop();
  });

  test('what nobody needs is removed, and what a start left half written', async () => {
    const written = await WrittenRuns.make(2, [1, 1, 1]);
    const last = written.attachments.pop()!;
    const half = await written.files.open(written.path('192-64.rows.tmp'), 'create');
    await half.close();
    const store = await written.open();
    expect(written.files.namesIn('/ids')).not.toContain('192-64.rows.tmp');
    await store.removeOrphans(new Set([last.name]));
    expect(written.files.namesIn('/ids')).toContain(last.name);
    await store.removeOrphans(new Set());
    const kept = written.attachments.flatMap((one, at) => [one.name, indexOf(written, at)]);
    expect(written.files.namesIn('/ids').sort()).toEqual(kept.sort());
    await store.stop();
  });
});

test('the error of damage says what is wrong, and where', () => {
  expect(new IdFileDamageError('/x.rows', 5, 'it is not there').message).toBe(
    '/x.rows is damaged at byte 5: it is not there.',
  );
});
