/**
 * A segment file: `<first index, 20 digits>.log`. Its first 512 bytes, one sector, are the header; flushes follow. It is
 * written and synced before the file takes its name, and again only before the file is cut. Little-endian:
 * ```
 *   0 u32 magic "1LSG"   4 u32 format version   8 u32 CRC-32 over [0, 8) and [12, 512)   12 u32 group
 *  16 16 bytes: random id of the segment
 *  32 u64 first index
 *  40 what is before the first batch: u64 term, 48 u64 next offset, 56 u64 time, 64 32 bytes: hash
 *  96 u64 bytes that the file has: one that has fewer was shortened by nobody who had a right to
 * 104 zero
 * ```
 * What is before the first batch is what the log continues behind when everything older was dropped under a snapshot.
 */

import { crc32 } from 'node:zlib';
import { HASH_BYTES } from './batch';
import { SEGMENT_ID_BYTES } from './flush-mark';
import type { LogBoundary } from './log-store';
import { readU64, writeU64 } from './u64';

export const SEGMENT_HEADER_BYTES = 512;

export const SEGMENT_SUFFIX = '.log';

const MAGIC = 0x47534c31;
const VERSION = 1;
const CRC_AT = 8;
const FILE_BYTES_AT = 96;
const NAME_DIGITS = 20;
const NAME = new RegExp(`^(\\d{${NAME_DIGITS}})\\${SEGMENT_SUFFIX}$`);

export interface SegmentHeader {
  readonly group: number;
  readonly id: Buffer;
  /** Its index is the first index less one. */
  readonly before: LogBoundary;
  /** Bytes of the file, header included. */
  readonly fileBytes: number;
}

export type SegmentHeaderFault = 'damaged' | 'unsupported';

export function segmentName(firstIndex: number): string {
  return String(firstIndex).padStart(NAME_DIGITS, '0') + SEGMENT_SUFFIX;
}

/** @returns the first index that a name states; undefined where it is not the name of a segment */
export function firstIndexOf(name: string): number | undefined {
  const digits = NAME.exec(name)?.[1];
  const index = Number(digits);
  return Number.isSafeInteger(index) && index >= 1 ? index : undefined;
}

export function encodeSegmentHeader({ group, id, before, fileBytes }: SegmentHeader): Buffer {
  const header = Buffer.alloc(SEGMENT_HEADER_BYTES);
  header.writeUInt32LE(MAGIC, 0);
  header.writeUInt32LE(VERSION, 4);
  header.writeUInt32LE(group, 12);
  id.copy(header, 16);
  writeU64(header, before.index + 1, 32);
  writeU64(header, before.term, 40);
  writeU64(header, before.nextOffset, 48);
  writeU64(header, before.time, 56);
  before.hash.copy(header, 64);
  writeU64(header, fileBytes, FILE_BYTES_AT);
  header.writeUInt32LE(checksum(header), CRC_AT);
  return header;
}

/** @param buf the first bytes of a file, fewer where it has fewer */
export function decodeSegmentHeader(buf: Buffer): SegmentHeader | SegmentHeaderFault {
  if (buf.length < SEGMENT_HEADER_BYTES || buf.readUInt32LE(0) !== MAGIC) return 'damaged';
  // Every version keeps place and range of the CRC: a version that rotted is damage, and no newer program.
  if (checksum(buf) !== buf.readUInt32LE(CRC_AT)) return 'damaged';
  if (buf.readUInt32LE(4) !== VERSION) return 'unsupported';
  return {
    group: buf.readUInt32LE(12),
    id: Buffer.from(buf.subarray(16, 16 + SEGMENT_ID_BYTES)),
    before: {
      index: readU64(buf, 32) - 1,
      term: readU64(buf, 40),
      nextOffset: readU64(buf, 48),
      time: readU64(buf, 56),
      hash: Buffer.from(buf.subarray(64, 64 + HASH_BYTES)),
    },
    fileBytes: readU64(buf, FILE_BYTES_AT),
  };
}

function checksum(header: Buffer): number {
  return crc32(header.subarray(CRC_AT + 4, SEGMENT_HEADER_BYTES), crc32(header.subarray(0, CRC_AT)));
}
