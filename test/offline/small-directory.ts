import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readHeader } from '../../src/log/batch';
import { NodeFiles } from '../../src/log/node-files';
import { GroupStorage } from '../../src/node/group-storage';
import { LevelStableStore } from '../../src/raft/stable';
import { CLUSTER, configurationOf, idOf, nameOf } from '../node/members';
import { recordedEvents } from '../node/recorded-events';
import { refusedRecords } from '../node/storage-crash-kit';
import { BatchChain, type NextBatch } from '../support/batch-chain';
import { filesBelow } from './written-directory';

/** A record, or a few, each refused: so their outcomes are not zeros. */
const BATCHES: readonly NextBatch[] = Array.from({ length: 8 }, (_, n) => refusedRecords(1 + (n % 3), 300));
export const ENTRIES = BATCHES.length;
export const RECORDS = BATCHES.reduce((sum, { count = 0 }) => sum + count, 0);

/** The directory of a stopped node, one of three: a log in several segments, a snapshot in its middle, outcomes. All of it is real. */
export async function smallDirectory(dataDir: string): Promise<void> {
  const files = new NodeFiles();
  const stable = await LevelStableStore.open({ dataDir, files });
  await stable.initialise({ clusterId: CLUSTER, nodeName: nameOf(1), nodeId: idOf(1), createdAt: 1, partitions: 1 });
  await stable.createGroup(0);
  const configuration = configurationOf([1, 2, 3]);
  await stable.saveSnapshot(0, { index: 0, term: 0, file: '', configuration });
  await stable.saveHardState(0, { term: 1, vote: idOf(1) });
  const storage = await GroupStorage.open({
    config: { dataDir, segmentBytes: 4_096, snapshotBytes: Number.MAX_SAFE_INTEGER, retentionBytes: undefined },
    data: {
      ...{ files, stable, clusterId: CLUSTER, nodeId: idOf(1) },
      groupFolder: (group) => join(dataDir, 'groups', String(group)),
    },
    events: recordedEvents(),
    fatal: (error) => {
      throw error;
    },
  });
  storage.snapshotter.attach({
    configurationAt: () => configuration,
    pauseApplying: () => undefined,
    stateJumped: () => undefined,
  });
  const chain = new BatchChain();
  for (const [at, next] of BATCHES.entries()) {
    const batch = chain.next(next);
    storage.log.append(batch);
    await storage.log.sync();
    const header = readHeader(batch);
    await storage.machine.prepare(batch, header);
    storage.machine.apply(batch, header);
    storage.snapshotter.applied(header, batch.length);
    if (at === 3) await storage.snapshotter.take();
  }
  await storage.close();
  await stable.close();
}

/** Says whether two directories hold the same bytes under the same names; who holds them at the moment does not count. */
export function fingerprint(dataDir: string): string {
  const hash = createHash('sha256');
  for (const name of filesBelow(dataDir)) {
    if (name !== 'lock' && !name.startsWith('stable/'))
      hash.update(`${name}\0`).update(readFileSync(join(dataDir, name)));
  }
  return hash.digest('hex');
}
