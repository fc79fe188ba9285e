/**
 * The hashes of the history tree, as RFC 6962 (2.1) has them: a byte in front tells leaves from inner nodes, so that neither can
 * pass for the other.
 */
import { createHash } from 'node:crypto';

export const HASH_BYTES = 32;

const LEAF = Buffer.of(0);
const NODE = Buffer.of(1);

/** What the root of a tree without leaves is: the hash of nothing. */
export const EMPTY_ROOT: Buffer = createHash('sha256').digest();

export function sha256(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest();
}

/**
 * The leaf of one entry of the log.
 * @param batchHash the SHA-256 in the batch's header: it covers index, term, offsets, time, payload, and the batch before
 * @param outcomesHash SHA-256 of the outcome rows of its records, one behind the other; of nothing where it has none
 */
export function leafHash(batchHash: Buffer, outcomesHash: Buffer): Buffer {
  return createHash('sha256').update(LEAF).update(batchHash).update(outcomesHash).digest();
}

export function nodeHash(left: Buffer, right: Buffer): Buffer {
  return createHash('sha256').update(NODE).update(left).update(right).digest();
}

/** The largest power of two below `size`, which is at least 2: where RFC 6962 splits a tree of so many leaves. */
export function splitOf(size: number): number {
  let split = 1;
  while (split * 2 < size) split *= 2;
  return split;
}
