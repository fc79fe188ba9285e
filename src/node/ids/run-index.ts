import { join } from 'node:path';
import type { FileSystem, RandomAccessFile } from '../../log/files';
import { FilterBuilder, type IdFilter, type IdHashes } from './id-filter';
import {
  BLOCK_PLACES,
  decodeFilter,
  decodeIndexHeader,
  filterLength,
  indexBytes,
  indexFile,
  INDEX_BLOCK_BYTES,
  INDEX_HEADER_BYTES,
  placeIn,
  placesPosition,
} from './index-format';
import { IdFileDamageError, runFile, type RunName } from './run-format';
import type { RunFolder } from './run-writer';

/** Where in a run the rows are whose ids a filter lets pass. Rejects, or throws, IdFileDamageError. */
export interface RunIndex {
  readonly filter: IdFilter;
  /** The row that an entry stands for, counted from the first of the run. */
  placeOf(entry: number): Promise<number>;
  /** As `placeOf`, where the answer cannot wait. */
  placeOfSync(entry: number): number;
  close(): Promise<void>;
}

/** The file of the index; undefined where there is none that can be used. */
export async function openIndex({ files, directory, seed }: RunFolder, name: RunName): Promise<RunIndex | undefined> {
  const path = join(directory, indexFile(runFile(name)));
  if (!(await files.exists(path))) return undefined;
  const file = await files.open(path, 'read');
  const filter = await filterIn(file, name, seed);
  if (filter) return new FiledIndex(files, file, filter);
  await file.close();
  return undefined;
}

/** In memory alone, for those who may not write. */
export function indexInMemory(hashes: IdHashes): RunIndex {
  const builder = new FilterBuilder(hashes);
  builder.place(0, hashes.count);
  const { places } = builder;
  return {
    filter: builder.filter(),
    placeOf: async (entry) => places[entry] as number,
    placeOfSync: (entry) => places[entry] as number,
    close: async () => undefined,
  };
}

class FiledIndex implements RunIndex {
  constructor(
    private readonly files: FileSystem,
    private readonly file: RandomAccessFile,
    readonly filter: IdFilter,
  ) {}

  async placeOf(entry: number): Promise<number> {
    const block = Buffer.alloc(INDEX_BLOCK_BYTES);
    const position = this.positionOf(entry);
    const filled = await this.file.read(block, position);
    return this.placeAt(block.subarray(0, filled), entry, position);
  }

  placeOfSync(entry: number): number {
    const block = Buffer.alloc(INDEX_BLOCK_BYTES);
    const position = this.positionOf(entry);
    const filled = this.files.readSync(this.file.path, block, position);
    return this.placeAt(block.subarray(0, filled), entry, position);
  }

  async close(): Promise<void> {
    await this.file.close();
  }

  private positionOf(entry: number): number {
    const { bits, remainders } = this.filter;
    return placesPosition({ rows: remainders.length, bits }) + Math.floor(entry / BLOCK_PLACES) * INDEX_BLOCK_BYTES;
  }

  private placeAt(block: Buffer, entry: number, position: number): number {
    const place = placeIn(block, entry);
    if (place !== undefined && place < this.filter.remainders.length) return place;
    throw new IdFileDamageError(this.file.path, position, 'the checksum of its entries does not match');
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
