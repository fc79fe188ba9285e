import { join } from 'node:path';
import { isMissing, type FileSystem, type RandomAccessFile } from '../../log/files';
import { CHAIN_ROWS, chainBehind } from '../../ledger/row-chain';
import { TRANSFER_WORDS } from '../../ledger/transfer-table';
import { IdHashes } from './id-hashes';
import {
  BLOCK_BYTES,
  BLOCK_ROWS,
  encodeRunHeader,
  ROW_BYTES,
  RUN_HEADER_BYTES,
  runFile,
  sealBlock,
  type RunName,
} from './run-format';

/** Written at a stroke: so much is hashed before others get a turn. */
const PIECE_UNITS = 128;
/** Synced so often while it grows: a large file synced at its end would hold up the log's own syncs for long. */
const SYNC_EVERY_BYTES = 8 * 1024 * 1024;
export const BEING_WRITTEN = '.tmp';

export interface RunSource {
  /** Of the first row of the run; a multiple of CHAIN_ROWS. */
  readonly first: number;
  readonly count: number;
  /** H before the first row, see RowChain. */
  readonly chainBefore: Buffer;
  /** The words of CHAIN_ROWS rows from `row` on, valid until the next call. */
  unit(row: number): Uint32Array | Promise<Uint32Array>;
}

export interface WrittenRun {
  readonly name: RunName;
  readonly hashes: IdHashes;
}

/** Where runs are, and with what their ids are hashed. */
export interface RunFolder {
  readonly files: FileSystem;
  readonly directory: string;
  readonly seed: number;
}

/** Writes rows as a run. It has its name, and is durable, when this resolves. */
export async function writeRun({ files, directory, seed }: RunFolder, source: RunSource): Promise<WrittenRun> {
  const temporary = join(directory, `${source.first}-${source.count}.rows${BEING_WRITTEN}`);
  const hashes = new IdHashes(source.count, seed);
  const file = await createAnew(files, temporary);
  let chain: Buffer;
  try {
    chain = await writeBlocks(file, source, hashes);
    const { first, count, chainBefore } = source;
    await file.write([encodeRunHeader({ first, count, chainBefore, chainBehind: chain })], 0);
    await file.sync();
  } finally {
    await file.close();
  }
  const name = { first: source.first, count: source.count, chain: chain.toString('hex') };
  await files.rename(temporary, join(directory, runFile(name)));
  await files.syncDirectory(directory);
  return { name, hashes };
}

async function writeBlocks(file: RandomAccessFile, source: RunSource, hashes: IdHashes): Promise<Buffer> {
  const blocksInUnit = CHAIN_ROWS / BLOCK_ROWS;
  const piece = Buffer.alloc(PIECE_UNITS * blocksInUnit * BLOCK_BYTES);
  let chain = source.chainBefore;
  let at = RUN_HEADER_BYTES;
  let unsynced = 0;
  for (let row = source.first; row < source.first + source.count;) {
    let filled = 0;
    for (let n = 0; n < PIECE_UNITS && row < source.first + source.count; n++, row += CHAIN_ROWS) {
      const unit = source.unit(row);
      const words = unit instanceof Promise ? await unit : unit;
      const bytes = new Uint8Array(words.buffer, words.byteOffset, CHAIN_ROWS * ROW_BYTES);
      chain = chainBehind(chain, bytes);
      for (let i = 0; i < CHAIN_ROWS; i++) hashes.add(words, i * TRANSFER_WORDS);
      for (let block = 0; block < blocksInUnit; block++, filled += BLOCK_BYTES) {
        piece.set(bytes.subarray(block * BLOCK_ROWS * ROW_BYTES, (block + 1) * BLOCK_ROWS * ROW_BYTES), filled);
        sealBlock(piece.subarray(filled, filled + BLOCK_BYTES), row + block * BLOCK_ROWS);
      }
    }
    await file.write([piece.subarray(0, filled)], at);
    at += filled;
    unsynced += filled;
    if (unsynced < SYNC_EVERY_BYTES) continue;
    await file.datasync();
    unsynced = 0;
  }
  return chain;
}

/** What an earlier attempt left there is of no use. */
export async function createAnew(files: FileSystem, path: string): Promise<RandomAccessFile> {
  try {
    await files.unlink(path);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  return files.open(path, 'create');
}
