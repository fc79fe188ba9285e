import type { Configuration, Entry, Message, NodeId } from '../../../src/raft/core';
import { quorumIndex } from '../../../src/raft/core/quorum';
import type { SimNode } from './sim-node';

/**
 * Watches a whole cluster from outside and throws at the first breach of what Raft promises (figure 3.2): it sees what no
 * node can see, all logs and all disks at once.
 */
export class Invariants {
  /** Election Safety: at most one leader a term. */
  private readonly leaders = new Map<number, NodeId>();
  /** Log Matching, by induction: an entry is the same everywhere, and so is the term before it. */
  private readonly entries = new Map<string, { bytes: string; previousTerm: number }>();
  /** State Machine Safety: the term of each committed entry, for ever. */
  private readonly committed: number[] = [0];
  private readonly votes = new Map<string, NodeId>();
  private readonly seen = new Map<NodeId, { term: number; commit: number }>();
  private readonly durableTerms = new Map<NodeId, number>();

  constructor(private readonly nodes: ReadonlyMap<NodeId, SimNode>) {}

  /** The highest index that was ever committed anywhere. */
  get commit(): number {
    return this.committed.length - 1;
  }

  /** An entry has come into a log, or a test has put it onto a disk before it begins. */
  entryStored(node: SimNode, entry: Entry): void {
    const key = `${entry.index}.${entry.term}`;
    const bytes = entry.data.toString('latin1');
    const previousTerm = node.log.termAt(entry.index - 1) ?? -1;
    const known = this.entries.get(key);
    if (known && (known.bytes !== bytes || known.previousTerm !== previousTerm)) {
      throw new Error(
        `Log Matching: entry ${key} of ${node.id} differs from the one of that index and term elsewhere.`,
      );
    }
    this.entries.set(key, { bytes, previousTerm });
  }

  entryApplied(node: SimNode, entry: Entry): void {
    if (this.committed[entry.index] !== entry.term) {
      throw new Error(
        `State Machine Safety: ${node.id} applied ${entry.index}.${entry.term}; committed is term ${this.committed[entry.index]}.`,
      );
    }
    if (this.durableTerm(node.id, entry.index) !== entry.term) {
      throw new Error(`${node.id} applied ${entry.index}.${entry.term}, which is not on its own disk.`);
    }
  }

  persisted(node: SimNode): void {
    const { term } = node.disk.hardState;
    if (term < (this.durableTerms.get(node.id) ?? 0))
      throw new Error(`The term on the disk of ${node.id} went back to ${term}.`);
    this.durableTerms.set(node.id, term);
  }

  /** A vote that has left a node binds it for ever, through every crash. */
  sent(m: Message): void {
    const candidate = m.type === 'vote' ? m.from : m.type === 'voteResp' && !m.reject ? m.to : undefined;
    if (candidate === undefined) return;
    const key = `${m.from} in term ${m.term}`;
    const before = this.votes.get(key);
    if (before !== undefined && before !== candidate) {
      throw new Error(`${key} voted for ${before} and then for ${candidate}.`);
    }
    this.votes.set(key, candidate);
    const disk = this.nodes.get(m.from)?.disk.hardState;
    if (disk && (disk.term < m.term || (disk.term === m.term && disk.vote !== candidate))) {
      throw new Error(`${key} sent its vote for ${candidate} before that was on its disk.`);
    }
  }

  restarted(id: NodeId): void {
    this.seen.delete(id);
  }

  /** After every event that may have changed this node. */
  check(node: SimNode): void {
    if (!node.isUp) return;
    const { term, commit, role, configuration, applied, lastIndex } = node.core.status();
    const before = this.seen.get(node.id);
    if (before && (term < before.term || commit < before.commit)) {
      throw new Error(`${node.id} went back from term ${before.term}, commit ${before.commit} to ${term}, ${commit}.`);
    }
    if (applied > commit || commit > lastIndex)
      throw new Error(`${node.id}: applied ${applied}, commit ${commit}, last ${lastIndex}.`);
    if (role === 'leader') this.checkLeader(node, term);
    for (let index = (before?.commit ?? node.log.firstIndex - 1) + 1; index <= commit; index++) {
      this.checkCommitted(node, index, configuration);
    }
    this.seen.set(node.id, { term, commit });
  }

  private checkLeader(node: SimNode, term: number): void {
    const other = this.leaders.get(term) ?? node.id;
    if (other !== node.id) throw new Error(`Election Safety: ${node.id} and ${other} both lead term ${term}.`);
    if (this.leaders.has(term)) return;
    this.leaders.set(term, node.id);
    const index = this.commit;
    const has = node.log.termAt(index);
    if (index >= node.log.firstIndex - 1 && has !== this.committed[index]) {
      throw new Error(
        `Leader Completeness: ${node.id} leads term ${term} with term ${has} at ${index}, not ${this.committed[index]}.`,
      );
    }
  }

  private checkCommitted(node: SimNode, index: number, configuration: Configuration): void {
    const term = node.log.termAt(index);
    if (term === undefined) return;
    const known = this.committed[index];
    if (known === undefined) {
      if (index !== this.committed.length)
        throw new Error(`${node.id} committed ${index} before ${this.committed.length}.`);
      this.committed.push(term);
      this.checkOnMajority(node, index, term, configuration);
    } else if (known !== term) {
      throw new Error(
        `State Machine Safety: ${node.id} committed ${index}.${term}, but ${index}.${known} was committed.`,
      );
    }
  }

  /** Nothing is committed before it is on the disks of a majority, the leader's own disk being one like the others. */
  private checkOnMajority(node: SimNode, index: number, term: number, configuration: Configuration): void {
    const holds = quorumIndex(configuration, (id) => (this.durableTerm(id, index) === term ? 1 : 0));
    if (holds < 1) throw new Error(`${node.id} committed ${index}.${term}, which is not on the disks of a majority.`);
  }

  private durableTerm(id: NodeId, index: number): number | undefined {
    const disk = this.nodes.get(id)?.disk;
    if (!disk) return undefined;
    // Lost, but this node lets nobody win who does not have it: that is as good as having it.
    if (disk.lost && index <= disk.lost.index && index > disk.log.lastIndex) return this.committed[index];
    // Below the snapshot, the disk holds the state that the entry led to.
    return index <= disk.snapshot.index ? this.committed[index] : disk.log.termAt(index);
  }
}
