import { join } from 'node:path';
import { SEGMENT_HEADER_BYTES } from '../../src/log/segment-header';
import { BatchChain } from '../support/batch-chain';
import { FaultyFiles } from '../support/faulty-files';
import { DIRECTORY, openLog } from './crash-kit';

const ENTRIES = 9;

describe('a log that was never closed', () => {
  async function written(): Promise<{ readonly files: FaultyFiles; readonly last: string; readonly size: number }> {
    const files = new FaultyFiles();
    const log = await openLog(files);
    for (const batch of new BatchChain().many(ENTRIES, { payload: Buffer.alloc(200, 3) })) {
      log.append(batch);
      await log.sync();
    }
    const left = files.afterPowerLoss('everything');
    const last = left
      .namesIn(DIRECTORY)
      .filter((name) => name.endsWith('.log'))
      .at(-1)!;
    return { files: left, last: join(DIRECTORY, last), size: left.inode(join(DIRECTORY, last)).size };
  }

  test('and is shortened at rest is known to have lost what it may have acknowledged, wherever it ends now', async () => {
    const { files, last, size } = await written();
    for (let length = SEGMENT_HEADER_BYTES; length < size; length += 24) {
      const short = files.afterPowerLoss('everything');
      short.inode(last).truncate(length);
      short.inode(last).sync();
      const log = await openLog(short);
      const { lastIndex: index, lastTerm: term, nextOffset, lastHash: hash, lastTime: time } = log;
      expect([length, index <= ENTRIES, log.recovery.lostAcknowledged! >= ENTRIES]).toEqual([length, true, true]);
      log.append(new BatchChain({ index, term, nextOffset, hash, time }).next());
      await log.sync();
      await log.close();
      const again = await openLog(short.afterPowerLoss('nothing'));
      expect(again.recovery.lostAcknowledged).toBeGreaterThanOrEqual(ENTRIES);
      expect(again.lastIndex).toBe(index + 1);
      await again.close();
    }
  });

  test('and is cut on purpose is not, wherever power is lost meanwhile', async () => {
    const { files } = await written();
    for (let operations = 0, done = false; !done; operations++) {
      const live = files.afterPowerLoss('everything');
      const log = await openLog(live);
      live.losePowerAfter(operations);
      done = await log.truncateSuffix(ENTRIES - 1).then(
        () => true,
        () => false,
      );
      const reopened = await openLog(live.afterPowerLoss('everything'));
      expect([operations, reopened.recovery.lostAcknowledged]).toEqual([operations, undefined]);
      expect([ENTRIES, ENTRIES - 1, ENTRIES - 2]).toContain(reopened.lastIndex);
      await reopened.close();
    }
  });
});
