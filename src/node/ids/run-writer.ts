import { join } from 'node:path';
import { isMissing, type FileSystem, type RandomAccessFile } from '../../log/files';
import { CHAIN_ROWS, chainBehind } from '../../ledger/row-chain';
import { TRANSFER_WORDS } from '../../ledger/transfer-row';
import { IdHashes } from './id-hashes';
import {
  BLOCK_BYTES,
  encodeRunHeader,
  extrasChecksum,
  extrasPosition,
  EXTRAS_CRC_BYTES,
  ROW_BYTES,
  RUN_HEADER_BYTES,
  runFile,
  sealBlock,
  type RunName,
} from './run-format';

/** Written at a stroke: so much is hashed before others get a turn. */
const PIECE_UNITS = 128;
/** Bytes of extras, about. */
const PIECE_EXTRAS = 512 * 1024;
/** Synced so often while it grows: a large file synced at its end would hold up the log's own syncs for long. */
const SYNC_EVERY_BYTES = 8 * 1024 * 1024;
export const BEING_WRITTEN = '.tmp';

export interface RunSource {
  /** Of the first row of the run; a multiple of CHAIN_ROWS. */
  readonly first: number;
  readonly count: number;
  /** H before the first row, see RowChain. */
  readonly chainBefore: Buffer;
  /** The first row that says how long its extras are; Infinity: none does. */
  readonly lengthsFrom: number;
  /** CHAIN_ROWS rows from `row` on, valid until the next call. */
  unit(row: number): RunUnit | Promise<RunUnit>;
}

export interface RunUnit {
  readonly words: Uint32Array;
  /** What these rows have beyond their words, one behind the other. */
  readonly extras: Uint8Array;
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
  let written: { readonly chain: Buffer; readonly extras: number };
  try {
    written = await writeBlocks(file, source, hashes);
    const { chain, extras } = written;
    const { first, count, chainBefore, lengthsFrom } = source;
    await file.write([encodeRunHeader({ first, count, chainBefore, chainBehind: chain, extras, lengthsFrom })], 0);
    await file.sync();
  } finally {
    await file.close();
  }
  const { chain, extras } = written;
  const name = { first: source.first, count: source.count, chain: chain.toString('hex'), extras };
  await files.rename(temporary, join(directory, runFile(name)));
  await files.syncDirectory(directory);
  return { name, hashes };
}

async function writeBlocks(
  file: RandomAccessFile,
  source: RunSource,
  hashes: IdHashes,
): Promise<{ readonly chain: Buffer; readonly extras: number }> {
  const piece = Buffer.alloc(PIECE_UNITS * BLOCK_BYTES);
  const end = source.first + source.count;
  const behindRows = extrasPosition(source);
  let chain = source.chainBefore;
  let at = RUN_HEADER_BYTES;
  let extrasAt = 0;
  let unsynced = 0;
  for (let row = source.first; row < end;) {
    let filled = 0;
    const beside: Buffer[] = [];
    const before = extrasAt;
    for (; filled < piece.length && extrasAt - before < PIECE_EXTRAS && row < end; row += CHAIN_ROWS) {
      const asked = source.unit(row);
      const { words, extras } = asked instanceof Promise ? await asked : asked;
      const bytes = new Uint8Array(words.buffer, words.byteOffset, CHAIN_ROWS * ROW_BYTES);
      chain = chainBehind(chain, bytes, extras);
      for (let i = 0; i < CHAIN_ROWS; i++) hashes.add(words, i * TRANSFER_WORDS);
      piece.set(bytes, filled);
      sealBlock(piece.subarray(filled, filled + BLOCK_BYTES), row, extras.length === 0 ? 0 : extrasAt);
      filled += BLOCK_BYTES;
      if (extras.length === 0) continue;
      beside.push(sealedExtras(extras, row));
      extrasAt += extras.length + EXTRAS_CRC_BYTES;
    }
    await file.write([piece.subarray(0, filled)], at);
    if (beside.length > 0) await file.write(beside, behindRows + before);
    at += filled;
    unsynced += filled + extrasAt - before;
    if (unsynced < SYNC_EVERY_BYTES) continue;
    await file.datasync();
    unsynced = 0;
  }
  return { chain, extras: extrasAt };
}

function sealedExtras(extras: Uint8Array, first: number): Buffer {
  const sealed = Buffer.alloc(extras.length + EXTRAS_CRC_BYTES);
  sealed.set(extras);
  sealed.writeUInt32LE(extrasChecksum(extras, first), extras.length);
  return sealed;
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
