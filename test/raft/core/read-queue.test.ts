import { MAX_PENDING_READS, ReadQueue } from '../../../src/raft/core/read-queue';
import { id } from './memory-log';
import { Solo } from './solo';

test('the reads that wait are bounded, and the refused one is told so', () => {
  const solo = new Solo([1, 2, 3]);
  solo.lead();
  for (let context = 1; context <= MAX_PENDING_READS; context++) solo.core.readIndex(context);
  expect(solo.core.status().pendingReads).toBe(MAX_PENDING_READS);
  solo.core.readIndex(0);
  solo.turn();
  expect(solo.readies.at(-1)?.readRefusals).toEqual([{ context: 0, reason: 'too_many_reads' }]);
  solo.hear(2, 'heartbeatResp', { term: 1, context: 1 });
  expect(solo.readies.at(-1)?.readStates).toHaveLength(MAX_PENDING_READS);
  expect(solo.core.status().pendingReads).toBe(0);
});

test('the rounds under way are bounded: what comes meanwhile shares the next one', () => {
  const queue = new ReadQueue();
  const started = [];
  for (let context = 1; context <= 20; context++) {
    queue.add({ from: id(1), context });
    started.push(queue.startRound(5));
  }
  expect(started.filter(Boolean)).toHaveLength(8);
  expect(queue.newestRound).toBe(8);
  expect(queue.confirmed(8).map((round) => round.reads.length)).toEqual(Array(8).fill(1));
  expect(queue.startRound(6)).toBe(true);
  expect(queue.confirmed(9)).toEqual([expect.objectContaining({ round: 9, index: 6 })]);
  expect(queue.pending).toBe(0);
});
