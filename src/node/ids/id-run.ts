import { join } from 'node:path';
import type { RandomAccessFile } from '../../log/files';
import { CHAIN_ROWS, chainBehind } from '../../ledger/row-chain';
import { TRANSFER_WORDS } from '../../ledger/transfer-table';
import { IdHashes, type IdFilter } from './id-filter';
import {
  BLOCK_BYTES,
  BLOCK_ROWS,
  blockPosition,
  checkBlock,
  decodeRunHeader,
  IdFileDamageError,
  ROW_BYTES,
  RUN_HEADER_BYTES,
  runBytes,
  runFile,
  type RunHeader,
  type RunName,
} from './run-format';
import { indexInMemory, openIndex, type RunIndex } from './run-index';
import { writeIndex, type RunFolder } from './run-writer';

/** One run that is open: its rows by number, and the entries of its index. */
export class IdRun {
  /** Indexes that were made anew; somebody may still have been reading them. */
  private readonly replaced: RunIndex[] = [];

  private constructor(
    private readonly folder: RunFolder,
    readonly name: RunName,
    readonly header: RunHeader,
    private readonly rowFile: RandomAccessFile,
    private index: RunIndex,
  ) {}

  /**
   * Rejects with IdFileDamageError or FileSystemError where the rows are not there; an index that is not, or that another
   * seed was used for, is made anew.
   */
  static async open(folder: RunFolder, name: RunName): Promise<IdRun> {
    const rowFile = await folder.files.open(join(folder.directory, runFile(name)), 'read');
    try {
      const header = await checkedHeader(rowFile, name);
      const index = (await openIndex(folder, name)) ?? (await madeIndex(folder, name, rowFile));
      return new IdRun(folder, name, header, rowFile, index);
    } catch (error) {
      await rowFile.close();
      throw error;
    }
  }

  /** Opens a run for those who may not write: reads all of it, holds it against its name, and keeps its index in memory. */
  static async openReadOnly(folder: RunFolder, name: RunName): Promise<IdRun> {
    const rowFile = await folder.files.open(join(folder.directory, runFile(name)), 'read');
    try {
      const hashes = new IdHashes(name.count, folder.seed);
      const header = await verifyRun(rowFile, name, (unit) => addAll(hashes, unit));
      return new IdRun(folder, name, header, rowFile, indexInMemory(hashes));
    } catch (error) {
      await rowFile.close();
      throw error;
    }
  }

  get filter(): IdFilter {
    return this.index.filter;
  }

  /** The checked block that holds a row, by its number in the table. */
  async readBlock(row: number): Promise<Buffer> {
    const inRun = row - this.name.first;
    const block = Buffer.alloc(BLOCK_BYTES);
    const filled = await this.rowFile.read(block, blockPosition(inRun));
    return this.checked(block.subarray(0, filled), inRun);
  }

  /** As `readBlock`, where the answer cannot wait. */
  readBlockSync(row: number): Buffer {
    const inRun = row - this.name.first;
    const block = Buffer.alloc(BLOCK_BYTES);
    const filled = this.folder.files.readSync(this.rowFile.path, block, blockPosition(inRun));
    return this.checked(block.subarray(0, filled), inRun);
  }

  /** The number of the row that an entry of the index stands for. */
  async rowOf(entry: number): Promise<number> {
    return this.name.first + (await this.index.placeOf(entry));
  }

  rowOfSync(entry: number): number {
    return this.name.first + this.index.placeOfSync(entry);
  }

  /** Makes the index anew, where it turned out to be damaged. The entries have the places that they had. */
  async mendIndex(): Promise<void> {
    const made = await madeIndex(this.folder, this.name, this.rowFile);
    this.replaced.push(this.index);
    this.index = made;
  }

  async close(): Promise<void> {
    await this.rowFile.close();
    for (const index of [this.index, ...this.replaced]) await index.close();
  }

  private checked(block: Buffer, inRun: number): Buffer {
    const first = this.name.first + inRun - (inRun % BLOCK_ROWS);
    checkBlock(this.rowFile.path, blockPosition(inRun), block, first);
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
  for await (const unit of unitsOf(file, name)) {
    chain = chainBehind(chain, new Uint8Array(unit.buffer, unit.byteOffset, unit.byteLength));
    onUnit(unit);
  }
  if (chain.toString('hex') === name.chain) return header;
  throw new IdFileDamageError(file.path, RUN_HEADER_BYTES, 'its rows are not those that its name stands for');
}

async function checkedHeader(file: RandomAccessFile, name: RunName): Promise<RunHeader> {
  const bytes = Buffer.alloc(RUN_HEADER_BYTES);
  const filled = await file.read(bytes, 0);
  const header = decodeRunHeader(file.path, bytes.subarray(0, filled), name);
  const [size, expected] = [await file.size(), runBytes(name)];
  if (size === expected) return header;
  throw new IdFileDamageError(file.path, Math.min(size, expected), `it has ${size} bytes, not ${expected}`);
}

async function madeIndex(folder: RunFolder, name: RunName, rowFile: RandomAccessFile): Promise<RunIndex> {
  const hashes = new IdHashes(name.count, folder.seed);
  for await (const unit of unitsOf(rowFile, name)) addAll(hashes, unit);
  await writeIndex(folder, { name, hashes });
  const index = await openIndex(folder, name);
  if (!index) throw new Error(`The index of ${rowFile.path} was written, and cannot be read.`);
  return index;
}

function addAll(hashes: IdHashes, unit: Uint32Array): void {
  for (let i = 0; i < CHAIN_ROWS; i++) hashes.add(unit, i * TRANSFER_WORDS);
}

/** Blocks that are read at a stroke. */
const READ_BLOCKS = 64;

/** The rows of a run, CHAIN_ROWS at a time, each valid until the next. Throws IdFileDamageError. */
async function* unitsOf(file: RandomAccessFile, name: RunName): AsyncGenerator<Uint32Array, void, undefined> {
  const read = Buffer.alloc(READ_BLOCKS * BLOCK_BYTES);
  const words = new Uint32Array(CHAIN_ROWS * TRANSFER_WORDS);
  const bytes = new Uint8Array(words.buffer);
  for (let inRun = 0; inRun < name.count; inRun += READ_BLOCKS * BLOCK_ROWS) {
    const position = blockPosition(inRun);
    const filled = await file.read(read, position);
    for (let at = 0; at < READ_BLOCKS && inRun + at * BLOCK_ROWS < name.count; at++) {
      const block = read.subarray(at * BLOCK_BYTES, Math.min(filled, (at + 1) * BLOCK_BYTES));
      checkBlock(file.path, position + at * BLOCK_BYTES, block, name.first + inRun + at * BLOCK_ROWS);
      const inUnit = (at * BLOCK_ROWS) % CHAIN_ROWS;
      bytes.set(block.subarray(0, BLOCK_ROWS * ROW_BYTES), inUnit * ROW_BYTES);
      if (inUnit + BLOCK_ROWS === CHAIN_ROWS) yield words;
    }
  }
}
