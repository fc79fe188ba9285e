/** The bytes of a run: rows of transfers in the order of their numbers, in a file that never changes. See docs/internals/ids.md. */
import { crc32 } from 'node:zlib';
import { readU64, writeU64 } from '../../log/u64';
import { CHAIN_BYTES, CHAIN_ROWS } from '../../ledger/row-chain';
import { Row, TRANSFER_WORDS } from '../../ledger/transfer-row';

export const RUN_HEADER_BYTES = 128;
export const ROW_BYTES = TRANSFER_WORDS * 4;
/** Rows that share a checksum: what is read for one of them. */
export const BLOCK_ROWS = CHAIN_ROWS;
const ROWS_IN_BLOCK_BYTES = BLOCK_ROWS * ROW_BYTES;
export const BLOCK_BYTES = ROWS_IN_BLOCK_BYTES + 8;

const MAGIC = 0x52494e4c;
const VERSION = 2;
/** Of a run whose rows do not say how long their extras are. */
const WITHOUT_EXTRAS = 1;
const CRC_AT = 8;
/** In a block, behind the checksum. */
const EXTRAS_AT = ROWS_IN_BLOCK_BYTES + 4;
/** Behind the extras of a block's rows. */
export const EXTRAS_CRC_BYTES = 4;

/** Which rows a run holds, and which they are: the chain is the hash of all rows up to its last one. */
export interface RunName {
  readonly first: number;
  /** A multiple of CHAIN_ROWS, as `first` is. */
  readonly count: number;
  /** 64 hexadecimal digits. */
  readonly chain: string;
  /** Bytes behind the rows, where their extras are, with the checksums of these; in the name of an index 0. */
  readonly extras: number;
}

export interface RunHeader {
  readonly first: number;
  readonly count: number;
  readonly chainBefore: Buffer;
  readonly chainBehind: Buffer;
  /** Bytes, as in the name. */
  readonly extras: number;
  /** The first row that says how long its extras are; rows before it have none here. */
  readonly lengthsFrom: number;
}

/** A file of ids is not what was written. */
export class IdFileDamageError extends Error {
  override readonly name = 'IdFileDamageError';

  constructor(
    readonly file: string,
    /** Bytes. */
    readonly position: number,
    readonly what: string,
  ) {
    super(`${file} is damaged at byte ${position}: ${what}.`);
  }
}

/** What is not damaged is not set aside: it can be read by the program that wrote it. */
export function newerRun(file: string): Error {
  return new Error(
    `${file} is no run of rows that this program knows: a newer one has written it. Start that one on this data directory.`,
  );
}

const NAME = /^([0-9]+)-([0-9]+)-([0-9a-f]{64})(?:-([0-9]+))?\.rows$/;

export function runFile({ first, count, chain, extras }: RunName): string {
  return `${first}-${count}-${chain}${extras === 0 ? '' : `-${extras}`}.rows`;
}

/** Undefined where it is not the name of a run. */
export function runOf(file: string): RunName | undefined {
  const [, first, count, chain, extras = '0'] = NAME.exec(file) ?? [];
  if (first === undefined || count === undefined || chain === undefined) return undefined;
  const name = { first: Number(first), count: Number(count), chain, extras: Number(extras) };
  const isWhole = name.count > 0 && name.first % CHAIN_ROWS === 0 && name.count % CHAIN_ROWS === 0;
  return isWhole && runFile(name) === file ? name : undefined;
}

export function runBytes(name: Pick<RunName, 'count' | 'extras'>): number {
  return extrasPosition(name) + name.extras;
}

/** Where the extras of a run's rows begin. */
export function extrasPosition({ count }: Pick<RunName, 'count'>): number {
  return RUN_HEADER_BYTES + (count / BLOCK_ROWS) * BLOCK_BYTES;
}

export function encodeRunHeader(header: RunHeader): Buffer {
  const bytes = Buffer.alloc(RUN_HEADER_BYTES);
  bytes.writeUInt32LE(MAGIC, 0);
  bytes.writeUInt16LE(header.extras === 0 ? WITHOUT_EXTRAS : VERSION, 4);
  bytes.writeUInt32LE(TRANSFER_WORDS, 12);
  writeU64(bytes, header.first, 16);
  writeU64(bytes, header.count, 24);
  header.chainBefore.copy(bytes, 32);
  header.chainBehind.copy(bytes, 32 + CHAIN_BYTES);
  if (header.extras > 0) {
    writeU64(bytes, header.lengthsFrom, 96);
    writeU64(bytes, header.extras, 104);
  }
  bytes.writeUInt32LE(crc32(bytes.subarray(CRC_AT + 4)), CRC_AT);
  return bytes;
}

/** Throws IdFileDamageError where these are not the first bytes of the run that the name says. */
export function decodeRunHeader(file: string, bytes: Buffer, name: RunName): RunHeader {
  const damaged = (what: string): IdFileDamageError => new IdFileDamageError(file, 0, what);
  if (bytes.length < RUN_HEADER_BYTES) throw damaged(`it ends after ${bytes.length} bytes`);
  if (bytes.readUInt32LE(0) !== MAGIC) throw damaged('it does not begin like a run of rows');
  if (crc32(bytes.subarray(CRC_AT + 4, RUN_HEADER_BYTES)) !== bytes.readUInt32LE(CRC_AT)) {
    throw damaged('the checksum of its header does not match');
  }
  const version = bytes.readUInt16LE(4);
  const isKnown = version === WITHOUT_EXTRAS || version === VERSION;
  if (!isKnown || bytes.readUInt32LE(12) !== TRANSFER_WORDS) throw newerRun(file);
  const header = {
    first: readU64(bytes, 16),
    count: readU64(bytes, 24),
    chainBefore: Buffer.from(bytes.subarray(32, 32 + CHAIN_BYTES)),
    chainBehind: Buffer.from(bytes.subarray(32 + CHAIN_BYTES, 32 + 2 * CHAIN_BYTES)),
    lengthsFrom: version === VERSION ? readU64(bytes, 96) : Infinity,
    extras: version === VERSION ? readU64(bytes, 104) : 0,
  };
  const isNamed = header.first === name.first && header.count === name.count && header.extras === name.extras;
  if (!isNamed || header.chainBehind.toString('hex') !== name.chain)
    throw damaged('it is another run than its name says');
  return header;
}

/** Where in the file the block stands that holds a row of the run, counted from its first one. */
export function blockPosition(inRun: number): number {
  return RUN_HEADER_BYTES + Math.floor(inRun / BLOCK_ROWS) * BLOCK_BYTES;
}

/**
 * Adds what stands behind the rows of a block.
 * @param first number of its first row
 * @param extrasAt where their extras begin, in bytes behind those of the first rows of the run; 0 where they have none
 */
export function sealBlock(block: Buffer, first: number, extrasAt: number): void {
  block.writeUInt32LE(extrasAt, EXTRAS_AT);
  block.writeUInt32LE(blockChecksum(block, first), ROWS_IN_BLOCK_BYTES);
}

/** Where the extras of a block's rows begin, see `sealBlock`. */
export function extrasAt(block: Buffer): number {
  return block.readUInt32LE(EXTRAS_AT);
}

/** Bytes of the extras of the first `rows` rows of a block. @param first number of its first row */
export function extrasBefore(block: Buffer, rows: number, first: number, lengthsFrom: number): number {
  let bytes = 0;
  for (let i = Math.max(0, lengthsFrom - first); i < rows; i++) {
    bytes += block.readUInt32LE(i * ROW_BYTES + 4 * Row.EXTRAS);
  }
  return bytes;
}

/** What stands behind the extras of a block's rows. @param first number of its first row */
export function extrasChecksum(extras: Uint8Array, first: number): number {
  writeU64(number, first, 0);
  return crc32(extras, crc32(number));
}

/** Throws IdFileDamageError. @param first number of its first row */
export function checkBlock(file: string, position: number, block: Buffer, first: number): void {
  const isWhole = block.length === BLOCK_BYTES;
  if (isWhole && block.readUInt32LE(ROWS_IN_BLOCK_BYTES) === blockChecksum(block, first)) return;
  throw new IdFileDamageError(file, position, `the checksum of the rows from ${first} on does not match`);
}

/** A copy of one row. */
export function rowIn(block: Buffer, inBlock: number): Uint32Array {
  const row = new Uint32Array(TRANSFER_WORDS);
  const at = inBlock * ROW_BYTES;
  for (let i = 0; i < TRANSFER_WORDS; i++) row[i] = block.readUInt32LE(at + 4 * i);
  return row;
}

const number = Buffer.alloc(8);

function blockChecksum(block: Buffer, first: number): number {
  writeU64(number, first, 0);
  const rows = crc32(block.subarray(0, ROWS_IN_BLOCK_BYTES), crc32(number));
  // Blocks of rows without extras have the checksum that they always had.
  return extrasAt(block) === 0 ? rows : crc32(block.subarray(EXTRAS_AT, BLOCK_BYTES), rows);
}
