/** The bytes of an index of one or several runs: derived from them, keyed with the node's own seed. See docs/internals/ids.md. */
import { crc32 } from 'node:zlib';
import { IdFilter } from './id-filter';
import { runFile, runOf, type RunName } from './run-format';

export const INDEX_HEADER_BYTES = 64;
export const INDEX_BLOCK_BYTES = 4_096;
const ENTRY_BYTES = 8;
/** The last eight bytes of a block are its checksum and zeros. */
export const BLOCK_ENTRIES = INDEX_BLOCK_BYTES / ENTRY_BYTES - 1;
const MAGIC = 0x58494e4c;
const VERSION = 1;
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
  return runFile(name).slice(0, -ROWS.length) + INDEX;
}

/** Undefined where it is not the name of an index. */
export function indexedBy(file: string): RunName | undefined {
  return file.endsWith(INDEX) ? runOf(file.slice(0, -INDEX.length) + ROWS) : undefined;
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
export function filterBytes({ starts, remainders }: IdFilter): Buffer[] {
  return [
    Buffer.from(starts.buffer, starts.byteOffset, starts.byteLength),
    Buffer.from(remainders.buffer, remainders.byteOffset, remainders.byteLength),
  ];
}

export function filterLength({ rows, bits }: Pick<IndexHeader, 'rows' | 'bits'>): number {
  return 4 * (2 ** bits + 1) + 2 * rows;
}

/** Undefined where the bytes are not the filter that the header was made for. */
export function decodeFilter(header: IndexHeader, bytes: Buffer): IdFilter | undefined {
  if (bytes.length !== filterLength(header) || crc32(bytes) !== header.filterChecksum) return undefined;
  const starts = new Uint32Array(2 ** header.bits + 1);
  const remainders = new Uint16Array(header.rows);
  const [startBytes, remainderBytes] = filterBytes(new IdFilter(header.bits, starts, remainders, 0, 0)) as [
    Buffer,
    Buffer,
  ];
  bytes.copy(startBytes, 0, 0, startBytes.length);
  bytes.copy(remainderBytes, 0, startBytes.length);
  if (starts[2 ** header.bits] !== header.rows) return undefined;
  return new IdFilter(header.bits, starts, remainders, header.least, header.greatest);
}

/** Where the blocks of entries begin. */
export function entriesPosition(header: Pick<IndexHeader, 'rows' | 'bits'>): number {
  return Math.ceil((INDEX_HEADER_BYTES + filterLength(header)) / INDEX_BLOCK_BYTES) * INDEX_BLOCK_BYTES;
}

export function indexBytes(header: Pick<IndexHeader, 'rows' | 'bits'>): number {
  return entriesPosition(header) + Math.ceil(header.rows / BLOCK_ENTRIES) * INDEX_BLOCK_BYTES;
}

/**
 * Puts an entry into a block that begins at `at`: the first hash of an id, and the row, counted from the first one of the index.
 * In words, which are little-endian as all of this is.
 */
export function putEntry(words: Int32Array, at: number, inBlock: number, hash: number, place: number): void {
  words[at + 2 * inBlock] = hash;
  words[at + 2 * inBlock + 1] = place;
}

export function hashAt(block: Buffer, inBlock: number): number {
  return block.readInt32LE(ENTRY_BYTES * inBlock);
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

/** Over the block and what it should be: a block that was written elsewhere does not pass. */
function entriesChecksum(block: Buffer, number: number): number {
  const place = Buffer.alloc(4);
  place.writeUInt32LE(number, 0);
  return crc32(block.subarray(0, ENTRY_BYTES * BLOCK_ENTRIES), crc32(place));
}
