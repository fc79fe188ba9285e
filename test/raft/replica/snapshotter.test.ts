import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EMPTY_CONFIGURATION } from '../../../src/raft/core';
import { CONFIGURATION, SnapshottedGroup, type GroupFlags } from './snapshotted-group';

const entries = (count: number): string[] => Array.from({ length: count }, (_, at) => `entry ${at + 1}`);

describe('Snapshotter', () => {
  let folder: string;
  let group: SnapshottedGroup;
  const open = async (flags?: GroupFlags): Promise<SnapshottedGroup> =>
    (group = await SnapshottedGroup.open(folder, flags));
  const reopen = async (flags?: GroupFlags): Promise<SnapshottedGroup> => {
    await group.close();
    return open(flags);
  };
  const snapshotFiles = (): string[] => readdirSync(join(folder, 'snapshots')).sort();
  const damage = (file: string): void => {
    const path = join(folder, 'snapshots', file);
    const bytes = readFileSync(path);
    bytes.writeUInt8(bytes.readUInt8(bytes.length - 70) ^ 1, bytes.length - 70);
    writeFileSync(path, bytes);
  };

  beforeEach(() => {
    folder = SnapshottedGroup.folder();
  });
  afterEach(async () => {
    await group?.close().catch(() => undefined);
    SnapshottedGroup.remove(folder);
  });

  describe('takes a snapshot', () => {
    test('of everything that is applied, with its place and its membership', async () => {
      await open();
      await group.write(5);
      expect(await group.snapshotter.take()).toBe(5);
      expect(group.snapshotter.newestIndex).toBe(5);
      const { lastHash, lastTerm, lastTime } = group.log;
      expect(group.store.newest?.meta).toEqual({
        index: 5,
        term: lastTerm,
        nextOffset: 5,
        hash: lastHash,
        time: lastTime,
        configuration: CONFIGURATION,
      });
      expect(group.stable.snapshot(0)).toEqual({ index: 5, term: 1, file: '5-1.snap', configuration: CONFIGURATION });
      expect(group.machine.flushes).toBe(1);
    });

    test('while writes go on: what came after its begin does not show in it', async () => {
      await open();
      await group.write(5);
      const taking = group.snapshotter.take();
      const together = group.snapshotter.take();
      await group.write(3);
      expect(await taking).toBe(5);
      expect(await together).toBe(5);
      await reopen();
      expect(group.restored.index).toBe(5);
      expect(group.machine.state).toEqual(entries(8));
    });

    test('not twice of the same state, and none of nothing', async () => {
      await open();
      expect(await group.snapshotter.take()).toBe(0);
      expect(snapshotFiles()).toEqual([]);
      await group.write(1);
      await group.snapshotter.take();
      expect(await group.snapshotter.take()).toBe(1);
      expect(group.machine.flushes).toBe(1);
    });

    test('after so many bytes of log, and keeps two', async () => {
      await open({ snapshotBytes: 1_000 });
      const taken: number[] = [];
      for (let round = 0; round < 3; round += 1) {
        const before = group.snapshotter.newestIndex;
        while (group.snapshotter.newestIndex === before && group.log.lastIndex < 1_000) await group.write(1);
        taken.push(group.snapshotter.newestIndex);
      }
      await group.settled();
      expect(snapshotFiles()).toEqual([`${taken[1]}-1.snap`, `${taken[2]}-1.snap`].sort());
    });

    test('again after one that failed, and says that it failed', async () => {
      await open({ snapshotBytes: 500 });
      jest.spyOn(group.store, 'write').mockRejectedValueOnce(new Error('disk full'));
      await group.write(3);
      await group.until('the failure', () => group.events.errors().length > 0);
      expect(group.events.errors()).toEqual(['disk full']);
      expect(group.snapshotter.newestIndex).toBe(0);
      while (group.snapshotter.newestIndex === 0 && group.log.lastIndex < 1_000) await group.write(1);
      expect(group.snapshotter.newestIndex).toBeGreaterThan(3);
    });

    test('and gives what it took up where it failed before anybody read it', async () => {
      await open();
      await group.write(3);
      const ended: number[] = [];
      const pieces: IterableIterator<Buffer> = {
        [Symbol.iterator]: () => pieces,
        next: () => ({ done: true, value: undefined }),
        return: () => ({ done: true, value: ended.push(1) }),
      };
      jest.spyOn(group.machine, 'snapshot').mockReturnValueOnce(pieces);
      jest.spyOn(group.machine, 'flush').mockRejectedValueOnce(new Error('disk full'));
      await expect(group.snapshotter.take()).rejects.toThrow('disk full');
      expect(ended).toEqual([1]);
      expect(await group.snapshotter.take()).toBe(3);
    });

    test('and drops the log that is under all kept snapshots and beyond what is to be kept', async () => {
      await open({ retentionBytes: 1 });
      await group.write(100);
      await group.snapshotter.take();
      await group.write(100);
      await group.snapshotter.take();
      await group.write(100);
      await group.snapshotter.take();
      const { firstIndex } = group.log;
      expect(firstIndex).toBeGreaterThan(1);
      expect(firstIndex).toBeLessThanOrEqual(201);
      await reopen();
      expect(group.machine.state).toEqual(entries(300));
    });

    test('but leaves what somebody has still to read, up to four times as much', async () => {
      await open({ retentionBytes: 20_000 });
      let read = 1;
      group.unread.read('projection', () => read);
      const rounds = async (count: number): Promise<void> => {
        for (let round = 0; round < count; round += 1) {
          await group.write(20);
          await group.snapshotter.take();
        }
      };
      const bytes = (): number => group.log.segmentViews().reduce((sum, segment) => sum + segment.bytes, 0);
      await rounds(8);
      expect(bytes()).toBeGreaterThan(30_000);
      expect(group.log.firstIndex).toBe(1);
      await rounds(40);
      expect(group.log.firstIndex).toBeGreaterThan(1);
      expect(bytes()).toBeGreaterThan(70_000);
      expect(bytes()).toBeLessThan(90_000);
      read = group.log.lastIndex + 1;
      await rounds(1);
      expect(bytes()).toBeLessThan(30_000);
    });

    test('but never a byte of log where nothing was said about it', async () => {
      await open();
      for (let round = 0; round < 3; round += 1) {
        await group.write(100);
        await group.snapshotter.take();
      }
      expect(group.log.firstIndex).toBe(1);
    });
  });

  describe('at the start', () => {
    test('a new node begins at nothing; the first node of a cluster with its first configuration', async () => {
      await open();
      expect(group.restored).toEqual({ index: 0, term: 0, configuration: EMPTY_CONFIGURATION });
      await group.stable.saveSnapshot(0, { index: 0, term: 0, file: '', configuration: CONFIGURATION });
      await reopen();
      expect(group.restored).toEqual({ index: 0, term: 0, configuration: CONFIGURATION });
    });

    test('the newest snapshot is restored, and the log above it is replayed', async () => {
      await open();
      for (let round = 0; round < 3; round += 1) {
        await group.write(2);
        await group.snapshotter.take();
      }
      await group.write(1);
      await reopen();
      expect(group.restored).toMatchObject({ index: 6, term: 1, configuration: CONFIGURATION });
      expect(group.machine.state).toEqual(entries(7));
      await group.write(1);
      expect(await group.snapshotter.take()).toBe(8);
    });
  });

  describe('a snapshot of the leader', () => {
    /** As it comes over the network: complete in the store, and nothing else has happened. */
    const received = async (index: number, state: readonly string[]): Promise<void> => {
      const meta = { index, term: 7, nextOffset: state.length, hash: Buffer.alloc(32, 9), time: 5_000_000 };
      await group.store.write(
        { ...meta, configuration: CONFIGURATION },
        state.map((line) => Buffer.from(`${line}\n`)),
      );
    };

    test('replaces state and log; writes go on behind it', async () => {
      await open();
      await group.write(3);
      await received(40, entries(30));
      await group.snapshotter.install({ index: 40, term: 7, configuration: CONFIGURATION });
      expect(group.told).toEqual(['pause', 'jumped to 40']);
      expect(group.machine.state).toEqual(entries(30));
      expect(group.log).toMatchObject({ firstIndex: 41, lastIndex: 40, lastTerm: 7, nextOffset: 30 });
      expect(group.stable.snapshot(0)).toMatchObject({ index: 40, file: '40-7.snap' });
      await reopen();
      expect(group.restored).toMatchObject({ index: 40, term: 7 });
      expect(group.machine.state).toEqual(entries(30));
    });

    test('a crash after its arrival and before its installation: the next start finishes it', async () => {
      await open();
      await group.write(3);
      await received(40, entries(30));
      await reopen();
      expect(group.restored).toMatchObject({ index: 40, term: 7 });
      expect(group.log).toMatchObject({ firstIndex: 41, lastIndex: 40, nextOffset: 30 });
    });

    test('that is not there cannot be installed, and nothing has changed then', async () => {
      await open();
      await group.write(3);
      const meta = { index: 40, term: 7, configuration: CONFIGURATION };
      await expect(group.snapshotter.install(meta)).rejects.toThrow('index 40 is to be installed, but it is not there');
      expect(group.told).toEqual([]);
      expect(group.log.lastIndex).toBe(3);
    });

    test('pitfall 25: is read whole before anything is emptied; one that cannot be read leaves all as it was', async () => {
      await open();
      await group.write(2);
      await group.snapshotter.take();
      await group.write(1);
      await received(9, entries(9));
      damage(snapshotFiles().find((file) => file.startsWith('9-')) as string);
      const wanted = { index: 9, term: 7, configuration: CONFIGURATION };
      await expect(group.snapshotter.install(wanted)).rejects.toThrow('damaged');
      expect([group.log.firstIndex, group.log.lastIndex]).toEqual([1, 3]);
      expect(group.machine.state).toEqual(entries(3));
      expect(group.stable.snapshot(0)).toMatchObject({ index: 2 });
    });

    test('pitfall 25: whoever reads a snapshot reads it from its beginning, however often and by how many', async () => {
      await open();
      await group.write(4);
      await group.snapshotter.take();
      const whole = async (): Promise<string> => {
        const reader = await group.store.read(4);
        const chunks: Buffer[] = [];
        for await (const chunk of reader.chunks()) chunks.push(Buffer.from(chunk));
        await reader.close();
        return Buffer.concat(chunks).toString();
      };
      const expected = `${entries(4).join('\n')}\n`;
      expect(await Promise.all([whole(), whole()])).toEqual([expected, expected]);
      expect(await whole()).toBe(expected);
    });

    test('none is taken while it is installed: the state is not that of the log then', async () => {
      await open();
      await group.write(3);
      await received(40, entries(30));
      const reset = group.log.reset.bind(group.log);
      let taking: Promise<number> | undefined;
      jest.spyOn(group.log, 'reset').mockImplementationOnce(async (meta) => {
        taking = group.snapshotter.take();
        await new Promise((resolve) => setTimeout(resolve, 50));
        return reset(meta);
      });
      await group.snapshotter.install({ index: 40, term: 7, configuration: CONFIGURATION });
      expect(await taking).toBe(40);
      expect(snapshotFiles()).toEqual(['40-7.snap']);
      expect(group.stable.snapshot(0)).toMatchObject({ index: 40 });
    });

    test('waits for one that is being taken', async () => {
      await open();
      await group.write(3);
      await received(40, entries(30));
      const taking = group.snapshotter.take();
      await group.snapshotter.install({ index: 40, term: 7, configuration: CONFIGURATION });
      await taking;
      expect(group.snapshotter.newestIndex).toBe(40);
      expect(group.stable.snapshot(0)).toMatchObject({ index: 40 });
    });
  });
});
