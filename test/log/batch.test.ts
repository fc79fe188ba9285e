import { crc32 } from 'node:zlib';
import {
  BATCH_HEADER_BYTES,
  BatchKind,
  type BatchFields,
  BatchFormatError,
  checkBatch,
  MAX_PAYLOAD_BYTES,
  NO_HASH,
  payloadOf,
  readHeader,
  sealBatch,
  verifyBatch,
} from '../../src/log/batch';
import { SeededRandom } from '../support/seeded-random';

const fields: BatchFields = {
  kind: BatchKind.Records,
  index: 0x1_0000_0001,
  term: 7,
  baseOffset: 0x2_0000_0003,
  count: 3,
  time: 1_700_000_000_000_000,
  commitIndex: 5,
  group: 9,
  previousHash: Buffer.alloc(32, 0xab),
};

function faultOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof BatchFormatError) return error.reason;
    throw error;
  }
  return 'none';
}

describe('a sealed batch', () => {
  test('reads back as it was sealed, whatever parts the payload came in', () => {
    const batch = sealBatch(fields, [Buffer.from('one'), Buffer.alloc(0), Buffer.from('two')]);
    expect(batch.length).toBe(BATCH_HEADER_BYTES + 8);
    expect(verifyBatch(batch)).toMatchObject({ ...fields, length: 168, payloadLength: 6 });
    expect(payloadOf(batch).toString()).toBe('onetwo');
    expect(batch.equals(sealBatch(fields, [Buffer.from('onetwo')]))).toBe(true);
  });

  test('has the published layout', () => {
    const batch = sealBatch(fields, [Buffer.from('onetwo')]);
    const u32 = [0, 12, 40, 44, 64, 68].map((at) => batch.readUInt32LE(at));
    expect(u32).toEqual([0x424e4c31, 168, 3, 6, 9, 0]);
    expect([batch.readUInt16LE(4), batch[6], batch[7]]).toEqual([1, 0, 0]);
    const u64 = [16, 24, 32, 48, 56].map((at) => Number(batch.readBigUInt64LE(at)));
    expect(u64).toEqual([fields.index, 7, fields.baseOffset, fields.time, 5]);
    expect(batch.subarray(96, 128)).toEqual(fields.previousHash);
    expect(batch.subarray(166)).toEqual(Buffer.alloc(2));
    // The format is fixed from the first commit on: these bytes may never change.
    expect(batch.readUInt32LE(8).toString(16)).toBe('9f704a1b');
    expect(batch.subarray(128, 160).toString('hex')).toBe(
      '5ceb3a2c117e11f94819712903692ae12a9f6b35a91ca0cfc2d23ee9bee41c45',
    );
  });

  test('is found out by the CRC and by the hash wherever one bit of it is flipped', () => {
    const batch = sealBatch({ ...fields, kind: BatchKind.System, count: 0 }, [Buffer.from('payload of several bytes')]);
    for (let bit = 0; bit < batch.length * 8; bit++) {
      const rotten = Buffer.from(batch);
      rotten[bit >> 3] = rotten[bit >> 3]! ^ (1 << (bit & 7));
      expect(faultOf(() => checkBatch(rotten))).not.toBe('none');
    }
  });

  test('that was altered with a matching CRC is found out by the hash', () => {
    const batch = sealBatch(fields, [Buffer.from('pay 100')]);
    const forged = sealBatch(fields, [Buffer.from('pay 900')]);
    batch.copy(forged, 128, 128, 160);
    forged.writeUInt32LE(crc32(forged.subarray(12), crc32(forged.subarray(0, 8))), 8);
    expect(faultOf(() => checkBatch(forged))).toBe('none');
    expect(faultOf(() => verifyBatch(forged))).toBe('hash');
  });

  test('takes a payload of 4 MiB and no more', () => {
    const largest = sealBatch(fields, [Buffer.alloc(MAX_PAYLOAD_BYTES)]);
    expect(verifyBatch(largest).payloadLength).toBe(MAX_PAYLOAD_BYTES);
    expect(() => sealBatch(fields, [Buffer.alloc(MAX_PAYLOAD_BYTES + 1)])).toThrow(RangeError);
  });

  test.each<[string, Partial<BatchFields>, number]>([
    ['an index of 0', { index: 0 }, 0],
    ['a term of 0', { term: 0 }, 0],
    ['an index that is no safe integer', { index: 2 ** 53 }, 0],
    ['a fraction', { time: 0.5 }, 0],
    ['an unknown kind', { kind: 5 }, 0],
    ['offsets on a batch of another kind', { kind: BatchKind.System }, 0],
    ['a no-op with a payload', { kind: BatchKind.NoOp, count: 0 }, 1],
    ['a commit index that is not before it', { commitIndex: fields.index }, 0],
    ['a short hash', { previousHash: Buffer.alloc(31) }, 0],
    ['a count beyond 32 bits', { count: 2 ** 32 }, 0],
  ])('refuses %s', (_what, wrong, payloadBytes) => {
    expect(() => sealBatch({ ...fields, ...wrong }, [Buffer.alloc(payloadBytes)])).toThrow(RangeError);
  });
});

describe('bytes that are no batch', () => {
  const batch = sealBatch({ ...fields, previousHash: NO_HASH }, [Buffer.from('abc')]);

  test('say why', () => {
    expect(faultOf(() => readHeader(batch.subarray(0, 159)))).toBe('short');
    expect(faultOf(() => verifyBatch(batch.subarray(0, 160)))).toBe('short');
    expect(faultOf(() => verifyBatch(Buffer.concat([batch, Buffer.alloc(8)])))).toBe('short');
    expect(faultOf(() => readHeader(Buffer.alloc(200)))).toBe('magic');
    const newer = Buffer.from(batch);
    newer.writeUInt16LE(2, 4);
    expect(faultOf(() => readHeader(newer))).toBe('unsupported');
    const long = Buffer.from(batch);
    long.writeUInt32LE(0xffff_fff8, 12);
    expect(faultOf(() => readHeader(long))).toBe('length');
    const huge = Buffer.from(batch);
    huge.fill(0xff, 16, 24);
    expect(faultOf(() => readHeader(huge))).toBe('field');
  });

  test('never end otherwise than with a format error', () => {
    const random = new SeededRandom(1);
    for (let i = 0; i < 2_000; i++) {
      const bytes = random.chance(0.5) ? random.bytes(random.below(400)) : Buffer.from(batch);
      if (bytes.length > 0) bytes[random.below(bytes.length)] = random.below(256);
      faultOf(() => verifyBatch(bytes));
    }
  });

  test('are found within a larger buffer', () => {
    const shifted = Buffer.concat([Buffer.alloc(24), batch]);
    expect(readHeader(shifted, 24)).toMatchObject({ index: fields.index, group: 9 });
  });
});
