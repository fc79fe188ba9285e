import fc from 'fast-check';
import { encodeFrame, FRAME_HEADER_BYTES, FrameType, type Frame } from '../../../src/raft/transport/frame';
import { FrameReader } from '../../../src/raft/transport/frame-reader';
import { WireFormatError, type WireFault } from '../../../src/raft/transport/wire-format-error';

const MAX = 1 << 20;

function readAll(bytes: Buffer, chunkBytes: number): Frame[] {
  const reader = new FrameReader(MAX);
  const frames: Frame[] = [];
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    reader.feed(bytes.subarray(at, at + chunkBytes));
    for (let frame = reader.next(); frame !== undefined; frame = reader.next()) frames.push(frame);
  }
  return frames;
}

function faultOf(bytes: Buffer): WireFault | undefined {
  try {
    readAll(bytes, bytes.length);
    return undefined;
  } catch (error) {
    if (error instanceof WireFormatError) return error.fault;
    throw error;
  }
}

/** Set FRAME_SEED to the seed that a failure prints to repeat it: FRAME_SEED=… npx jest test/raft/transport/frame */
const seeded = process.env['FRAME_SEED'] === undefined ? {} : { seed: Number(process.env['FRAME_SEED']) };

describe('frames', () => {
  test('come back whole however the stream is cut', () => {
    const part = fc.uint8Array({ maxLength: 3000 }).map((bytes) => Buffer.from(bytes));
    const frame = fc.record({ parts: fc.array(part, { maxLength: 4 }), group: fc.nat(), checked: fc.nat({ max: 4 }) });
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 5 }), fc.integer({ min: 1, max: 5000 }), (frames, chunkBytes) => {
        const sent = frames.map(({ parts, group, checked }) => {
          const checkedParts = Math.min(checked, parts.length);
          return Buffer.concat(encodeFrame(FrameType.message, group, parts, checkedParts));
        });
        const read = readAll(Buffer.concat(sent), chunkBytes);
        expect(read.map((one) => ({ group: one.group, body: one.body }))).toEqual(
          frames.map(({ parts, group }) => ({ group, body: Buffer.concat(parts) })),
        );
      }),
      { numRuns: 60, ...seeded },
    );
  });

  test('every flipped bit of the header and of the checked part is noticed', () => {
    const checked = Buffer.from('the fixed part of a message');
    const whole = Buffer.concat(encodeFrame(FrameType.message, 1, [checked, Buffer.from('a batch')], 1));
    const covered = FRAME_HEADER_BYTES + checked.length;
    for (let bit = 0; bit < covered * 8; bit++) {
      const damaged = Buffer.from(whole);
      damaged.writeUInt8(damaged.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      let frames: Frame[] = [];
      const read = () => {
        frames = readAll(damaged, damaged.length);
      };
      // A longer length only makes the reader wait for bytes that do not come.
      if (bit < 32) tolerate(read);
      else expect(read).toThrow(WireFormatError);
      expect(frames).toEqual([]);
    }
  });

  test.each<[string, (header: Buffer) => void, WireFault]>([
    ['a length below the header', (header) => header.writeUInt32LE(19, 0), 'malformed'],
    ['a length above the limit', (header) => header.writeUInt32LE(MAX + 1, 0), 'too_long'],
    ['the longest length', (header) => header.writeUInt32LE(0xffff_ffff, 0), 'too_long'],
    ['an unknown type', (header) => header.writeUInt8(99, 4), 'malformed'],
    ['a flag', (header) => header.writeUInt8(1, 5), 'malformed'],
    ['a reserved byte', (header) => header.writeUInt8(1, 7), 'malformed'],
    ['more checked bytes than there are', (header) => header.writeUInt32LE(1, 12), 'malformed'],
    ['a wrong checksum', (header) => header.writeUInt32LE(1, 16), 'checksum'],
  ])('%s is refused', (_what, damage, fault) => {
    const header = Buffer.concat(encodeFrame(FrameType.ping, 0, [], 0));
    damage(header);
    expect(faultOf(header)).toBe(fault);
  });

  test('a body starts on a multiple of 8 bytes, so that rows in it can be read in place', () => {
    for (const size of [1, 72, 1001, 5000, 100_000]) {
      const frame = Buffer.concat(encodeFrame(FrameType.message, 0, [Buffer.alloc(size)], 1));
      const [read] = readAll(frame, 777);
      expect((read?.body.byteOffset ?? 1) % 8).toBe(0);
    }
  });
});

function tolerate(read: () => void): void {
  try {
    read();
  } catch (error) {
    expect(error).toBeInstanceOf(WireFormatError);
  }
}
