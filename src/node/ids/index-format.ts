/** The bytes of an index of a run: derived from it, keyed with the node's own seed. See docs/internals/ids.md. */
import { crc32 } from 'node:zlib';
import { IdFilter } from './id-filter';

export const INDEX_HEADER_BYTES = 64;
export const INDEX_BLOCK_BYTES = 4_096;
/** The last word of a block is its checksum. */
export const BLOCK_PLACES = INDEX_BLOCK_BYTES / 4 - 1;
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

export function indexFile(runFile: string): string {
  return runFile.replace(/\.rows$/, '.index');
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

/** Where the blocks of places begin. */
export function placesPosition(header: Pick<IndexHeader, 'rows' | 'bits'>): number {
  return Math.ceil((INDEX_HEADER_BYTES + filterLength(header)) / INDEX_BLOCK_BYTES) * INDEX_BLOCK_BYTES;
}

export function indexBytes(header: Pick<IndexHeader, 'rows' | 'bits'>): number {
  return placesPosition(header) + Math.ceil(header.rows / BLOCK_PLACES) * INDEX_BLOCK_BYTES;
}

/** A block with the places from `from` on. */
export function encodePlaces(places: Uint32Array, from: number): Buffer {
  const block = Buffer.alloc(INDEX_BLOCK_BYTES);
  const end = Math.min(places.length, from + BLOCK_PLACES);
  for (let i = from; i < end; i++) block.writeUInt32LE(places[i] as number, 4 * (i - from));
  block.writeUInt32LE(placesChecksum(block, from), 4 * BLOCK_PLACES);
  return block;
}

/** The place in the run that entry `entry` says; undefined where the block is damaged. */
export function placeIn(block: Buffer, entry: number): number | undefined {
  const from = entry - (entry % BLOCK_PLACES);
  if (block.length !== INDEX_BLOCK_BYTES) return undefined;
  if (block.readUInt32LE(4 * BLOCK_PLACES) !== placesChecksum(block, from)) return undefined;
  return block.readUInt32LE(4 * (entry - from));
}

/** Over the block and what it should be: a block that was written elsewhere does not pass. */
function placesChecksum(block: Buffer, from: number): number {
  const number = Buffer.alloc(4);
  number.writeUInt32LE(from, 0);
  return crc32(block.subarray(0, 4 * BLOCK_PLACES), crc32(number));
}
