/** The bytes of an index of one or several runs: derived from them, keyed with the node's own seed. See docs/internals/ids.md. */
import { crc32 } from 'node:zlib';
import { type FilterParts, IdFilter } from './id-filter';
import { runFile, runOf, type RunName } from './run-format';

export const INDEX_HEADER_BYTES = 64;
export const INDEX_BLOCK_BYTES = 4_096;
const ENTRY_BYTES = 8;
/** The last eight bytes of a block are its checksum and zeros. */
export const BLOCK_ENTRIES = INDEX_BLOCK_BYTES / ENTRY_BYTES - 1;
const MAGIC = 0x58494e4c;
const VERSION = 2;
const CRC_AT = 8;
const MAX_BITS = 30;

export interface IndexHeader {
  readonly rows: number;
  readonly seed: number;
  readonly bits: number;
  readonly least: number;
  readonly greatest: number;
  readonly filterChecksum: number;
}

const ROWS = '.rows';
export const INDEX = '.index';

/** An index of several runs is named as a run of all their rows would be. */
export function indexFile(name: RunName): string {
  return runFile({ ...name, extras: 0 }).slice(0, -ROWS.length) + INDEX;
}

/** Undefined where it is not the name of an index. */
export function indexedBy(file: string): RunName | undefined {
  const name = file.endsWith(INDEX) ? runOf(file.slice(0, -INDEX.length) + ROWS) : undefined;
  return name?.extras === 0 ? name : undefined;
}

export function encodeIndexHeader(filter: IdFilter, seed: number): Buffer {
  const header = Buffer.alloc(INDEX_HEADER_BYTES);
  header.writeUInt32LE(MAGIC, 0);
  header.writeUInt16LE(VERSION, 4);
  header.writeUInt32LE(filter.remainders.length, 12);
  header.writeUInt32LE(seed >>> 0, 16);
  header.writeUInt32LE(filter.bits, 20);
  header.writeDoubleLE(filter.least, 24);
  header.writeDoubleLE(filter.greatest, 32);
  header.writeUInt32LE(
    filterBytes(filter).reduce((sum, part) => crc32(part, sum), 0),
    40,
  );
  header.writeUInt32LE(crc32(header.subarray(CRC_AT + 4)), CRC_AT);
  return header;
}

/** Undefined where it is not the header of an index that this program can read. */
export function decodeIndexHeader(header: Buffer): IndexHeader | undefined {
  if (header.length < INDEX_HEADER_BYTES || header.readUInt32LE(0) !== MAGIC) return undefined;
  if (crc32(header.subarray(CRC_AT + 4, INDEX_HEADER_BYTES)) !== header.readUInt32LE(CRC_AT)) return undefined;
  const bits = header.readUInt32LE(20);
  if (header.readUInt16LE(4) !== VERSION || bits > MAX_BITS) return undefined;
  return {
    rows: header.readUInt32LE(12),
    seed: header.readUInt32LE(16),
    bits,
    least: header.readDoubleLE(24),
    greatest: header.readDoubleLE(32),
    filterChecksum: header.readUInt32LE(40),
  };
}

/** The filter as it lies in memory: views, not copies. */
export function filterBytes({ starts, remainders, more }: FilterParts): Buffer[] {
  return [starts, remainders, more].map((part) => Buffer.from(part.buffer, part.byteOffset, part.byteLength));
}

export function filterLength({ rows, bits }: Pick<IndexHeader, 'rows' | 'bits'>): number {
  return 4 * (2 ** bits + 1) + 3 * rows;
}

/** Undefined where the bytes are not the filter that the header was made for. */
export function decodeFilter(header: IndexHeader, bytes: Buffer): IdFilter | undefined {
  if (bytes.length !== filterLength(header) || crc32(bytes) !== header.filterChecksum) return undefined;
  const { bits, rows, least, greatest } = header;
  const starts = new Uint32Array(2 ** bits + 1);
  const remainders = new Uint16Array(rows);
  const more = new Uint8Array(rows);
  const parts = { bits, starts, remainders, more, least, greatest };
  let at = 0;
  for (const part of filterBytes(parts)) at += bytes.copy(part, 0, at, at + part.length);
  const isWhole = starts[0] === 0 && starts[2 ** bits] === rows;
  return isWhole ? new IdFilter(parts) : undefined;
}

/** Where the blocks of entries begin. */
export function entriesPosition(header: Pick<IndexHeader, 'rows' | 'bits'>): number {
  return Math.ceil((INDEX_HEADER_BYTES + filterLength(header)) / INDEX_BLOCK_BYTES) * INDEX_BLOCK_BYTES;
}

export function indexBytes(header: Pick<IndexHeader, 'rows' | 'bits'>): number {
  return entriesPosition(header) + Math.ceil(header.rows / BLOCK_ENTRIES) * INDEX_BLOCK_BYTES;
}

export function placeAt(block: Buffer, inBlock: number): number {
  return block.readUInt32LE(ENTRY_BYTES * inBlock + 4);
}

/** Adds the checksum. @param number of the block, from 0 on */
export function sealEntries(block: Buffer, number: number): void {
  block.writeUInt32LE(entriesChecksum(block, number), ENTRY_BYTES * BLOCK_ENTRIES);
  block.writeUInt32LE(0, ENTRY_BYTES * BLOCK_ENTRIES + 4);
}

/** Whether it is the block of this number, as it was written. */
export function holdsEntries(block: Buffer, number: number): boolean {
  if (block.length !== INDEX_BLOCK_BYTES || block.readUInt32LE(ENTRY_BYTES * BLOCK_ENTRIES + 4) !== 0) return false;
  return block.readUInt32LE(ENTRY_BYTES * BLOCK_ENTRIES) === entriesChecksum(block, number);
}

const place = Buffer.alloc(4);

/** Over the block and what it should be: a block that was written elsewhere does not pass. */
function entriesChecksum(block: Buffer, number: number): number {
  place.writeUInt32LE(number, 0);
  return crc32(block.subarray(0, ENTRY_BYTES * BLOCK_ENTRIES), crc32(place));
}
