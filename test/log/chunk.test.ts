import {
  CHUNK_HEADER_BYTES,
  ChunkFormatError,
  chunkCount,
  countRecords,
  encodeRows,
  encodeValues,
  iterateChunks,
  recordAt,
  RecordType,
} from '../../src/log/chunk';
import { SeededRandom } from '../support/seeded-random';

const values = ['', 'a', 'four', 'a longer value'].map((text) => Buffer.from(text));
const rows = Buffer.concat([Buffer.alloc(64, 1), Buffer.alloc(64, 2)]);
const payload = Buffer.concat([encodeValues(RecordType.Value, values), encodeRows(rows)]);

describe('chunks', () => {
  test('give their records back, in any order', () => {
    const [first, second] = iterateChunks(payload);
    expect(first).toMatchObject({ type: 0, count: 4, width: 0 });
    expect([3, 0, 1, 2, 1].map((n) => first!.record(n).toString())).toEqual(
      [3, 0, 1, 2, 1].map((n) => values[n]!.toString()),
    );
    expect(second).toMatchObject({ type: 1, count: 2, width: 64, body: rows });
    expect(second!.record(1)).toEqual(Buffer.alloc(64, 2));
    expect(() => second!.record(2)).toThrow(RangeError);
    expect(() => first!.record(-1)).toThrow(RangeError);
    expect(() => first!.record(NaN)).toThrow(RangeError);
  });

  test('are counted, and records found by their place among all', () => {
    expect([chunkCount(payload), countRecords(payload)]).toEqual([2, 6]);
    expect(recordAt(payload, 2)).toEqual({ type: 0, width: 0, value: values[2] });
    expect(recordAt(payload, 5)).toEqual({ type: 1, width: 64, value: Buffer.alloc(64, 2) });
    expect(recordAt(payload, 6)).toBeUndefined();
    expect([chunkCount(Buffer.alloc(0)), countRecords(Buffer.alloc(0))]).toEqual([0, 0]);
  });

  test('have the published layout', () => {
    const chunk = encodeValues(1, [Buffer.from('abc')]);
    expect(chunk.toString('hex')).toBe(
      '01000000' + '01000000' + '07000000' + '00000000' + '03000000' + '616263' + '00',
    );
    expect(encodeRows(rows).subarray(0, CHUNK_HEADER_BYTES).toString('hex')).toBe('01000000020000008000000040000000');
  });

  test('need a record, and rows their width', () => {
    expect(() => encodeValues(0, [])).toThrow(RangeError);
    expect(() => encodeValues(256, values)).toThrow(RangeError);
    expect(() => encodeRows(Buffer.alloc(0))).toThrow(RangeError);
    expect(() => encodeRows(Buffer.alloc(65))).toThrow(RangeError);
  });
});

describe('malformed chunks', () => {
  const broken = (change: (chunk: Buffer) => Buffer | void, chunk = encodeValues(0, values)): Buffer =>
    change(chunk) ?? chunk;

  test.each<[string, Buffer]>([
    ['a header that is cut off', Buffer.alloc(8)],
    ['flags', broken((c) => void (c[1] = 1))],
    ['no records', broken((c) => void c.writeUInt32LE(0, 4))],
    ['more records than there are', broken((c) => void c.writeUInt32LE(5, 4))],
    ['fewer records than there are', broken((c) => void c.writeUInt32LE(3, 4))],
    ['a count of four thousand million', broken((c) => void c.writeUInt32LE(0xffff_ffff, 4))],
    ['a body beyond the payload', broken((c) => void c.writeUInt32LE(0xffff_fff0, 8))],
    ['a record beyond the body', broken((c) => void c.writeUInt32LE(0xffff_fff0, CHUNK_HEADER_BYTES))],
    ['padding that is not zero', broken((c) => void (c[c.length - 1] = 1))],
    ['rows of another width', broken((c) => void c.writeUInt32LE(60, 12), encodeRows(rows))],
    ['bytes behind the last chunk', broken((c) => Buffer.concat([c, Buffer.alloc(8)]))],
  ])('with %s are refused with a typed error', (_what, bytes) => {
    expect(() => iterateChunks(bytes)).toThrow(ChunkFormatError);
    expect(() => countRecords(bytes)).toThrow(ChunkFormatError);
  });

  test('give no chunk at all, also where the first are good', () => {
    const bad = Buffer.concat([payload, Buffer.alloc(16)]);
    expect(() => iterateChunks(bad)).toThrow(`The chunk at byte ${payload.length} of the payload is malformed`);
  });

  test('never end otherwise than with a typed error', () => {
    const random = new SeededRandom(2);
    for (let i = 0; i < 5_000; i++) {
      const bytes = random.chance(0.2) ? random.bytes(random.below(100)) : Buffer.from(payload);
      for (let flips = random.below(4); flips >= 0 && bytes.length > 0; flips--)
        bytes[random.below(bytes.length)] = random.below(256);
      expect(describeAttempt(bytes)).toMatch(/^(good|ChunkFormatError)$/);
    }
  });
});

function describeAttempt(bytes: Buffer): string {
  try {
    for (const chunk of iterateChunks(bytes)) for (let n = 0; n < chunk.count; n++) chunk.record(n);
    return 'good';
  } catch (error) {
    return error instanceof Error ? error.name : String(error);
  }
}
