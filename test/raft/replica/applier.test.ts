import { readHeader, type BatchHeader } from '../../../src/log/batch';
import { LogRangeError } from '../../../src/log/log-errors';
import { Applier } from '../../../src/raft/replica/applier';
import { ReplicaError } from '../../../src/raft/replica/errors';
import type { StateMachine } from '../../../src/raft/replica/state-machine';
import { BatchChain } from '../../support/batch-chain';
import { MemoryLog } from '../../support/memory-log';
import { ManualClock, ManualScheduler } from './manual-world';

const MAX_WAITERS = 4;
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

class World {
  readonly log = new MemoryLog();
  readonly chain = new BatchChain();
  readonly clock = new ManualClock();
  readonly scheduler = new ManualScheduler();
  readonly applied: number[] = [];
  readonly failures: unknown[] = [];
  /** What happens while the machine takes a batch. */
  onApply: (header: BatchHeader) => void = () => undefined;
  backlog: Promise<void> | undefined;
  readonly applier: Applier;

  constructor(entries: number, appliedTo = 0) {
    for (const batch of this.chain.many(entries)) this.log.append(batch);
    const machine: Pick<StateMachine, 'apply' | 'backlog'> = {
      backlog: () => this.backlog,
      apply: (_batch, header) => {
        this.onApply(header);
        this.applied.push(header.index);
        return Buffer.alloc(64 * header.count, header.index);
      },
    };
    const events = {
      applied: (header: BatchHeader, outcomes: Buffer, batch: Buffer) => {
        expect(outcomes).toEqual(Buffer.alloc(64, header.index));
        expect(readHeader(batch).index).toBe(header.index);
      },
      failed: (error: unknown) => void this.failures.push(error),
    };
    this.applier = new Applier(this.log, machine, this.clock, this.scheduler, events, appliedTo, MAX_WAITERS);
  }

  /** However much is asked for, the log gives one batch at a time. */
  readsOneByOne(): void {
    const cached = this.log.cached.bind(this.log);
    jest.spyOn(this.log, 'cached').mockImplementation((from) => cached(from, 1));
  }

  /** The newest batches are not in memory: they come from the disk, as slowly as the test wants. */
  fromDisk(): { release: () => void } {
    jest.spyOn(this.log, 'cached').mockReturnValueOnce(undefined);
    const read = this.log.read.bind(this.log);
    let release: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    jest.spyOn(this.log, 'read').mockImplementationOnce(async (from, bytes) => {
      const found = await read(from, bytes);
      await gate;
      return found;
    });
    return { release };
  }
}

describe('Applier', () => {
  test('applies what is committed, in order, each once, and nothing else', () => {
    const world = new World(5);
    world.applier.committed(3);
    world.applier.committed(2);
    world.applier.committed(3);
    expect(world.applied).toEqual([1, 2, 3]);
    expect([world.applier.appliedIndex, world.applier.committedIndex]).toEqual([3, 3]);
    world.applier.committed(5);
    expect(world.applied).toEqual([1, 2, 3, 4, 5]);
  });

  test('goes on behind the snapshot that the state came from', () => {
    const world = new World(5, 3);
    world.applier.committed(5);
    expect(world.applied).toEqual([4, 5]);
  });

  test('so many may wait for the log to be applied, and not more; when it is, others may', async () => {
    const world = new World(5);
    const waiting = Array.from({ length: MAX_WAITERS }, () => world.applier.waitFor(2, 1_000));
    await expect(world.applier.waitFor(2, 1_000)).rejects.toMatchObject({ reason: 'OVERLOADED' });
    world.applier.committed(2);
    await Promise.all(waiting);
    await expect(world.applier.waitFor(2, 1_000)).resolves.toBeUndefined();
    const next = world.applier.waitFor(3, 1_000);
    world.applier.committed(3);
    await next;
  });

  test('leaves the event loop its turn after a slice, and goes on in the next', () => {
    const world = new World(5);
    world.onApply = () => (world.clock.monotonic += 5);
    world.applier.committed(5);
    expect(world.applied).toEqual([1, 2]);
    world.applier.committed(5);
    expect(world.scheduler.runOnce()).toBe(1);
    expect(world.applied).toEqual([1, 2, 3, 4]);
    world.scheduler.runOnce();
    expect(world.applied).toEqual([1, 2, 3, 4, 5]);
    expect(world.scheduler.runOnce()).toBe(0);
  });

  test('reads from the disk what is not in memory, once', async () => {
    const world = new World(4);
    const disk = world.fromDisk();
    world.applier.committed(2);
    world.applier.committed(4);
    expect(world.applied).toEqual([]);
    disk.release();
    await turn();
    expect(world.applied).toEqual([1, 2, 3, 4]);
  });

  test('what becomes committed while a batch is applied follows in the same go', () => {
    const world = new World(3);
    world.onApply = ({ index }) => world.applier.committed(Math.min(3, index + 1));
    world.applier.committed(1);
    expect(world.applied).toEqual([1, 2, 3]);
  });

  describe('a state that is being replaced', () => {
    test('takes nothing until it stands at its new place', async () => {
      const world = new World(2);
      world.applier.committed(1);
      world.applier.pause();
      world.applier.committed(2);
      expect(world.applied).toEqual([1]);
      const after = new BatchChain({ index: 10, term: 1, nextOffset: 10, hash: Buffer.alloc(32), time: 99 });
      await world.log.reset(after.end);
      world.applier.jumped(10);
      expect([world.applier.appliedIndex, world.applier.committedIndex]).toEqual([10, 10]);
      world.log.append(after.next());
      world.applier.committed(11);
      expect(world.applied).toEqual([1, 11]);
    });

    test('that was in the middle of a slice stops there', () => {
      const world = new World(4);
      world.onApply = ({ index }) => {
        if (index === 2) world.applier.pause();
      };
      world.applier.committed(4);
      expect(world.applied).toEqual([1, 2]);
      world.applier.jumped(3);
      expect(world.applied).toEqual([1, 2, 4]);
    });

    test.each([false, true])('forgets what the disk was asked for before (jumped already: %s)', async (jumped) => {
      const world = new World(4);
      const disk = world.fromDisk();
      world.applier.committed(4);
      world.applier.pause();
      if (jumped) world.applier.jumped(3);
      disk.release();
      await turn();
      expect(world.applied).toEqual(jumped ? [4] : []);
      if (!jumped) world.applier.jumped(3);
      expect(world.applied).toEqual([4]);
    });

    test('is not hurt by a read that the log refused meanwhile', async () => {
      const world = new World(4);
      jest.spyOn(world.log, 'cached').mockReturnValueOnce(undefined);
      jest.spyOn(world.log, 'read').mockRejectedValueOnce(new LogRangeError('truncated', 'reset'));
      world.applier.committed(4);
      world.applier.pause();
      world.applier.jumped(3);
      await turn();
      expect(world.failures).toEqual([]);
      expect(world.applied).toEqual([4]);
    });

    test('answers those who waited for an index that it has now', async () => {
      const world = new World(1);
      const waiting = world.applier.waitFor(10, 1_000);
      world.applier.pause();
      await world.log.reset({ index: 10, term: 1, nextOffset: 10, hash: Buffer.alloc(32), time: 99 });
      world.applier.jumped(10);
      await waiting;
    });
  });

  describe('who waits for an index', () => {
    test('is answered when it is applied, or at once', async () => {
      const world = new World(3);
      const order: number[] = [];
      const waits = [3, 1, 2].map((index) => world.applier.waitFor(index, 1_000).then(() => order.push(index)));
      for (const index of [1, 2, 3]) {
        world.applier.committed(index);
        await turn();
      }
      await Promise.all(waits);
      expect(order).toEqual([1, 2, 3]);
      await world.applier.waitFor(2, 0);
    });

    test('waits no longer than his deadline', async () => {
      const world = new World(3);
      const late = world.applier.waitFor(1, 100);
      const patient = world.applier.waitFor(1, 101);
      const outcome = Promise.allSettled([late]);
      world.applier.expire(99);
      world.applier.expire(100);
      expect((await outcome)[0]).toMatchObject({ status: 'rejected', reason: { reason: 'NO_LEADER' } });
      world.applier.committed(1);
      await patient;
    });

    test('is told at a stop, and so is who comes after it; nothing more is applied', async () => {
      const world = new World(3);
      const stopping = new ReplicaError('STOPPING', 'bye');
      const outcomes = Promise.allSettled([world.applier.waitFor(1, 1_000)]);
      world.applier.stop(stopping);
      expect((await outcomes)[0]).toMatchObject({ reason: stopping });
      await expect(world.applier.waitFor(1, 1_000)).rejects.toBe(stopping);
      world.applier.committed(3);
      expect(world.applied).toEqual([]);
      await world.applier.waitFor(0, 0);
    });
  });

  describe('what ends the process', () => {
    test('a machine that throws: the same batch would throw again', () => {
      const world = new World(2);
      const bug = new Error('invariant');
      world.onApply = () => {
        throw bug;
      };
      world.applier.committed(2);
      expect(world.failures).toEqual([bug]);
      expect(world.applier.appliedIndex).toBe(0);
      world.applier.committed(2);
      expect(world.failures).toHaveLength(1);
    });

    test('a disk that cannot give what is committed', async () => {
      const world = new World(2);
      jest.spyOn(world.log, 'cached').mockReturnValue(undefined);
      jest.spyOn(world.log, 'read').mockRejectedValueOnce(new Error('EIO'));
      world.applier.committed(2);
      await turn();
      expect(world.failures).toEqual([new Error('EIO')]);
    });

    test('a log that gives another batch than was asked for', () => {
      const world = new World(3);
      jest.spyOn(world.log, 'cached').mockReturnValueOnce(world.log.cached(2, 1));
      world.applier.committed(3);
      expect(world.failures).toEqual([new Error('Batch 2 was read where batch 1 is to be applied.')]);
    });

    test('but no failing read after the stop', async () => {
      const world = new World(2);
      jest.spyOn(world.log, 'cached').mockReturnValue(undefined);
      jest.spyOn(world.log, 'read').mockRejectedValueOnce(new Error('closed'));
      world.applier.committed(2);
      world.applier.stop(new ReplicaError('STOPPING', 'bye'));
      await turn();
      expect(world.failures).toEqual([]);
    });
  });
});

describe('an applier whose machine has more to write than it may keep', () => {
  test('applies nothing until that is written, and goes on by itself', async () => {
    const world = new World(5);
    let written: () => void = () => undefined;
    world.onApply = ({ index }) => {
      if (index === 2) world.backlog = new Promise((resolve) => (written = resolve));
    };
    world.readsOneByOne();
    world.applier.committed(5);
    await turn();
    expect(world.applied).toEqual([1, 2]);
    world.applier.committed(5);
    await turn();
    expect(world.applied).toEqual([1, 2]);
    world.backlog = undefined;
    written();
    await turn();
    expect(world.applied).toEqual([1, 2, 3, 4, 5]);
  });
});
