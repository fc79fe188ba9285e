/**
 * Verifies the files of the LevelDB database in `stable/` without opening it. LevelDB reads its log and its manifest as far as
 * the checksums hold and then, without a word, goes on behind the block or takes them for ended; of its tables it does not
 * verify the blocks. So a flipped bit there makes it forget, or fail without saying where.
 *
 * Formats: LevelDB, doc/log_format.md and doc/table_format.md. Log and manifest: blocks of 32 KiB, in them records of a header
 * of 7 bytes (u32 masked CRC-32C over type and data, u16 length, u8 type) and data; fewer than 7 bytes at the end of a block
 * are zeros. Tables: blocks, each with a trailer of 5 bytes (u8 compression, u32 masked CRC-32C over block and compression), the
 * index of their places, and a footer of 48 bytes.
 */

import { join } from 'node:path';
import type { FileSystem } from '../../log/files';
import { crc32c, masked } from './crc32c';
import { tableFault } from './level-table';

export interface LevelFault {
  /** `tail`: nothing good follows, so that it may be the last write, cut off by a crash, or rot. */
  readonly kind: 'damage' | 'tail';
  readonly file: string;
  /** Bytes. */
  readonly position: number;
  /** One sentence. */
  readonly what: string;
}

const BLOCK_BYTES = 32 * 1024;
const HEADER_BYTES = 7;
/** Types of records: a whole write, or the first, a middle or the last part of one. */
const FULL = 1;
const FIRST = 2;
const LAST = 4;
const LOG_NAME = /^(\d+\.log|MANIFEST-\d+)$/;
const TABLE_NAME = /^\d+\.(ldb|sst)$/;
const CURRENT = 'CURRENT';
/** The files are small: what LevelDB keeps in memory before it makes a table has 4 MiB. */
const MAX_FILE_BYTES = 64 * 1024 * 1024;

export async function auditLevel(files: FileSystem, directory: string): Promise<LevelFault[]> {
  const names = (await files.exists(directory)) ? await files.list(directory) : [];
  const faults: LevelFault[] = [];
  for (const name of names) {
    const look = LOG_NAME.test(name) ? logFault : TABLE_NAME.test(name) ? tableDamage : undefined;
    if (!look && name !== CURRENT) continue;
    const file = join(directory, name);
    const bytes = await contentOf(files, file);
    const fault = look ? look(bytes) : currentFault(bytes, names);
    if (fault) faults.push({ file, ...fault });
  }
  return faults;
}

type Fault = Omit<LevelFault, 'file'>;

async function contentOf(files: FileSystem, path: string): Promise<Buffer> {
  const file = await files.open(path, 'read');
  try {
    const bytes = Buffer.alloc(Math.min(await file.size(), MAX_FILE_BYTES));
    return bytes.subarray(0, await file.read(bytes, 0));
  } finally {
    await file.close();
  }
}

function currentFault(bytes: Buffer, names: readonly string[]): Fault | undefined {
  const manifest = /^(MANIFEST-\d+)\n$/.exec(bytes.toString('latin1'))?.[1];
  if (manifest !== undefined && names.includes(manifest)) return undefined;
  return { kind: 'damage', position: 0, what: 'It does not name a manifest that is there.' };
}

function tableDamage(bytes: Buffer): Fault | undefined {
  const fault = tableFault(bytes);
  return fault && { kind: 'damage', ...fault };
}

function logFault(bytes: Buffer): Fault | undefined {
  for (let at = 0; at < bytes.length;) {
    const end = recordEnd(bytes, at);
    if (end !== undefined) {
      at = end;
      continue;
    }
    if (!goodRecordBehind(bytes, at)) {
      return { kind: 'tail', position: at, what: 'The last record is not whole, or does not have its checksum.' };
    }
    return { kind: 'damage', position: at, what: 'A record does not have its checksum, and is forgotten.' };
  }
  return undefined;
}

/** @returns where the record at `at` ends, or the zeros that fill a block; undefined where neither is there */
function recordEnd(bytes: Buffer, at: number): number | undefined {
  const blockEnd = (Math.floor(at / BLOCK_BYTES) + 1) * BLOCK_BYTES;
  if (blockEnd - at < HEADER_BYTES) {
    const end = Math.min(blockEnd, bytes.length);
    return bytes.subarray(at, end).every((byte) => byte === 0) ? end : undefined;
  }
  if (at + HEADER_BYTES > bytes.length) return undefined;
  const end = at + HEADER_BYTES + bytes.readUInt16LE(at + 4);
  const type = bytes[at + 6]!;
  if (type === 0 || type > LAST || end > Math.min(blockEnd, bytes.length)) return undefined;
  return bytes.readUInt32LE(at) === masked(crc32c(bytes, at + 6, end)) ? end : undefined;
}

/**
 * Whether another write follows: a record that begins one. What goes on in the next block with the rest of a record that was
 * cut off does not count.
 */
function goodRecordBehind(bytes: Buffer, at: number): boolean {
  // Where its length is what rotted, the next record still begins somewhere in this block.
  const blockEnd = Math.min((Math.floor(at / BLOCK_BYTES) + 1) * BLOCK_BYTES, bytes.length);
  for (let next = at + HEADER_BYTES; next < blockEnd; next++) if (beginsWrite(bytes, next)) return true;
  for (let next = blockEnd; next < bytes.length;) {
    if (beginsWrite(bytes, next)) return true;
    next = recordEnd(bytes, next) ?? (Math.floor(next / BLOCK_BYTES) + 1) * BLOCK_BYTES;
  }
  return false;
}

function beginsWrite(bytes: Buffer, at: number): boolean {
  const type = bytes[at + HEADER_BYTES - 1];
  return (type === FULL || type === FIRST) && recordEnd(bytes, at) !== undefined;
}
