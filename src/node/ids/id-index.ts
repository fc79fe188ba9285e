import { join } from 'node:path';
import type { FileSystem, RandomAccessFile } from '../../log/files';
import { invariant } from '../../ledger/invariant';
import { FilterBuilder, type IdFilter, type IdHashes } from './id-filter';
import {
  BLOCK_ENTRIES,
  decodeFilter,
  decodeIndexHeader,
  entriesPosition,
  filterLength,
  hashAt,
  holdsEntries,
  indexBytes,
  indexFile,
  INDEX_BLOCK_BYTES,
  INDEX_HEADER_BYTES,
  placeAt,
} from './index-format';
import { IdFileDamageError, type RunName } from './run-format';
import type { RunFolder } from './run-writer';

/** Blocks that are read at a stroke. */
const READ_BLOCKS = 64;

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
  builder.place(0, hashes.count);
  const rowOf = (entry: number): number => name.first + (builder.places[entry] as number);
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

  /** Undefined where there is none that can be used. */
  static async open({ files, directory, seed }: RunFolder, name: RunName): Promise<FiledIndex | undefined> {
    const path = join(directory, indexFile(name));
    if (!(await files.exists(path))) return undefined;
    const file = await files.open(path, 'read');
    const filter = await filterIn(file, name, seed);
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
    const blocks = Math.min(left, READ_BLOCKS, into.length / INDEX_BLOCK_BYTES);
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

/** Walks the entries of an index bucket by bucket. */
export class EntryStream {
  /** The entries of the bucket that was begun last: from, up to but not including to. */
  from = 0;
  to = 0;
  private readonly buffer = Buffer.alloc(READ_BLOCKS * INDEX_BLOCK_BYTES);
  private firstBlock = 0;
  private blocks = 0;

  constructor(readonly index: FiledIndex) {}

  /**
   * Begins a bucket as wide as `bits` make it; they are asked for in ascending order. Undefined where its entries can be read
   * at once.
   */
  begin(bucket: number, bits: number): Promise<void> | undefined {
    const { filter } = this.index;
    const parts = 2 ** (filter.bits - bits);
    this.from = filter.starts[bucket * parts] as number;
    this.to = filter.starts[(bucket + 1) * parts] as number;
    const last = Math.floor((this.to - 1) / BLOCK_ENTRIES);
    return this.to === this.from || last < this.firstBlock + this.blocks ? undefined : this.load(last);
  }

  hash(entry: number): number {
    return hashAt(this.buffer, this.inBuffer(entry));
  }

  /** Counted from the first row of the index. */
  place(entry: number): number {
    return placeAt(this.buffer, this.inBuffer(entry));
  }

  /** Where the entry stands, in entries: a block has room for one more than it holds. */
  private inBuffer(entry: number): number {
    const block = Math.floor(entry / BLOCK_ENTRIES) - this.firstBlock;
    return block * (BLOCK_ENTRIES + 1) + (entry % BLOCK_ENTRIES);
  }

  /** What of the bucket is in the block before, too. */
  private async load(last: number): Promise<void> {
    const first = Math.floor(this.from / BLOCK_ENTRIES);
    this.blocks = await this.index.readBlocks(first, this.buffer);
    this.firstBlock = first;
    invariant(last < first + this.blocks, 'The entries of a bucket must fit into what is read at a stroke.');
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
