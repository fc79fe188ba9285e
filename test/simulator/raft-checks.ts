import type { Configuration, Entry, HardState, LogPosition, Message, NodeId } from '../../src/raft/core';
import { readHeader } from '../../src/log/batch';
import type { SegmentedLog } from '../../src/log/segmented-log';
import { AnswerChecks } from './answer-checks';
import { CommitChecks } from './commit-checks';
import type { CommittedHistory } from './committed-history';
import type { SimNode } from './sim-node';
import type { MembershipChecks } from './membership-checks';
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

/** What a process has found on its disk. */
export interface Opened {
  /** Of its log. */
  readonly end: LogPosition;
  readonly hardState: HardState;
  /** It may have acknowledged entries up to here that are gone. */
  readonly mayHaveLost: LogPosition | undefined;
}

const HASH_AT = 128;
const HASH_END = 160;
/** Of the committed entries, so many of the newest are looked for in the log of every new leader. */
const COMPARED_ENTRIES = 64;

/** The safety properties of Raft (figure 3 of the paper), seen from outside all nodes. */
export class RaftChecks {
  private readonly leaders = new Map<number, NodeId>();
  private readonly votes = new Map<string, NodeId>();
  /** Of each voter, the newest vote that has left it, in a request of its own or in an answer. */
  private readonly told = new Map<NodeId, HardState>();
  private readonly entries = new Map<string, string>();
  private readonly seen = new Map<SimNode, Seen>();
  /** Up to where a node has told a leader that its log is durable; less where its end was replaced since. */
  private readonly acknowledged = new Map<NodeId, { readonly index: number; readonly term: number | undefined }>();
  private readonly commits = new CommitChecks();
  private readonly answers = new AnswerChecks();
  elections = 0;

  constructor(
    private readonly committed: CommittedHistory,
    private readonly membership: MembershipChecks,
    private readonly nameOf: (id: NodeId) => string,
  ) {}

  /** Whatever leaves a node has to agree with all that ever left any node. */
  sent(message: Message, sender: SimNode | undefined): void {
    this.answers.sent(message);
    // It may end in the same moment, and what it says now is heard all the same.
    if (message.type === 'appendResp' && sender) this.commits.acknowledging(sender);
    if (message.type === 'voteResp' && !message.reject) this.tells(message.from, message.term, message.to);
    if (message.type === 'vote') this.tells(message.from, message.term, message.from);
    if (message.type === 'append') for (const entry of message.entries) this.entrySeen(entry);
    if (message.type === 'appendResp' && !message.reject) {
      const { from, index, term } = message;
      // Said late, by a slow disk, to a leader of an earlier term: what it is about may have been replaced since.
      const isLate = term < (sender?.running?.replica.status().term ?? term);
      if (!isLate && index > this.acknowledgedBy(from)) this.acknowledged.set(from, { index, term: undefined });
    }
  }

  /**
   * A process has opened what its disk holds: `end` of the log, term and vote. Whatever it was told to forget, not what it has
   * acknowledged, nor how it has voted.
   * @param hurt its disk was made to lose something: that is not its fault, but it has to know
   */
  opened(node: SimNode, { end, hardState: { term, vote }, mayHaveLost }: Opened, hurt: boolean): void {
    const acknowledged = this.acknowledgedBy(node.id);
    if (hurt) {
      this.acknowledged.delete(node.id);
      // Nothing was acknowledged in a term above the one on the disk. A log that a peer has mended with a committed entry of a
      // later one ends above all of it: what was lost had been replaced elsewhere.
      const isReplaced = end.term > term;
      if (end.index < acknowledged && !mayHaveLost && !isReplaced)
        violated(
          'a loss is remembered',
          `${node.name} has acknowledged entry ${acknowledged}, its log ends at ${end.index}, and it does not know of a loss`,
        );
    } else if (end.index < acknowledged) {
      violated('durability', `${node.name} has acknowledged entry ${acknowledged}, and its log ends at ${end.index}`);
    }
    const told = this.told.get(node.id);
    // Entries of a term can be durable before the term itself is: then no vote was given in it.
    const known = end.term > term ? { term: end.term, vote: '' } : { term, vote };
    if (!told || known.term > told.term || (known.term === told.term && known.vote === told.vote)) return;
    const { name } = node;
    violated(
      'votes are remembered',
      `${name} has voted for ${told.vote} in term ${told.term}, and knows of ${term} ${vote}`,
    );
  }

  /** Looks at a node after something happened in it. */
  look(node: SimNode): void {
    const { running } = node;
    if (!running) return;
    this.commits.look(node);
    this.answers.look(node);
    const { replica } = running;
    const status = replica.status();
    const { term, commit, lastIndex, role } = status;
    const applied = replica.appliedIndex;
    this.forgetReplaced(node.id, running.storage.log);
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
    this.membership.look(node, status);
  }

  private acknowledgedBy(id: NodeId): number {
    return this.acknowledged.get(id)?.index ?? 0;
  }

  /** What a later leader has replaced need not be there any more, and what takes its place may not be durable yet. */
  private forgetReplaced(id: NodeId, log: SegmentedLog): void {
    const last = this.acknowledged.get(id);
    if (!last || last.index < log.firstIndex) return;
    const here = log.termAt(last.index);
    if (here === last.term && here !== undefined) return;
    const index = last.term === undefined && here !== undefined ? last.index : Math.min(last.index, log.durableIndex);
    this.acknowledged.set(id, { index, term: log.termAt(index) });
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
      violated('election safety', `${node.name} leads in term ${term}, in which ${this.nameOf(other)} has led before`);
    }
    this.elections += 1;
    this.leaders.set(term, node.id);
    this.voted(node.id, term, node.id);
    this.expectElected(node, term);
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

  /** More than half of the voters, in a joint configuration of either half, have voted for it in this very term. */
  private expectElected(node: SimNode, term: number): void {
    const { voters, votersOutgoing }: Configuration = node.running!.replica.status().configuration;
    for (const half of [voters, votersOutgoing]) {
      const votes = half.filter((id) => this.votes.get(`${id} ${term}`) === node.id).length;
      if (half.length === 0 || 2 * votes > half.length) continue;
      violated('elected by a majority', `${node.name} leads in term ${term} with ${votes} of ${half.length} votes`);
    }
  }

  private tells(voter: NodeId, term: number, vote: NodeId): void {
    this.voted(voter, term, vote);
    if (term >= (this.told.get(voter)?.term ?? 0)) this.told.set(voter, { term, vote });
  }

  private voted(voter: NodeId, term: number, candidate: NodeId): void {
    const key = `${voter} ${term}`;
    const before = this.votes.get(key);
    if (before !== undefined && before !== candidate) {
      violated(
        'one vote a term',
        `${this.nameOf(voter)} voted for ${this.nameOf(before)} and for ${this.nameOf(candidate)} in term ${term}`,
      );
    }
    this.votes.set(key, candidate);
  }

  /** Log matching: an index and a term name one batch, and its hash names all before it. */
  private entrySeen(entry: Entry): void {
    const key = `${entry.index}.${entry.term}`;
    if (entry.config) this.membership.note(entry.index, entry.term, entry.config);
    const hash = entry.data.toString('latin1', HASH_AT, HASH_END);
    const before = this.entries.get(key);
    if (before === undefined) this.entries.set(key, hash);
    else if (before !== hash) violated('log matching', `two batches are entry ${key}`);
    if (readHeader(entry.data).term !== entry.term) violated('log matching', `entry ${key} holds another term`);
  }
}
