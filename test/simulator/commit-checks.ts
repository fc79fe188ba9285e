import type { Configuration, CoreStatus, NodeId } from '../../src/raft/core';
import type { SegmentedLog } from '../../src/log/segmented-log';
import type { SimNode } from './sim-node';
import { violated } from './violation';

/** What one process believed when it was looked at last. */
interface Before {
  readonly replica: object;
  readonly commit: number;
  readonly configuration: Configuration;
  /** Of its log, the last entry that was durable. */
  readonly durable: number;
}

/**
 * By which of these a commit may have been decided. A joint configuration is left when it is committed, so what is committed in
 * the moment in which it is left was committed by both of its halves (4.3).
 */
function inForce(now: Configuration, before: Configuration | undefined): readonly Configuration[] {
  if (!before) return [now];
  return before.votersOutgoing.length > 0 ? [before] : [now, before];
}

/**
 * Whether what nodes believe to be durable and committed is so, seen on all disks at once: a majority that was miscounted is
 * found at once, and not only when the right nodes fail afterwards.
 */
export class CommitChecks {
  /** Of each node, the term of every entry that was durable there, by index, until it truncated it. */
  private readonly durable = new Map<NodeId, number[]>();
  /** The term of every entry that some node took for committed, by index. */
  private readonly committed: number[] = [];
  private readonly before = new Map<SimNode, Before>();

  /** A node tells its leader what is on its disk. */
  acknowledging(node: SimNode): void {
    const { running } = node;
    if (!running) return;
    const before = this.before.get(node);
    this.recordDurable(node.id, running.storage.log, before?.replica === running.replica ? before : undefined);
  }

  /** Looks at a node after something happened in it. */
  look(node: SimNode): void {
    const { running, name } = node;
    if (!running) return;
    const { replica } = running;
    const { log } = running.storage;
    const status = replica.status();
    const before = this.before.get(node);
    const sameProcess = before?.replica === replica;
    this.recordDurable(node.id, log, sameProcess ? before : undefined);
    if (!status.installingSnapshot) {
      if (status.durable > log.durableIndex) {
        violated('durable is durable', `${name} takes ${status.durable} for durable, its disk has ${log.durableIndex}`);
      }
      if (replica.appliedIndex > log.durableIndex) {
        violated('applied is durable', `${name} has applied ${replica.appliedIndex}, its disk has ${log.durableIndex}`);
      }
    }
    if (!sameProcess || status.commit > before.commit) {
      const from = sameProcess ? before.commit + 1 : Math.max(1, log.firstIndex);
      const configurations = inForce(status.configuration, sameProcess ? before.configuration : undefined);
      this.advanced(name, status, log, from, configurations);
    }
    const { commit, configuration } = status;
    this.before.set(node, { replica, commit, configuration, durable: log.durableIndex });
  }

  /** The node takes the entries from `from` on up to its commit index for committed. */
  private advanced(
    name: string,
    status: CoreStatus,
    log: SegmentedLog,
    from: number,
    configurations: readonly Configuration[],
  ): void {
    const { commit, role, term } = status;
    if (role === 'leader' && commit >= this.committed.length)
      this.expectQuorum(name, commit, term, log, configurations);
    for (let index = Math.max(from, log.firstIndex); index <= commit; index += 1) {
      const here = log.termAt(index);
      if (here === undefined) continue;
      const known = (this.committed[index] ??= here);
      if (known === here) continue;
      violated(
        'committed is committed',
        `${name} commits entry ${index} of term ${here}; that of term ${known} is committed`,
      );
    }
  }

  /** Section 3.6.2: committed by counting is an entry of the leader's own term, on the disks of a majority. */
  private expectQuorum(
    name: string,
    index: number,
    term: number,
    log: SegmentedLog,
    configurations: readonly Configuration[],
  ): void {
    const here = log.termAt(index);
    if (here !== term) {
      violated('commit of the own term', `${name} leads term ${term} and commits ${index} of term ${here} by counting`);
    }
    if (configurations.some((one) => this.isOnQuorum(one, index, term))) return;
    violated('commit is on a majority', `${name} commits ${index} of term ${term}, which no majority has on its disks`);
  }

  private isOnQuorum({ voters, votersOutgoing }: Configuration, index: number, term: number): boolean {
    return [voters, votersOutgoing].every((half) => {
      const holding = half.filter((id) => this.durable.get(id)?.[index] === term).length;
      return half.length === 0 || 2 * holding > half.length;
    });
  }

  /** A process that truncates its log forgets; that a new one finds less than was durable, its disk has to answer for. */
  private recordDurable(id: NodeId, log: SegmentedLog, before: Before | undefined): void {
    let terms = this.durable.get(id);
    if (!terms) this.durable.set(id, (terms = []));
    const end = log.durableIndex;
    if (before && end < before.durable && terms.length > end + 1) terms.length = end + 1;
    // Downwards as far as something is new: where an index and a term are the same, all before them is.
    for (let index = end; index >= log.firstIndex && terms[index] !== log.termAt(index); index -= 1) {
      terms[index] = log.termAt(index)!;
    }
  }
}
