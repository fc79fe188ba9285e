import { formatted, StorageKit } from '../storage-kit';
import { losePowerEverywhere, type Reference, type Scenario } from '../storage-crash-kit';
import type { NextBatch } from '../../support/batch-chain';
import { accounts, handOverRuns, newestRules, settled, texts, transfers, WITH_RUNS } from './storage-with-runs';

const PATIENCE = 300_000;

/** All of it durable, as a leader would say. */
async function done(kit: StorageKit, reference: Reference, ...batches: NextBatch[]): Promise<void> {
  await settled(kit, ...batches);
  reference.acknowledge(kit);
}

async function leaderOf(reference: Reference): Promise<StorageKit> {
  const leader = await StorageKit.open(await formatted(), WITH_RUNS, reference);
  const own = reference.copy();
  await done(leader, own, newestRules(), accounts(), transfers(0, 100), texts(0, 150), transfers(50, 100));
  await leader.storage.snapshotter.take();
  return leader;
}

const scenarios: Record<string, Scenario> = {
  'writing runs, merging their indexes, snapshots that lean on them, and repeats of what is in them': {
    flags: WITH_RUNS,
    before: (kit, reference) => done(kit, reference, accounts(), transfers(0, 70), newestRules(), texts(0, 80)),
    run: async (kit, reference) => {
      await done(kit, reference, texts(80, 50));
      await kit.storage.snapshotter.take();
      // The fourth run: its index and those of the others become one.
      await done(kit, reference, transfers(200, 60), transfers(0, 20), texts(10, 20));
      expect(kit.storage.ids.archive.indexList).toHaveLength(1);
      await kit.storage.snapshotter.take();
      await done(kit, reference, transfers(90, 20));
    },
  },

  'a start over snapshots and runs that are there, whose indexes are not': {
    flags: WITH_RUNS,
    before: async (kit, reference) => {
      await done(kit, reference, newestRules(), accounts(), texts(0, 150));
      await kit.storage.snapshotter.take();
      for (const file of kit.files.namesIn('/node/groups/0/ids')) {
        if (file.endsWith('.index')) await kit.files.unlink(`/node/groups/0/ids/${file}`);
      }
      await kit.files.syncDirectory('/node/groups/0/ids');
    },
    run: (kit, reference) => done(kit, reference, texts(140, 20)),
  },

  'taking over the runs of a leader, and installing its snapshot': {
    flags: WITH_RUNS,
    before: (kit, reference) => done(kit, reference, newestRules(), accounts(), transfers(0, 100)),
    run: async (kit, reference) => {
      const leader = await leaderOf(reference);
      await handOverRuns(leader, kit, 5_000);
      await kit.install(await leader.newestSnapshot(), 8_192);
      reference.acknowledge(kit);
      await done(kit, reference, transfers(200, 60));
      await leader.close();
    },
  },
};

describe.each(Object.keys(scenarios))('%s', (name) => {
  test(
    'survives a loss of power at every operation',
    async () => {
      expect(await losePowerEverywhere(scenarios[name] as Scenario)).toBeGreaterThan(30);
    },
    PATIENCE,
  );
});
