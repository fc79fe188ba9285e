import { HoldExpiry } from '../../src/node/hold-expiry';
import { EntryKind } from '../../src/raft/core';
import { ReplicaError, type ReplicaErrorReason } from '../../src/raft/replica/errors';
import type { Applied } from '../../src/raft/replica/proposal-queue';
import { LedgerUnderTest, pending } from '../ledger/ledger-under-test';
import { recordedEvents } from './recorded-events';

/** A real ledger behind a leader that applies what it is given. */
class World {
  readonly ledger = LedgerUnderTest.withAccounts('alice');
  readonly submitted: number[] = [];
  isLeader = true;
  refuses: ReplicaErrorReason | undefined;
  now = 0;
  readonly events = recordedEvents();
  readonly expiry: HoldExpiry;

  constructor() {
    this.expiry = new HoldExpiry({
      replica: this,
      reader: () => this.ledger.state.reader,
      nowMicros: () => this.now,
      events: this.events,
    });
  }

  async submit(kind: number, chunk: Buffer, count: number): Promise<Applied> {
    if (this.refuses !== undefined) throw new ReplicaError(this.refuses, 'the test says no');
    expect(kind).toBe(EntryKind.records);
    this.submitted.push(count);
    this.ledger.time = Math.max(this.ledger.time, this.now);
    const outcomes = this.ledger.apply(chunk);
    expect(outcomes).toHaveLength(count);
    return { index: 1, term: 1, baseOffset: 0, time: this.ledger.time, outcomes: Buffer.alloc(0) };
  }

  hold(id: string, timeoutMs: number): number {
    this.ledger.do(pending({ id, from: 'bank', to: 'alice', amount: '1', timeoutMs }));
    return this.ledger.time + timeoutMs * 1000;
  }

  get held(): bigint {
    return this.ledger.balance('alice').creditsPending;
  }
}

test('the leader lets go of what is due, one record a hold, and of nothing else', async () => {
  const world = new World();
  world.now = world.hold('a', 5) - 1;
  world.hold('b', 6);
  world.hold('late', 60_000);
  await world.expiry.step();
  expect(world.submitted).toEqual([]);
  world.now = world.ledger.time + 10_000;
  await world.expiry.step();
  expect(world.submitted).toEqual([2]);
  expect(world.held).toBe(100n);
  await world.expiry.step();
  expect(world.submitted).toEqual([2]);
});

test('a node that does not lead writes nothing', async () => {
  const world = new World();
  world.now = world.hold('a', 1);
  world.isLeader = false;
  await world.expiry.step();
  expect([world.submitted, world.held]).toEqual([[], 100n]);
});

test('what could not be written is written by a later step', async () => {
  const world = new World();
  world.now = world.hold('a', 1);
  world.refuses = 'NO_LEADER';
  await world.expiry.step();
  expect(world.held).toBe(100n);
  world.refuses = undefined;
  await world.expiry.step();
  expect([world.submitted, world.held]).toEqual([[1], 0n]);
});

test('it runs by itself until it is stopped', async () => {
  const world = new World();
  world.now = world.hold('a', 1);
  world.expiry.start();
  const until = Date.now() + 60_000;
  while (world.held !== 0n && Date.now() < until) await new Promise((resolve) => setTimeout(resolve, 10));
  await world.expiry.stop();
  expect(world.submitted).toEqual([1]);
});
