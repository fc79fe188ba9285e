import { ReplicaError } from './errors';

/** What a committed and applied proposal is answered with. */
export interface Applied {
  readonly index: number;
  readonly term: number;
  /** Offset of the proposal's first record. */
  readonly baseOffset: number;
  /** Time of its batch, microseconds since the Unix epoch. */
  readonly time: number;
  /** What the state machine decided: fixed-size rows, one a record. */
  readonly outcomes: Buffer;
}

export interface Proposal {
  /** Kind of the batch: records, system records. */
  readonly kind: number;
  readonly chunk: Buffer;
  readonly count: number;
  /** On the monotonic clock. */
  readonly deadlineAt: number;
  readonly resolve: (applied: Applied) => void;
  readonly reject: (error: ReplicaError) => void;
  /** Settled by its deadline already; the place in its batch stays taken. */
  settled: boolean;
}

export interface QueueLimits {
  /** Chunks taken into one batch together stay below this, unless one alone is larger. */
  readonly batchBytes: number;
  readonly batchRecords: number;
  readonly queueBytes: number;
  readonly queueProposals: number;
}

/** What waits to be proposed, in order of arrival. One batch takes all that fits and is of one kind: group commit. */
export class ProposalQueue {
  private waiting: Proposal[] = [];
  private head = 0;
  private bytes = 0;

  constructor(private readonly limits: QueueLimits) {}

  get queuedBytes(): number {
    return this.bytes;
  }

  get size(): number {
    return this.waiting.length - this.head;
  }

  /** Throws OVERLOADED beyond the bounds. */
  push(proposal: Proposal): void {
    if (
      this.size >= this.limits.queueProposals ||
      (this.size > 0 && this.bytes + proposal.chunk.length > this.limits.queueBytes)
    ) {
      throw new ReplicaError(
        'OVERLOADED',
        `${this.size} writes with ${this.bytes} bytes wait to be proposed, as many as this node allows; try again later`,
      );
    }
    this.waiting.push(proposal);
    this.bytes += proposal.chunk.length;
  }

  /** The next batch's proposals; empty when nothing waits. */
  take(): Proposal[] {
    const taken: Proposal[] = [];
    let bytes = 0;
    let records = 0;
    for (let next = this.waiting[this.head]; next; next = this.waiting[this.head]) {
      const first = taken[0];
      if (first) {
        if (next.kind !== first.kind) break;
        if (bytes + next.chunk.length > this.limits.batchBytes || records + next.count > this.limits.batchRecords)
          break;
      }
      this.head += 1;
      this.bytes -= next.chunk.length;
      if (next.settled) continue;
      taken.push(next);
      bytes += next.chunk.length;
      records += next.count;
    }
    this.compact();
    return taken;
  }

  /** Puts back what `take` gave, in front: the core would not have it now. */
  putBack(proposals: readonly Proposal[]): void {
    this.waiting = [...proposals, ...this.waiting.slice(this.head)];
    this.head = 0;
    for (const proposal of proposals) this.bytes += proposal.chunk.length;
  }

  /** Refuses everything that waits; nothing of it happened. */
  rejectAll(error: ReplicaError): void {
    const refused = this.waiting.slice(this.head);
    this.waiting = [];
    this.head = 0;
    this.bytes = 0;
    for (const proposal of refused) settle(proposal, error);
  }

  /** Refuses what waited past its deadline; nothing of it happened. */
  expire(now: number): void {
    for (let at = this.head; at < this.waiting.length; at += 1) {
      const proposal = this.waiting[at];
      if (proposal && !proposal.settled && proposal.deadlineAt <= now) {
        settle(
          proposal,
          new ReplicaError('NO_LEADER', 'The write was not proposed before its deadline; nothing of it happened.'),
        );
      }
    }
  }

  private compact(): void {
    if (this.head === this.waiting.length) {
      this.waiting = [];
      this.head = 0;
    } else if (this.head > 1_024 && this.head * 2 > this.waiting.length) {
      this.waiting = this.waiting.slice(this.head);
      this.head = 0;
    }
  }
}

export function settle(proposal: Proposal, error: ReplicaError): void {
  if (proposal.settled) return;
  proposal.settled = true;
  proposal.reject(error);
}
