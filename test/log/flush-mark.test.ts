import {
  countZeroSectors,
  FLUSH_MARK_BYTES,
  isAllZero,
  nextMarkPosition,
  readFlushMark,
  writeFlushMark,
} from '../../src/log/flush-mark';
import { decodeSegmentHeader, encodeSegmentHeader, firstIndexOf, segmentName } from '../../src/log/segment-header';
import { BatchChain } from '../support/batch-chain';
import { SeededRandom } from '../support/seeded-random';

const id = Buffer.alloc(16, 7);
const mark = { position: 640, firstIndex: 12, bytes: 4_096, batches: 3, zeroSectors: 5 };

describe('a flush mark', () => {
  const bytes = Buffer.alloc(FLUSH_MARK_BYTES);
  writeFlushMark(bytes, id, mark);

  test('reads back in its segment and at its position only', () => {
    expect(readFlushMark(bytes, 0, id, 640)).toEqual(mark);
    expect(readFlushMark(Buffer.concat([Buffer.alloc(8), bytes]), 8, id, 640)).toEqual(mark);
    expect(readFlushMark(bytes, 0, Buffer.alloc(16, 8), 640)).toBeUndefined();
    expect(readFlushMark(bytes, 0, id, 704)).toBeUndefined();
    expect(readFlushMark(bytes.subarray(0, 63), 0, id, 640)).toBeUndefined();
  });

  test('does not read back once a bit is flipped', () => {
    for (let bit = 0; bit < FLUSH_MARK_BYTES * 8; bit++) {
      const rotten = Buffer.from(bytes);
      rotten[bit >> 3] = rotten[bit >> 3]! ^ (1 << (bit & 7));
      expect(readFlushMark(rotten, 0, id, 640)).toBeUndefined();
    }
  });

  test('never lies across two sectors', () => {
    for (let end = 512; end < 3_000; end += 8) {
      const at = nextMarkPosition(end);
      expect(at).toBeGreaterThanOrEqual(end);
      expect(Math.floor(at / 512)).toBe(Math.floor((at + FLUSH_MARK_BYTES - 1) / 512));
    }
  });
});

test('zero sectors are counted in the parts as they are in the file', () => {
  const random = new SeededRandom(3);
  for (let run = 0; run < 300; run++) {
    const chain = new BatchChain();
    const parts = Array.from({ length: 1 + random.below(4) }, () => {
      const payload = Buffer.alloc(random.below(4_000));
      if (random.chance(0.5)) payload.fill(1, random.below(payload.length + 1));
      return chain.next({ payload });
    });
    const start = 64 * (9 + random.below(20));
    const file = Buffer.concat([Buffer.alloc(start, 1), ...parts]);
    let expected = 0;
    for (let at = Math.floor(start / 512) * 512 + 512; at < file.length; at += 512) {
      if (file.subarray(at, at + 512).every((byte) => byte === 0)) expected += 1;
    }
    expect(countZeroSectors(parts, start)).toBe(expected);
  }
});

test('zeros are told from anything else', () => {
  const bytes = Buffer.alloc(2_000);
  expect(isAllZero(bytes, 0, 2_000)).toBe(true);
  expect(isAllZero(bytes, 5, 5)).toBe(true);
  bytes[1_999] = 1;
  expect(isAllZero(bytes, 0, 2_000)).toBe(false);
  expect(isAllZero(bytes, 0, 1_999)).toBe(true);
});

describe('the header of a segment', () => {
  const header = {
    group: 3,
    id,
    before: { index: 41, term: 2, nextOffset: 99, time: 1_700_000_000_000_000, hash: Buffer.alloc(32, 9) },
    fileBytes: 4_096,
  };

  test('reads back, and not once a bit is flipped', () => {
    const bytes = encodeSegmentHeader(header);
    expect(bytes).toHaveLength(512);
    expect(decodeSegmentHeader(bytes)).toEqual(header);
    expect(decodeSegmentHeader(bytes.subarray(0, 511))).toBe('damaged');
    for (let bit = 0; bit < bytes.length * 8; bit += 3) {
      const rotten = Buffer.from(bytes);
      rotten[bit >> 3] = rotten[bit >> 3]! ^ (1 << (bit & 7));
      // A flipped version is a newer program's.
      expect(['damaged', 'unsupported']).toContain(decodeSegmentHeader(rotten));
    }
  });

  test('names sort as the entries do', () => {
    expect(segmentName(42)).toBe('00000000000000000042.log');
    expect(firstIndexOf(segmentName(42))).toBe(42);
    expect(['00000000000000000000.log', '42.log', '00000000000000000042.log.outcomes', 'x'].map(firstIndexOf)).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });
});
