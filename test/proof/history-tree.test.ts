import { createHash } from 'node:crypto';
import { BLOCK_LEAVES, HistoryTree } from '../../src/proof/history-tree';
import { leafHash, nodeHash } from '../../src/proof/hashes';
import { rootFromPath } from '../../src/proof/inclusion';

const NONE = createHash('sha256').digest();
const leafOf = (number: number): Buffer => leafHash(createHash('sha256').update(String(number)).digest(), NONE);

function treeOf(size: number): HistoryTree {
  const tree = new HistoryTree();
  for (let i = 0; i < size; i++) tree.append(leafOf(i));
  return tree;
}

/** The definition of RFC 6962, 2.1, as it stands there: slow, and with nothing kept. */
function plainRoot(lo: number, hi: number): Buffer {
  if (hi - lo === 1) return leafOf(lo);
  let k = 1;
  while (k * 2 < hi - lo) k *= 2;
  return nodeHash(plainRoot(lo, lo + k), plainRoot(lo + k, hi));
}

const SIZES = [1, 2, 3, 7, 8, 127, 128, 129, 255, 256, 257, 383, 384, 385, 511, 640, 641, 1025, 1300];

const blockOf = (tree: HistoryTree, leaf: number): Buffer[] | undefined => {
  const needed = tree.leavesNeeded(leaf);
  return needed && Array.from({ length: BLOCK_LEAVES }, (_, i) => leafOf(needed.first - 1 + i));
};

describe('the history tree', () => {
  test('has the root of nothing while it is empty, and a leaf as its own root', () => {
    expect(new HistoryTree().root()).toEqual(NONE);
    expect(treeOf(1).root()).toEqual(leafOf(0));
  });

  test.each(SIZES)('of %i leaves has the root that RFC 6962 defines', (size) => {
    const tree = treeOf(size);
    expect(tree.size).toBe(size);
    expect(tree.root()).toEqual(plainRoot(0, size));
  });

  test.each(SIZES)('of %i leaves proves each of them, and no other in its place', (size) => {
    const tree = treeOf(size);
    const root = tree.root();
    for (let leaf = 0; leaf < size; leaf += size > 300 ? 13 : 1) {
      const path = tree.path(leaf, blockOf(tree, leaf));
      expect(path.length).toBeLessThanOrEqual(Math.ceil(Math.log2(size)));
      expect(rootFromPath(leafOf(leaf), leaf, size, path)).toEqual(root);
      expect(rootFromPath(leafOf(leaf + 1), leaf, size, path)?.equals(root)).not.toBe(true);
      if (size > 1) expect(rootFromPath(leafOf(leaf), (leaf + 1) % size, size, path)?.equals(root)).not.toBe(true);
      expect(rootFromPath(leafOf(leaf), leaf, size, [...path, root])?.equals(root)).not.toBe(true);
      expect(rootFromPath(leafOf(leaf), leaf, size, path.slice(1))?.equals(root) ?? false).toBe(path.length === 0);
    }
  });

  test.each(SIZES)('of %i leaves comes back from what is captured of it, and grows on', (size) => {
    const tree = treeOf(size);
    const captured = tree.capture();
    for (let i = size; i < size + 300; i++) tree.append(leafOf(i));
    const restored = HistoryTree.restore(captured.size, Buffer.concat([...captured.hashes]));
    expect(restored.size).toBe(size);
    expect(restored.root()).toEqual(plainRoot(0, size));
    for (let i = size; i < size + 300; i++) restored.append(leafOf(i));
    expect(restored.root()).toEqual(tree.root());
  });

  test('knows the leaves of its blocks', () => {
    const tree = treeOf(300);
    expect(tree.isBlock(1, blockOf(tree, 200)!)).toBe(true);
    expect(tree.isBlock(0, blockOf(tree, 200)!)).toBe(false);
    expect(tree.isBlock(1, blockOf(tree, 200)!.slice(1))).toBe(false);
    expect(tree.leavesNeeded(299)).toBeUndefined();
  });

  test('refuses what it has not', () => {
    const tree = treeOf(300);
    expect(() => tree.path(300, undefined)).toThrow(RangeError);
    expect(() => tree.path(-1, undefined)).toThrow(RangeError);
    expect(() => tree.path(5, undefined)).toThrow('The leaves of block 0 are needed');
    expect(() => HistoryTree.restore(300, Buffer.alloc(31))).toThrow(RangeError);
    expect(rootFromPath(leafOf(0), 1, 1, [])).toBeUndefined();
  });
});
