import { join } from 'node:path';
import { type FileSystem, FileSystemError, isMissing, type RandomAccessFile } from '../../log/files';
import { CHAIN_ROWS, chainBehind } from '../../ledger/row-chain';
import { extrasBytes, TRANSFER_WORDS } from '../../ledger/transfer-row';
import { IdHashes } from './id-hashes';
import {
  BLOCK_BYTES,
  BLOCK_ROWS,
  blockPosition,
  checkBlock,
  decodeRunHeader,
  extrasAt,
  extrasBefore,
  extrasChecksum,
  extrasPosition,
  EXTRAS_CRC_BYTES,
  IdFileDamageError,
  ROW_BYTES,
  RUN_HEADER_BYTES,
  runBytes,
  runFile,
  type RunHeader,
  type RunName,
} from './run-format';
import type { RunFolder } from './run-writer';

const NO_BYTES = new Uint8Array(0);

/** Where the extras of the rows of a block are. */
export interface ExtrasPlace {
  /** Number of the first row of the block. */
  readonly first: number;
  /** In the file. */
  readonly position: number;
  readonly bytes: number;
}

/** The rows of one run, by their numbers in the table, with what they have beyond them. */
export class IdRun {
  private constructor(
    private readonly files: FileSystem,
    readonly name: RunName,
    readonly header: RunHeader,
    private readonly file: RandomAccessFile,
  ) {}

  /** Rejects with IdFileDamageError or FileSystemError where it is not there, or not what it should be on the face of it. */
  static async open({ files, directory }: RunFolder, name: RunName): Promise<IdRun> {
    const file = await files.open(join(directory, runFile(name)), 'read');
    try {
      return new IdRun(files, name, await checkedHeader(file, name), file);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** The checked block that holds a row. */
  async readBlock(row: number): Promise<Buffer> {
    const inRun = row - this.name.first;
    const block = Buffer.alloc(BLOCK_BYTES);
    const filled = await this.file.read(block, blockPosition(inRun));
    return this.checked(block.subarray(0, filled), inRun);
  }

  /** As `readBlock`, where the answer cannot wait. */
  readBlockSync(row: number): Buffer {
    const inRun = row - this.name.first;
    const block = Buffer.alloc(BLOCK_BYTES);
    return this.checked(block.subarray(0, this.filledSync(block, blockPosition(inRun))), inRun);
  }

  /** Where the checked extras of the rows of a block are, and how long they are; undefined where these rows have none here. */
  extrasIn(row: number, block: Buffer): ExtrasPlace | undefined {
    const first = row - (row % BLOCK_ROWS);
    const bytes = extrasBefore(block, BLOCK_ROWS, first, this.header.lengthsFrom);
    if (bytes === 0) return undefined;
    return { first, position: extrasPosition(this.name) + extrasAt(block), bytes };
  }

  /** The extras of the rows of a block, one behind the other. */
  async readExtras(place: ExtrasPlace): Promise<Buffer> {
    return extrasIn(this.file, place);
  }

  /** As `readExtras`, where the answer cannot wait. */
  readExtrasSync(place: ExtrasPlace): Buffer {
    const read = Buffer.alloc(place.bytes + EXTRAS_CRC_BYTES);
    return checkedExtras(this.file.path, place, read.subarray(0, this.filledSync(read, place.position)));
  }

  /** The entry of one row, in what `readExtras` gave. */
  entryOf(row: number, block: Buffer, extras: Buffer): Uint8Array {
    const inBlock = row % BLOCK_ROWS;
    const { lengthsFrom } = this.header;
    const from = extrasBefore(block, inBlock, row - inBlock, lengthsFrom);
    return extras.subarray(from, extrasBefore(block, inBlock + 1, row - inBlock, lengthsFrom));
  }

  /** What an index is made of. Reads all rows. */
  async hashes(seed: number): Promise<IdHashes> {
    const hashes = new IdHashes(this.name.count, seed);
    for await (const { words } of unitsOf(this.file, this.name)) addAll(hashes, words);
    return hashes;
  }

  /** As `hashes`, and holds the rows against the run's name on the way. */
  async verifiedHashes(seed: number): Promise<IdHashes> {
    const hashes = new IdHashes(this.name.count, seed);
    await verifyRun(this.file, this.name, (unit) => addAll(hashes, unit));
    return hashes;
  }

  async close(): Promise<void> {
    await this.file.close();
  }

  /** By name: what was set aside as damaged meanwhile is not there for it. */
  private filledSync(block: Buffer, position: number): number {
    const { path } = this.file;
    try {
      return this.files.readSync(path, block, position);
    } catch (error) {
      if (!(error instanceof FileSystemError && isMissing(error))) throw error;
      throw new IdFileDamageError(path, position, 'it is not there any more');
    }
  }

  private checked(block: Buffer, inRun: number): Buffer {
    const first = this.name.first + inRun - (inRun % BLOCK_ROWS);
    checkBlock(this.file.path, blockPosition(inRun), block, first);
    return block;
  }
}

/**
 * Reads a run to its end and holds it against its checksums and its name. Rejects with IdFileDamageError.
 * @param onUnit is given the words of CHAIN_ROWS rows at a time, each valid until the next
 */
export async function verifyRun(
  file: RandomAccessFile,
  name: RunName,
  onUnit: (unit: Uint32Array) => void = () => undefined,
): Promise<RunHeader> {
  const header = await checkedHeader(file, name);
  let chain: Buffer = header.chainBefore;
  let row = name.first;
  let extrasUpTo = 0;
  for await (const { words, at } of unitsOf(file, name)) {
    const bytes = extrasBytes(words, 0, row, CHAIN_ROWS, header.lengthsFrom);
    const place = { first: row, position: extrasPosition(name) + extrasUpTo, bytes };
    if (bytes > 0 && at !== extrasUpTo) {
      const position = blockPosition(row - name.first);
      throw new IdFileDamageError(file.path, position, 'its extras do not follow those of the rows before');
    }
    if (bytes > 0) extrasUpTo += bytes + EXTRAS_CRC_BYTES;
    chain = chainBehind(chain, wordBytes(words), bytes === 0 ? NO_BYTES : await extrasIn(file, place));
    onUnit(words);
    row += CHAIN_ROWS;
  }
  if (chain.toString('hex') === name.chain && extrasUpTo === name.extras) return header;
  throw new IdFileDamageError(file.path, RUN_HEADER_BYTES, 'its rows are not those that its name stands for');
}

async function extrasIn(file: RandomAccessFile, place: ExtrasPlace): Promise<Buffer> {
  const read = Buffer.alloc(place.bytes + EXTRAS_CRC_BYTES);
  return checkedExtras(file.path, place, read.subarray(0, await file.read(read, place.position)));
}

/** The bytes without their checksum. Throws IdFileDamageError. */
function checkedExtras(file: string, { first, position, bytes }: ExtrasPlace, read: Buffer): Buffer {
  const extras = read.subarray(0, bytes);
  const isWhole = read.length === bytes + EXTRAS_CRC_BYTES;
  if (isWhole && read.readUInt32LE(bytes) === extrasChecksum(extras, first)) return extras;
  throw new IdFileDamageError(file, position, `the checksum of the extras of the rows from ${first} on does not match`);
}

function wordBytes(words: Uint32Array): Uint8Array {
  return new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
}

async function checkedHeader(file: RandomAccessFile, name: RunName): Promise<RunHeader> {
  const bytes = Buffer.alloc(RUN_HEADER_BYTES);
  const filled = await file.read(bytes, 0);
  const header = decodeRunHeader(file.path, bytes.subarray(0, filled), name);
  const [size, expected] = [await file.size(), runBytes(name)];
  if (size === expected) return header;
  throw new IdFileDamageError(file.path, Math.min(size, expected), `it has ${size} bytes, not ${expected}`);
}

function addAll(hashes: IdHashes, unit: Uint32Array): void {
  for (let i = 0; i < CHAIN_ROWS; i++) hashes.add(unit, i * TRANSFER_WORDS);
}

/** Blocks that are read at a stroke. */
const READ_BLOCKS = 64;

interface ReadUnit {
  /** Valid until the next one. */
  readonly words: Uint32Array;
  /** Where its rows' extras begin, see `sealBlock`. */
  readonly at: number;
}

/** The rows of a run, CHAIN_ROWS at a time. Throws IdFileDamageError. */
async function* unitsOf(file: RandomAccessFile, name: RunName): AsyncGenerator<ReadUnit, void, undefined> {
  const read = Buffer.alloc(READ_BLOCKS * BLOCK_BYTES);
  const words = new Uint32Array(CHAIN_ROWS * TRANSFER_WORDS);
  const bytes = new Uint8Array(words.buffer);
  for (let inRun = 0; inRun < name.count; inRun += READ_BLOCKS * BLOCK_ROWS) {
    const position = blockPosition(inRun);
    const filled = await file.read(read, position);
    for (let at = 0; at < READ_BLOCKS && inRun + at * BLOCK_ROWS < name.count; at++) {
      const block = read.subarray(at * BLOCK_BYTES, Math.min(filled, (at + 1) * BLOCK_BYTES));
      checkBlock(file.path, position + at * BLOCK_BYTES, block, name.first + inRun + at * BLOCK_ROWS);
      bytes.set(block.subarray(0, BLOCK_ROWS * ROW_BYTES));
      yield { words, at: extrasAt(block) };
    }
  }
}
