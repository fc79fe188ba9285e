import { invariant } from '../../ledger/invariant';
import { IdFilter } from './id-filter';
import { EntryStream } from './entry-stream';
import type { FiledIndex } from './id-index';
import { IndexWriter } from './index-writer';
import type { RunName } from './run-format';
import type { RunFolder } from './run-writer';

/** So many neighbours of about one size become one index of all their rows. */
export const MERGED_AT_ONCE = 4;
/** Larger ones are left as they are: a filter must fit into one array, and a merge must end. */
export const MOST_INDEXED_ROWS = 1 << 26;

interface Named {
  readonly name: RunName;
}

/**
 * The first neighbours that are to be merged: four of about one size, the smallest that there are so many of, and what smaller
 * ones lie between them. So there are a few indexes however many runs, and of whatever sizes. Undefined where there is nothing
 * to do.
 */
export function nextMerge<T extends Named>(indexes: readonly T[]): readonly T[] | undefined {
  const levels = [...new Set(indexes.map(levelOf))].sort((a, b) => a - b);
  for (const level of levels) {
    const some = mergeOf(indexes, level);
    if (some) return some;
  }
  return undefined;
}

function mergeOf<T extends Named>(indexes: readonly T[], level: number): readonly T[] | undefined {
  let ofLevel: number[] = [];
  for (const [at, index] of indexes.entries()) {
    if (levelOf(index) > level) ofLevel = [];
    if (levelOf(index) !== level) continue;
    ofLevel.push(at);
    if (ofLevel.length < MERGED_AT_ONCE) continue;
    const some = indexes.slice(ofLevel.shift(), at + 1);
    if (some.reduce((sum, { name }) => sum + name.count, 0) <= MOST_INDEXED_ROWS) return some;
  }
  return undefined;
}

/** Those of one level have from four to the level, up to but not including four times as many rows. */
function levelOf({ name }: Named): number {
  return (31 - Math.clz32(name.count)) >>> 1;
}

/**
 * Merges indexes of neighbouring rows into one, in one pass over their entries, which are in the order of their buckets. The
 * old ones stay as they are. Others get a turn after each piece that is read or written.
 */
export async function mergeIndexes(
  folder: RunFolder,
  indexes: readonly FiledIndex[],
): Promise<{ readonly name: RunName; readonly filter: IdFilter }> {
  const merge = new IndexMerge(indexes);
  const writer = await IndexWriter.create(folder, merge.name);
  try {
    await merge.into(writer);
    const filter = merge.filter();
    await writer.finish(filter);
    return { name: merge.name, filter };
  } finally {
    await writer.close();
  }
}

/** Entries that are handed on at a stroke. */
const PIECE_ENTRIES = 1 << 15;

class IndexMerge {
  readonly name: RunName;
  private readonly bits: number;
  /** The widest buckets among those of the indexes: one step of the merge goes over one of them. */
  private readonly wideBits: number;
  private readonly streams: readonly EntryStream[];
  private readonly starts: Uint32Array;
  private readonly remainders: Uint16Array;
  private readonly more: Uint8Array;
  /** Of the buckets that a wide one becomes, where the next entry of each belongs. */
  private readonly next: Uint32Array;
  private merged = 0;
  /** Entries that were not handed on yet, two words each. */
  private piece = new Int32Array(2 * PIECE_ENTRIES);
  private handedOn = 0;

  constructor(private readonly indexes: readonly FiledIndex[]) {
    const first = indexes[0]!.name.first;
    const { chain } = indexes.at(-1)!.name;
    const count = indexes.reduce((sum, { name }) => sum + name.count, 0);
    this.name = { first, count, chain, extras: 0 };
    this.bits = IdFilter.bitsFor(count);
    this.wideBits = Math.min(...indexes.map(({ filter }) => filter.bits));
    this.streams = indexes.map((index) => new EntryStream(index));
    this.starts = new Uint32Array(2 ** this.bits + 1);
    this.remainders = new Uint16Array(count);
    this.more = new Uint8Array(count);
    this.next = new Uint32Array(2 ** (this.bits - this.wideBits));
  }

  async into(writer: IndexWriter): Promise<void> {
    for (let wide = 0; wide < 2 ** this.wideBits; wide++) {
      let found = 0;
      for (const stream of this.streams) {
        const loading = stream.begin(wide, this.wideBits);
        if (loading) await loading;
        found += stream.to - stream.from;
      }
      if (this.merged + found > this.handedOn + this.piece.length / 2) await this.handOn(writer, found);
      this.begin(wide);
      for (const stream of this.streams) this.take(stream);
      this.merged += found;
    }
    await this.handOn(writer, 0);
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
    const { bits, starts, remainders, more } = this;
    return new IdFilter({ bits, starts, remainders, more, least, greatest });
  }

  /** Hands on what there is, and makes room for so many more. */
  private async handOn(writer: IndexWriter, room: number): Promise<void> {
    await writer.add(this.piece.subarray(0, 2 * (this.merged - this.handedOn)));
    this.handedOn = this.merged;
    if (2 * room > this.piece.length) this.piece = new Int32Array(2 * room);
  }

  /** Counts what belongs in each of the buckets that a wide one becomes. */
  private begin(wide: number): void {
    const { next, starts, streams } = this;
    const [shift, mask] = [31 - this.bits, next.length - 1];
    next.fill(0);
    for (const { from, to, words, firstRead } of streams) {
      for (let at = 2 * (from - firstRead); at < 2 * (to - firstRead); at += 2) {
        next[(((words[at] as number) >>> 1) >>> shift) & mask]! += 1;
      }
    }
    let place = this.merged;
    for (let part = 0; part < next.length; part++) {
      const count = next[part] as number;
      starts[wide * next.length + part] = next[part] = place;
      place += count;
    }
  }

  /** Puts the entries of one index where they belong. */
  private take({ index, from, to, words, firstRead }: EntryStream): void {
    const { next, piece, handedOn, remainders, more } = this;
    const [shift, mask] = [31 - this.bits, next.length - 1];
    const offset = index.name.first - this.name.first;
    const { filter } = index;
    for (let entry = from; entry < to; entry++) {
      const at = 2 * (entry - firstRead);
      const hash = words[at] as number;
      const part = ((hash >>> 1) >>> shift) & mask;
      const place = next[part] as number;
      next[part] = place + 1;
      remainders[place] = filter.remainders[entry] as number;
      more[place] = filter.more[entry] as number;
      piece[2 * (place - handedOn)] = hash;
      piece[2 * (place - handedOn) + 1] = (words[at + 1] as number) + offset;
    }
  }
}
