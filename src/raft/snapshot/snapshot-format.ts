import { crc32 } from 'node:zlib';
import type { LogBoundary } from '../../log/log-store';
import { HASH_BYTES } from '../../log/batch';
import { readU64, writeU64 } from '../../log/u64';
import { ConfigurationFormatError, decodeConfiguration, encodeConfiguration, type Configuration } from '../core';
import { decodeAttachments, encodeAttachments, type Attachment } from './attachment';
import { SnapshotError } from './snapshot-error';

/**
 * A snapshot file: a header, chunks, a trailer. Little-endian. Header, padded with zeros to a multiple of 8:
 *
 *   0 u32 magic "LNSS"   4 u16 format version = 1   6 u16 = 0   8 u32 length of the header   12 u32 crc32 over the rest of it
 *  16 cluster id: 32 hex digits   48 u32 group   52 u32 length of the configuration
 *  56 u64 index   64 u64 term   72 u64 next offset   80 u64 time, µs   88 32 bytes: hash of the batch at the index
 * 120 configuration
 *
 * Format 2, written where there are attachments, has behind the configuration a u32 length and so many bytes of JSON:
 * [[name, bytes], …].
 *
 * Chunk: u32 length (not 0), u32 crc32 over length and data, data. Trailer:
 *
 *   0 u32 = 0   4 u32 crc32 over the rest of it   8 u64 chunks   16 u64 bytes in them   24 SHA-256 over all before the trailer
 */
export const SNAPSHOT_FORMAT_VERSION = 2;
const WITHOUT_ATTACHMENTS = 1;
export const HEADER_FIXED_BYTES = 120;
export const CHUNK_HEADER_BYTES = 8;
export const TRAILER_BYTES = 56;
/** More than any state machine gives at once; a damaged length must not become an allocation. */
export const MAX_CHUNK_BYTES = 16 * 1024 * 1024;
const MAX_HEADER_BYTES = 1024 * 1024;

const MAGIC = 0x53534e4c;
const CRC_AT = 12;
const CLUSTER_ID_BYTES = 32;

/** The last batch that a snapshot contains, where the log goes on behind it, and the membership as of it. */
export interface SnapshotFileMeta extends LogBoundary {
  readonly configuration: Configuration;
  /** Files beside it that it leans on; undefined or empty where it stands by itself. */
  readonly attachments?: readonly Attachment[] | undefined;
}

export interface SnapshotOwner {
  readonly clusterId: string;
  readonly group: number;
}

export function encodeHeader(owner: SnapshotOwner, meta: SnapshotFileMeta): Buffer {
  if (meta.hash.length !== HASH_BYTES) throw new RangeError(`A hash has ${HASH_BYTES} bytes, not ${meta.hash.length}.`);
  const configuration = encodeConfiguration(meta.configuration);
  const attachments = encodeAttachments(meta.attachments ?? []);
  const length = HEADER_FIXED_BYTES + configuration.length + attachments.length;
  const header = Buffer.alloc(Math.ceil(length / 8) * 8);
  header.writeUInt32LE(MAGIC, 0);
  header.writeUInt16LE(attachments.length > 0 ? SNAPSHOT_FORMAT_VERSION : WITHOUT_ATTACHMENTS, 4);
  header.writeUInt32LE(header.length, 8);
  header.write(owner.clusterId, 16, CLUSTER_ID_BYTES, 'latin1');
  header.writeUInt32LE(owner.group, 48);
  header.writeUInt32LE(configuration.length, 52);
  writeU64(header, meta.index, 56);
  writeU64(header, meta.term, 64);
  writeU64(header, meta.nextOffset, 72);
  writeU64(header, meta.time, 80);
  meta.hash.copy(header, 88);
  configuration.copy(header, HEADER_FIXED_BYTES);
  attachments.copy(header, HEADER_FIXED_BYTES + configuration.length);
  header.writeUInt32LE(headerChecksum(header), CRC_AT);
  return header;
}

/** How long the header is whose first HEADER_FIXED_BYTES these are. Throws SnapshotError. */
export function headerLength(fixed: Buffer): number {
  if (fixed.length < HEADER_FIXED_BYTES) throw damaged(`it ends after ${fixed.length} bytes`);
  if (fixed.readUInt32LE(0) !== MAGIC) throw damaged('it does not begin like a snapshot');
  const length = fixed.readUInt32LE(8);
  if (length < HEADER_FIXED_BYTES || length > MAX_HEADER_BYTES) throw damaged(`its header has ${length} bytes`);
  return length;
}

/** The whole header. Throws SnapshotError. */
export function decodeHeader(header: Buffer): { readonly owner: SnapshotOwner; readonly meta: SnapshotFileMeta } {
  if (header.length !== headerLength(header)) throw damaged('its header is cut off');
  if (header.readUInt32LE(CRC_AT) !== headerChecksum(header))
    throw damaged('the checksum of its header does not match');
  // Behind the checksum, whose place and range every version keeps: a version that rotted is damage, and no newer program.
  const version = header.readUInt16LE(4);
  if (version > SNAPSHOT_FORMAT_VERSION) {
    const message = `The snapshot has format ${version}; this program knows formats up to ${SNAPSHOT_FORMAT_VERSION}.`;
    throw new SnapshotError('NEWER_FORMAT', message);
  }
  const configurationEnd = HEADER_FIXED_BYTES + header.readUInt32LE(52);
  if (configurationEnd > header.length) throw damaged('its configuration ends beyond its header');
  const clusterId = header.toString('latin1', 16, 16 + CLUSTER_ID_BYTES);
  const numbers = {
    index: readU64(header, 56),
    term: readU64(header, 64),
    nextOffset: readU64(header, 72),
    time: readU64(header, 80),
  };
  if (Object.values(numbers).some((value) => value < 0)) throw damaged('a number in its header is beyond 2^53');
  return {
    owner: { clusterId: clusterId.startsWith('\0') ? '' : clusterId, group: header.readUInt32LE(48) },
    meta: {
      ...numbers,
      hash: Buffer.from(header.subarray(88, 88 + HASH_BYTES)),
      configuration: readConfiguration(header.subarray(HEADER_FIXED_BYTES, configurationEnd)),
      attachments: version === WITHOUT_ATTACHMENTS ? undefined : readAttachments(header.subarray(configurationEnd)),
    },
  };
}

export function encodeChunkHeader(chunk: Buffer): Buffer {
  const header = Buffer.allocUnsafe(CHUNK_HEADER_BYTES);
  header.writeUInt32LE(chunk.length, 0);
  header.writeUInt32LE(chunkChecksum(header, chunk), 4);
  return header;
}

/** Throws SnapshotError where `chunk` is not what the header was made for. */
export function verifyChunk(header: Buffer, chunk: Buffer, at: number): void {
  if (chunk.length !== header.readUInt32LE(0)) throw damaged('it ends within a chunk', at);
  if (header.readUInt32LE(4) !== chunkChecksum(header, chunk))
    throw damaged('the checksum of a chunk does not match', at);
}

export interface Totals {
  readonly chunks: number;
  readonly bytes: number;
  /** SHA-256 over everything before the trailer. */
  readonly hash: Buffer;
}

export function encodeTrailer(totals: Totals): Buffer {
  const trailer = Buffer.alloc(TRAILER_BYTES);
  writeU64(trailer, totals.chunks, 8);
  writeU64(trailer, totals.bytes, 16);
  totals.hash.copy(trailer, 24);
  trailer.writeUInt32LE(crc32(trailer.subarray(8)), 4);
  return trailer;
}

/** Throws SnapshotError where the trailer does not say what was found in front of it. */
export function verifyTrailer(trailer: Buffer, found: Totals, at: number): void {
  if (trailer.length !== TRAILER_BYTES || trailer.readUInt32LE(0) !== 0) throw damaged('its end is missing', at);
  if (!trailer.equals(encodeTrailer(found))) throw damaged('what it holds is not what its end says', at);
}

/** @param at the byte of the file at which it was found */
export function damaged(why: string, at?: number): SnapshotError {
  const where = at === undefined ? '' : ` at byte ${at}`;
  return new SnapshotError('DAMAGED', `The snapshot is damaged${where}: ${why}.`);
}

function headerChecksum(header: Buffer): number {
  return crc32(header.subarray(CRC_AT + 4), crc32(header.subarray(0, CRC_AT)));
}

function chunkChecksum(header: Buffer, chunk: Buffer): number {
  return crc32(chunk, crc32(header.subarray(0, 4)));
}

function readAttachments(bytes: Buffer): readonly Attachment[] {
  const attachments = decodeAttachments(bytes);
  if (!attachments) throw damaged('its list of attachments makes no sense');
  return attachments;
}

function readConfiguration(bytes: Buffer): Configuration {
  try {
    return decodeConfiguration(bytes);
  } catch (error) {
    if (error instanceof ConfigurationFormatError) throw damaged(error.message);
    throw error;
  }
}
