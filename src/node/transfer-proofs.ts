import type { KeyObject } from 'node:crypto';
import { NodeError } from '../api/node-port';
import { readHeader } from '../log/batch';
import type { LogStore } from '../log/log-store';
import type { FetchedBatch } from '../ledger/projection/source';
import { BLOCK_LEAVES, type HistoryTree } from '../proof/history-tree';
import { leafOf } from '../proof/leaf';
import { signHead, type SignedHead } from '../proof/signed-head';
import type { TransferProof } from '../proof/transfer-proof';

export interface TransferProofsOptions {
  readonly group: number;
  readonly key: KeyObject;
  readonly clusterId: () => string;
  readonly nodeId: string;
  readonly log: Pick<LogStore, 'indexOfOffset'>;
  /** The tree of the state as it is now. */
  readonly tree: () => HistoryTree;
  readonly nextOffset: () => number;
  /** Batches with their outcomes from an index on, from this node's disk or a peer's: at least one. Rejects where nobody has them. */
  readonly load: (fromIndex: number, maxBytes: number) => Promise<readonly FetchedBatch[]>;
  readonly nowMicros: () => number;
}

/** A proof reads up to 128 batches; more at once than this would be a way to keep a node busy. */
const MAX_WAITING = 16;
const READ_BYTES = 4 << 20;
/** An answer has to fit into a message. */
const MAX_PROOF_BYTES = 12 << 20;
/** While the leaves of a block are read the block may become whole; then they are read once more. */
const MAX_TRIES = 3;

/** Signs heads, and proves of transfers that they are under one. */
export class TransferProofs {
  private turn: Promise<unknown> = Promise.resolve();
  private waiting = 0;

  constructor(private readonly options: TransferProofsOptions) {}

  /** Over everything that is applied now. */
  head(): SignedHead {
    const { group, key, clusterId, nodeId, nextOffset, nowMicros, tree } = this.options;
    const { size } = tree();
    const head = { clusterId: clusterId(), group, nodeId, size, root: tree().root() };
    return signHead({ ...head, nextOffset: nextOffset(), time: nowMicros() }, key);
  }

  /** Of the transfer whose record is at `offset`. One is made at a time. Rejects with NodeError. */
  prove(id: string, offset: number): Promise<TransferProof> {
    if (this.waiting >= MAX_WAITING) {
      const message = `${MAX_WAITING} proofs are waited for already; try again in a moment.`;
      throw new NodeError('RESOURCE_EXHAUSTED', 'OVERLOADED', message, { retryAfterMs: 500 });
    }
    this.waiting += 1;
    const proof = this.turn.then(() => this.make(id, offset));
    this.turn = proof.catch(() => undefined).finally(() => (this.waiting -= 1));
    return proof;
  }

  private async make(id: string, offset: number): Promise<TransferProof> {
    const { log, tree } = this.options;
    const index = await log.indexOfOffset(offset);
    if (index === undefined) throw notHeld(offset);
    const { batch, outcomes } = await this.one(index);
    if (batch.length + outcomes.length > MAX_PROOF_BYTES) {
      throw new NodeError(
        'RESOURCE_EXHAUSTED',
        'PROOF_TOO_LARGE',
        `The batch of this transfer has ${batch.length} bytes.`,
      );
    }
    let leaves: Buffer[] | undefined;
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const needed = tree().leavesNeeded(index - 1);
      if (!needed || leaves) break;
      leaves = await this.leaves(needed.first, needed.last);
    }
    const number = Math.floor((index - 1) / BLOCK_LEAVES);
    if (leaves && !tree().isBlock(number, leaves)) {
      throw new Error(`The log from entry ${number * BLOCK_LEAVES + 1} on is not the one that this state was made of.`);
    }
    // In one turn, so that path and head are of one tree.
    const path = tree().path(index - 1, leaves);
    return { id, batch, outcomes, record: offset - readHeader(batch).baseOffset, path, head: this.head() };
  }

  private async one(index: number): Promise<FetchedBatch> {
    const [found] = await this.loaded(index, 1);
    return found as FetchedBatch;
  }

  private async leaves(first: number, last: number): Promise<Buffer[]> {
    const leaves: Buffer[] = [];
    while (first + leaves.length <= last) {
      for (const { batch, outcomes } of await this.loaded(first + leaves.length, READ_BYTES)) {
        if (first + leaves.length <= last) leaves.push(leafOf(readHeader(batch), outcomes));
      }
    }
    return leaves;
  }

  private async loaded(fromIndex: number, maxBytes: number): Promise<readonly FetchedBatch[]> {
    let found: readonly FetchedBatch[];
    try {
      found = await this.options.load(fromIndex, maxBytes);
    } catch (error) {
      throw notHeld(fromIndex, error);
    }
    if (found.length === 0) throw notHeld(fromIndex);
    return found;
  }
}

function notHeld(what: number, cause?: unknown): NodeError {
  return new NodeError(
    'UNAVAILABLE',
    'PROOF_NOT_AVAILABLE',
    `Neither this node nor a peer that answers holds the part of the log that the proof needs (${what}); it may have been dropped.`,
    cause === undefined ? {} : { cause },
  );
}
