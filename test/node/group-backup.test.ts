import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readHeader } from '../../src/log/batch';
import { NodeFiles } from '../../src/log/node-files';
import { SegmentedLog } from '../../src/log/segmented-log';
import { NodeError } from '../../src/api/node-port';
import { GroupBackup, type GroupBackupOptions } from '../../src/node/group-backup';
import { OutcomeDamageError } from '../../src/node/outcome-keeper';
import { BackupReader } from '../../src/raft/backup';
import { BatchChain } from '../support/batch-chain';
import { CLUSTER, configurationOf, idOf } from './members';

const ENTRIES = 12;
const APPLIED = 10;
const ROW_BYTES = 64;

describe('the backup of a running group', () => {
  let folder: string;
  let log: SegmentedLog;
  let held: number;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'ledger-backup-'));
    held = 0;
    log = await SegmentedLog.open({
      dir: folder,
      files: new NodeFiles(),
      group: 0,
      onFatal: (error) => {
        throw error;
      },
    });
    for (const batch of new BatchChain().many(ENTRIES)) log.append(batch);
    await log.sync();
  });

  afterEach(async () => {
    await log.close();
    rmSync(folder, { recursive: true, force: true });
  });

  function backup(rest: Partial<GroupBackupOptions> = {}): GroupBackup {
    return new GroupBackup({
      group: 0,
      owner: () => ({ clusterId: CLUSTER, nodeName: 'node-1', nodeId: idOf(1), partitions: 1 }),
      log,
      replica: { appliedIndex: APPLIED, configurationAt: () => configurationOf([1]) },
      caughtUp: () => Promise.resolve(),
      snapshots: {
        newestValid: () => Promise.resolve(undefined),
        read: () => Promise.reject(new Error('there is no snapshot')),
      },
      attachments: { check: () => Promise.resolve(), read: () => Promise.resolve(Buffer.alloc(0)) },
      snapshotter: {
        holdLog: () => {
          held += 1;
          return () => void (held -= 1);
        },
      },
      readOutcomes: (_offset, count) => Promise.resolve(Buffer.alloc(count * ROW_BYTES, 5)),
      mendOutcomes: () => Promise.resolve(false),
      nextOffset: () => APPLIED,
      ...rest,
    });
  }

  async function indexesIn(bytes: AsyncIterable<Buffer>): Promise<number[]> {
    const reader = await BackupReader.open(bytes);
    const indexes: number[] = [];
    for await (const { batches } of reader.entries()) indexes.push(...batches.map((one) => readHeader(one).index));
    return indexes;
  }

  test('ends with what is applied, holds the log meanwhile, and lets go of it', async () => {
    const running = await backup().begin(1_000);
    expect(held).toBe(1);
    expect(await indexesIn(running.bytes)).toEqual(Array.from({ length: APPLIED }, (_, i) => i + 1));
    await running.close();
    expect(held).toBe(0);
  });

  test('is one at a time; the next begins when it is closed, read or not', async () => {
    const group = backup();
    const running = await group.begin(1_000);
    const refused = group.begin(1_000);
    await expect(refused).rejects.toMatchObject({ code: 'RESOURCE_EXHAUSTED', reason: 'BACKUP_UNDER_WAY' });
    await running.close();
    await (await group.begin(1_000)).close();
  });

  test('that cannot begin holds nothing', async () => {
    const group = backup({ caughtUp: () => Promise.reject(new NodeError('UNAVAILABLE', 'NO_LEADER', 'nobody leads')) });
    for (let tries = 0; tries < 2; tries += 1) {
      await expect(group.begin(1_000)).rejects.toMatchObject({ reason: 'NO_LEADER' });
    }
    expect(held).toBe(0);
  });

  test('takes damaged outcomes from a peer, and fails with their place where none has them', async () => {
    let damaged = true;
    const damage = new OutcomeDamageError(3, { file: 'some.outcomes', position: 192 });
    const readOutcomes = (_offset: number, count: number): Promise<Buffer> =>
      damaged ? Promise.reject(damage) : Promise.resolve(Buffer.alloc(count * ROW_BYTES));
    const mending = await backup({
      readOutcomes,
      mendOutcomes: async () => {
        damaged = false;
        return true;
      },
    }).begin(1_000);
    expect(await indexesIn(mending.bytes)).toHaveLength(APPLIED);
    damaged = true;
    const failing = await backup({ readOutcomes }).begin(1_000);
    await expect(indexesIn(failing.bytes)).rejects.toMatchObject({ code: 'UNAVAILABLE', reason: 'NOT_READY' });
    await expect(indexesIn((await backup({ readOutcomes }).begin(1_000)).bytes)).rejects.toThrow('from byte 192 on');
  });
});
