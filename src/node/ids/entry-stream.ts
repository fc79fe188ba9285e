import { invariant } from '../../ledger/invariant';
import type { FiledIndex } from './id-index';
import { BLOCK_ENTRIES, INDEX_BLOCK_BYTES } from './index-format';

/** Blocks that are read at a stroke. */
const READ_BLOCKS = 64;
const BLOCK_WORDS = INDEX_BLOCK_BYTES / 4;

/** Walks the entries of an index bucket by bucket. */
export class EntryStream {
  /** The entries of the bucket that was begun last: from, up to but not including to. */
  from = 0;
  to = 0;
  /** The entries from `firstRead` on, two words each: the first hash of an id, and the row, counted from the first of the index. */
  readonly words = new Int32Array(READ_BLOCKS * BLOCK_WORDS);
  /** A multiple of the entries of a block. */
  firstRead = 0;
  private read = 0;
  private readonly buffer = Buffer.from(this.words.buffer);

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
    return this.to === this.from || this.to <= this.firstRead + this.read ? undefined : this.load();
  }

  /** What of the bucket is in the block before, too. */
  private async load(): Promise<void> {
    const first = Math.floor(this.from / BLOCK_ENTRIES);
    const blocks = await this.index.readBlocks(first, this.buffer);
    // The entries lie one behind the other then, without what stands at the end of each block.
    for (let i = 1; i < blocks; i++) {
      const from = i * BLOCK_WORDS;
      this.words.copyWithin(i * 2 * BLOCK_ENTRIES, from, from + 2 * BLOCK_ENTRIES);
    }
    this.firstRead = first * BLOCK_ENTRIES;
    this.read = blocks * BLOCK_ENTRIES;
    invariant(this.to <= this.firstRead + this.read, 'The entries of a bucket must fit into what is read at a stroke.');
  }
}
