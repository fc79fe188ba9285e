/**
 * A flush mark stands before the batches of every flush (one write, one fdatasync) of a segment, and says how to judge them
 * if they cannot be read. 64 bytes at a multiple of 64, so that it never lies across two sectors of 512 bytes; little-endian:
 * ```
 *  0 u32 magic "1LFM"   4 u32 CRC-32 over [8, 64)
 *  8 16 bytes: the segment's random id   24 u64 position of the mark in the file
 * 32 u64 index of the first batch   40 u32 bytes of all batches   44 u32 number of batches
 * 48 u32 sectors that are all zero   52 12 zero bytes
 * ```
 * A flush begins only after the fdatasync of the one before it. So a valid mark proves that everything before it was durable:
 * damage there is rot, and never cut. What is behind the last mark may be torn. Segments are zeroed and synced before they
 * are used and written once, so a sector that the disk lost reads as zeros: if more sectors of the flush are zero than the
 * mark states, power was lost before its fdatasync returned, and nobody was told that it was durable. If not, every
 * byte reached the disk, and what is wrong now was right, and perhaps acknowledged.
 */

import { crc32 } from 'node:zlib';
import { readU64, writeU64 } from './u64';

export const FLUSH_MARK_BYTES = 64;
export const FLUSH_MARK_MAGIC = 0x4d464c31;

/** The smallest part of a file that a disk writes whole or not at all. */
export const SECTOR_BYTES = 512;

export const SEGMENT_ID_BYTES = 16;

export interface FlushMark {
  /** Of the mark; its batches begin {@link FLUSH_MARK_BYTES} behind. */
  readonly position: number;
  readonly firstIndex: number;
  /** Bytes and number of the batches; both 0 for the mark that a clean stop leaves. */
  readonly bytes: number;
  readonly batches: number;
  readonly zeroSectors: number;
}

const ZEROS = Buffer.alloc(SECTOR_BYTES);

/** @param into a buffer of {@link FLUSH_MARK_BYTES}, used again for every flush */
export function writeFlushMark(into: Buffer, segmentId: Buffer, mark: FlushMark): void {
  into.fill(0);
  into.writeUInt32LE(FLUSH_MARK_MAGIC, 0);
  segmentId.copy(into, 8);
  writeU64(into, mark.position, 24);
  writeU64(into, mark.firstIndex, 32);
  into.writeUInt32LE(mark.bytes, 40);
  into.writeUInt32LE(mark.batches, 44);
  into.writeUInt32LE(mark.zeroSectors, 48);
  into.writeUInt32LE(crc32(into.subarray(8)), 4);
}

/** @returns the mark at `at`, or undefined where there is no valid one of this segment at this position */
export function readFlushMark(buf: Buffer, at: number, segmentId: Buffer, position: number): FlushMark | undefined {
  if (buf.length - at < FLUSH_MARK_BYTES || buf.readUInt32LE(at) !== FLUSH_MARK_MAGIC) return undefined;
  if (crc32(buf.subarray(at + 8, at + FLUSH_MARK_BYTES)) !== buf.readUInt32LE(at + 4)) return undefined;
  if (segmentId.compare(buf, at + 8, at + 8 + SEGMENT_ID_BYTES) !== 0 || readU64(buf, at + 24) !== position)
    return undefined;
  return {
    position,
    firstIndex: readU64(buf, at + 32),
    bytes: buf.readUInt32LE(at + 40),
    batches: buf.readUInt32LE(at + 44),
    zeroSectors: buf.readUInt32LE(at + 48),
  };
}

/** Where the next mark goes if nothing is written before `position`. */
export function nextMarkPosition(position: number): number {
  return Math.ceil(position / FLUSH_MARK_BYTES) * FLUSH_MARK_BYTES;
}

export function isAllZero(buf: Buffer, from: number, to: number): boolean {
  for (let at = from; at < to; at += SECTOR_BYTES) {
    const end = Math.min(at + SECTOR_BYTES, to);
    if (buf[at] !== 0 || buf.compare(ZEROS, 0, end - at, at, end) !== 0) return false;
  }
  return true;
}

/**
 * Counts the sectors of a flush that are all zero within it; the mark's own sector is never one.
 * @param parts the batches of the flush, in order
 * @param position of the first batch in the file
 */
export function countZeroSectors(parts: readonly Buffer[], position: number): number {
  let zeroSectors = 0;
  let at = position;
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i]!;
    const end = at + part.length;
    // Sectors that begin within the part. The one in which it begins holds its magic, or is the mark's; the one in which it
    // ends holds the next part's magic unless it is the last.
    for (let from = (Math.floor(at / SECTOR_BYTES) + 1) * SECTOR_BYTES - at; from < part.length; from += SECTOR_BYTES) {
      // Nearly every sector ends here: this runs over every flush.
      if (part[from] !== 0) continue;
      const to = Math.min(from + SECTOR_BYTES, part.length);
      if (to < from + SECTOR_BYTES && i < parts.length - 1) break;
      if (isAllZero(part, from, to)) zeroSectors += 1;
    }
    at = end;
  }
  return zeroSectors;
}
