/**
 * A batch: the unit that is appended, checksummed, replicated and committed; one Raft entry. Its bytes are made once, by
 * the leader, and are the same on the leader's disk, on the wire and on every follower's disk.
 *
 * Header of 160 bytes, little-endian, then the payload, then zeros up to a multiple of 8:
 * ```
 *   0 u32 magic "1LNB"   4 u16 format version   6 u8 kind   7 u8 flags (0)
 *   8 u32 CRC-32 over bytes [0, 8) and [12, length)         12 u32 length: header + payload + padding
 *  16 u64 index   24 u64 term   32 u64 base offset   40 u32 count   44 u32 payload length, unpadded
 *  48 u64 time, microseconds since the Unix epoch   56 u64 commit index known to the leader when it wrote the batch
 *  64 u32 group   68 28 zero bytes
 *  96 32 bytes: hash of the batch before
 * 128 32 bytes: SHA-256 over bytes [0, 8), [12, 128) and the payload with its padding
 * 160 payload
 * ```
 * The CRC finds rot and torn writes at 6 GB/s; the hash, chained through the batch before it, is what proofs and the
 * comparison of nodes rest on. Every format version keeps the places of magic, version, CRC and length and the range of the
 * CRC, so that an old program can tell a newer batch from a damaged one.
 */

import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { BatchFormatError } from './batch-error';
import { readU64, writeU64 } from './u64';

export { type BatchFault, BatchFormatError } from './batch-error';

export const BATCH_HEADER_BYTES = 160;
export const MAX_PAYLOAD_BYTES = 4 * 1024 * 1024;
export const MAX_BATCH_BYTES = BATCH_HEADER_BYTES + MAX_PAYLOAD_BYTES;
export const BATCH_MAGIC = 0x424e4c31;
const BATCH_FORMAT_VERSION = 1;
export const HASH_BYTES = 32;

/** What stands before the first batch of all. */
export const NO_HASH: Buffer = Buffer.alloc(HASH_BYTES);

export const BatchKind = {
  /** Records that take offsets. */
  Records: 0,
  /** Empty: a leader's first entry of its term. */
  NoOp: 1,
  Configuration: 2,
  /** Chunks as in `Records`, without offsets. */
  System: 3,
  Version: 4,
} as const;

const LAST_KIND = BatchKind.Version;
const MAX_U32 = 0xffff_ffff;
const VERSION_AT = 4;
const KIND_AT = 6;
const FLAGS_AT = 7;
const CRC_AT = 8;
const LENGTH_AT = 12;
const RESERVED_AT = 68;
const PREVIOUS_HASH_AT = 96;
const HASH_AT = 128;
const ALIGNMENT = 8;

export interface BatchHeader {
  readonly kind: number;
  /** Bytes of the whole batch: header, payload and padding. */
  readonly length: number;
  readonly index: number;
  readonly term: number;
  /** Offset of the first record, or of the next one where the batch has none. */
  readonly baseOffset: number;
  /** Records that take offsets. */
  readonly count: number;
  /** Bytes of the payload without padding. */
  readonly payloadLength: number;
  /** Microseconds since the Unix epoch; strictly increases over the log. */
  readonly time: number;
  readonly commitIndex: number;
  readonly group: number;
  readonly previousHash: Buffer;
  readonly hash: Buffer;
}

/** What the sealer of a batch decides; lengths, CRC and hash follow from it. */
export type BatchFields = Pick<
  BatchHeader,
  'kind' | 'index' | 'term' | 'baseOffset' | 'count' | 'time' | 'commitIndex' | 'group' | 'previousHash'
>;

/**
 * Makes the final bytes of a batch, in one allocation.
 * @param payload its parts, in order; together at most {@link MAX_PAYLOAD_BYTES}
 * @throws RangeError where a field or the payload breaks a rule of the format: a fault of the caller
 */
export function sealBatch(fields: BatchFields, payload: readonly Buffer[]): Buffer {
  let payloadLength = 0;
  for (const part of payload) payloadLength += part.length;
  assertSealable(fields, payloadLength);
  const end = BATCH_HEADER_BYTES + payloadLength;
  const length = batchLengthFor(payloadLength);
  const batch = Buffer.allocUnsafe(length);
  batch.writeUInt32LE(BATCH_MAGIC, 0);
  batch.writeUInt16LE(BATCH_FORMAT_VERSION, VERSION_AT);
  batch[KIND_AT] = fields.kind;
  batch[FLAGS_AT] = 0;
  batch.writeUInt32LE(length, LENGTH_AT);
  writeU64(batch, fields.index, 16);
  writeU64(batch, fields.term, 24);
  writeU64(batch, fields.baseOffset, 32);
  batch.writeUInt32LE(fields.count, 40);
  batch.writeUInt32LE(payloadLength, 44);
  writeU64(batch, fields.time, 48);
  writeU64(batch, fields.commitIndex, 56);
  batch.writeUInt32LE(fields.group, 64);
  batch.fill(0, RESERVED_AT, PREVIOUS_HASH_AT);
  fields.previousHash.copy(batch, PREVIOUS_HASH_AT);
  let at = BATCH_HEADER_BYTES;
  for (const part of payload) at += part.copy(batch, at);
  batch.fill(0, end, length);
  hashOf(batch, length).copy(batch, HASH_AT);
  batch.writeUInt32LE(crcOf(batch, 0, length), CRC_AT);
  return batch;
}

/** Bytes of a batch whose payload has so many bytes. */
function batchLengthFor(payloadLength: number): number {
  return Math.ceil((BATCH_HEADER_BYTES + payloadLength) / ALIGNMENT) * ALIGNMENT;
}

/**
 * Reads a header and checks that its fields make sense together. The bytes are *not* verified: see {@link verifyBatch}.
 * The hashes are views of `buf`.
 * @param buf at least {@link BATCH_HEADER_BYTES} from `at` on; the payload need not be there
 * @throws BatchFormatError
 */
export function readHeader(buf: Buffer, at = 0): BatchHeader {
  if (buf.length - at < BATCH_HEADER_BYTES) {
    throw new BatchFormatError(
      'short',
      `A batch header has ${BATCH_HEADER_BYTES} bytes, but only ${buf.length - at} are there.`,
    );
  }
  const magic = buf.readUInt32LE(at);
  if (magic !== BATCH_MAGIC) {
    throw new BatchFormatError(
      'magic',
      `A batch begins with 0x${BATCH_MAGIC.toString(16)}, but 0x${magic.toString(16)} is there.`,
    );
  }
  const version = buf.readUInt16LE(at + VERSION_AT);
  const kind = buf.readUInt8(at + KIND_AT);
  const flags = buf.readUInt8(at + FLAGS_AT);
  if (version !== BATCH_FORMAT_VERSION || kind > LAST_KIND || flags !== 0) {
    throw new BatchFormatError(
      'unsupported',
      `A batch of format version ${version}, kind ${kind} and flags ${flags} cannot be read by this program,` +
        ` which knows version ${BATCH_FORMAT_VERSION} and kinds up to ${LAST_KIND}: it was written by a newer one, or is damaged.`,
    );
  }
  const header: BatchHeader = {
    kind,
    length: buf.readUInt32LE(at + LENGTH_AT),
    index: readU64(buf, at + 16),
    term: readU64(buf, at + 24),
    baseOffset: readU64(buf, at + 32),
    count: buf.readUInt32LE(at + 40),
    payloadLength: buf.readUInt32LE(at + 44),
    time: readU64(buf, at + 48),
    commitIndex: readU64(buf, at + 56),
    group: buf.readUInt32LE(at + 64),
    previousHash: buf.subarray(at + PREVIOUS_HASH_AT, at + HASH_AT),
    hash: buf.subarray(at + HASH_AT, at + BATCH_HEADER_BYTES),
  };
  checkHeader(header);
  return header;
}

/**
 * Verifies one whole batch: fields, lengths, CRC and SHA-256.
 * @param buf exactly one batch
 * @throws BatchFormatError
 */
export function verifyBatch(buf: Buffer): BatchHeader {
  const header = checkBatch(buf);
  if (!hashOf(buf, header.length).equals(header.hash)) {
    throw new BatchFormatError('hash', `Batch ${header.index} does not have the SHA-256 that its header states.`);
  }
  return header;
}

/**
 * As {@link verifyBatch} without the SHA-256, at a tenth of its cost: finds rot, not forgery.
 * @param buf exactly one batch
 * @throws BatchFormatError
 */
export function checkBatch(buf: Buffer): BatchHeader {
  const header = readHeader(buf);
  if (buf.length !== header.length) {
    throw new BatchFormatError(
      'short',
      `Batch ${header.index} has ${header.length} bytes, but ${buf.length} were given.`,
    );
  }
  if (!hasValidCrc(buf, 0, header.length)) {
    throw new BatchFormatError('crc', `Batch ${header.index} does not have the CRC that its header states.`);
  }
  return header;
}

/** Whether the CRC of what claims to be a batch of `length` bytes at `at` holds, whatever its version. */
export function hasValidCrc(buf: Buffer, at: number, length: number): boolean {
  return crcOf(buf, at, length) === buf.readUInt32LE(at + CRC_AT);
}

/** The length that a batch of any version at `at` states, unchecked. */
export function statedLength(buf: Buffer, at: number): number {
  return buf.readUInt32LE(at + LENGTH_AT);
}

/** @returns a view of the payload without padding */
export function payloadOf(batch: Buffer): Buffer {
  return batch.subarray(BATCH_HEADER_BYTES, BATCH_HEADER_BYTES + batch.readUInt32LE(44));
}

function hashOf(batch: Buffer, length: number): Buffer {
  return createHash('sha256')
    .update(batch.subarray(0, CRC_AT))
    .update(batch.subarray(LENGTH_AT, HASH_AT))
    .update(batch.subarray(BATCH_HEADER_BYTES, length))
    .digest();
}

function crcOf(buf: Buffer, at: number, length: number): number {
  return crc32(buf.subarray(at + LENGTH_AT, at + length), crc32(buf.subarray(at, at + CRC_AT)));
}

function checkHeader(header: BatchHeader): void {
  const { payloadLength, length } = header;
  if (payloadLength > MAX_PAYLOAD_BYTES || length !== batchLengthFor(payloadLength)) {
    throw new BatchFormatError(
      'length',
      `A batch with ${payloadLength} bytes of payload states a length of ${length}:` +
        ` expected at most ${MAX_PAYLOAD_BYTES} and header, payload and padding together.`,
    );
  }
  const fault = faultOf(header, payloadLength);
  if (fault) throw new BatchFormatError('field', fault);
}

function assertSealable(fields: BatchFields, payloadLength: number): void {
  const { kind, group, count, previousHash } = fields;
  if (payloadLength > MAX_PAYLOAD_BYTES) {
    throw new RangeError(
      `A batch holds at most ${MAX_PAYLOAD_BYTES} bytes of payload, but ${payloadLength} were given.`,
    );
  }
  if (previousHash.length !== HASH_BYTES) {
    throw new RangeError(
      `The hash of the batch before has ${HASH_BYTES} bytes, but ${previousHash.length} were given.`,
    );
  }
  for (const [name, value, max] of [
    ['kind', kind, LAST_KIND],
    ['group', group, MAX_U32],
    ['count', count, MAX_U32],
  ] as const) {
    if (!Number.isInteger(value) || value < 0 || value > max) {
      throw new RangeError(`The ${name} of a batch is an integer from 0 to ${max}, but ${value} was given.`);
    }
  }
  const fault = faultOf(fields, payloadLength);
  if (fault) throw new RangeError(fault);
}

/** Rules that hold for every batch, whoever made it. Read integers that are no safe integers come as -1. */
function faultOf(fields: BatchFields, payloadLength: number): string | undefined {
  const { kind, index, term, baseOffset, count, time, commitIndex } = fields;
  if (index < 1) return `A batch has an index of at least 1, but ${index} is stated.`;
  if (term < 1) return `Batch ${index} has term ${term}; terms begin at 1.`;
  if (baseOffset < 0 || time < 0 || commitIndex < 0) {
    return `Batch ${index} states offset ${baseOffset}, time ${time} and commit index ${commitIndex}: all must be safe integers of at least 0.`;
  }
  if (commitIndex >= index) return `Batch ${index} states that ${commitIndex} was committed before it was written.`;
  if (count > 0 && kind !== BatchKind.Records)
    return `Batch ${index} of kind ${kind} states ${count} records with offsets; only kind 0 has them.`;
  if (kind === BatchKind.NoOp && payloadLength > 0)
    return `Batch ${index} is a no-op, but has ${payloadLength} bytes of payload.`;
  return undefined;
}
