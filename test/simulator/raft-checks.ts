import type { Entry, Message, NodeId } from '../../src/raft/core';
import { readHeader } from '../../src/log/batch';
import type { CommittedHistory } from './committed-history';
import type { SimNode } from './sim-node';
import { violated } from './violation';

/** What one process has shown so far; none of it may go back while the process lives. */
interface Seen {
  readonly replica: object;
  term: number;
  commit: number;
  applied: number;
  /** While it leads: its term and the end of its log. */
  leads: { readonly term: number; lastIndex: number } | undefined;
}

const HASH_AT = 128;
const HASH_END = 160;
/** Of the committed entries, so many of the newest are looked for in the log of every new leader. */
const COMPARED_ENTRIES = 64;

/** The safety properties of Raft (figure 3 of the paper), seen from outside all nodes. */
export class RaftChecks {
  private readonly leaders = new Map<number, NodeId>();
  private readonly votes = new Map<string, NodeId>();
  private readonly entries = new Map<string, string>();
  private readonly seen = new Map<SimNode, Seen>();
  /** Up to where a node has told a leader that its log is durable; less where its end was replaced since. */
  private readonly acknowledged = new Map<NodeId, number>();
  elections = 0;

  constructor(private readonly committed: CommittedHistory) {}

  /** Whatever leaves a node has to agree with all that ever left any node. */
  sent(message: Message): void {
    if (message.type === 'voteResp' && !message.reject) this.voted(message.from, message.term, message.to);
    if (message.type === 'append') for (const entry of message.entries) this.entrySeen(entry);
    if (message.type === 'appendResp' && !message.reject) {
      this.acknowledged.set(message.from, Math.max(this.acknowledgedBy(message.from), message.index));
    }
  }

  /** A process has opened its log, which ends at `lastIndex`: whatever it was told to forget, not what it has acknowledged. */
  opened(node: SimNode, lastIndex: number): void {
    const acknowledged = this.acknowledgedBy(node.id);
    if (lastIndex >= acknowledged) return;
    violated('durability', `${node.name} has acknowledged entry ${acknowledged}, and its log ends at ${lastIndex}`);
  }

  /** Looks at a node after something happened in it. */
  look(node: SimNode): void {
    const { running } = node;
    if (!running) return;
    const { replica } = running;
    const status = replica.status();
    const { term, commit, lastIndex, role } = status;
    const applied = replica.appliedIndex;
    this.acknowledged.set(node.id, Math.min(this.acknowledgedBy(node.id), running.storage.log.lastIndex));
    let seen = this.seen.get(node);
    if (seen?.replica !== replica) {
      seen = { replica, term, commit, applied, leads: undefined };
      this.seen.set(node, seen);
    }
    if (term < seen.term) violated('monotonic term', `${node.name} went from term ${seen.term} to ${term}`);
    if (commit < seen.commit) violated('monotonic commit', `${node.name} went from ${seen.commit} to ${commit}`);
    if (applied < seen.applied) violated('monotonic apply', `${node.name} went from ${seen.applied} to ${applied}`);
    // While a snapshot is installed, the applied state is ahead of what the core has been told.
    if (applied > commit && !status.installingSnapshot) {
      violated('applied is committed', `${node.name} has applied ${applied} and committed ${commit}`);
    }
    seen.term = term;
    seen.commit = commit;
    seen.applied = applied;
    if (role !== 'leader') seen.leads = undefined;
    else this.lookAtLeader(node, seen, term, lastIndex);
  }

  private acknowledgedBy(id: NodeId): number {
    return this.acknowledged.get(id) ?? 0;
  }

  private lookAtLeader(node: SimNode, seen: Seen, term: number, lastIndex: number): void {
    if (seen.leads?.term === term) {
      if (lastIndex < seen.leads.lastIndex) {
        violated('leader append-only', `the log of ${node.name} shrank from ${seen.leads.lastIndex} to ${lastIndex}`);
      }
      seen.leads.lastIndex = lastIndex;
      return;
    }
    seen.leads = { term, lastIndex };
    const other = this.leaders.get(term);
    if (other !== undefined) {
      violated('election safety', `${node.name} leads in term ${term}, in which ${other} has led before`);
    }
    this.elections += 1;
    this.leaders.set(term, node.id);
    this.voted(node.id, term, node.id);
    this.expectComplete(node, term);
  }

  /**
   * Leader completeness: what was committed in an earlier term is in the log of every later leader. (Not of the leader of a
   * term between that of an entry and that in which it was committed: a paused candidate may come to know its victory late.)
   */
  private expectComplete(node: SimNode, term: number): void {
    const log = node.running!.storage.log;
    const end = this.committed.lastIndex;
    for (let index = end; index > Math.max(0, end - COMPARED_ENTRIES) && index >= log.firstIndex - 1; index -= 1) {
      const entry = this.committed.at(index);
      if (!entry || entry.knownIn > term || log.termAt(index) === entry.term) continue;
      violated(
        'leader completeness',
        `${node.name} leads in term ${term}; entry ${index} was committed with term ${entry.term},` +
          ` its log holds term ${log.termAt(index) ?? 'none'} there`,
      );
    }
  }

  private voted(voter: NodeId, term: number, candidate: NodeId): void {
    const key = `${voter} ${term}`;
    const before = this.votes.get(key);
    if (before !== undefined && before !== candidate) {
      violated('one vote a term', `${voter} voted for ${before} and for ${candidate} in term ${term}`);
    }
    this.votes.set(key, candidate);
  }

  /** Log matching: an index and a term name one batch, and its hash names all before it. */
  private entrySeen(entry: Entry): void {
    const key = `${entry.index}.${entry.term}`;
    const hash = entry.data.toString('latin1', HASH_AT, HASH_END);
    const before = this.entries.get(key);
    if (before === undefined) this.entries.set(key, hash);
    else if (before !== hash) violated('log matching', `two batches are entry ${key}`);
    if (readHeader(entry.data).term !== entry.term) violated('log matching', `entry ${key} holds another term`);
  }
}
