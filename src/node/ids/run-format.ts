/** The bytes of a run: rows of transfers in the order of their numbers, in a file that never changes. See docs/internals/ids.md. */
import { crc32 } from 'node:zlib';
import { readU64, writeU64 } from '../../log/u64';
import { CHAIN_BYTES, CHAIN_ROWS } from '../../ledger/row-chain';
import { TRANSFER_WORDS } from '../../ledger/transfer-table';

export const RUN_HEADER_BYTES = 128;
export const ROW_BYTES = TRANSFER_WORDS * 4;
/** Rows that share a checksum: what is read for one of them. */
export const BLOCK_ROWS = 64;
const ROWS_IN_BLOCK_BYTES = BLOCK_ROWS * ROW_BYTES;
export const BLOCK_BYTES = ROWS_IN_BLOCK_BYTES + 8;

const MAGIC = 0x52494e4c;
const VERSION = 1;
const CRC_AT = 8;

/** Which rows a run holds, and which they are: the chain is the hash of all rows up to its last one. */
export interface RunName {
  readonly first: number;
  /** A multiple of CHAIN_ROWS, as `first` is. */
  readonly count: number;
  /** 64 hexadecimal digits. */
  readonly chain: string;
}

export interface RunHeader {
  readonly first: number;
  readonly count: number;
  readonly chainBefore: Buffer;
  readonly chainBehind: Buffer;
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

const NAME = /^([0-9]+)-([0-9]+)-([0-9a-f]{64})\.rows$/;

export function runFile({ first, count, chain }: RunName): string {
  return `${first}-${count}-${chain}.rows`;
}

/** Undefined where it is not the name of a run. */
export function runOf(file: string): RunName | undefined {
  const [, first, count, chain] = NAME.exec(file) ?? [];
  if (first === undefined || count === undefined || chain === undefined) return undefined;
  const name = { first: Number(first), count: Number(count), chain };
  const isWhole = name.count > 0 && name.first % CHAIN_ROWS === 0 && name.count % CHAIN_ROWS === 0;
  return isWhole && runFile(name) === file ? name : undefined;
}

export function runBytes({ count }: Pick<RunName, 'count'>): number {
  return RUN_HEADER_BYTES + (count / BLOCK_ROWS) * BLOCK_BYTES;
}

export function encodeRunHeader(header: RunHeader): Buffer {
  const bytes = Buffer.alloc(RUN_HEADER_BYTES);
  bytes.writeUInt32LE(MAGIC, 0);
  bytes.writeUInt16LE(VERSION, 4);
  bytes.writeUInt32LE(TRANSFER_WORDS, 12);
  writeU64(bytes, header.first, 16);
  writeU64(bytes, header.count, 24);
  header.chainBefore.copy(bytes, 32);
  header.chainBehind.copy(bytes, 32 + CHAIN_BYTES);
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
  if (bytes.readUInt16LE(4) !== VERSION || bytes.readUInt32LE(12) !== TRANSFER_WORDS) {
    throw damaged(`it has format ${bytes.readUInt16LE(4)}, and this program knows format ${VERSION}`);
  }
  const header = {
    first: readU64(bytes, 16),
    count: readU64(bytes, 24),
    chainBefore: Buffer.from(bytes.subarray(32, 32 + CHAIN_BYTES)),
    chainBehind: Buffer.from(bytes.subarray(32 + CHAIN_BYTES, 32 + 2 * CHAIN_BYTES)),
  };
  const isNamed = header.first === name.first && header.count === name.count;
  if (!isNamed || header.chainBehind.toString('hex') !== name.chain)
    throw damaged('it is another run than its name says');
  return header;
}

/** Where in the file the block stands that holds a row of the run, counted from its first one. */
export function blockPosition(inRun: number): number {
  return RUN_HEADER_BYTES + Math.floor(inRun / BLOCK_ROWS) * BLOCK_BYTES;
}

/** Adds the checksum behind the rows of a block. @param first number of its first row */
export function sealBlock(block: Buffer, first: number): void {
  block.writeUInt32LE(blockChecksum(block, first), ROWS_IN_BLOCK_BYTES);
  block.writeUInt32LE(0, ROWS_IN_BLOCK_BYTES + 4);
}

/** Throws IdFileDamageError. @param first number of its first row */
export function checkBlock(file: string, position: number, block: Buffer, first: number): void {
  const isWhole = block.length === BLOCK_BYTES && block.readUInt32LE(ROWS_IN_BLOCK_BYTES + 4) === 0;
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
  return crc32(block.subarray(0, ROWS_IN_BLOCK_BYTES), crc32(number));
}
