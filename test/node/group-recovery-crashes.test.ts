import { BatchChain, boundaryAfter, readWholeLog } from '../support/batch-chain';
import type { Survival } from '../support/faulty-inode';
import { SeededRandom } from '../support/seeded-random';
import { DamagedMember, TERM } from './repair-kit';
import { isPowerLoss } from './storage-crash-kit';

const PATIENCE = 300_000;
const batches = new BatchChain().many(20, { payload: Buffer.alloc(300, 3) });
const hex = (some: readonly Buffer[]): string[] => some.map((batch) => batch.toString('hex'));

/** A disk that has lost something that no peer can give back, and what its node has of the log once it has started on it. */
interface Scenario {
  readonly damaged: () => Promise<DamagedMember>;
  /** Entries. */
  readonly left: number;
}

/** Members that have only a part of what this one acknowledged. */
async function rotten(at: number): Promise<DamagedMember> {
  const member = await DamagedMember.make(batches);
  member.rot(batches[at]!);
  member.peer(2, batches.slice(0, 1), 1);
  return member;
}

const scenarios: Record<string, Scenario> = {
  'segments set aside': { damaged: () => rotten(12), left: 8 },
  'all segments set aside': { damaged: () => rotten(1), left: 0 },
  'a new beginning, where the log continues a snapshot that is gone': {
    damaged: () => DamagedMember.make(batches.slice(10), boundaryAfter(batches[9]!)),
    left: 0,
  },
  'a new beginning, where the pointer still names the snapshot that is gone': {
    damaged: () => DamagedMember.make(batches.slice(10), boundaryAfter(batches[9]!), true),
    left: 0,
  },
};

/** @returns whether it came to its end */
async function starts(member: DamagedMember): Promise<boolean> {
  try {
    await (await member.open()).close();
    return true;
  } catch (error) {
    if (!isPowerLoss(error)) throw error;
    return false;
  }
}

/**
 * What a start finds, or makes, whatever the one before it came to. It knows how much it may have lost; until it has that back it
 * neither campaigns nor votes for less (docs/internals/raft.md), whatever configuration it goes by.
 * @param entries how many are left of the log at least
 * @returns how many are
 */
async function expectStart(member: DamagedMember, entries: number): Promise<number> {
  const storage = await member.open();
  const found = await readWholeLog(storage.log);
  expect(hex(found)).toEqual(hex(batches.slice(0, found.length)));
  expect(found.length).toBeGreaterThanOrEqual(entries);
  expect(found.length).toBeLessThan(batches.length);
  expect(storage.mayHaveLost).toEqual({ index: batches.length, term: TERM });
  await storage.close();
  return found.length;
}

describe('power lost at any moment of a start that gives up a part of the log', () => {
  test.each(Object.keys(scenarios))(
    '%s: the next start knows what may be lost, and has what is left',
    async (name) => {
      const { damaged, left } = scenarios[name]!;
      const member = await damaged();
      const disk = member.files;
      for (let operations = 0; ; operations += 1) {
        const files = disk.afterPowerLoss('nothing');
        files.losePowerAfter(operations);
        member.files = files;
        const ended = await starts(member);
        const survivals: Survival[] = ['nothing', 'everything', new SeededRandom(operations * 31 + 1)];
        for (const [at, survival] of survivals.entries()) {
          member.files = files.afterPowerLoss(survival);
          try {
            expect(await expectStart(member, await expectStart(member, left))).toBeGreaterThanOrEqual(left);
          } catch (error) {
            const context = `power lost after ${operations} operations, remains ${at}`;
            throw new Error(`${context}: ${String(error)}`, { cause: error });
          }
        }
        if (!ended) continue;
        expect(operations).toBeGreaterThan(10);
        // A configuration that is older than the log was is not kept.
        const storage = await member.open();
        expect(storage.snapshotMeta).toMatchObject({ index: 0, configuration: { voters: [] } });
        await storage.close();
        return;
      }
    },
    PATIENCE,
  );
});
