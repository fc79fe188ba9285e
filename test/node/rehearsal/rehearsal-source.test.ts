import { LedgerState } from '../../../src/ledger/state';
import { payloadOf } from '../../../src/log/batch';
import { Operations } from '../../ledger/long-history/operations';
import { BatchChain } from '../../support/batch-chain';
import { batchOf, MachineWithRuns, newestRules, streamed } from '../ids/machine-with-runs';

let world: MachineWithRuns;
let chain: BatchChain;
let operations: Operations;

beforeEach(async () => {
  world = await MachineWithRuns.open();
  chain = new BatchChain();
  operations = new Operations(5);
  await world.apply(newestRules(chain));
  await world.apply(batchOf(chain, operations.start()));
});

afterEach(() => world.ids.stop());

/** Some batches, whose rows are in runs afterwards as far as they fill one. Gives the ids that they name. */
async function go(batches: number): Promise<Uint32Array> {
  const named: number[] = [];
  for (let i = 0; i < batches; i++) {
    const batch = batchOf(chain, operations.batch());
    named.push(...new LedgerState().idsIn(payloadOf(batch)));
    await world.apply(batch);
    await world.ids.idle();
  }
  await world.settle(chain);
  return Uint32Array.from(named);
}

describe('what a dry run is told of rows that its copy leaves out', () => {
  test('is those of the moment of the copy with their extras, whatever has left memory since', async () => {
    const before = await go(10);
    const { archived, chain: hash, frames, lookUp } = world.machine.rehearsalSource();
    const first = world.ids.archive;
    expect([archived, Buffer.from(hash)]).toEqual([first.rows, first.chain]);
    expect(archived).toBeGreaterThan(500);
    const known = await lookUp(before);
    expect(known.filter(({ extras }) => extras !== undefined).length).toBeGreaterThan(100);
    expect(known).toEqual(await first.lookUp(before));
    const after = await go(10);
    expect(first.rows).toBeGreaterThan(archived + 500);
    const found = await lookUp(after);
    const all = (await first.lookUp(after)) ?? [];
    expect(found).toEqual(all.filter(({ row }) => row < archived));
    expect(all.length).toBeGreaterThan(found.length + 500);
    frames[Symbol.iterator]().return?.();
  });

  test('is nothing any more once a snapshot takes the place of the state, also while it does so', async () => {
    const ids = await go(3);
    const { lookUp } = world.machine.rehearsalSource();
    const chunks = [...world.machine.snapshot()].map((chunk) => Buffer.from(chunk));
    const at = { nextOffset: world.machine.nextOffset, attachments: world.machine.attachments() };
    let meanwhile: Promise<unknown> | undefined;
    async function* pieces(): AsyncGenerator<Buffer> {
      meanwhile = lookUp(ids).catch((error: unknown) => error);
      await meanwhile;
      yield* streamed(chunks);
    }
    await world.machine.restore(pieces(), at);
    expect(await meanwhile).toMatchObject({ reason: 'DRY_RUN_ENDED' });
    await expect(lookUp(ids)).rejects.toMatchObject({ reason: 'DRY_RUN_ENDED' });
  });
});
