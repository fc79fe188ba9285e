import { DiskSpace, reserveFor } from '../../src/log/disk-space';
import { FileSystemError } from '../../src/log/files';
import { DiskFullError } from '../../src/log/log-errors';

interface Watched {
  readonly space: DiskSpace;
  readonly alarms: boolean[];
  readonly unknown: unknown[];
  /** What the disk says at the next look; undefined: it cannot be asked. */
  free: number | undefined;
}

async function watch(free: number, reserveBytes = 100): Promise<Watched> {
  const watched = { alarms: [] as boolean[], unknown: [] as unknown[], free: free as number | undefined };
  const space = await DiskSpace.open({
    files: {
      freeBytes: async (path) => {
        if (watched.free === undefined) throw new FileSystemError('measure', path, 'EIO');
        return watched.free;
      },
    },
    directory: '/d',
    reserveBytes,
    every: () => () => undefined,
    onChange: (full) => watched.alarms.push(full),
    onUnknown: (error) => watched.unknown.push(error),
  });
  return Object.assign(watched, { space });
}

describe('the alarm of a full disk', () => {
  test('is raised below the reserve and taken back only when a quarter more is free', async () => {
    const watched = await watch(100);
    const { space } = watched;
    const seen: boolean[] = [space.full];
    for (const free of [99, 100, 124, 125, 100, 99]) {
      watched.free = free;
      await space.look();
      seen.push(space.full);
    }
    expect(seen).toEqual([false, true, true, true, false, false, true]);
    expect(watched.alarms).toEqual([true, false, true]);
    expect(space.freeBytes).toBe(99);
  });

  test('is raised at the start', async () => {
    expect((await watch(5)).space.full).toBe(true);
  });

  test('what can wait is not made on the reserve', async () => {
    const { space } = await watch(150);
    expect([space.hasRoomFor(50), space.hasRoomFor(51)]).toEqual([true, false]);
  });

  test('the reserve has room for the segment in use, the next one, and votes', () => {
    expect(reserveFor(1_000_000)).toBeGreaterThan(2_000_000);
  });

  test('a disk that cannot be asked is said once, and what was known holds on', async () => {
    const watched = await watch(50);
    watched.free = undefined;
    await watched.space.look();
    await watched.space.look();
    expect(watched.unknown).toHaveLength(1);
    expect([watched.space.full, watched.space.freeBytes]).toEqual([true, 50]);
    watched.free = 200;
    await watched.space.look();
    expect(watched.space.full).toBe(false);
  });
});

describe('whoever found the disk full', () => {
  test('raises the alarm and tries again when there is as much room as it wants', async () => {
    const watched = await watch(1_000);
    const { space } = watched;
    let tries = 0;
    const waiting = space.untilRoom(2_000).then(() => (tries += 1));
    expect(space.full).toBe(true);
    for (let i = 0; i < 5; i++) await space.look();
    expect(tries).toBe(0);
    watched.free = 2_000;
    await space.look();
    await waiting;
    // One look later it shows that the try went well.
    expect(space.full).toBe(true);
    await space.look();
    expect(space.full).toBe(false);
  });

  test('tries ever more rarely where there seems to be room and is none (a quota)', async () => {
    const { space } = await watch(1_000_000);
    const looksPerTry: number[] = [];
    for (let i = 0; i < 8; i++) {
      let ready = false;
      void space.untilRoom(10).then(() => (ready = true));
      let looks = 0;
      while (!ready) {
        await space.look();
        looks += 1;
      }
      looksPerTry.push(looks);
      expect(space.full).toBe(true);
    }
    expect(looksPerTry).toEqual([1, 2, 4, 8, 16, 32, 32, 32]);
    await space.look();
    expect(space.full).toBe(false);
  });

  test('is told when nobody looks any more', async () => {
    const { space } = await watch(0);
    const waiting = space.untilRoom(1);
    space.close();
    await expect(waiting).rejects.toThrow(DiskFullError);
    await expect(space.untilRoom(1)).rejects.toThrow(DiskFullError);
  });
});
