import { join } from 'node:path';
import type { RandomAccessFile } from '../../log/files';
import { FilterBuilder } from './filter-builder';
import { IdFilter } from './id-filter';
import type { IdHashes } from './id-hashes';
import {
  BLOCK_ENTRIES,
  encodeIndexHeader,
  entriesPosition,
  filterBytes,
  indexFile,
  INDEX_BLOCK_BYTES,
  INDEX_HEADER_BYTES,
  sealEntries,
} from './index-format';
import type { RunName } from './run-format';
import { BEING_WRITTEN, createAnew, type RunFolder } from './run-writer';

/** Entries are written so many blocks at a stroke; then others get a turn. */
const PIECE_BLOCKS = 64;
const BLOCK_WORDS = INDEX_BLOCK_BYTES / 4;
const SYNC_EVERY_BYTES = 8 * 1024 * 1024;

/** Writes an index in the order of the buckets. It has its name, and is durable, when `finish` resolves. */
export class IndexWriter {
  private readonly piece = new Int32Array(PIECE_BLOCKS * BLOCK_WORDS);
  private entries = 0;
  private isOpen = true;
  private unsynced = 0;

  private constructor(
    private readonly folder: RunFolder,
    private readonly name: RunName,
    private readonly bits: number,
    private readonly file: RandomAccessFile,
  ) {}

  static async create(folder: RunFolder, name: RunName): Promise<IndexWriter> {
    const file = await createAnew(folder.files, join(folder.directory, indexFile(name) + BEING_WRITTEN));
    return new IndexWriter(folder, name, IdFilter.bitsFor(name.count), file);
  }

  /** @param entries two words each: the first hash of an id, and the row, counted from the first one of the index */
  async add(entries: Int32Array): Promise<void> {
    for (let at = 0; at < entries.length;) {
      const inPiece = Math.floor(this.entries / BLOCK_ENTRIES) % PIECE_BLOCKS;
      const inBlock = this.entries % BLOCK_ENTRIES;
      const taken = Math.min(BLOCK_ENTRIES - inBlock, (entries.length - at) / 2);
      // As they lie in memory: this is a little-endian machine, see words.ts.
      this.piece.set(entries.subarray(at, at + 2 * taken), inPiece * BLOCK_WORDS + 2 * inBlock);
      at += 2 * taken;
      this.entries += taken;
      if (inPiece === PIECE_BLOCKS - 1 && inBlock + taken === BLOCK_ENTRIES) await this.writePiece();
    }
  }

  async finish(filter: IdFilter): Promise<void> {
    const { files, directory, seed } = this.folder;
    if (this.entries % (PIECE_BLOCKS * BLOCK_ENTRIES) !== 0) await this.writePiece();
    await this.file.write(filterBytes(filter), INDEX_HEADER_BYTES);
    await this.file.write([encodeIndexHeader(filter, seed)], 0);
    await this.file.sync();
    await this.close();
    const path = join(directory, indexFile(this.name));
    await files.rename(path + BEING_WRITTEN, path);
    await files.syncDirectory(directory);
  }

  /** Once more does no harm: for whoever does not know how far `finish` has come. */
  async close(): Promise<void> {
    if (!this.isOpen) return;
    this.isOpen = false;
    await this.file.close();
  }

  private async writePiece(): Promise<void> {
    const piece = Buffer.from(this.piece.buffer);
    const blocks = Math.ceil(this.entries / BLOCK_ENTRIES);
    const first = Math.floor((blocks - 1) / PIECE_BLOCKS) * PIECE_BLOCKS;
    for (let number = first; number < blocks; number++) {
      const at = (number - first) * INDEX_BLOCK_BYTES;
      sealEntries(piece.subarray(at, at + INDEX_BLOCK_BYTES), number);
    }
    const bytes = (blocks - first) * INDEX_BLOCK_BYTES;
    const position = entriesPosition({ rows: this.name.count, bits: this.bits }) + first * INDEX_BLOCK_BYTES;
    await this.file.write([piece.subarray(0, bytes)], position);
    this.unsynced += bytes;
    if (this.unsynced < SYNC_EVERY_BYTES) return;
    await this.file.datasync();
    this.unsynced = 0;
  }
}

/** Writes the index of a run, in place of one that may be there. */
export async function writeIndex(folder: RunFolder, name: RunName, hashes: IdHashes): Promise<IdFilter> {
  const writer = await IndexWriter.create(folder, name);
  try {
    const builder = new FilterBuilder(hashes);
    await writer.add(builder.entries);
    const filter = builder.filter();
    await writer.finish(filter);
    return filter;
  } finally {
    await writer.close();
  }
}
