import { DiskSpace } from '../../src/log/disk-space';
import { FileSystemError } from '../../src/log/files';
import { DiskFullError } from '../../src/log/log-errors';
import { OutcomeStore } from '../../src/log/outcomes';
import type { SegmentedLog } from '../../src/log/segmented-log';
import { BatchChain } from '../support/batch-chain';
import { FaultyFiles } from '../support/faulty-files';
import { Gate } from '../support/gate';
import { DIRECTORY, openLog } from './crash-kit';

const ROW = 64;

function rows(from: number, count: number): Buffer {
  return Buffer.concat(Array.from({ length: count }, (_, i) => Buffer.alloc(ROW, ((from + i) % 250) + 1)));
}

interface Store {
  readonly files: FaultyFiles;
  readonly log: SegmentedLog;
  readonly space: DiskSpace;
  readonly outcomes: OutcomeStore;
}

/** A log of 20 records in one segment, durable, and no outcomes yet. */
async function prepare(maxPendingBytes?: number): Promise<Store> {
  const files = new FaultyFiles();
  await files.makeDirectory(DIRECTORY);
  const space = await DiskSpace.open({ files, directory: DIRECTORY, reserveBytes: 0, every: () => () => undefined });
  const log = await openLog(files, { space });
  for (const batch of new BatchChain().many(4, { count: 5, payload: Buffer.alloc(40, 1) })) log.append(batch);
  await log.sync();
  const outcomes = await OutcomeStore.open({ log, files, space, ...(maxPendingBytes && { maxPendingBytes }) });
  return { files, log, space, outcomes };
}

function quiet(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Looks at the disk until the store has written what it holds back, as often as the pauses between its tries can be long. */
async function lookUntilWritten({ space, outcomes }: Store): Promise<void> {
  for (let looks = 0; looks < 64 && outcomes.waitingBytes > 0; looks++) {
    await space.look();
    await quiet();
  }
}

describe('outcomes on a full disk', () => {
  test('wait in memory, are read from there, and are written when there is room', async () => {
    const store = await prepare();
    const { files, outcomes, space } = store;
    files.capacityBytes = files.usedBytes + 6 * ROW + 10;
    for (const offset of [0, 5, 10]) outcomes.write(offset, rows(offset, 5));
    await quiet();
    expect({ full: space.full, waiting: outcomes.waitingBytes > 0 }).toEqual({ full: true, waiting: true });
    expect((await outcomes.read(0, 20)).equals(Buffer.concat([rows(0, 15), Buffer.alloc(5 * ROW)]))).toBe(true);
    await expect(outcomes.sync()).rejects.toThrow(DiskFullError);
    outcomes.write(15, rows(15, 5));

    files.capacityBytes = Infinity;
    await lookUntilWritten(store);
    await outcomes.sync();
    const left = files.afterPowerLoss('nothing');
    const again = await OutcomeStore.open({ log: await openLog(left), files: left });
    expect((await again.read(0, 20)).equals(rows(0, 20))).toBe(true);
    await space.look();
    expect(space.full).toBe(false);
  });

  test('whose file cannot even be made wait as well', async () => {
    const store = await prepare();
    const { files, outcomes } = store;
    files.capacityBytes = 0;
    outcomes.write(0, rows(0, 5));
    await quiet();
    expect((await outcomes.read(0, 5)).equals(rows(0, 5))).toBe(true);
    files.capacityBytes = Infinity;
    await lookUntilWritten(store);
    await outcomes.sync();
    expect((await outcomes.read(0, 5)).equals(rows(0, 5))).toBe(true);
  });

  test('are written by whoever syncs as soon as there is room, without waiting for the next look', async () => {
    const { files, outcomes } = await prepare();
    files.capacityBytes = 0;
    outcomes.write(0, rows(0, 5));
    await quiet();
    files.capacityBytes = Infinity;
    await outcomes.sync();
    expect(outcomes.waitingBytes).toBe(0);
    outcomes.write(5, rows(5, 5));
    await outcomes.sync();
    expect((await outcomes.read(0, 10)).equals(rows(0, 10))).toBe(true);
  });

  test('are in doubt after a sync that failed, also for want of room: that is not tried again (pitfall 18)', async () => {
    const { files, outcomes } = await prepare();
    outcomes.write(0, rows(0, 5));
    files.intercept = (operation, path) => {
      if (operation !== 'datasync') return;
      files.intercept = undefined;
      files.inode(path).dropUnsynced();
      throw new FileSystemError('datasync', path, 'ENOSPC');
    };
    await expect(outcomes.sync()).rejects.toThrow(FileSystemError);
    await expect(outcomes.sync()).rejects.toThrow(FileSystemError);
  });

  test('that never got to the disk do not keep a node from stopping: replay makes them again', async () => {
    const { files, log, outcomes, space } = await prepare();
    files.capacityBytes = 0;
    outcomes.write(0, rows(0, 5));
    await quiet();
    space.close();
    await outcomes.close();
    await log.close();
    expect(files.openFiles).toBe(0);
  });
});

describe('outcomes that the disk is too slow for', () => {
  test('are bounded: whoever makes more waits until those before are written', async () => {
    const { files, outcomes } = await prepare(10 * ROW);
    const gate = new Gate('write');
    files.intercept = gate.intercept;
    outcomes.write(0, rows(0, 10));
    expect(outcomes.backlog()).toBeUndefined();
    outcomes.write(10, rows(10, 5));
    let woken = false;
    const waiting = outcomes.backlog()!.then(() => (woken = true));
    await quiet();
    expect(woken).toBe(false);
    gate.release();
    await waiting;
    expect(outcomes.backlog()).toBeUndefined();
  });

  test('nobody waits for a store that is closed or has failed', async () => {
    const { files, outcomes } = await prepare(ROW);
    files.intercept = (operation, path) => {
      if (operation === 'write') throw new FileSystemError('write', path, 'EIO');
    };
    outcomes.write(0, rows(0, 5));
    await outcomes.backlog();
    expect(outcomes.backlog()).toBeUndefined();
    expect(() => outcomes.write(5, rows(5, 5))).toThrow(FileSystemError);
  });
});
