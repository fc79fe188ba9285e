/**
 * What a group's state knows of the log that made it: the Merkle tree over all entries with what was decided of them, which proofs
 * rest on, and checks of the state at every 256th entry, which nodes compare with each other.
 *
 * In a snapshot it stands before the ledger: u32 magic "LNHT", u32 version 1, u64 entries, then the tree's hashes.
 */
import { createHash } from 'node:crypto';
import type { BatchHeader } from '../log/batch';
import { SnapshotFormatError } from '../ledger/snapshot-format';
import { HASH_BYTES } from '../proof/hashes';
import { HistoryTree } from '../proof/history-tree';
import { leafOf } from '../proof/leaf';

/** A check of the state is made at each entry whose index this divides. */
export const CHECK_EVERY = 256;
/** So many newest checks are kept, for peers that are behind. */
export const CHECKS_KEPT = 64;

const MAGIC = 0x5448_4e4c;
const VERSION = 1;
const HEAD_BYTES = 16;
const MAX_ENTRIES = 2 ** 48;

/** The state right behind entry `index`, in 32 bytes: equal on all nodes, or one of them is wrong. */
export interface StateCheck {
  readonly index: number;
  readonly digest: Buffer;
}

export class GroupHistory {
  private kept: StateCheck[] = [];

  constructor(readonly tree: HistoryTree = new HistoryTree()) {}

  /** The newest checks, the oldest first. */
  get checks(): readonly StateCheck[] {
    return this.kept;
  }

  /**
   * Takes in an entry that was applied.
   * @param outcomes its rows as they are kept beside the log; not looked at where it is no batch of records
   * @param slice gives the hash of a part of the state as it is now
   */
  took(header: BatchHeader, outcomes: Buffer, slice: (number: number) => Buffer): void {
    const { tree } = this;
    if (header.index !== tree.size + 1) {
      throw new Error(`Entry ${header.index} was applied where entry ${tree.size + 1} was to be.`);
    }
    tree.append(leafOf(header, outcomes));
    if (header.index % CHECK_EVERY !== 0) return;
    const digest = createHash('sha256')
      .update(tree.root())
      .update(slice(header.index / CHECK_EVERY))
      .digest();
    this.kept.push({ index: header.index, digest });
    if (this.kept.length > CHECKS_KEPT) this.kept.shift();
  }

  /** What stands in a snapshot before the ledger; what is added later does not show. */
  capture(): Iterable<Buffer> {
    const { size, hashes } = this.tree.capture();
    const head = Buffer.alloc(HEAD_BYTES);
    head.writeUInt32LE(MAGIC, 0);
    head.writeUInt32LE(VERSION, 4);
    head.writeBigUInt64LE(BigInt(size), 8);
    return (function* () {
      yield head;
      yield* hashes;
    })();
  }
}

/** Takes the history off the beginning of a snapshot that comes chunk by chunk, and passes the rest on. */
export class HistoryReader {
  private head = Buffer.alloc(0);
  private body: Buffer[] = [];
  private missing = 0;
  private entries: number | undefined;

  /** What is left of the chunk for the ledger. Throws SnapshotFormatError where this is no such snapshot. */
  take(chunk: Buffer): Buffer {
    let rest = chunk;
    if (this.entries === undefined) {
      const wanted = HEAD_BYTES - this.head.length;
      this.head = Buffer.concat([this.head, rest.subarray(0, wanted)]);
      rest = rest.subarray(wanted);
      if (this.head.length < HEAD_BYTES) return rest;
      this.entries = entriesIn(this.head);
      this.missing = HistoryTree.hashesOf(this.entries) * HASH_BYTES;
    }
    // A copy: the chunk may be used again by whoever gave it.
    const own = Buffer.from(rest.subarray(0, this.missing));
    if (own.length > 0) this.body.push(own);
    this.missing -= own.length;
    return rest.subarray(own.length);
  }

  finish(): GroupHistory {
    if (this.entries === undefined || this.missing > 0) {
      throw new SnapshotFormatError('The snapshot is not complete: it stops within the history of its log.');
    }
    return new GroupHistory(HistoryTree.restore(this.entries, Buffer.concat(this.body)));
  }
}

function entriesIn(head: Buffer): number {
  const version = head.readUInt32LE(4);
  if (head.readUInt32LE(0) !== MAGIC || version !== VERSION) {
    throw new SnapshotFormatError(
      `The snapshot does not begin with the history of its log in version ${VERSION}: another version of this program ` +
        'wrote it, and that is the one to run.',
    );
  }
  const entries = Number(head.readBigUInt64LE(8));
  if (entries > MAX_ENTRIES) throw new SnapshotFormatError(`A snapshot cannot be of a log of ${entries} entries.`);
  return entries;
}
