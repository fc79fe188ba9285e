import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CallError } from '../../../src/raft/transport';
import { CONFIGURATION, SnapshottedGroup } from './snapshotted-group';
import { CALLS, TransferEnd as End } from './transfer-end';

const MIB = 1 << 20;

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

  test('says from where on the peer needs the log, before anything is sent, and lets it read the whole before its answer', async () => {
    await write(leader, 40);
    leader.onTheWay = lost;
    await leader.transfer.send(follower.id, 5);
    expect(leader.sending).toEqual([`40 to ${follower.id}`]);
    leader.onTheWay = (_method, body) => body;
    await leader.transfer.send(follower.id, 5);
    const [chunk = 0, finish = 0] = [CALLS.chunk, CALLS.finish].map((method) => leader.deadlines.get(method));
    const { bytes } = leader.store.newest!;
    expect(finish - chunk).toBeGreaterThan(bytes / 20_000);
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
    expect(readdirSync(follower.folder)).toEqual(['50-2.snap', 'runs']);
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

  test('a snapshot that has rotted at its sender is set aside there, and another one is asked for', async () => {
    await write(leader, 3, 0.5);
    await write(leader, 40);
    const path = join(leader.folder, '40-2.snap');
    const bytes = readFileSync(path);
    bytes[2 * MIB]! ^= 1;
    writeFileSync(path, bytes);
    expect(await leader.transfer.send(follower.id, 5)).toBeUndefined();
    expect(leader.damaged).toBe(1);
    expect(leader.store.newest?.meta.index).toBe(3);
    expect(leader.events.of('error')).toHaveLength(1);
    await write(leader, 41);
    expect(await leader.transfer.send(follower.id, 5)).toBe(41);
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
