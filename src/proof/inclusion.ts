import { nodeHash } from './hashes';

/**
 * The root of the tree of `size` leaves in which `leaf` has the number `number` and this inclusion proof (RFC 9162, 2.1.3.2);
 * undefined where the proof does not have as many hashes as such a tree needs.
 */
export function rootFromPath(leaf: Buffer, number: number, size: number, path: readonly Buffer[]): Buffer | undefined {
  if (!(number >= 0 && number < size)) return undefined;
  let [at, last, root] = [number, size - 1, leaf];
  for (const hash of path) {
    if (last === 0) return undefined;
    if (at % 2 === 1 || at === last) {
      root = nodeHash(hash, root);
      // A last node without a neighbour moves up as it is.
      while (at % 2 === 0 && at !== 0) [at, last] = [half(at), half(last)];
    } else {
      root = nodeHash(root, hash);
    }
    [at, last] = [half(at), half(last)];
  }
  return last === 0 ? root : undefined;
}

/** Beyond 32 bits, where >>> would lose what is above them. */
function half(value: number): number {
  return Math.floor(value / 2);
}
