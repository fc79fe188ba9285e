import fc from 'fast-check';
import { readHeader } from '../../../src/log/batch';
import { type TransferId } from '../../../src/ledger/identifiers';
import { Operations } from '../../ledger/long-history/operations';
import { BatchChain } from '../../support/batch-chain';
import { batchOf, MachineWithRuns, newestRules, plainMachine } from './machine-with-runs';

/** Ids of a batch's commands, as a reader asks for them. */
function idsIn(commands: ReturnType<Operations['batch']>): TransferId[] {
  return commands.flatMap((command) => ('id' in command && typeof command.id !== 'string' ? [command.id] : []));
}

async function agree(seed: number, batches: number): Promise<void> {
  const operations = new Operations(seed);
  const chain = new BatchChain();
  const plain = plainMachine();
  let tiered = await MachineWithRuns.open();
  const ids: TransferId[] = [];
  let found = 0;
  const takeBoth = async (batch: Buffer): Promise<void> => {
    const expected = plain.apply(batch, readHeader(batch));
    const answered = await tiered.apply(batch);
    expect(answered.equals(expected)).toBe(true);
  };
  await takeBoth(batchOf(chain, operations.start()));
  const switchAt = seed % 12;
  for (let i = 1; i <= batches; i++) {
    if (i === switchAt) await takeBoth(newestRules(chain));
    const commands = operations.batch();
    ids.push(...idsIn(commands));
    await takeBoth(batchOf(chain, commands));
    if (i % 5 === 0) await tiered.ids.idle();
    if (i % 10 !== 0) continue;
    expect(tiered.machine.hash()).toBe(plain.hash());
    tiered.machine.assertInvariants();
    for (const id of ids.filter((_, at) => at % 7 === 0)) {
      expect(tiered.machine.reader.transferById(id)).toEqual(plain.reader.transferById(id));
    }
    for (let hold = 1; plain.reader.hold(hold); hold++) {
      expect(tiered.machine.reader.hold(hold)).toEqual(plain.reader.hold(hold));
    }
    const restored = await tiered.restored(plain.nextOffset, seed + i);
    expect(restored.machine.hash()).toBe(plain.hash());
    found += tiered.ids.archive.counts.found;
    await tiered.ids.stop();
    tiered = restored;
  }
  expect(tiered.ids.archive.rows).toBeGreaterThan(64 * 10);
  // Rows that had left memory were needed, and were there.
  expect(found).toBeGreaterThan(10);
  expect(tiered.ids.archive.runs.some(({ name }) => name.extras > 0)).toBe(switchAt > 0);
  await tiered.ids.stop();
  expect(tiered.files.openFiles).toBe(0);
}

test('operations of every kind are answered as by a ledger that has all rows in memory, through snapshots, to the byte', async () => {
  const property = fc.asyncProperty(fc.nat(2 ** 31), (seed) => agree(seed, 30));
  const seed = Number(process.env['LEDGER_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
  await fc.assert(property, { seed, numRuns: 3 });
}, 120_000);
