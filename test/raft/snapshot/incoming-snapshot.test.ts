import { FileSystemError } from '../../../src/log/files';
import type { SnapshotStore } from '../../../src/raft/snapshot';
import { FaultyFiles } from '../../support/faulty-files';
import { SeededRandom } from '../../support/seeded-random';
import { contentOf, DIRECTORY, metaAt, openStore, piecesOf, someChunks } from './snapshot-kit';

const random = new SeededRandom(11);

async function sender(): Promise<{ store: SnapshotStore; chunks: Buffer[]; pieces: Buffer[]; total: number }> {
  const store = await openStore(new FaultyFiles());
  const chunks = someChunks(random, 12).filter((chunk) => chunk.length > 0);
  await store.write(metaAt(40), chunks);
  return { store, chunks, ...(await piecesOf(store, 40, 1000)) };
}

describe('receiving a snapshot', () => {
  test('gives the sender’s snapshot, once it is whole', async () => {
    const { chunks, pieces, total } = await sender();
    const files = new FaultyFiles();
    const store = await openStore(files);
    const incoming = await store.beginReceive(metaAt(40), total);
    for (const piece of pieces) {
      expect(store.list()).toEqual([]);
      await incoming.write(incoming.received, piece);
    }
    const stored = await incoming.finish();
    expect(stored.meta).toEqual(metaAt(40));
    expect(Buffer.concat(await contentOf(store, 40)).equals(Buffer.concat(chunks))).toBe(true);
    expect(files.namesIn(DIRECTORY)).toEqual(['40-2.snap']);
    const afterLoss = await openStore(files.afterPowerLoss('nothing'));
    expect(afterLoss.newest?.meta).toEqual(metaAt(40));
  });

  test('skips what was sent twice and refuses a gap', async () => {
    const { pieces, total } = await sender();
    const store = await openStore(new FaultyFiles());
    const incoming = await store.beginReceive(metaAt(40), total);
    const [first, second] = [pieces[0] ?? Buffer.alloc(0), pieces[1] ?? Buffer.alloc(0)];
    await incoming.write(0, first);
    await incoming.write(0, first);
    await incoming.write(0, Buffer.concat([first, second]));
    expect(incoming.received).toBe(first.length + second.length);
    await expect(incoming.write(9_000, first)).rejects.toMatchObject({ code: 'GAP' });
    await expect(incoming.write(total - 1, first)).rejects.toMatchObject({ code: 'GAP' });
    await expect(incoming.finish()).rejects.toMatchObject({ code: 'GAP' });
    await incoming.abort();
  });

  test('goes on after a restart where it has ended', async () => {
    const { chunks, pieces, total } = await sender();
    const files = new FaultyFiles();
    const first = await (await openStore(files)).beginReceive(metaAt(40), total);
    for (const piece of pieces.slice(0, 5)) await first.write(first.received, piece);
    await first.suspend();
    const store = await openStore(files);
    const second = await store.beginReceive(metaAt(40), total);
    expect(second.received).toBe(5_000);
    for (const piece of pieces.slice(5)) await second.write(second.received, piece);
    await second.finish();
    expect(Buffer.concat(await contentOf(store, 40)).equals(Buffer.concat(chunks))).toBe(true);
    expect(files.openFiles).toBe(0);
  });

  test('of another one removes what was received before; giving up leaves nothing', async () => {
    const { pieces, total } = await sender();
    const files = new FaultyFiles();
    const store = await openStore(files);
    const older = await store.beginReceive(metaAt(30), total);
    await older.write(0, pieces[0] ?? Buffer.alloc(0));
    await older.suspend();
    const newer = await store.beginReceive(metaAt(40), total);
    expect(newer.received).toBe(0);
    expect(files.namesIn(DIRECTORY)).toHaveLength(1);
    await newer.abort();
    expect(files.namesIn(DIRECTORY)).toEqual([]);
  });

  test.each<[string, (pieces: Buffer[]) => void, string]>([
    ['damaged on its way', (pieces) => pieces[3]?.writeUInt8((pieces[3]?.readUInt8(7) ?? 0) ^ 1, 7), 'DAMAGED'],
    ['no snapshot at all', (pieces) => pieces[0]?.fill(0), 'DAMAGED'],
  ])('that is %s is removed, and can be sent again', async (_what, damage, code) => {
    const { pieces, total } = await sender();
    const files = new FaultyFiles();
    const store = await openStore(files);
    damage(pieces);
    const incoming = await store.beginReceive(metaAt(40), total);
    for (const piece of pieces) await incoming.write(incoming.received, piece);
    await expect(incoming.finish()).rejects.toMatchObject({ code });
    expect([files.namesIn(DIRECTORY), store.list()]).toEqual([[], []]);
    const { pieces: good } = await sender();
    const again = await store.beginReceive(
      metaAt(40),
      good.reduce((sum, piece) => sum + piece.length, 0),
    );
    for (const piece of good) await again.write(again.received, piece);
    await again.finish();
    expect(store.newest?.meta.index).toBe(40);
  });

  test('that is another one than was announced is refused (a snapshot labelled N holds another state)', async () => {
    const { pieces, total } = await sender();
    const store = await openStore(new FaultyFiles());
    const incoming = await store.beginReceive(metaAt(41), total);
    for (const piece of pieces) await incoming.write(incoming.received, piece);
    await expect(incoming.finish()).rejects.toMatchObject({ code: 'FOREIGN' });
    expect(store.list()).toEqual([]);
  });

  test('after a loss of power is never taken for whole when it is not', async () => {
    const { pieces, total, chunks } = await sender();
    for (let lost = 0; lost < 40; lost++) {
      const files = new FaultyFiles();
      const first = await (await openStore(files)).beginReceive(metaAt(40), total);
      for (const piece of pieces.slice(0, 1 + (lost % pieces.length))) await first.write(first.received, piece);
      const store = await openStore(files.afterPowerLoss(random));
      let incoming = await store.beginReceive(metaAt(40), total);
      const whole = Buffer.concat(pieces);
      await incoming.write(incoming.received, whole.subarray(incoming.received));
      const finished = await incoming.finish().catch((error: unknown) => error);
      if (finished instanceof Error) {
        expect(finished).toMatchObject({ code: 'DAMAGED' });
        incoming = await store.beginReceive(metaAt(40), total);
        await incoming.write(0, whole);
        await incoming.finish();
      }
      expect(Buffer.concat(await contentOf(store, 40)).equals(Buffer.concat(chunks))).toBe(true);
    }
  });

  test('what a failed sync may have lost is not gone on with: what is whole later survives a loss of power', async () => {
    const { pieces, total } = await sender();
    const whole = Buffer.concat(pieces);
    const files = new FaultyFiles();
    const store = await openStore(files);
    const broken = await store.beginReceive(metaAt(40), total);
    await broken.write(0, whole);
    files.intercept = (operation, path) => {
      if (operation !== 'sync') return;
      files.intercept = undefined;
      files.inode(path).dropUnsynced();
      throw new FileSystemError(operation, path, 'EIO');
    };
    await expect(broken.finish()).rejects.toMatchObject({ code: 'FAILED' });
    expect(files.openFiles).toBe(0);
    const again = await store.beginReceive(metaAt(40), total);
    expect(again.received).toBe(0);
    await again.write(0, whole);
    await again.finish();
    const afterLoss = await openStore(files.afterPowerLoss('nothing'));
    expect((await afterLoss.newestValid())?.meta).toEqual(metaAt(40));
  });

  test('takes one write at a time, and none after its end', async () => {
    const { pieces, total } = await sender();
    const store = await openStore(new FaultyFiles());
    const incoming = await store.beginReceive(metaAt(40), total);
    const piece = pieces[0] ?? Buffer.alloc(0);
    const both = await Promise.allSettled([incoming.write(0, piece), incoming.write(0, piece)]);
    expect(both.map((one) => one.status)).toEqual(['fulfilled', 'rejected']);
    await incoming.suspend();
    await expect(incoming.write(1000, piece)).rejects.toThrow(/after its end/);
  });
});
