import { AgeRetention } from '../../src/raft/replica/age-retention';
import { formatted, StorageKit } from './storage-kit';
import { losePowerEverywhere, refusedRecords, SMALL, type Reference, type Scenario } from './storage-crash-kit';

const PATIENCE = 300_000;
const AGE_MILLIS = 10_000;
const SMALL_BATCH = refusedRecords(1);
const LARGE_BATCH = refusedRecords(2, 1_500);

type Snapshot = Awaited<ReturnType<StorageKit['newestSnapshot']>>;

/** The same calls make the same batches, to the byte, on every node. */
async function committed(kit: StorageKit, reference: Reference, batches: number): Promise<void> {
  for (let at = 0; at < batches; at += 1) kit.append(at % 2 === 0 ? SMALL_BATCH : LARGE_BATCH);
  await kit.commit();
  reference.acknowledge(kit);
}

/** What a leader has to send that went on behind the entries that the node has. */
async function leaderSnapshot(reference: Reference, shared: number, more: number): Promise<Snapshot> {
  const leader = await StorageKit.open(await formatted(), SMALL, reference);
  const own = reference.copy();
  await committed(leader, own, shared);
  await committed(leader, own, more);
  await leader.storage.snapshotter.take();
  const snapshot = await leader.newestSnapshot();
  await leader.close();
  return snapshot;
}

/** A node that has three entries, two of them acknowledged, and is told to install the snapshot of a leader at entry 8. */
function installation(run: (kit: StorageKit, reference: Reference, snapshot: Snapshot) => Promise<void>): Scenario {
  let snapshot: Snapshot;
  return {
    before: async (kit, reference) => {
      snapshot = await leaderSnapshot(reference, 3, 5);
      await committed(kit, reference, 3);
    },
    run: (kit, reference) => run(kit, reference, snapshot),
  };
}

const scenarios: Record<string, Scenario> = {
  'the first entries of a new cluster': {
    run: (kit, reference) => committed(kit, reference, 3),
  },

  'entries that another leader replaces': {
    before: (kit, reference) => committed(kit, reference, 3),
    run: async (kit, reference) => {
      kit.append(LARGE_BATCH, SMALL_BATCH);
      await kit.storage.log.sync();
      reference.acknowledge(kit);
      reference.giveUp(4);
      await kit.replace(4, SMALL_BATCH, LARGE_BATCH);
      await kit.commit();
      reference.acknowledge(kit);
    },
  },

  'taking a snapshot': {
    before: (kit, reference) => committed(kit, reference, 3),
    run: async (kit, reference) => {
      await kit.storage.snapshotter.take();
      await committed(kit, reference, 2);
    },
    flags: { segmentBytes: 4_096 },
  },

  'the third snapshot, which drops the first, and the log under the second (retention)': {
    before: async (kit, reference) => {
      await committed(kit, reference, 4);
      await kit.storage.snapshotter.take();
      await committed(kit, reference, 4);
      await kit.storage.snapshotter.take();
    },
    run: async (kit, reference) => {
      await committed(kit, reference, 4);
      await kit.storage.snapshotter.take();
      await committed(kit, reference, 1);
    },
  },

  'retention by age: the last segment is closed, a snapshot taken, the one before dropped, and all of the log under it':
    {
      before: async (kit, reference) => {
        await committed(kit, reference, 4);
        await kit.storage.snapshotter.take();
        await committed(kit, reference, 4);
      },
      run: async (kit, reference) => {
        const { log, snapshots: store, snapshotter } = kit.storage;
        const age = new AgeRetention({
          ...{ log, store, age: AGE_MILLIS * 1_000 },
          takeSnapshot: () => snapshotter.take(),
          appliedIndex: () => kit.applied,
          isHeld: () => snapshotter.isLogHeld,
        });
        await age.enforce(log.lastTime + 2 * AGE_MILLIS * 1_000);
        expect([log.firstIndex, log.lastIndex, store.list().map(({ meta }) => meta.index)]).toEqual([9, 8, [8]]);
        await committed(kit, reference, 2);
      },
      flags: { segmentBytes: 4_096, retentionAge: AGE_MILLIS },
    },

  'installing a leader’s snapshot over a log that it continues': installation(async (kit, reference, snapshot) => {
    await kit.install(snapshot, 400);
    await committed(kit, reference, 2);
  }),

  'installing a leader’s snapshot over a log whose end was never committed': installation(
    async (kit, reference, snapshot) => {
      kit.append(LARGE_BATCH, LARGE_BATCH);
      await kit.storage.log.sync();
      reference.acknowledge(kit);
      reference.giveUp(4);
      await kit.install(snapshot, 2_000);
      await committed(kit, reference, 2);
    },
  ),

  'installing a leader’s snapshot over snapshots of its own': installation(async (kit, reference, snapshot) => {
    await kit.storage.snapshotter.take();
    await kit.install(snapshot, 2_000);
    reference.acknowledge(kit);
    await committed(kit, reference, 3);
    await kit.storage.snapshotter.take();
  }),
};

/** See storage-crash-kit.ts for what has to hold. */
describe('power lost at any moment of', () => {
  test.each(Object.keys(scenarios))(
    '%s: state, snapshot and log fit together, and nothing acknowledged is gone',
    async (name) => {
      expect(await losePowerEverywhere(scenarios[name] as Scenario)).toBeGreaterThan(20);
    },
    PATIENCE,
  );
});
