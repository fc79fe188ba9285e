import { BatchKind } from '../../src/log/batch';
import { StartupError } from '../../src/node/startup-error';
import type { FaultyFiles } from '../support/faulty-files';
import { formatted, StorageKit } from './storage-kit';

const SNAPSHOTS = '/node/groups/0/snapshots';
const NO_OP = { kind: BatchKind.NoOp, payload: Buffer.alloc(0) };
const BULKY = { payload: Buffer.alloc(40_000, 1) };

function quiet(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** As much as is on it, and so many bytes more. */
function fill(files: FaultyFiles, left = 0): void {
  files.capacityBytes = files.usedBytes + left;
}

async function lookUntil(kit: StorageKit, done: () => boolean): Promise<void> {
  for (let looks = 0; looks < 64 && !done(); looks++) {
    await kit.space?.look();
    await quiet();
  }
}

describe('the storage of a group on a full disk', () => {
  test('a snapshot that finds no room leaves nothing behind, and is taken when there is room', async () => {
    const kit = await StorageKit.open(await formatted(), { reserveBytes: 0, snapshotBytes: 1 });
    const { files, storage, events } = kit;
    fill(files, 20);
    kit.append(NO_OP);
    await kit.commit();
    await quiet();
    expect(files.namesIn(SNAPSHOTS)).toEqual([]);
    const said = events.of('error').filter(({ message }) => message.includes('no room for a snapshot'));
    expect(said).toHaveLength(1);
    for (let calls = 0; calls < 8; calls++) {
      storage.snapshotter.upkeep();
      await quiet();
    }
    expect(files.namesIn(SNAPSHOTS)).toEqual([]);
    files.capacityBytes = Infinity;
    for (let calls = 0; calls < 40 && storage.snapshotter.newestIndex === 0; calls++) {
      storage.snapshotter.upkeep();
      await quiet();
    }
    expect(storage.snapshotter.newestIndex).toBe(1);
    await kit.close();
  });

  test('a snapshot of the leader is installed as soon as there is room, and nothing ends meanwhile', async () => {
    const leader = await StorageKit.open(await formatted());
    leader.append(NO_OP, NO_OP, NO_OP);
    await leader.commit();
    await leader.storage.snapshotter.take();
    const { meta, bytes } = await leader.newestSnapshot();

    const kit = await StorageKit.open(await formatted(), { reserveBytes: 0 });
    const incoming = await kit.storage.snapshots.beginReceive(meta, bytes.length);
    await incoming.write(0, bytes);
    await incoming.finish();
    fill(kit.files);
    let installed = false;
    const install = kit.storage.snapshotter.install(meta).then(() => (installed = true));
    await lookUntil(kit, () => installed);
    expect({ installed, full: kit.space?.full }).toEqual({ installed: false, full: true });
    kit.files.capacityBytes = Infinity;
    await lookUntil(kit, () => installed);
    await install;
    expect(kit.storage.log.firstIndex).toBe(4);
    await kit.close();
  });

  test('a snapshot that would leave no room to install it is not received', async () => {
    const kit = await StorageKit.open(await formatted(), { reserveBytes: 0 });
    fill(kit.files, 6 << 20);
    await kit.space?.look();
    const wanted = { index: 9, term: 1 };
    await expect(kit.storage.snapshots.beginReceive(wanted, 3 << 20)).rejects.toMatchObject({ code: 'DISK_FULL' });
    await (await kit.storage.snapshots.beginReceive(wanted, 1 << 20)).abort();
    await kit.close();
    expect(kit.files.openFiles).toBe(0);
  });

  test.each([
    ['and still none at the end', 0],
    ['and some just too late', Infinity],
  ])(
    'a stop while the log waits for room, %s, is clean: what was durable is found, nothing is in doubt',
    async (_when, atTheEnd) => {
      const kit = await StorageKit.open(await formatted(), { reserveBytes: 0 });
      kit.append(BULKY);
      await kit.commit();
      await quiet();
      fill(kit.files);
      kit.files.capacityBytes -= 1;
      for (let n = 0; n < 10; n++) kit.append(BULKY);
      await quiet();
      const { durableIndex, lastIndex } = kit.storage.log;
      expect(durableIndex).toBeLessThan(lastIndex);
      kit.space?.close();
      await quiet();
      kit.files.capacityBytes = Math.max(atTheEnd, kit.files.capacityBytes);
      await kit.close();
      expect(kit.files.openFiles).toBe(0);

      const left = kit.files.afterPowerLoss('nothing');
      left.capacityBytes = Infinity;
      const again = await StorageKit.open(left, { reserveBytes: 0 });
      expect({ last: again.storage.log.lastIndex, doubt: again.storage.mayHaveLost }).toEqual({
        last: durableIndex,
        doubt: undefined,
      });
      await again.close();
    },
  );

  test('a start that finds no room says so, and what to do', async () => {
    const files = await formatted();
    fill(files);
    const opening = StorageKit.open(files, { reserveBytes: 0 });
    await expect(opening).rejects.toThrow(StartupError);
    await expect(opening).rejects.toThrow(/the disk is full .* Make room/);
  });
});
