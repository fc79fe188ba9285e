import { join } from 'node:path';
import { type FileSystem, FileSystemError, isMissing, type RandomAccessFile } from '../../log/files';
import { CHAIN_ROWS, chainBehind } from '../../ledger/row-chain';
import { TRANSFER_WORDS } from '../../ledger/transfer-table';
import { IdHashes } from './id-hashes';
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
import type { RunFolder } from './run-writer';

/** The rows of one run, by their numbers in the table. */
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

  /** What an index is made of. Reads all rows. */
  async hashes(seed: number): Promise<IdHashes> {
    const hashes = new IdHashes(this.name.count, seed);
    for await (const unit of unitsOf(this.file, this.name)) addAll(hashes, unit);
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
