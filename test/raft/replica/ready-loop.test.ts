import { encodeValues } from '../../../src/log/chunk';
import type { Entry } from '../../../src/raft/core';
import { entryOf } from '../../../src/raft/replica/entries';
import { BatchChain } from '../../support/batch-chain';
import { B, C, LoneReplica } from './lone-replica';

describe('what depends on the disk waits for the disk', () => {
  let node: LoneReplica;
  afterEach(() => node.stop());

  const entries = (count: number, term: number, chain = new BatchChain()): Entry[] =>
    Array.from({ length: count }, () => entryOf(chain.next({ term, payload: encodeValues(0, [Buffer.from('x')]) })));
  const append = (list: readonly Entry[], term: number, commit = 0): void => {
    const first = list[0]?.index ?? 1;
    node.receive({ type: 'append', from: B, term, prevIndex: first - 1, prevTerm: 0, entries: list, commit });
  };

  test('a vote is answered when term and vote are durable (5.1), not before', async () => {
    node = new LoneReplica([B, C]);
    node.voteDisk.isSlow = true;
    node.receive({ type: 'vote', from: B, term: 3, lastIndex: 0, lastTerm: 0, transfer: false });
    await node.settle();
    expect(node.sentOf('voteResp')).toEqual([]);
    expect(node.voteDisk.pending).toBe(1);
    node.voteDisk.release();
    await node.settle();
    expect(node.saved).toEqual([{ term: 3, vote: B }]);
    expect(node.sentOf('voteResp')).toMatchObject([{ to: B, term: 3, reject: false }]);
  });

  test('an append is acknowledged when its entries are durable', async () => {
    node = new LoneReplica([B, C]);
    node.logDisk.isSlow = true;
    append(entries(2, 3), 3);
    await node.settle();
    expect(node.log.lastIndex).toBe(2);
    expect(node.sentOf('appendResp')).toEqual([]);
    node.logDisk.release();
    await node.settle();
    expect(node.sentOf('appendResp')).toMatchObject([{ to: B, term: 3, reject: false, index: 2 }]);
  });

  test('an acknowledgement never overtakes the term that it was given in', async () => {
    node = new LoneReplica([B, C]);
    node.voteDisk.isSlow = true;
    append(entries(1, 3), 3);
    await node.settle();
    expect(node.log.durableIndex).toBe(1);
    expect(node.sentOf('appendResp')).toEqual([]);
    node.voteDisk.release();
    await node.settle();
    expect(node.saved).toMatchObject([{ term: 3 }]);
    expect(node.sentOf('appendResp')).toMatchObject([{ index: 1 }]);
  });

  test('a node that is alone acknowledges nothing before its own fsync [etcd#14370]', async () => {
    node = new LoneReplica([]);
    node.ticks(10);
    await node.settle();
    expect(node.replica.isLeader).toBe(true);
    node.logDisk.isSlow = true;
    let answered = false;
    const write = node.submit('a').then(() => (answered = true));
    await node.settle();
    expect(node.log.lastIndex).toBe(2);
    expect([answered, node.applied]).toEqual([false, [1]]);
    node.logDisk.release();
    await write;
    expect(node.applied).toEqual([1, 2]);
  });

  test('a leader sends while its own disk still writes, and counts itself only then', async () => {
    node = new LoneReplica([B, C]);
    await node.lead(B, C);
    node.logDisk.isSlow = true;
    let answered = false;
    const write = node.submit('a').then(() => (answered = true));
    await node.settle();
    expect(node.sentOf('append').filter(({ entries: sent }) => sent.some(({ index }) => index === 2))).toHaveLength(2);
    node.acknowledge(B);
    await node.settle();
    expect(answered).toBe(false);
    node.acknowledge(C);
    await node.settle();
    // Both others have it, a majority: it is committed, but this node applies nothing that its own log may still lose.
    expect(node.replica.status().commit).toBe(2);
    expect(answered).toBe(false);
    node.logDisk.release();
    await write;
  });

  test('what arrives while the disk writes is gathered into one batch', async () => {
    node = new LoneReplica([]);
    node.ticks(10);
    await node.settle();
    node.logDisk.isSlow = true;
    const writes = [node.submit('a')];
    await node.settle();
    for (const value of ['b', 'c', 'd']) {
      writes.push(node.submit(value));
      await node.settle();
    }
    expect(node.log.lastIndex).toBe(2);
    node.logDisk.release();
    const answers = await Promise.all(writes);
    expect(answers.map(({ index, baseOffset }) => [index, baseOffset])).toEqual([
      [2, 0],
      [3, 1],
      [3, 2],
      [3, 3],
    ]);
  });

  test('a write or a sync that fails ends the process, and acknowledges nothing', async () => {
    node = new LoneReplica([B, C]);
    node.logDisk.isSlow = true;
    append(entries(1, 3), 3);
    await node.settle();
    node.logDisk.fail(new Error('EIO'));
    await node.settle();
    expect(node.failures).toEqual([new Error('EIO')]);
    expect(node.sentOf('appendResp')).toEqual([]);
    node.sent.length = 0;
    node.ticks(40);
    append([], 4);
    await node.settle();
    expect(node.sent).toEqual([]);
    expect(node.failures).toHaveLength(1);
  });
});

describe('what peers send is checked', () => {
  let node: LoneReplica;
  beforeEach(() => {
    node = new LoneReplica([B, C]);
  });
  afterEach(() => node.stop());

  const sound = (): Entry => entryOf(new BatchChain().next({ term: 3, payload: encodeValues(0, [Buffer.from('x')]) }));
  const append = (entry: Entry): void =>
    node.receive({ type: 'append', from: B, term: 3, prevIndex: 0, prevTerm: 0, entries: [entry], commit: 1 });

  test.each<[string, (entry: Entry) => Entry]>([
    ['with a bit flipped', (entry) => ({ ...entry, data: flipped(entry.data) })],
    ['cut off', (entry) => ({ ...entry, data: entry.data.subarray(0, -8) })],
    ['labelled with another term', (entry) => ({ ...entry, term: 2 })],
    ['labelled with another kind', (entry) => ({ ...entry, kind: 3 })],
    ['of another group', () => entryOf(new BatchChain(undefined, 1).next({ term: 3 }))],
  ])('an entry %s never reaches the log', async (_what, change) => {
    append(change(sound()));
    await node.settle();
    expect(node.log.lastIndex).toBe(0);
    expect(node.events.of('warn').map(({ fields }) => fields['peer'])).toEqual([B]);
    expect(node.failures).toEqual([]);
    append(sound());
    await node.settle();
    expect([node.log.lastIndex, node.applied]).toEqual([1, [1]]);
  });

  test('a message that Raft does not allow is dropped, and the node lives', async () => {
    node.receive({ type: 'append', from: B, term: 3, prevIndex: -5, prevTerm: 9, entries: [], commit: Number.NaN });
    await node.settle();
    expect(node.events.of('warn')).toHaveLength(1);
    expect(node.failures).toEqual([]);
  });
});

describe('a leader whose clock is ahead', () => {
  test('does not propose while a majority says so, and does again when it does not', async () => {
    const node = new LoneReplica([B, C]);
    await node.lead(B, C);
    const { term } = node.replica.status();
    const respond = (behindMicros: number): void => {
      for (const from of [B, C]) {
        node.receive({ type: 'heartbeatResp', from, term, context: 0, clock: node.clock.wall - behindMicros });
      }
    };
    respond(60_000_000);
    await expect(node.submit('a')).rejects.toMatchObject({ reason: 'CLOCK_AHEAD' });
    expect(node.log.lastIndex).toBe(1);
    respond(0);
    const write = node.submit('b');
    await node.settle();
    node.acknowledge(B);
    expect(await write).toMatchObject({ index: 2 });
    await node.stop();
  });
});

describe('how fresh the state is', () => {
  test('counts from when a read was asked for, not from when it was answered', async () => {
    const node = new LoneReplica([]);
    node.ticks(10);
    await node.settle();
    expect(node.replica.staleness()).toBe(Number.POSITIVE_INFINITY);
    node.logDisk.isSlow = true;
    const write = node.submit('a');
    await node.settle();
    await node.replica.linearizable(1_000);
    expect(node.replica.staleness()).toBe(0);
    node.clock.monotonic += 300;
    expect(node.replica.staleness()).toBe(300);
    const read = node.replica.linearizable(1_000);
    node.clock.monotonic += 50;
    await read;
    expect(node.replica.staleness()).toBe(50);
    node.logDisk.release();
    await write;
    await node.stop();
  });
});

describe('bounds', () => {
  test('a leader without a majority lets only so much wait uncommitted, the rest waits its turn or its deadline', async () => {
    const node = new LoneReplica([B, C], { uncommittedBytes: 2_000 });
    await node.lead(B, C);
    const outcomes: string[] = [];
    for (let at = 0; at < 30; at += 1) {
      node.submit('x'.repeat(200), 100).then(
        () => outcomes.push('done'),
        (error: unknown) => outcomes.push((error as { reason: string }).reason),
      );
      await node.settle();
    }
    expect(node.replica.status().uncommittedBytes).toBeLessThanOrEqual(2_500);
    expect(node.log.lastIndex).toBeLessThan(20);
    node.ticks(11);
    await node.settle();
    expect(outcomes).toHaveLength(30);
    expect(new Set(outcomes)).toEqual(new Set(['NO_LEADER', 'OUTCOME_UNKNOWN']));
    await node.stop();
  });

  test('a stop tells who waits: not proposed is STOPPING, proposed is unknown; later nothing is taken', async () => {
    const node = new LoneReplica([B, C]);
    await node.lead(B, C);
    const proposed = node.submit('a');
    await node.settle();
    const queued = node.submit('b');
    const read = node.replica.linearizable(1_000);
    const outcomes = Promise.allSettled([proposed, queued, read]);
    await node.stop();
    expect((await outcomes).map((outcome) => outcome.status === 'rejected' && (outcome.reason as Error))).toMatchObject(
      [{ reason: 'OUTCOME_UNKNOWN' }, { reason: 'STOPPING' }, { reason: 'STOPPING' }],
    );
    await expect(node.submit('c')).rejects.toMatchObject({ reason: 'STOPPING' });
    await expect(node.replica.linearizable(1)).rejects.toMatchObject({ reason: 'STOPPING' });
    await expect(node.replica.waitApplied(99, 1)).rejects.toMatchObject({ reason: 'STOPPING' });
    expect(node.replica.isLeader).toBe(false);
  });
});

function flipped(batch: Buffer): Buffer {
  const copy = Buffer.from(batch);
  copy.writeUInt8(copy.readUInt8(copy.length - 9) ^ 1, copy.length - 9);
  return copy;
}
