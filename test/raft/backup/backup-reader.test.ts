import { BatchKind, readHeader } from '../../../src/log/batch';
import { NOTHING_BEFORE } from '../../../src/log/continuity';
import { BackupError, BackupReader, type BackupSource, writeBackup } from '../../../src/raft/backup';
import { BatchChain } from '../../support/batch-chain';

const SNAPSHOT = Buffer.alloc(300, 'state');
const ROW_BYTES = 64;

/** Ten entries, some with records, in two parts. */
function source(): BackupSource {
  const chain = new BatchChain();
  const batches = [
    ...[chain.next({ kind: BatchKind.NoOp, payload: Buffer.alloc(0) }), ...chain.many(4, { count: 2 })],
    ...chain.many(5),
  ];
  const parts = [batches.slice(0, 5), batches.slice(5)];
  return {
    header: {
      ...{ clusterId: 'c'.repeat(32), nodeName: 'node-1', nodeId: 'a'.repeat(16), group: 0, partitions: 1 },
      ...{ createdAt: 7, before: NOTHING_BEFORE, lastIndex: 10, nextOffset: 13, commitIndex: 9 },
      configuration: {
        ...{ voters: ['a'.repeat(16)], votersOutgoing: [], learners: [] },
        servers: [{ id: 'a'.repeat(16), name: 'node-1', rpcAddr: '127.0.0.1:8300' }],
      },
      snapshot: { index: 3, term: 1, bytes: SNAPSHOT.length },
    },
    async *snapshot() {
      yield SNAPSHOT.subarray(0, 100);
      yield SNAPSHOT.subarray(100);
    },
    async *entries() {
      for (const part of parts) {
        const records = part.reduce((sum, batch) => sum + readHeader(batch).count, 0);
        yield { batches: part, outcomes: Buffer.alloc(records * ROW_BYTES, 3) };
      }
    },
  };
}

async function collected(pieces: AsyncIterable<Buffer>): Promise<Buffer> {
  const all = [];
  for await (const piece of pieces) all.push(piece);
  return Buffer.concat(all);
}

async function* inPieces(bytes: Buffer, length: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length);
}

async function readAll(bytes: Buffer, pieceBytes = 97): Promise<{ snapshot: Buffer; batches: Buffer[]; rows: number }> {
  const reader = await BackupReader.open(inPieces(bytes, pieceBytes));
  const snapshot = await collected(reader.snapshot());
  const batches: Buffer[] = [];
  let rows = 0;
  for await (const part of reader.entries()) {
    batches.push(...part.batches);
    rows += part.outcomes.length / ROW_BYTES;
  }
  return { snapshot, batches, rows };
}

let backup: Buffer;
beforeAll(async () => {
  backup = await collected(writeBackup(source()));
});

test('what was written is read again, however the bytes come', async () => {
  for (const pieceBytes of [1, 16, 97, backup.length]) {
    const { snapshot, batches, rows } = await readAll(backup, pieceBytes);
    expect(snapshot.equals(SNAPSHOT)).toBe(true);
    expect(batches.map((batch) => readHeader(batch).index)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(rows).toBe(13);
  }
  expect((await BackupReader.open(inPieces(backup, 50))).header).toEqual(source().header);
});

test('any byte that is another is refused, with a place at or before it', async () => {
  for (let position = 0; position < backup.length; position += 1) {
    const spoilt = Buffer.from(backup);
    spoilt[position]! ^= 1 << (position % 8);
    const error: unknown = await readAll(spoilt, 4_096).catch((thrown: unknown) => thrown);
    if (!(error instanceof BackupError)) throw new Error(`Byte ${position} was changed, and nobody noticed.`);
    expect(error.position).toBeLessThanOrEqual(position);
    expect(error.message).toContain(`at byte ${error.position} `);
  }
});

test('a backup that was cut off anywhere is refused, and so is one that something follows', async () => {
  for (let length = 0; length < backup.length; length += 1) {
    await expect(readAll(backup.subarray(0, length), 4_096)).rejects.toThrow(BackupError);
  }
  await expect(readAll(Buffer.concat([backup, Buffer.of(0)]))).rejects.toThrow(BackupError);
});

test('a whole frame that is missing or there twice is refused', async () => {
  const frames: Buffer[] = [];
  for (let at = 8; at < backup.length;) {
    const length = 16 + backup.readUInt32LE(at + 4);
    frames.push(backup.subarray(at, at + length));
    at += length;
  }
  for (let i = 0; i < frames.length; i += 1) {
    const without = [backup.subarray(0, 8), ...frames.filter((_, other) => other !== i)];
    const twice = [backup.subarray(0, 8), ...frames.slice(0, i + 1), ...frames.slice(i)];
    await expect(readAll(Buffer.concat(without))).rejects.toThrow(BackupError);
    await expect(readAll(Buffer.concat(twice))).rejects.toThrow(BackupError);
  }
});
