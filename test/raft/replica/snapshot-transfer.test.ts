import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { NodeFiles } from '../../../src/log/node-files';
import type { Message } from '../../../src/raft/core';
import { CatchUpPace } from '../../../src/raft/replica/catch-up-pace';
import { systemClock, systemScheduler } from '../../../src/raft/replica/environment';
import { RunReceiver } from '../../../src/node/ids/run-receiver';
import { SNAPSHOT_CALLS } from '../../../src/node/snapshot-calls';
import { SnapshotTransfer } from '../../../src/raft/replica/snapshot-transfer';
import { SnapshotStore } from '../../../src/raft/snapshot';
import { CallError, type IncomingCall } from '../../../src/raft/transport';
import { recordedEvents } from '../../node/recorded-events';
import { CLUSTER, CONFIGURATION, SnapshottedGroup } from './snapshotted-group';

const CALLS = SNAPSHOT_CALLS;
const MIB = 1 << 20;

interface Sent {
  readonly method: number;
  readonly offset: number;
  readonly bytes: number;
}

/** A node's end of the transfer, on a folder of its own. */
class End {
  readonly steps: Message[] = [];
  readonly sent: Sent[] = [];
  readonly events = recordedEvents();
  readonly transfer: SnapshotTransfer;
  /** Looks at, changes or breaks what is on its way; throws to lose it. */
  onTheWay: (method: number, body: Buffer) => Buffer = (_method, body) => body;

  private constructor(
    readonly id: string,
    readonly folder: string,
    readonly store: SnapshotStore,
    peers: ReadonlyMap<string, End>,
  ) {
    this.transfer = new SnapshotTransfer({
      id,
      group: 0,
      store,
      calls: CALLS,
      attachments: new RunReceiver(new NodeFiles(), folder),
      call: async (to, group, method, body) => {
        const offset = method === CALLS.chunk ? Number(body.readBigUInt64LE(0)) : 0;
        this.sent.push({ method, offset, bytes: body.length });
        const changed = this.onTheWay(method, body);
        return (peers.get(to) as End).serve(method, this.call(group, changed));
      },
      step: (message) => void this.steps.push(message),
      pace: new CatchUpPace(systemClock, systemScheduler, 1 << 30),
      events: this.events,
    });
  }

  static async open(id: string, peers: Map<string, End>, folder = SnapshottedGroup.folder()): Promise<End> {
    const files = new NodeFiles();
    const store = await SnapshotStore.open({ directory: folder, files, clusterId: CLUSTER, group: 0 });
    const end = new End(id, folder, store, peers);
    peers.set(id, end);
    return end;
  }

  call(group: number, body: Buffer): IncomingCall {
    const peer = { clusterId: CLUSTER, nodeId: this.id, nodeName: this.id };
    return { from: this.id, peer, group, body, deadline: 0 };
  }

  /** As the transport does it: what the handler throws is the caller's. */
  async serve(method: number, call: IncomingCall): Promise<Buffer> {
    try {
      switch (method) {
        case CALLS.begin:
          return await this.transfer.begin(call);
        case CALLS.chunk:
          return await this.transfer.chunk(call);
        case CALLS.attachmentBegin:
          return await this.transfer.attachmentBegin(call);
        case CALLS.attachmentChunk:
          return await this.transfer.attachmentChunk(call);
        case CALLS.attachmentFinish:
          return await this.transfer.attachmentFinish(call);
        default:
          return await this.transfer.finish(call);
      }
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
      throw new CallError(error.code, error.reason, error.message, { sent: true, remote: true });
    }
  }

  offsets(): number[] {
    return this.sent.filter(({ method }) => method === CALLS.chunk).map(({ offset }) => offset);
  }
}

const lost = (): never => {
  throw new CallError('UNAVAILABLE', 'CONNECTION_LOST', 'the network is gone', { sent: true });
};

describe('SnapshotTransfer', () => {
  const peers = new Map<string, End>();
  let leader: End;
  let follower: End;

  const write = async (end: End, index: number, megabytes = 3.5): Promise<void> => {
    const meta = { index, term: 2, nextOffset: 9, hash: Buffer.alloc(32, index), time: 1_000 + index };
    const chunks = Array.from({ length: Math.ceil(megabytes * 2) }, (_, at) => Buffer.alloc(MIB / 2, index + at));
    await end.store.write({ ...meta, configuration: CONFIGURATION }, chunks);
  };
  /** A matcher would look at each byte on its own. */
  const same = (a: End, b: End, name: string): boolean =>
    readFileSync(join(a.folder, name)).equals(readFileSync(join(b.folder, name)));

  beforeEach(async () => {
    leader = await End.open('00000000000000a1', peers);
    follower = await End.open('00000000000000b2', peers);
  });
  afterEach(() => {
    for (const { folder } of peers.values()) SnapshottedGroup.remove(folder);
    peers.clear();
  });

  test('moves the newest snapshot, chunk by chunk, and offers it to the core as its sender’s', async () => {
    await write(leader, 3, 0.5);
    await write(leader, 40);
    expect(await leader.transfer.send(follower.id, 5)).toBe(40);
    expect(leader.offsets()).toEqual([0, MIB, 2 * MIB, 3 * MIB]);
    expect(same(leader, follower, '40-2.snap')).toBe(true);
    expect(follower.steps).toEqual([
      {
        type: 'snapshot',
        from: leader.id,
        to: follower.id,
        term: 5,
        meta: { index: 40, term: 2, configuration: CONFIGURATION },
      },
    ]);
  });

  test('without a snapshot there is nothing to send', async () => {
    expect(await leader.transfer.send(follower.id, 5)).toBeUndefined();
    expect(leader.sent).toEqual([]);
  });

  test('goes on where a lost connection ended it', async () => {
    await write(leader, 40);
    leader.onTheWay = (method, body) => (method === CALLS.chunk && leader.sent.length === 4 ? lost() : body);
    expect(await leader.transfer.send(follower.id, 5)).toBeUndefined();
    expect(leader.events.errors()).toEqual(['the network is gone']);
    expect(follower.steps).toEqual([]);
    leader.sent.length = 0;
    leader.onTheWay = (_method, body) => body;
    expect(await leader.transfer.send(follower.id, 5)).toBe(40);
    expect(leader.offsets()).toEqual([2 * MIB, 3 * MIB]);
    expect(follower.steps).toHaveLength(1);
  });

  test('goes on where a restart of the receiver ended it', async () => {
    await write(leader, 40);
    leader.onTheWay = (method, body) => (method === CALLS.chunk && leader.sent.length === 4 ? lost() : body);
    await leader.transfer.send(follower.id, 5);
    follower = await End.open(follower.id, peers, follower.folder);
    leader.sent.length = 0;
    leader.onTheWay = (_method, body) => body;
    expect(await leader.transfer.send(follower.id, 5)).toBe(40);
    expect(leader.offsets()[0]).toBeGreaterThan(0);
    expect(same(leader, follower, '40-2.snap')).toBe(true);
  });

  test('begins anew with a newer snapshot, and leaves nothing of the older attempt', async () => {
    await write(leader, 40);
    leader.onTheWay = (method, body) => (method === CALLS.finish ? lost() : body);
    await leader.transfer.send(follower.id, 5);
    leader.onTheWay = (_method, body) => body;
    await write(leader, 50);
    leader.sent.length = 0;
    expect(await leader.transfer.send(follower.id, 5)).toBe(50);
    expect(leader.offsets()[0]).toBe(0);
    expect(readdirSync(follower.folder)).toEqual(['50-2.snap']);
  });

  test('a byte that changed on the way is found at the end, and all is sent again', async () => {
    await write(leader, 40);
    leader.onTheWay = (method, body) => {
      if (method !== CALLS.chunk || leader.sent.length !== 3) return body;
      const changed = Buffer.from(body);
      changed.writeUInt8(changed.readUInt8(1_000) ^ 1, 1_000);
      return changed;
    };
    expect(await leader.transfer.send(follower.id, 5)).toBeUndefined();
    expect(follower.steps).toEqual([]);
    expect(follower.store.list()).toEqual([]);
    leader.sent.length = 0;
    expect(await leader.transfer.send(follower.id, 5)).toBeUndefined();
    leader.onTheWay = (_method, body) => body;
    expect(await leader.transfer.send(follower.id, 5)).toBe(40);
  });

  test('a second sender takes over; the first is told that it did not begin', async () => {
    const other = await End.open('00000000000000c3', peers);
    await write(leader, 40);
    await write(other, 50, 0.5);
    leader.onTheWay = (method, body) => (method === CALLS.chunk && leader.sent.length === 3 ? lost() : body);
    await leader.transfer.send(follower.id, 5);
    expect(await other.transfer.send(follower.id, 6)).toBe(50);
    const late = follower.serve(CALLS.chunk, leader.call(0, Buffer.alloc(16)));
    await expect(late).rejects.toMatchObject({ code: 'FAILED_PRECONDITION', reason: 'SNAPSHOT_NOT_BEGUN' });
    expect(follower.steps).toHaveLength(1);
  });

  test('two that begin at the same time: one of them is received, and none is damaged', async () => {
    const other = await End.open('00000000000000c3', peers);
    await write(leader, 40);
    await write(other, 50);
    const outcomes = await Promise.all([leader.transfer.send(follower.id, 5), other.transfer.send(follower.id, 6)]);
    for (const [at, end] of [leader, other].entries()) {
      if (outcomes[at] === undefined) expect(await end.transfer.send(follower.id, 7)).toBe(at === 0 ? 40 : 50);
    }
    expect(follower.store.list().map(({ meta }) => meta.index)).toEqual([40, 50]);
  });

  test.each([
    ['begin', CALLS.begin, 23],
    ['chunk', CALLS.chunk, 7],
    ['finish', CALLS.finish, 7],
  ])('a %s that is too short is refused', async (_name, method, bytes) => {
    await write(leader, 40, 0.5);
    leader.onTheWay = (_method, body) => body;
    const begin = Buffer.alloc(24);
    begin.writeBigUInt64LE(40n, 0);
    begin.writeBigUInt64LE(2n, 8);
    begin.writeBigUInt64LE(100n, 16);
    await follower.serve(CALLS.begin, leader.call(0, begin));
    await expect(follower.serve(method, leader.call(0, Buffer.alloc(bytes)))).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      reason: 'BODY_TOO_SHORT',
    });
  });

  test('a chunk that leaves a gap is refused with what is expected', async () => {
    await write(leader, 40);
    leader.onTheWay = (method, body) => {
      if (method !== CALLS.chunk || leader.sent.length !== 3) return body;
      const changed = Buffer.from(body);
      changed.writeBigUInt64LE(BigInt(2 * MIB), 0);
      return changed;
    };
    expect(await leader.transfer.send(follower.id, 5)).toBeUndefined();
    expect(leader.events.errors()).toEqual([expect.stringContaining(`from ${MIB} on`)]);
  });

  test('an error that nobody foresaw is not taken for a peer that is away', async () => {
    await write(leader, 40, 0.5);
    const bug = new TypeError('a bug');
    leader.onTheWay = () => {
      throw bug;
    };
    await expect(leader.transfer.send(follower.id, 5)).rejects.toBe(bug);
  });
});
