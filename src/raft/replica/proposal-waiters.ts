import type { BatchHeader } from '../../log/batch';
import { ReplicaError } from './errors';
import { settle, type Proposal } from './proposal-queue';

/** Bytes of one outcome row; see the ledger's outcome rows. */
const OUTCOME_ROW_BYTES = 64;

interface Waiting {
  readonly term: number;
  readonly proposals: readonly Proposal[];
}

/**
 * Who waits for which proposed batch to be applied.
 *
 * That an entry is overwritten in this node's log proves nothing: another node may still hold it, be elected and commit it
 * (figure 8 of the Raft paper). Only what is *applied* at its index does: the entry itself, or one of another term.
 */
export class ProposalWaiters {
  private readonly byIndex = new Map<number, Waiting[]>();

  get size(): number {
    return this.byIndex.size;
  }

  add(index: number, term: number, proposals: readonly Proposal[]): void {
    const waiting = { term, proposals };
    const others = this.byIndex.get(index);
    if (others) others.push(waiting);
    else this.byIndex.set(index, [waiting]);
  }

  /** A batch was applied: answers those who proposed it, and tells those whose batch it replaced for good. */
  applied(header: BatchHeader, outcomes: Buffer): void {
    const all = this.byIndex.get(header.index);
    if (!all) return;
    this.byIndex.delete(header.index);
    for (const waiting of all) {
      if (waiting.term === header.term) this.answer(waiting.proposals, header, outcomes);
      else this.reject(waiting.proposals, notCommitted());
    }
  }

  private answer(proposals: readonly Proposal[], header: BatchHeader, outcomes: Buffer): void {
    let ordinal = 0;
    for (const proposal of proposals) {
      const first = ordinal;
      ordinal += proposal.count;
      if (proposal.settled) continue;
      proposal.settled = true;
      proposal.resolve({
        index: header.index,
        term: header.term,
        baseOffset: header.baseOffset + first,
        time: header.time,
        outcomes: outcomes.subarray(first * OUTCOME_ROW_BYTES, ordinal * OUTCOME_ROW_BYTES),
      });
    }
  }

  /** Past the deadline, or at a stop: what became of it is not known here. */
  expire(now: number): void {
    for (const all of this.byIndex.values()) {
      for (const waiting of all) {
        for (const proposal of waiting.proposals) {
          if (proposal.deadlineAt <= now) settle(proposal, outcomeUnknown());
        }
      }
    }
  }

  /** The state jumped over these entries (a snapshot was installed): whether they were in it is not known. */
  skipped(upTo: number): void {
    for (const [index, all] of this.byIndex) {
      if (index > upTo) continue;
      this.byIndex.delete(index);
      for (const waiting of all) this.reject(waiting.proposals, outcomeUnknown());
    }
  }

  rejectAll(): void {
    this.skipped(Number.MAX_SAFE_INTEGER);
  }

  private reject(proposals: readonly Proposal[], error: ReplicaError): void {
    for (const proposal of proposals) settle(proposal, error);
  }
}

function notCommitted(): ReplicaError {
  return new ReplicaError(
    'NOT_COMMITTED',
    'The write was proposed and then overwritten by a new leader; nothing of it happened.',
  );
}

function outcomeUnknown(): ReplicaError {
  return new ReplicaError(
    'OUTCOME_UNKNOWN',
    'The write was proposed, but not known to be committed in time. It may still happen; ask again with the same id.',
  );
}
