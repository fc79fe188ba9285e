import type { NodeId, RaftCore } from '../core';
import { ReplicaError } from './errors';
import { settle, type Applied, type Proposal, type ProposalQueue } from './proposal-queue';
import type { ProposalWaiters } from './proposal-waiters';
import type { ReadyLoop } from './ready-loop';
import type { ReplicaOptions } from './replica-options';

/**
 * Group commit: while a batch is on its way to the leader's own disk, what arrives is gathered for the next one, so that
 * one fdatasync a node serves all who waited. Only when much waits is the next batch made before the disk has answered.
 */
export class Proposer {
  private pumpDeferred = false;

  constructor(
    private readonly core: RaftCore,
    private readonly loop: ReadyLoop,
    private readonly waiters: ProposalWaiters,
    private readonly queue: ProposalQueue,
    private readonly options: ReplicaOptions,
    private readonly clockAllows: () => boolean,
  ) {}

  get queuedBytes(): number {
    return this.queue.queuedBytes;
  }

  submit(kind: number, chunk: Buffer, count: number, deadlineAt: number): Promise<Applied> {
    if (this.options.diskFull?.()) return Promise.reject(diskFull());
    return new Promise((resolve, reject) => {
      this.queue.push({ kind, chunk, count, deadlineAt, resolve, reject, settled: false });
      this.deferPump();
    });
  }

  /** Makes batches as long as the core takes them and the disk is not behind. */
  pump(): void {
    if (this.options.diskFull?.()) this.queue.rejectAll(diskFull());
    while (this.queue.size > 0) {
      const { log, limits } = this.options;
      if (log.durableIndex < log.lastIndex && this.queue.queuedBytes < limits.eagerBytes) return;
      const proposals = this.queue.take();
      if (proposals.length === 0) continue;
      if (!this.clockAllows()) {
        rejectAll(proposals, clockAhead());
        continue;
      }
      if (!this.propose(proposals)) return;
    }
  }

  expire(now: number): void {
    this.queue.expire(now);
  }

  rejectAll(error: ReplicaError): void {
    this.queue.rejectAll(error);
  }

  /** What arrives in one turn of the event loop goes into one batch. */
  private deferPump(): void {
    if (this.pumpDeferred) return;
    this.pumpDeferred = true;
    this.options.scheduler.defer(() => {
      this.pumpDeferred = false;
      this.pump();
    });
  }

  /** False when the core takes nothing more now. */
  private propose(proposals: readonly Proposal[]): boolean {
    let taken = false;
    this.loop.guarded(() => {
      let count = 0;
      for (const proposal of proposals) count += proposal.count;
      const kind = (proposals[0] as Proposal).kind;
      const answer = this.core.propose(
        kind,
        proposals.map((proposal) => proposal.chunk),
        kind === 0 ? count : 0,
      );
      if (typeof answer === 'string') {
        this.refused(proposals, answer);
        return;
      }
      this.waiters.add(answer.index, answer.term, proposals);
      taken = true;
      this.loop.drain();
    });
    return taken;
  }

  private refused(proposals: readonly Proposal[], why: string): void {
    // Waits for a majority: what is queued keeps its place, its deadline and its bound.
    if (why === 'too_much_uncommitted') this.queue.putBack(proposals);
    else rejectAll(proposals, new ReplicaError('NOT_LEADER', `This node takes no writes now (${why}).`, this.leader()));
  }

  private leader(): NodeId {
    return this.core.status().leader;
  }
}

function rejectAll(proposals: readonly Proposal[], error: ReplicaError): void {
  for (const proposal of proposals) settle(proposal, error);
}

function diskFull(): ReplicaError {
  return new ReplicaError(
    'DISK_FULL',
    'The disk of the leader has no room left: it takes no writes until there is room, or until another node leads. Reads go on.',
  );
}

function clockAhead(): ReplicaError {
  return new ReplicaError(
    'CLOCK_AHEAD',
    'The wall clock of the leader is ahead of a majority of the cluster; it takes no writes until the clocks agree. Check the time service of its machine.',
  );
}
