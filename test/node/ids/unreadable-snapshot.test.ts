import { Operations } from '../../ledger/long-history/operations';
import { BatchChain } from '../../support/batch-chain';
import { batchOf, MachineWithRuns, SMALLEST, streamed } from './machine-with-runs';

test('who could restore no snapshot names no runs in its next one, which can be read', async () => {
  const operations = new Operations(3);
  const chain = new BatchChain();
  const first = await MachineWithRuns.open();
  await first.apply(batchOf(chain, operations.start()));
  for (let i = 0; i < 20; i++) {
    await first.apply(batchOf(chain, operations.batch()));
    await first.ids.idle();
  }
  const attachments = first.machine.attachments();
  expect(attachments.length).toBeGreaterThan(0);
  const chunks = [...first.machine.snapshot()].map((chunk) => Buffer.from(chunk));
  const { nextOffset } = first.machine;

  const second = await MachineWithRuns.open(first.files, SMALLEST, 8);
  const cut = streamed(chunks.slice(0, -1));
  await expect(second.machine.restore(cut, { nextOffset, attachments })).rejects.toThrow('not complete');
  expect(second.machine.attachments()).toEqual([]);
  const third = await second.restored(0, 9);
  expect(third.machine.nextOffset).toBe(0);

  for (const { ids } of [first, second, third]) await ids.stop();
  expect(first.files.openFiles).toBe(0);
});
