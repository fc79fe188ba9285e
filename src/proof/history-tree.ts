/**
 * The Merkle tree over the entries of a group's log, leaf n - 1 being entry n, as RFC 6962 (2.1) builds it. It only grows. Kept
 * are the roots of blocks of 128 leaves and of all whole trees above them (half a byte an entry), and the leaves of the last
 * block; the leaves of a block further back are made anew from the log when a proof needs them.
 */
import { HashColumn } from './hash-column';
import { EMPTY_ROOT, HASH_BYTES, nodeHash, splitOf } from './hashes';

export const BLOCK_LEAVES = 128;

export class HistoryTree {
  /** Level 0: roots of whole blocks; level n: roots of 2^n of them. */
  private readonly levels: HashColumn[] = [new HashColumn()];
  /** Leaves of the last block, which is not whole. */
  private open: Buffer[] = [];

  /** How many entries it covers. */
  get size(): number {
    return this.blocks * BLOCK_LEAVES + this.open.length;
  }

  /** Whole blocks. */
  get blocks(): number {
    return (this.levels[0] as HashColumn).length;
  }

  /** @param leaf is kept: it must not change */
  append(leaf: Buffer): void {
    this.open.push(leaf);
    if (this.open.length < BLOCK_LEAVES) return;
    const root = rootOf(this.open);
    this.open = [];
    this.addBlock(root);
  }

  root(): Buffer {
    return this.size === 0 ? EMPTY_ROOT : this.rangeRoot(0, this.size);
  }

  /**
   * The inclusion proof of a leaf in the tree as it is now (RFC 6962, 2.1.1), the lowest hash first.
   * @param block the leaves of its block, which `leavesNeeded` names; the tree's own where that is the last one
   * @throws RangeError for a leaf that is not there
   */
  path(leaf: number, block: readonly Buffer[] | undefined): Buffer[] {
    if (leaf < 0 || leaf >= this.size) throw new RangeError(`Leaf ${leaf} is asked for, of a tree of ${this.size}.`);
    const number = Math.floor(leaf / BLOCK_LEAVES);
    const leaves = number === this.blocks ? this.open : block;
    if (leaves === undefined) throw new RangeError(`The leaves of block ${number} are needed for a proof.`);
    const path: Buffer[] = [];
    this.climb(leaf, 0, this.size, (lo, hi) => this.rangeRoot(lo, hi, leaves), path);
    return path;
  }

  /** The entries, first and last, whose leaves a proof of `leaf` needs; undefined: the tree has them itself. */
  leavesNeeded(leaf: number): { readonly first: number; readonly last: number } | undefined {
    const block = Math.floor(leaf / BLOCK_LEAVES);
    if (block >= this.blocks) return undefined;
    return { first: block * BLOCK_LEAVES + 1, last: (block + 1) * BLOCK_LEAVES };
  }

  /** Whether these are the leaves of that whole block. */
  isBlock(number: number, leaves: readonly Buffer[]): boolean {
    return leaves.length === BLOCK_LEAVES && rootOf(leaves).equals((this.levels[0] as HashColumn).at(number));
  }

  /** What a tree is made of again: the roots of whole blocks, then the leaves of the last one. Later growth does not show. */
  capture(): { readonly size: number; readonly hashes: Iterable<Buffer> } {
    const { size, blocks } = this;
    const column = this.levels[0] as HashColumn;
    const open = this.open.slice();
    function* hashes(): Generator<Buffer> {
      yield* column.read(blocks);
      yield* open;
    }
    return { size, hashes: hashes() };
  }

  /** How many hashes `capture` gives of a tree of this size. */
  static hashesOf(size: number): number {
    return Math.floor(size / BLOCK_LEAVES) + (size % BLOCK_LEAVES);
  }

  /** @param hashes as many as `hashesOf(size)` says, one behind the other */
  static restore(size: number, hashes: Buffer): HistoryTree {
    if (hashes.length !== HistoryTree.hashesOf(size) * HASH_BYTES) {
      throw new RangeError(`A tree of ${size} leaves is not made of ${hashes.length} bytes.`);
    }
    const tree = new HistoryTree();
    const blocks = Math.floor(size / BLOCK_LEAVES);
    for (let at = 0; at * HASH_BYTES < hashes.length; at++) {
      const hash = Buffer.from(hashes.subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES));
      if (at < blocks) tree.addBlock(hash);
      else tree.open.push(hash);
    }
    return tree;
  }

  private addBlock(root: Buffer): void {
    let hash = root;
    for (let level = 0; ; level++) {
      const column = (this.levels[level] ??= new HashColumn());
      column.push(hash);
      // The second of a pair completes the node above it.
      if (column.length % 2 === 1) return;
      hash = nodeHash(column.at(column.length - 2), column.at(column.length - 1));
    }
  }

  private climb(
    leaf: number,
    lo: number,
    hi: number,
    rootOfRange: (lo: number, hi: number) => Buffer,
    path: Buffer[],
  ): void {
    if (hi - lo === 1) return;
    const middle = lo + splitOf(hi - lo);
    if (leaf < middle) {
      this.climb(leaf, lo, middle, rootOfRange, path);
      path.push(rootOfRange(middle, hi));
    } else {
      this.climb(leaf, middle, hi, rootOfRange, path);
      path.push(rootOfRange(lo, middle));
    }
  }

  /** Of leaves [lo, hi), a range that RFC 6962 gives a node of its own. @param leaves of the block it is in, where that is whole */
  private rangeRoot(lo: number, hi: number, leaves: readonly Buffer[] = []): Buffer {
    const size = hi - lo;
    if (size < BLOCK_LEAVES) {
      const block = Math.floor(lo / BLOCK_LEAVES);
      const from = block * BLOCK_LEAVES;
      return rootOf((block === this.blocks ? this.open : leaves).slice(lo - from, hi - from));
    }
    const level = Math.log2(size / BLOCK_LEAVES);
    if (Number.isInteger(level)) return (this.levels[level] as HashColumn).at(lo / size);
    const middle = lo + splitOf(size);
    return nodeHash(this.rangeRoot(lo, middle), this.rangeRoot(middle, hi));
  }
}

/** Of at least one leaf. */
function rootOf(leaves: readonly Buffer[]): Buffer {
  if (leaves.length === 1) return leaves[0] as Buffer;
  const split = splitOf(leaves.length);
  return nodeHash(rootOf(leaves.slice(0, split)), rootOf(leaves.slice(split)));
}
