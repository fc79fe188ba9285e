import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Attachment } from '../../../src/raft/snapshot';
import { WrittenRuns } from '../../node/ids/id-kit';
import { CONFIGURATION, SnapshottedGroup } from './snapshotted-group';
import { CALLS, TransferEnd } from './transfer-end';

const LENGTH_BYTES = 8;

describe('a snapshot that leans on other files', () => {
  const peers = new Map<string, TransferEnd>();
  let leader: TransferEnd;
  let follower: TransferEnd;
  let runs: readonly Attachment[];

  beforeEach(async () => {
    leader = await TransferEnd.open('00000000000000a1', peers);
    follower = await TransferEnd.open('00000000000000b2', peers);
    const written = await WrittenRuns.make(7, [1, 1, 1]);
    runs = written.attachments;
    for (const { name, bytes } of runs) {
      const file = await written.files.open(written.path(name), 'read');
      const content = Buffer.alloc(bytes);
      await file.read(content, 0);
      await file.close();
      writeFileSync(join(leader.runs, name), content);
    }
    const meta = { index: 40, term: 2, nextOffset: 9, hash: Buffer.alloc(32, 40), time: 1_040, attachments: runs };
    await leader.store.write({ ...meta, configuration: CONFIGURATION }, [Buffer.alloc(1_000, 40)]);
  });
  afterEach(() => {
    for (const { folder } of peers.values()) SnapshottedGroup.remove(folder);
    peers.clear();
  });

  const arrived = (): boolean[] => runs.map(({ name }) => existsSync(join(follower.runs, name)));
  /** What an earlier attempt has sent arrives again when the last file was sent, and is about to be ended. */
  const beginsLate = async (): Promise<void> => {
    const [first, , last] = runs;
    const name = Buffer.from((first as Attachment).name);
    const length = Buffer.alloc(LENGTH_BYTES);
    length.writeBigUInt64LE(BigInt((first as Attachment).bytes));
    const begun = leader.sent.filter(({ method }) => method === CALLS.attachmentBegin).length;
    if (begun < runs.length || existsSync(join(follower.runs, (last as Attachment).name))) return;
    await follower.serve(CALLS.attachmentBegin, leader.call(0, Buffer.concat([length, name])));
  };
  const again = async (): Promise<void> => {
    leader.onTheWay = (_method, body) => body;
    leader.sent.length = 0;
    expect(await leader.transfer.send(follower.id, 5)).toBe(40);
    expect(arrived()).toEqual([true, true, true]);
    expect(follower.steps).toHaveLength(1);
    // Everything was there already, save that the last file had not got its name.
    expect(leader.sent.filter(({ method }) => method === CALLS.chunk || method === CALLS.attachmentChunk)).toEqual([]);
  };

  test('all of them are there when it is offered', async () => {
    expect(await leader.transfer.send(follower.id, 5)).toBe(40);
    expect(arrived()).toEqual([true, true, true]);
    expect(follower.steps).toHaveLength(1);
  });

  test('a late call of an earlier attempt does not let one file pass for another', async () => {
    leader.onTheWay = async (method, body) => {
      if (method === CALLS.attachmentFinish) await beginsLate();
      return body;
    };
    expect(await leader.transfer.send(follower.id, 5)).toBeUndefined();
    expect(leader.events.errors()).toEqual([expect.stringContaining('was begun')]);
    expect(leader.sent.some(({ method }) => method === CALLS.finish)).toBe(false);
    await again();
  });

  test('where the sender does not say which file it ends, the snapshot is not offered without them all', async () => {
    leader.onTheWay = async (method, body) => {
      if (method !== CALLS.attachmentFinish) return body;
      await beginsLate();
      return Buffer.alloc(0);
    };
    expect(await leader.transfer.send(follower.id, 5)).toBeUndefined();
    expect(leader.events.errors()).toEqual([expect.stringContaining('has not arrived')]);
    expect(follower.steps).toEqual([]);
    expect(follower.store.list()).toEqual([]);
    await again();
  });
});
