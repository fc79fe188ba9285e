import { ReplicaError } from '../../../src/raft/replica/errors';
import { ProposalQueue, settle } from '../../../src/raft/replica/proposal-queue';
import { proposal, type SeenProposal, type Wanted } from './proposals';

const LIMITS = { batchBytes: 100, batchRecords: 8, queueBytes: 1_000, queueProposals: 50 };

describe('ProposalQueue', () => {
  let queue: ProposalQueue;
  beforeEach(() => {
    queue = new ProposalQueue(LIMITS);
  });
  const push = (wanted: Wanted = {}): SeenProposal => {
    const made = proposal(wanted);
    queue.push(made);
    return made;
  };

  test('gives all that waits as one batch, in order of arrival', () => {
    const waiting = [push(), push(), push()];
    expect([queue.size, queue.queuedBytes]).toEqual([3, 30]);
    expect(queue.take()).toEqual(waiting);
    expect([queue.size, queue.queuedBytes]).toEqual([0, 0]);
    expect(queue.take()).toEqual([]);
  });

  test('a batch is bounded in bytes and in records, and of one kind', () => {
    for (const bytes of [60, 40, 1]) push({ bytes });
    expect(queue.take().map(({ chunk }) => chunk.length)).toEqual([60, 40]);
    expect(queue.take()).toHaveLength(1);
    for (const count of [5, 3, 1]) push({ count });
    expect(queue.take().map(({ count }) => count)).toEqual([5, 3]);
    expect(queue.take()).toHaveLength(1);
    for (const kind of [0, 0, 3, 0]) push({ kind });
    expect([queue.take(), queue.take(), queue.take()].map((batch) => batch.map(({ kind }) => kind))).toEqual([
      [0, 0],
      [3],
      [0],
    ]);
  });

  test('one that is larger than a batch travels alone', () => {
    push({ bytes: 500, count: 100 });
    push();
    expect(queue.take()).toHaveLength(1);
    expect(queue.take()).toHaveLength(1);
  });

  test('is bounded in bytes and in number, and says so at once', () => {
    push({ bytes: 995 });
    expect(() => push({ bytes: 6 })).toThrow(expect.objectContaining({ reason: 'OVERLOADED' }) as Error);
    push({ bytes: 5 });
    queue.take();
    queue.take();
    for (let at = 0; at < LIMITS.queueProposals; at += 1) push({ bytes: 1 });
    expect(() => push({ bytes: 1 })).toThrow(/^50 writes with 50 bytes wait/);
  });

  test('takes one that is larger than the whole queue where nothing else waits', () => {
    expect(() => push({ bytes: 5_000 })).not.toThrow();
  });

  test('what is put back comes first again', () => {
    const first = [push({ bytes: 60 }), push({ bytes: 40 })];
    const second = push({ bytes: 30 });
    queue.putBack(queue.take());
    expect([queue.size, queue.queuedBytes]).toEqual([3, 130]);
    expect(queue.take()).toEqual(first);
    expect(queue.take()).toEqual([second]);
    expect(queue.queuedBytes).toBe(0);
  });

  test('what waited past its deadline is refused, nothing of it happens, and its place is free again', () => {
    const late = push({ deadlineAt: 10 });
    const inTime = push({ deadlineAt: 11 });
    queue.expire(10);
    queue.expire(10);
    expect(late.ending).toMatchObject({ reason: 'NO_LEADER' });
    expect(queue.take()).toEqual([inTime]);
    expect([queue.size, queue.queuedBytes]).toEqual([0, 0]);
  });

  test('everything that waits can be refused', () => {
    const waiting = [push(), push()];
    queue.rejectAll(new ReplicaError('NOT_LEADER', 'not any more'));
    expect(waiting.map(({ ending }) => ending)).toMatchObject([{ reason: 'NOT_LEADER' }, { reason: 'NOT_LEADER' }]);
    expect([queue.size, queue.queuedBytes, queue.take()]).toEqual([0, 0, []]);
  });

  test('keeps order and count over many rounds', () => {
    const taken: SeenProposal[] = [];
    const pushed: SeenProposal[] = [];
    for (let round = 0; round < 2_000; round += 1) {
      for (let at = 0; at <= round % 3; at += 1) if (queue.size < 40) pushed.push(push({ bytes: 1 }));
      if (round % 2 === 0) taken.push(...(queue.take() as SeenProposal[]));
      if (round % 7 === 0) {
        const again = queue.take();
        queue.putBack(again);
      }
    }
    while (queue.size > 0) taken.push(...(queue.take() as SeenProposal[]));
    expect(taken.length).toBe(pushed.length);
    expect(taken.every((one, at) => one === pushed[at])).toBe(true);
    expect(queue.queuedBytes).toBe(0);
  });

  test('a proposal is settled once', () => {
    const one = proposal();
    settle(one, new ReplicaError('STOPPING', 'first'));
    settle(one, new ReplicaError('STOPPING', 'second'));
    expect(one.ending).toMatchObject({ message: 'first' });
  });
});
