import { invariant } from '../../ledger/invariant';
import { IdFilter } from './id-filter';
import { EntryStream, FiledIndex } from './id-index';
import { IndexWriter } from './index-writer';
import type { RunName } from './run-format';
import type { RunFolder } from './run-writer';

/** So many neighbours of one size become one index of all their rows. */
export const MERGED_AT_ONCE = 4;
/** Larger ones are left as they are: a filter must fit into one array, and a merge must end. */
export const MOST_INDEXED_ROWS = 1 << 26;

/** The first neighbours of one size that are to be merged; undefined where there are none. */
export function nextMerge<T extends { readonly name: RunName }>(indexes: readonly T[]): readonly T[] | undefined {
  for (let from = 0; from + MERGED_AT_ONCE <= indexes.length; from++) {
    const some = indexes.slice(from, from + MERGED_AT_ONCE);
    const rows = some[0]!.name.count;
    const isOneSize = some.every(({ name }) => name.count === rows);
    if (isOneSize && rows * MERGED_AT_ONCE <= MOST_INDEXED_ROWS) return some;
  }
  return undefined;
}

/**
 * Merges indexes of neighbouring rows into one, in one pass over their entries, which are in the order of their buckets. The
 * old ones stay as they are. Others get a turn after each piece that is read or written.
 */
export async function mergeIndexes(folder: RunFolder, indexes: readonly FiledIndex[]): Promise<FiledIndex> {
  const merge = new IndexMerge(indexes);
  const writer = await IndexWriter.create(folder, merge.name);
  try {
    await merge.into(writer);
    await writer.finish(merge.filter());
  } finally {
    await writer.close();
  }
  const merged = await FiledIndex.open(folder, merge.name);
  invariant(merged !== undefined, 'An index that was written must be one that can be read.');
  return merged;
}

class IndexMerge {
  readonly name: RunName;
  private readonly bits: number;
  /** The widest buckets among those of the indexes: one step of the merge goes over one of them. */
  private readonly wideBits: number;
  private readonly streams: readonly EntryStream[];
  private readonly starts: Uint32Array;
  private readonly remainders: Uint16Array;
  private merged = 0;

  constructor(private readonly indexes: readonly FiledIndex[]) {
    const first = indexes[0]!.name.first;
    const { chain } = indexes.at(-1)!.name;
    const count = indexes.reduce((sum, { name }) => sum + name.count, 0);
    this.name = { first, count, chain };
    this.bits = IdFilter.bitsFor(count);
    this.wideBits = Math.min(...indexes.map(({ filter }) => filter.bits));
    this.streams = indexes.map((index) => new EntryStream(index));
    this.starts = new Uint32Array(2 ** this.bits + 1);
    this.remainders = new Uint16Array(count);
  }

  async into(writer: IndexWriter): Promise<void> {
    const parts = 2 ** (this.bits - this.wideBits);
    for (let wide = 0; wide < 2 ** this.wideBits; wide++) {
      for (const stream of this.streams) {
        const loading = stream.begin(wide, this.wideBits);
        if (loading) await loading;
      }
      for (let bucket = wide * parts; bucket < (wide + 1) * parts; bucket++) {
        this.starts[bucket] = this.merged;
        for (const stream of this.streams) {
          const writing = this.take(stream, bucket, writer);
          if (writing) await writing;
        }
      }
    }
    this.starts[2 ** this.bits] = this.merged;
    invariant(
      this.merged === this.name.count,
      'A merged index must have all entries of those that it was merged from.',
    );
  }

  filter(): IdFilter {
    const filters = this.indexes.map(({ filter }) => filter);
    const least = Math.min(...filters.map((one) => one.least));
    const greatest = Math.max(...filters.map((one) => one.greatest));
    return new IdFilter(this.bits, this.starts, this.remainders, least, greatest);
  }

  /** Takes the entries of one new bucket over from where the stream stands: a few of a few. */
  private take(stream: EntryStream, bucket: number, writer: IndexWriter): Promise<void> | undefined {
    const shift = 31 - this.bits;
    const offset = stream.index.name.first - this.name.first;
    const { remainders } = stream.index.filter;
    let writing: Promise<void> | undefined;
    for (let entry = stream.from; entry < stream.to; entry++) {
      const hash = stream.hash(entry);
      if ((hash >>> 1) >>> shift !== bucket) continue;
      this.remainders[this.merged] = remainders[entry] as number;
      this.merged += 1;
      const added = writer.add(hash, stream.place(entry) + offset);
      if (!added) continue;
      writing = writing ? writing.then(() => added) : added;
    }
    return writing;
  }
}
