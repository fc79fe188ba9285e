import { readHeader, type BatchHeader } from '../../../src/log/batch';
import { ProposalWaiters } from '../../../src/raft/replica/proposal-waiters';
import { BatchChain } from '../../support/batch-chain';
import { proposal } from './proposals';

const ROW = 64;
const headerOf = (index: number, term: number, count = 1): BatchHeader => {
  const chain = new BatchChain({ index: index - 1, term: 0, nextOffset: 100, hash: Buffer.alloc(32), time: 5_000 });
  return readHeader(chain.next({ term, count }));
};

describe('ProposalWaiters', () => {
  let waiters: ProposalWaiters;
  beforeEach(() => {
    waiters = new ProposalWaiters();
  });

  test('each proposal of a batch is answered with its own offset and its own outcomes', () => {
    const [a, b, c] = [proposal({ count: 2 }), proposal({ count: 1 }), proposal({ count: 3 })];
    waiters.add(7, 2, [a, b, c]);
    const outcomes = Buffer.concat(Array.from({ length: 6 }, (_, at) => Buffer.alloc(ROW, at + 1)));
    waiters.applied(headerOf(7, 2, 6), outcomes);
    expect(a.ending).toMatchObject({
      index: 7,
      term: 2,
      baseOffset: 100,
      time: 6_000,
      outcomes: outcomes.subarray(0, 2 * ROW),
    });
    expect(b.ending).toMatchObject({ baseOffset: 102, outcomes: Buffer.alloc(ROW, 3) });
    expect(c.ending).toMatchObject({ baseOffset: 103, outcomes: outcomes.subarray(3 * ROW) });
    expect(waiters.size).toBe(0);
  });

  test('one that was given up meanwhile keeps its place, and is not answered a second time', () => {
    const [late, inTime] = [proposal({ count: 2, deadlineAt: 10 }), proposal({ deadlineAt: 99 })];
    waiters.add(7, 2, [late, inTime]);
    waiters.expire(10);
    expect(late.ending).toMatchObject({ reason: 'OUTCOME_UNKNOWN' });
    waiters.applied(headerOf(7, 2, 3), Buffer.alloc(3 * ROW));
    expect(inTime.ending).toMatchObject({ baseOffset: 102 });
  });

  test('nobody waits for most batches', () => {
    const waiting = proposal();
    waiters.add(7, 2, [waiting]);
    waiters.applied(headerOf(6, 2), Buffer.alloc(ROW));
    expect([waiting.ending, waiters.size]).toEqual([undefined, 1]);
  });

  test('an entry of another term at its index: it was overwritten for good, nothing of it happened', () => {
    const waiting = proposal();
    waiters.add(7, 2, [waiting]);
    waiters.applied(headerOf(7, 3), Buffer.alloc(ROW));
    expect(waiting.ending).toMatchObject({ reason: 'NOT_COMMITTED' });
  });

  /**
   * Figure 8 of the Raft paper: this node proposes in term 2 at index 7, loses leadership, and sees index 7 overwritten in
   * its own log; leads again in term 4 and proposes there once more. Another node still has the entry of term 2, is elected
   * and commits it. Only what is applied in the end says which of the two writes has happened.
   */
  describe('an overwritten entry', () => {
    test('may still be committed: it is answered, and the later one at its index is not', () => {
      const [first, second] = [proposal(), proposal()];
      waiters.add(7, 2, [first]);
      waiters.add(7, 4, [second]);
      expect([first.ending, second.ending]).toEqual([undefined, undefined]);
      waiters.applied(headerOf(7, 2), Buffer.alloc(ROW, 9));
      expect(first.ending).toMatchObject({ index: 7, term: 2 });
      expect(second.ending).toMatchObject({ reason: 'NOT_COMMITTED' });
      expect(waiters.size).toBe(0);
    });

    test('or the later one is', () => {
      const [first, second] = [proposal(), proposal()];
      waiters.add(7, 2, [first]);
      waiters.add(7, 4, [second]);
      waiters.applied(headerOf(7, 4), Buffer.alloc(ROW));
      expect(first.ending).toMatchObject({ reason: 'NOT_COMMITTED' });
      expect(second.ending).toMatchObject({ term: 4 });
    });

    test('or neither, or nobody knows in time', () => {
      const [first, second, third] = [proposal({ deadlineAt: 10 }), proposal(), proposal()];
      waiters.add(7, 2, [first]);
      waiters.add(7, 4, [second, third]);
      waiters.expire(10);
      expect(first.ending).toMatchObject({ reason: 'OUTCOME_UNKNOWN' });
      waiters.applied(headerOf(7, 5), Buffer.alloc(ROW));
      expect([second.ending, third.ending]).toMatchObject([{ reason: 'NOT_COMMITTED' }, { reason: 'NOT_COMMITTED' }]);
    });
  });

  test('a snapshot that covers an entry does not tell what became of it', () => {
    const [under, above] = [proposal(), proposal()];
    waiters.add(7, 2, [under]);
    waiters.add(8, 2, [above]);
    waiters.skipped(7);
    expect(under.ending).toMatchObject({ reason: 'OUTCOME_UNKNOWN' });
    expect([above.ending, waiters.size]).toEqual([undefined, 1]);
  });

  test('at a stop nobody knows what becomes of the rest', () => {
    const waiting = [proposal(), proposal()];
    waiters.add(7, 2, waiting);
    waiters.rejectAll();
    expect(waiting.map(({ ending }) => ending)).toMatchObject([
      { reason: 'OUTCOME_UNKNOWN' },
      { reason: 'OUTCOME_UNKNOWN' },
    ]);
    expect(waiters.size).toBe(0);
  });
});
