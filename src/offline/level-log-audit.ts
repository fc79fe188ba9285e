/**
 * Verifies the write-ahead log and the manifest of the LevelDB database in `stable/`, which LevelDB itself reads only as far
 * as their checksums hold and then, without a word, takes for ended: a flipped bit there makes it forget.
 *
 * Format (LevelDB, doc/log_format.md): blocks of 32 KiB; in them records of a header of 7 bytes (u32 masked CRC-32C over type
 * and data, u16 length, u8 type) and data; fewer than 7 bytes at the end of a block are zeros.
 */

import { join } from 'node:path';
import type { FileSystem } from '../log/files';
import type { Finding, OnFinding } from './finding';

const BLOCK_BYTES = 32 * 1024;
const HEADER_BYTES = 7;
const NAME = /^(\d+\.log|MANIFEST-\d+)$/;
const LAST_TYPE = 4;
const MASK_DELTA = 0xa282ead8;
/** Castagnoli's polynomial, reflected (RFC 3720, appendix B.4). */
const POLYNOMIAL = 0x82f63b78;

export async function auditLevelLogs(files: FileSystem, directory: string, report: OnFinding): Promise<void> {
  for (const name of (await files.exists(directory)) ? await files.list(directory) : []) {
    if (!NAME.test(name)) continue;
    const finding = await auditLog(files, join(directory, name));
    if (finding) report(finding);
  }
}

async function auditLog(files: FileSystem, path: string): Promise<Finding | undefined> {
  const file = await files.open(path, 'read');
  try {
    const size = await file.size();
    const block = Buffer.alloc(BLOCK_BYTES);
    for (let start = 0; start < size; start += BLOCK_BYTES) {
      const bytes = block.subarray(0, await file.read(block, start));
      const bad = firstBadRecord(bytes);
      if (bad === undefined) continue;
      const position = start + bad.at;
      // The last write of a process that was killed may be there in part; nobody was told that it was durable.
      if (bad.cutOff && start + bytes.length === size) {
        return { kind: 'torn', file: path, position, what: 'The last write to the database was cut off by a crash.' };
      }
      const what = 'A record of the database does not have its checksum: what follows it here is forgotten.';
      return { kind: 'damage', file: path, position, what };
    }
    return undefined;
  } finally {
    await file.close();
  }
}

/** @returns where the first record begins that does not hold; `cutOff`: it ends beyond the bytes */
function firstBadRecord(block: Buffer): { readonly at: number; readonly cutOff: boolean } | undefined {
  let at = 0;
  while (at + HEADER_BYTES <= block.length) {
    const length = block.readUInt16LE(at + 4);
    const type = block[at + 6]!;
    const end = at + HEADER_BYTES + length;
    if (end > block.length) return { at, cutOff: block.length < BLOCK_BYTES };
    if (type === 0 || type > LAST_TYPE || block.readUInt32LE(at) !== masked(crc32c(block, at + 6, end))) {
      return { at, cutOff: false };
    }
    at = end;
  }
  if (block.length < BLOCK_BYTES && at < block.length) return { at, cutOff: true };
  return block.subarray(at).every((byte) => byte === 0) ? undefined : { at, cutOff: false };
}

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ POLYNOMIAL : value >>> 1;
  return value;
});

/** CRC-32C; node:zlib has only the other one. */
function crc32c(bytes: Buffer, from: number, to: number): number {
  let crc = 0xffffffff;
  for (let at = from; at < to; at++) crc = TABLE[(crc ^ bytes[at]!) & 0xff]! ^ (crc >>> 8);
  return ~crc >>> 0;
}

/** LevelDB does not store a CRC as it is, so that a CRC over bytes that hold CRCs stays sound. */
function masked(crc: number): number {
  return (((crc >>> 15) | (crc << 17)) + MASK_DELTA) >>> 0;
}
