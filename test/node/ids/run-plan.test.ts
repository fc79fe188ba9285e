import { RunPlan } from '../../../src/node/ids/run-plan';
import { createLedger, LedgerUnderTest, openAccount, transfer } from '../../ledger/ledger-under-test';
import { BatchChain } from '../../support/batch-chain';
import { batchOf, MachineWithRuns, newestRules } from './machine-with-runs';

function texts(from: number, count: number, bytes: number): ReturnType<typeof transfer>[] {
  return Array.from({ length: count }, (_, i) =>
    transfer({ id: `order ${from + i}`, from: 'bank', to: 'shop', amount: 1n, metadata: Buffer.alloc(bytes, 'm') }),
  );
}

describe('where a run ends', () => {
  test('depends on the rows alone: on how many there are, and on what they have beyond them', () => {
    const ledger = LedgerUnderTest.withAccounts('shop');
    const sizes = [0, 1_000, 10, 500, 0, 0, 1_000, 1_000, 1_000];
    const seen: number[] = [];
    const early = new RunPlan({ rows: 256, extras: 100_000 });
    const take = (plan: RunPlan, into: number[]): void => {
      const first = into.reduce((sum, count) => sum + count, 0);
      const next = plan.next(ledger.tables.transfers, first);
      if (next > 0) {
        into.push(next);
        take(plan, into);
      }
    };
    let from = 0;
    for (const [i, size] of sizes.entries()) {
      const count = 64 + 31 * (i % 3);
      ledger.do(...texts(from, count, size));
      from += count;
      take(early, seen);
    }
    const late: number[] = [];
    take(new RunPlan({ rows: 256, extras: 100_000 }), late);
    expect(seen).toEqual(late);
    expect(Math.max(...seen)).toBe(256);
    expect(Math.min(...seen)).toBe(128);
    for (const count of seen) expect(count % 64).toBe(0);
  });
});

test('rows leave memory before there are too many of them where they have much metadata, and repeats find it on the disk', async () => {
  const chain = new BatchChain();
  const options = { runRows: 1 << 20, keptRows: 1 << 21, runExtras: 2 << 20, keptExtras: 1 << 20 };
  const tiered = await MachineWithRuns.open(undefined, options);
  const { ids, machine } = tiered;
  const apply = async (batch: Buffer): Promise<Buffer> => {
    const outcomes = await tiered.apply(batch);
    await ids.idle();
    return outcomes;
  };
  await apply(newestRules(chain));
  await apply(batchOf(chain, [createLedger('USD'), openAccount('bank', { min: 'none' }), openAccount('shop')]));
  for (let i = 0; i < 20; i++) await apply(batchOf(chain, texts(i * 500, 500, 1_000)));
  await apply(chain.next({ count: 0, payload: Buffer.alloc(0) }));
  // Of ten thousand, with a kilobyte each, those that are in no run yet, and at most about a mebibyte and a page of the others.
  expect(machine.rowsInMemory).toBeLessThan(5_000);
  expect(machine.extrasInMemory).toBeLessThan(5 << 20);
  expect(machine.extrasInMemory).toBeGreaterThan(1 << 20);
  const hash = machine.hash();
  const again = await apply(batchOf(chain, [...texts(3, 1, 1_000), ...texts(3, 1, 999)]));
  expect([again[0], again[64]]).toEqual([0, 14]);
  expect(machine.hash()).not.toBe(hash);
  machine.assertInvariants();
  await ids.stop();
});
