import { crc32 } from 'node:zlib';
import { WireFormatError } from './wire-format-error';

/**
 * Frames between peers; docs/internals/peer-protocol.md is the specification.
 *
 *  0 u32 length: header and body      4 u8 type      5 u8 flags = 0      6 u16 reserved = 0
 *  8 u32 group                       12 u32 checked: how many bytes of the body the checksum covers
 * 16 u32 crc32 over bytes [0, 16) and the first `checked` bytes of the body
 * 20 body
 */
export const FRAME_HEADER_BYTES = 20;

/** Sent once by whoever dials, before anything else and outside of TLS: it tells a peer from a gRPC client on the shared port. */
export const PEER_PREFACE = 0x01;

export const FrameType = {
  hello: 1,
  helloOk: 2,
  refused: 3,
  ping: 4,
  pong: 5,
  message: 16,
  request: 17,
  response: 18,
  failure: 19,
} as const;
export type FrameType = (typeof FrameType)[keyof typeof FrameType];

const KNOWN_TYPES: ReadonlySet<number> = new Set(Object.values(FrameType));

export interface Frame {
  readonly type: FrameType;
  readonly group: number;
  /** Owned by whoever receives the frame: nothing is written to it again, so slices of it stay valid. Starts on a multiple of 8 bytes in memory. */
  readonly body: Buffer;
}

export interface FrameHeader {
  readonly type: FrameType;
  readonly group: number;
  readonly bodyBytes: number;
  readonly checkedBytes: number;
  /** Of the header's own first 16 bytes. */
  readonly headerCrc: number;
  readonly crc: number;
}

/** The largest value of a group, and of every other u32 on the wire. */
export const MAX_U32 = 0xffff_ffff;

/** Leading parts up to this size are copied behind the header: one small write costs less than two. Larger ones are never copied. */
const COPIED_PART_BYTES = 1024;

/**
 * A frame as the buffers to write, for a body made of `parts`, of which the first `checkedParts` are covered by the
 * checksum. Sealed batches carry a checksum and a hash of their own, so they are left out of it.
 */
export function encodeFrame(type: FrameType, group: number, parts: readonly Buffer[], checkedParts: number): Buffer[] {
  if (!Number.isInteger(group) || group < 0 || group > MAX_U32) {
    throw new RangeError(`A group must be an integer of 32 bits, but it is ${group}.`);
  }
  let bytes = FRAME_HEADER_BYTES;
  let checked = 0;
  let headBytes = FRAME_HEADER_BYTES;
  let copied = 0;
  parts.forEach((part, ordinal) => {
    bytes += part.length;
    if (ordinal < checkedParts) checked += part.length;
    if (copied === ordinal && part.length <= COPIED_PART_BYTES) {
      copied += 1;
      headBytes += part.length;
    }
  });
  const head = Buffer.allocUnsafe(headBytes);
  head.writeUInt32LE(bytes, 0);
  head.writeUInt32LE(type, 4);
  head.writeUInt32LE(group, 8);
  head.writeUInt32LE(checked, 12);
  let at = FRAME_HEADER_BYTES;
  for (let i = 0; i < copied; i++) at += parts[i]?.copy(head, at) ?? 0;
  const rest = parts.slice(copied);
  head.writeUInt32LE(frameChecksum(head, checked, rest), 16);
  rest.unshift(head);
  return rest;
}

/** Over the header's first 16 bytes and `checked` bytes of the body, which begins in `head` and goes on in `rest`. */
function frameChecksum(head: Buffer, checked: number, rest: readonly Buffer[]): number {
  let crc = crc32(head.subarray(0, 16));
  const inHead = Math.min(checked, head.length - FRAME_HEADER_BYTES);
  if (inHead > 0) crc = crc32(head.subarray(FRAME_HEADER_BYTES, FRAME_HEADER_BYTES + inHead), crc);
  let left = checked - inHead;
  for (const part of rest) {
    if (left <= 0) break;
    crc = crc32(part, crc);
    left -= part.length;
  }
  return crc;
}

/** Reads a header of a frame of at most `maxFrameBytes`. Throws WireFormatError; the checksum is left to `verifyFrame`. */
export function decodeFrameHeader(bytes: Buffer, at: number, maxFrameBytes: number): FrameHeader {
  const length = bytes.readUInt32LE(at);
  const type = bytes.readUInt8(at + 4);
  const checkedBytes = bytes.readUInt32LE(at + 12);
  if (length < FRAME_HEADER_BYTES) {
    throw new WireFormatError('malformed', `a frame of ${length} bytes is shorter than its header`);
  }
  if (length > maxFrameBytes) {
    throw new WireFormatError('too_long', `a frame of ${length} bytes is longer than the limit of ${maxFrameBytes}`);
  }
  if (!KNOWN_TYPES.has(type)) throw new WireFormatError('malformed', `frame type ${type} is unknown`);
  if (bytes.readUInt8(at + 5) !== 0 || bytes.readUInt16LE(at + 6) !== 0) {
    throw new WireFormatError('malformed', 'flags or reserved bytes of a frame are set');
  }
  const bodyBytes = length - FRAME_HEADER_BYTES;
  if (checkedBytes > bodyBytes) {
    throw new WireFormatError('malformed', `${checkedBytes} checked bytes in a body of ${bodyBytes}`);
  }
  return {
    type: type as FrameType,
    group: bytes.readUInt32LE(at + 8),
    bodyBytes,
    checkedBytes,
    headerCrc: crc32(bytes.subarray(at, at + 16)),
    crc: bytes.readUInt32LE(at + 16),
  };
}

/** Throws WireFormatError where the checksum does not match. */
export function verifyFrame(header: FrameHeader, body: Buffer): void {
  const found =
    header.checkedBytes === 0 ? header.headerCrc : crc32(body.subarray(0, header.checkedBytes), header.headerCrc);
  if (found !== header.crc) {
    throw new WireFormatError(
      'checksum',
      `a frame of type ${header.type} has checksum ${found}, expected ${header.crc}`,
    );
  }
}
