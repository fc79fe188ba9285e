import type { Committed, SubmitRequest } from '../../src/api/node-port';
import { encodeValues } from '../../src/log/chunk';
import { PEER_CALLS, decodeCommitted, encodeCommitted, encodeSubmit } from '../../src/node/peer-calls';
import { WritePath } from '../../src/node/write-path';
import { EntryKind } from '../../src/raft/core';
import { ReplicaError, type ReplicaErrorReason } from '../../src/raft/replica/errors';
import type { Applied } from '../../src/raft/replica/proposal-queue';
import { CallError } from '../../src/raft/transport';
import { idOf, nameOf } from './members';

const REQUEST: SubmitRequest = {
  type: 1,
  kind: 'records',
  subject: 'anna',
  count: 1,
  chunk: encodeValues(1, [Buffer.from('a')]),
};
const APPLIED: Applied = { index: 9, term: 2, baseOffset: 4, time: 77, outcomes: Buffer.alloc(64, 1) };
const ANSWER: Committed = { ...APPLIED, leader: nameOf(2) };
const STEP_MILLIS = 10;

type Outcome<T> = T | Error;

/** Node 1, a clock that moves when somebody waits, and what its replica and its peers answer, one after the other. */
class World {
  readonly id = idOf(1);
  leaderId = idOf(1);
  now = 0;
  readonly own: Outcome<Applied>[] = [];
  readonly remote: Outcome<Committed | Buffer>[] = [];
  readonly submitted: { kind: number; count: number; deadline: number }[] = [];
  readonly calls: { to: string; method: number; body: Buffer; deadline: number }[] = [];
  /** What changes while a new leader is waited for. */
  onWait: () => void = () => undefined;

  readonly path = new WritePath({
    group: 0,
    replica: this,
    call: async (to, _group, method, body, deadline) => {
      this.calls.push({ to, method, body, deadline });
      const outcome = next(this.remote);
      return Buffer.isBuffer(outcome) ? outcome : encodeCommitted(outcome);
    },
    nameOf: (id) => nameOf(Number.parseInt(id, 16)),
    now: () => this.now,
    leaderChange: async (millis) => {
      this.now += Math.min(millis, STEP_MILLIS);
      this.onWait();
    },
  });

  submit(kind: number, _chunk: Buffer, count: number, deadline: number): Promise<Applied> {
    this.submitted.push({ kind, count, deadline });
    return Promise.resolve().then(() => next(this.own));
  }
}

function next<T>(outcomes: Outcome<T>[]): T {
  const outcome = outcomes.length > 1 ? outcomes.shift() : outcomes[0];
  if (outcome === undefined) throw new Error('Nobody was to be asked in this test.');
  if (outcome instanceof Error) throw outcome;
  return outcome;
}

const refused = (reason: ReplicaErrorReason): ReplicaError => new ReplicaError(reason, `because ${reason}`);
const failed = (reason: string, options: { sent: boolean; remote?: boolean }): CallError =>
  new CallError('UNAVAILABLE', reason, `because ${reason}`, options);

describe('WritePath', () => {
  let world: World;
  beforeEach(() => {
    world = new World();
  });
  const submit = (deadlineMs = 1_000): Promise<Committed> => world.path.submit(REQUEST, deadlineMs);

  describe('on the leader', () => {
    test('goes to its own replica, with the deadline, and names the leader', async () => {
      world.own.push(APPLIED);
      expect(await submit()).toEqual({ ...APPLIED, leader: nameOf(1) });
      expect(world.submitted).toEqual([{ kind: EntryKind.records, count: 1, deadline: 1_000 }]);
      expect(world.calls).toEqual([]);
    });

    test('a system record is proposed as one; a producer gets no outcomes', async () => {
      world.own.push(APPLIED);
      const answer = await world.path.submit({ ...REQUEST, type: 0, kind: 'system' }, 1_000);
      expect(world.submitted).toMatchObject([{ kind: EntryKind.system }]);
      expect(answer.outcomes).toHaveLength(0);
    });

    test.each<ReplicaErrorReason>(['NOT_LEADER', 'NO_LEADER', 'NOT_COMMITTED'])(
      'is tried again after %s: nothing happened',
      async (reason) => {
        world.own.push(refused(reason), APPLIED);
        expect(await submit()).toMatchObject({ index: 9 });
        expect(world.submitted.map(({ deadline }) => deadline)).toEqual([1_000, 1_000 - STEP_MILLIS]);
      },
    );

    test.each<[ReplicaErrorReason, string, string]>([
      ['OUTCOME_UNKNOWN', 'UNAVAILABLE', 'OUTCOME_UNKNOWN'],
      ['OVERLOADED', 'RESOURCE_EXHAUSTED', 'OVERLOADED'],
      ['DISK_FULL', 'RESOURCE_EXHAUSTED', 'DISK_FULL'],
      ['CLOCK_AHEAD', 'UNAVAILABLE', 'CLOCK_AHEAD'],
      ['STOPPING', 'UNAVAILABLE', 'STOPPING'],
    ])('ends at once with %s', async (reason, code, told) => {
      world.own.push(refused(reason));
      await expect(submit()).rejects.toMatchObject({ name: 'NodeError', code, reason: told });
      expect(world.submitted).toHaveLength(1);
    });

    test('an error that nobody foresaw is passed on as it is', async () => {
      const bug = new TypeError('a bug');
      world.own.push(bug);
      await expect(submit()).rejects.toBe(bug);
    });
  });

  describe('on a follower', () => {
    beforeEach(() => {
      world.leaderId = idOf(2);
    });

    test('goes to the leader, whole, in one call', async () => {
      world.remote.push(ANSWER);
      expect(await submit()).toEqual(ANSWER);
      expect(world.calls).toEqual([
        { to: idOf(2), method: PEER_CALLS.submit, body: encodeSubmit(REQUEST), deadline: 1_000 },
      ]);
      expect(world.submitted).toEqual([]);
    });

    test.each([
      ['was never sent', failed('PEER_UNREACHABLE', { sent: false })],
      ['was not handled', failed('METHOD_UNKNOWN', { sent: true, remote: true })],
      ['met a full peer', failed('PEER_OVERLOADED', { sent: true, remote: true })],
      ['met a node that does not lead', failed('NOT_LEADER', { sent: true, remote: true })],
      ['met a leader that stops', failed('STOPPING', { sent: true, remote: true })],
      ['was overwritten for good', failed('NOT_COMMITTED', { sent: true, remote: true })],
    ])('is sent again where it %s, to whoever leads then', async (_what, failure) => {
      world.remote.push(failure, ANSWER);
      world.onWait = () => (world.leaderId = idOf(3));
      expect(await submit()).toEqual(ANSWER);
      expect(world.calls.map(({ to }) => to)).toEqual([idOf(2), idOf(3)]);
    });

    test('is proposed here where this node leads by then', async () => {
      world.remote.push(failed('NOT_LEADER', { sent: true, remote: true }));
      world.own.push(APPLIED);
      world.onWait = () => (world.leaderId = idOf(1));
      expect(await submit()).toMatchObject({ leader: nameOf(1) });
    });

    test.each([
      ['the connection was lost', failed('CONNECTION_LOST', { sent: true })],
      ['no answer came', failed('NO_ANSWER', { sent: true })],
      ['the leader itself does not know', failed('OUTCOME_UNKNOWN', { sent: true, remote: true })],
      ['the leader failed at it', failed('HANDLER_FAILED', { sent: true, remote: true })],
      ['only this end says that nobody leads', failed('NOT_LEADER', { sent: true })],
      ['the answer makes no sense', Buffer.from('?')],
    ])('is never sent twice once bytes have left: %s', async (_what, outcome) => {
      world.remote.push(outcome);
      await expect(submit()).rejects.toMatchObject({
        code: 'UNAVAILABLE',
        reason: 'OUTCOME_UNKNOWN',
        message: expect.stringContaining('"node-2"') as string,
      });
      expect(world.calls).toHaveLength(1);
    });

    test.each([
      ['OVERLOADED', 'RESOURCE_EXHAUSTED'],
      ['DISK_FULL', 'RESOURCE_EXHAUSTED'],
      ['CLOCK_AHEAD', 'UNAVAILABLE'],
      ['FORWARDED_WRITE_MALFORMED', 'FAILED_PRECONDITION'],
    ])('%s at the leader is the same here', async (reason, code) => {
      world.remote.push(failed(reason, { sent: true, remote: true }));
      await expect(submit()).rejects.toMatchObject({ code, reason });
      expect(world.calls).toHaveLength(1);
    });
  });

  describe('without a leader', () => {
    test('waits for one', async () => {
      world.leaderId = '';
      world.own.push(APPLIED);
      world.onWait = () => (world.leaderId = world.now >= 500 ? idOf(1) : '');
      expect(await submit()).toMatchObject({ index: 9 });
      expect(world.submitted).toMatchObject([{ deadline: 500 }]);
    });

    test('says so at the deadline, and what went wrong last', async () => {
      world.leaderId = '';
      await expect(submit(100)).rejects.toMatchObject({ code: 'UNAVAILABLE', reason: 'NO_LEADER', retryAfterMs: 500 });
      expect(world.now).toBe(100);
      world.leaderId = idOf(2);
      world.remote.push(failed('PEER_UNREACHABLE', { sent: false }));
      await expect(submit(100)).rejects.toMatchObject({
        reason: 'NO_LEADER',
        message: expect.stringContaining('because PEER_UNREACHABLE') as string,
      });
    });
  });

  describe('serves what others forward', () => {
    const body = encodeSubmit(REQUEST);

    test('from its own replica', async () => {
      world.own.push(APPLIED);
      expect(decodeCommitted(await world.path.serve(body, 300))).toEqual({ ...APPLIED, leader: nameOf(1) });
      expect(world.submitted).toMatchObject([{ deadline: 300 }]);
    });

    test('or not at all: there is one hop, whoever leads', async () => {
      world.leaderId = idOf(2);
      world.own.push(refused('NOT_LEADER'));
      await expect(world.path.serve(body, 300)).rejects.toMatchObject({ code: 'UNAVAILABLE', reason: 'NOT_LEADER' });
      expect(world.calls).toEqual([]);
      expect(world.submitted).toHaveLength(1);
    });

    test('nothing malformed reaches the log', async () => {
      await expect(world.path.serve(Buffer.from('?'), 300)).rejects.toMatchObject({
        reason: 'FORWARDED_WRITE_MALFORMED',
      });
      expect(world.submitted).toEqual([]);
    });
  });
});
