import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { GroupStorage } from '../../src/node/group-storage';
import { NodeFiles } from '../../src/log/node-files';
import { DirectorySource } from '../../src/offline/directory-source';
import { makeDirectory } from '../../src/offline/new-directory';
import { LevelStableStore, StableStoreError } from '../../src/raft/stable';
import { scratchFolder } from '../raft/stable/scratch-folder';
import { nameOf } from '../node/members';
import { recordedEvents } from '../node/recorded-events';
import { isPowerLoss } from '../node/storage-crash-kit';
import { FaultyFiles } from '../support/faulty-files';
import type { Survival } from '../support/faulty-inode';
import { SeededRandom } from '../support/seeded-random';
import { ENTRIES, RECORDS, smallDirectory } from './small-directory';

const PATIENCE = 300_000;

let folder: string;
let outcomes: Buffer;

beforeAll(async () => {
  folder = scratchFolder();
  await smallDirectory(join(folder, 'old'));
  const parts: Buffer[] = [];
  for await (const entries of (await source()).entries()) parts.push(entries.outcomes);
  outcomes = Buffer.concat(parts);
});

function source(): Promise<DirectorySource> {
  return DirectorySource.open(new NodeFiles(), join(folder, 'old'), () => undefined);
}

/**
 * Log, outcomes, snapshot and votes are on a disk in memory; the database is a real one, in which every write is synced, so
 * it counts as durable. @returns whether it came to its end
 */
async function made(dataDir: string, files: FaultyFiles): Promise<boolean> {
  mkdirSync(dataDir);
  try {
    const onBytes = (): void => undefined;
    await makeDirectory({ source: await source(), dataDir, nodeName: nameOf(9), files, onBytes });
    return true;
  } catch (error) {
    if (isPowerLoss(error)) return false;
    throw error;
  }
}

/** Of which cluster the directory says it is; nothing where it cannot even be opened. */
async function clusterOf(dataDir: string, files: FaultyFiles): Promise<string> {
  try {
    const stable = await LevelStableStore.open({ dataDir, files });
    const clusterId = stable.identity?.clusterId ?? '';
    await stable.close();
    return clusterId;
  } catch (error) {
    if (error instanceof StableStoreError) return '';
    throw error;
  }
}

/** Starts the group on it, as a node would. */
async function expectWhole(dataDir: string, files: FaultyFiles): Promise<void> {
  const stable = await LevelStableStore.open({ dataDir, files });
  const { clusterId, nodeId } = stable.identity!;
  const storage = await GroupStorage.open({
    config: { dataDir, segmentBytes: 1 << 20, snapshotBytes: Number.MAX_SAFE_INTEGER, retentionBytes: undefined },
    data: { files, stable, clusterId, nodeId, groupFolder: (group) => join(dataDir, 'groups', String(group)) },
    events: recordedEvents(),
    fatal: (error) => {
      throw error;
    },
  });
  expect(storage.snapshots.refused).toEqual([]);
  expect(storage.mayHaveLost).toBeUndefined();
  expect([storage.log.firstIndex, storage.log.lastIndex, storage.snapshotMeta.index]).toEqual([1, ENTRIES + 1, 4]);
  const hardState = { term: storage.log.lastTerm, vote: nodeId };
  expect(stable.voteState(0)).toEqual({ kind: 'ok', hardState });
  expect((await storage.outcomes.read(0, RECORDS)).equals(outcomes)).toBe(true);
  await storage.close();
  await stable.close();
}

test(
  'power lost at any moment of making a directory: it belongs to no cluster until all of it is durable',
  async () => {
    for (let operations = 0; ; operations += 1) {
      const dataDir = join(folder, String(operations));
      const files = new FaultyFiles();
      files.losePowerAfter(operations);
      const ended = await made(dataDir, files);
      const survivals: Survival[] = ['nothing', 'everything', new SeededRandom(operations * 31 + 1)];
      for (const survival of survivals) {
        const remains = files.afterPowerLoss(survival);
        if (ended) await expectWhole(dataDir, remains);
        else expect([operations, await clusterOf(dataDir, remains)]).toEqual([operations, '']);
      }
      if (!ended) continue;
      expect(operations).toBeGreaterThan(30);
      return;
    }
  },
  PATIENCE,
);
