import { join } from 'node:path';
import type { FileSystem, RandomAccessFile } from '../../log/files';
import { FilterBuilder } from './filter-builder';
import type { IdFilter } from './id-filter';
import type { IdHashes } from './id-hashes';
import {
  BLOCK_ENTRIES,
  decodeFilter,
  decodeIndexHeader,
  entriesPosition,
  filterLength,
  holdsEntries,
  indexBytes,
  indexFile,
  INDEX_BLOCK_BYTES,
  INDEX_HEADER_BYTES,
  placeAt,
} from './index-format';
import { IdFileDamageError, type RunName } from './run-format';
import type { RunFolder } from './run-writer';

/** Where the rows are whose ids a filter lets pass, of one run or of several. Rejects, or throws, IdFileDamageError. */
export interface IdIndex {
  readonly name: RunName;
  readonly filter: IdFilter;
  /** The number of the row that an entry stands for. */
  rowOf(entry: number): Promise<number>;
  /** As `rowOf`, where the answer cannot wait. */
  rowOfSync(entry: number): number;
  close(): Promise<void>;
}

/** An index in memory alone, for those who may not write. */
export function indexInMemory(name: RunName, hashes: IdHashes): IdIndex {
  const builder = new FilterBuilder(hashes);
  const rowOf = (entry: number): number => name.first + (builder.entries[2 * entry + 1] as number);
  return {
    name,
    filter: builder.filter(),
    rowOf: async (entry) => rowOf(entry),
    rowOfSync: rowOf,
    close: async () => undefined,
  };
}

/** The file of an index. */
export class FiledIndex implements IdIndex {
  private constructor(
    private readonly files: FileSystem,
    private readonly file: RandomAccessFile,
    readonly name: RunName,
    readonly filter: IdFilter,
  ) {}

  /** Undefined where there is none that can be used. @param known its filter, where it need not be read */
  static async open(
    { files, directory, seed }: RunFolder,
    name: RunName,
    known?: IdFilter,
  ): Promise<FiledIndex | undefined> {
    const path = join(directory, indexFile(name));
    if (!(await files.exists(path))) return undefined;
    const file = await files.open(path, 'read');
    const filter = known ?? (await filterIn(file, name, seed));
    if (filter) return new FiledIndex(files, file, name, filter);
    await file.close();
    return undefined;
  }

  async rowOf(entry: number): Promise<number> {
    const number = Math.floor(entry / BLOCK_ENTRIES);
    const block = Buffer.alloc(INDEX_BLOCK_BYTES);
    const filled = await this.file.read(block, this.positionOf(number));
    return this.rowIn(block.subarray(0, filled), entry);
  }

  rowOfSync(entry: number): number {
    const number = Math.floor(entry / BLOCK_ENTRIES);
    const block = Buffer.alloc(INDEX_BLOCK_BYTES);
    const filled = this.files.readSync(this.file.path, block, this.positionOf(number));
    return this.rowIn(block.subarray(0, filled), entry);
  }

  /** Reads the checked blocks from `number` on, some of them or all that are left, into `into`. @returns how many */
  async readBlocks(number: number, into: Buffer): Promise<number> {
    const left = Math.ceil(this.name.count / BLOCK_ENTRIES) - number;
    const blocks = Math.min(left, into.length / INDEX_BLOCK_BYTES);
    const filled = await this.file.read(into.subarray(0, blocks * INDEX_BLOCK_BYTES), this.positionOf(number));
    for (let i = 0; i < blocks; i++) {
      this.check(into.subarray(i * INDEX_BLOCK_BYTES, Math.min(filled, (i + 1) * INDEX_BLOCK_BYTES)), number + i);
    }
    return blocks;
  }

  async close(): Promise<void> {
    await this.file.close();
  }

  private positionOf(number: number): number {
    const { bits, remainders } = this.filter;
    return entriesPosition({ rows: remainders.length, bits }) + number * INDEX_BLOCK_BYTES;
  }

  private rowIn(block: Buffer, entry: number): number {
    const number = Math.floor(entry / BLOCK_ENTRIES);
    this.check(block, number);
    const place = placeAt(block, entry % BLOCK_ENTRIES);
    if (place < this.name.count) return this.name.first + place;
    throw this.damagedAt(number);
  }

  private check(block: Buffer, number: number): void {
    if (!holdsEntries(block, number)) throw this.damagedAt(number);
  }

  private damagedAt(number: number): IdFileDamageError {
    return new IdFileDamageError(this.file.path, this.positionOf(number), 'the checksum of its entries does not match');
  }
}

async function filterIn(file: RandomAccessFile, name: RunName, seed: number): Promise<IdFilter | undefined> {
  const bytes = Buffer.alloc(INDEX_HEADER_BYTES);
  const header = decodeIndexHeader(bytes.subarray(0, await file.read(bytes, 0)));
  if (header?.rows !== name.count || header.seed !== seed >>> 0 || (await file.size()) !== indexBytes(header)) {
    return undefined;
  }
  const filter = Buffer.alloc(filterLength(header));
  return decodeFilter(header, filter.subarray(0, await file.read(filter, INDEX_HEADER_BYTES)));
}
