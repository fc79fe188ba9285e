import { StorageUpkeep } from '../../src/node/storage-upkeep';
import { AgeRetention } from '../../src/raft/replica/age-retention';
import { formatted, StorageKit, type StorageFlags } from './storage-kit';

const HOUR = 3_600_000;
const MINUTE = 60_000;
const RECORD = { payload: Buffer.alloc(500, 1) };

/** Time that passes when the test says so; timers are run in their turn, and what they start is awaited. */
class Clock {
  now = 1_700_000_000_000;
  private timers: { every: number; due: number; task: () => void }[] = [];

  every = (millis: number, task: () => void): (() => void) => {
    const timer = { every: millis, due: this.now + millis, task };
    this.timers.push(timer);
    return () => (this.timers = this.timers.filter((other) => other !== timer));
  };

  wallMicros = (): number => this.now * 1_000;

  /** So much passes, in a few large steps: a timer that is late runs once. */
  async pass(millis: number, steps = 10): Promise<void> {
    for (let step = 0; step < steps; step++) {
      this.now += millis / steps;
      for (const timer of this.timers) {
        if (timer.due > this.now) continue;
        timer.due = this.now + timer.every;
        timer.task();
      }
      for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

interface Kept {
  readonly kit: StorageKit;
  readonly clock: Clock;
  readonly upkeep: StorageUpkeep;
  /** Commits so many records at the clock's time. */
  write(records: number): Promise<void>;
}

async function keep(flags: StorageFlags): Promise<Kept> {
  const clock = new Clock();
  const kit = await StorageKit.open(await formatted(), { segmentBytes: 1 << 20, ...flags });
  const { log, snapshots, snapshotter, unread } = kit.storage;
  const upkeep = new StorageUpkeep({
    ...{ log, snapshots, snapshotter, unread, clock, scheduler: clock, events: kit.events },
    appliedIndex: () => kit.applied,
    retentionAge: flags.retentionAge,
  });
  upkeep.start();
  const write = async (records: number): Promise<void> => {
    for (let n = 0; n < records; n++) kit.append({ ...RECORD, time: clock.wallMicros() + n });
    await kit.commit();
  };
  return { kit, clock, upkeep, write };
}

describe('retention by age', () => {
  test('drops what is older, keeps what is younger, and takes the snapshot that this needs', async () => {
    const { kit, clock, upkeep, write } = await keep({ retentionAge: HOUR });
    const { log, snapshots } = kit.storage;
    const written: number[] = [];
    for (let n = 0; n < 12; n++) {
      await write(2);
      written.push(clock.now);
      await clock.pass(10 * MINUTE);
    }
    const oldest = await log.read(log.firstIndex, 1);
    expect(oldest).toHaveLength(1);
    // Two hours were written. Of the first, at most an eighth of an hour and one look are left.
    const times = written.filter((time) => time < clock.now - HOUR - HOUR / 8 - MINUTE).length;
    expect(log.firstIndex).toBeGreaterThan(2 * times);
    expect(log.firstIndex).toBeLessThanOrEqual(2 * written.filter((time) => time < clock.now - HOUR).length + 1);
    expect(snapshots.newest?.meta.index).toBeGreaterThanOrEqual(log.firstIndex - 1);
    await upkeep.stop();
    await kit.close();
    const again = await StorageKit.open(kit.files.afterPowerLoss('nothing'), { segmentBytes: 1 << 20 });
    expect(again.applied).toBe(24);
    await again.close();
  });

  test('a log to which nobody writes ages out, too, and what it led to is all there', async () => {
    const { kit, clock, upkeep, write } = await keep({ retentionAge: HOUR });
    await write(5);
    const { machine, log, snapshots } = kit.storage;
    const hash = machine.hash();
    await clock.pass(50 * MINUTE);
    expect(log.firstIndex).toBe(1);
    await clock.pass(20 * MINUTE);
    expect({ first: log.firstIndex, last: log.lastIndex, offset: log.nextOffset }).toEqual({
      first: 6,
      last: 5,
      offset: 5,
    });
    expect(snapshots.list().map(({ meta }) => meta.index)).toEqual([5]);
    await write(1);
    await upkeep.stop();
    await kit.close();
    const again = await StorageKit.open(kit.files.afterPowerLoss('nothing'), { segmentBytes: 1 << 20 });
    expect(again.applied).toBe(6);
    expect(again.restored).toBe(hash);
    await again.close();
  });

  test('nothing is dropped before it is applied, nor under a snapshot that cannot be read', async () => {
    const { kit, clock, upkeep, write } = await keep({ retentionAge: HOUR });
    await write(3);
    const { log, snapshotter, snapshots } = kit.storage;
    const { applied } = kit;
    kit.applied = 0;
    await clock.pass(3 * HOUR);
    expect(log.firstIndex).toBe(1);
    kit.applied = applied;
    await snapshotter.take();
    await write(3);
    await snapshotter.take();
    const newest = kit.files.inode(`/node/groups/0/snapshots/${snapshots.newest?.file}`);
    newest.rot(newest.size - 10, 1);
    await clock.pass(3 * HOUR);
    // The damaged one was found out, and another one taken in its place, before anything went.
    expect(snapshots.refused).toHaveLength(1);
    expect({ first: log.firstIndex, valid: (await snapshots.newestValid())?.meta.index }).toEqual({
      first: 7,
      valid: 6,
    });
    await upkeep.stop();
    await kit.close();
    const again = await StorageKit.open(kit.files.afterPowerLoss('nothing'), { segmentBytes: 1 << 20 });
    expect(again.applied).toBe(6);
    await again.close();
  });

  test('nothing is dropped that no snapshot holds, whatever became of the one that was asked for', async () => {
    const kit = await StorageKit.open(await formatted(), { segmentBytes: 1 << 20 });
    kit.append(RECORD, RECORD);
    await kit.commit();
    const { log, snapshots: store } = kit.storage;
    let asked = 0;
    const takeSnapshot = async (): Promise<number> => (asked += 1);
    const age = new AgeRetention({ log, store, takeSnapshot, appliedIndex: () => 2, age: 1_000, isHeld: () => false });
    for (let n = 0; n < 2; n++) await age.enforce(1e15);
    expect({ asked, first: log.firstIndex, segments: log.segmentViews().length }).toEqual({
      asked: 2,
      first: 1,
      segments: 2,
    });
    await kit.close();
  });

  test('while somebody reads the log from its beginning nothing is dropped, and all of it at once afterwards', async () => {
    const { kit, clock, upkeep, write } = await keep({ retentionAge: HOUR });
    const { log, snapshotter } = kit.storage;
    await write(5);
    const release = snapshotter.holdLog();
    await clock.pass(3 * HOUR);
    expect(log.firstIndex).toBe(1);
    release();
    await clock.pass(MINUTE);
    expect(log.firstIndex).toBe(6);
    await upkeep.stop();
    await kit.close();
  });

  test('what a reader has not read stays four times as long, and not longer', async () => {
    const { kit, clock, upkeep, write } = await keep({ retentionAge: HOUR });
    const { log, unread } = kit.storage;
    await write(4);
    unread.read('projection', () => 5);
    await clock.pass(2 * HOUR);
    expect(log.firstIndex).toBe(5);
    await write(4);
    unread.read('projection', () => 7);
    await clock.pass(3 * HOUR);
    expect(log.firstIndex).toBe(5);
    await clock.pass(2 * HOUR);
    expect(log.firstIndex).toBe(9);
    await upkeep.stop();
    await kit.close();
  });

  test('without an age a segment is closed after a week all the same', async () => {
    const { kit, clock, upkeep, write } = await keep({});
    await write(3);
    await clock.pass(6 * 24 * HOUR);
    await write(1);
    expect(kit.storage.log.segmentViews()).toHaveLength(1);
    await clock.pass(2 * 24 * HOUR);
    await write(1);
    expect(kit.storage.log.segmentViews()).toHaveLength(2);
    expect(kit.storage.log.firstIndex).toBe(1);
    await upkeep.stop();
    await kit.close();
  });

  test('without an age nothing is dropped, and no segment is closed', async () => {
    const { kit, clock, upkeep, write } = await keep({});
    await write(3);
    await clock.pass(1_000 * HOUR);
    expect(kit.storage.log.segmentViews()).toHaveLength(1);
    await upkeep.stop();
    await kit.close();
  });
});

describe('the scrub of a node', () => {
  test('says damage once, with file and byte, and what to do', async () => {
    const { kit, clock, upkeep, write } = await keep({ segmentBytes: 4_096 });
    for (let n = 0; n < 8; n++) {
      await write(3);
      await clock.pass(1, 1);
    }
    const { path } = kit.storage.log.segmentViews()[1]!;
    kit.files.inode(path).rot(900, 1);
    await clock.pass(MINUTE, 120);
    expect(kit.events.of('error')).toMatchObject([{ fields: { file: path } }]);
    expect(kit.storage.log.damage.count).toBe(1);
    await upkeep.stop();
    await clock.pass(MINUTE);
    await kit.close();
    expect(kit.files.openFiles).toBe(0);
  });
});
