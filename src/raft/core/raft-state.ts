import { configurationFault, memberIds } from './configuration';
import { invariant } from './errors';
import { Membership } from './membership';
import type { CoreOptions } from './options';
import { Outbox } from './outbox';
import { Progress } from './progress';
import { RaftLog } from './raft-log';
import { ReadQueue } from './read-queue';
import { NOBODY, type Configuration, type LogPosition, type NodeId, type Role, type SnapshotMeta } from './types';
import { UncommittedTail } from './uncommitted-tail';

/**
 * Everything one node's consensus knows. The modules beside this one are the rules that read and change it, each for one
 * idea of the dissertation; RaftCore is the door.
 */
export class RaftState {
  readonly id: NodeId;
  readonly log: RaftLog;
  readonly membership: Membership;
  readonly reads = new ReadQueue();
  readonly uncommitted: UncommittedTail;
  outbox = new Outbox();

  /** currentTerm and votedFor of figure 3.1. */
  term: number;
  vote: NodeId;
  role: Role = 'follower';
  leader: NodeId = NOBODY;
  /** Who led last, where its process was seen to have ended; NOBODY as soon as anyone else leads. */
  goneLeader: NodeId = NOBODY;

  /** Ticks since the election timer was started anew; of a leader, since the quorum was last checked. */
  electionElapsed = 0;
  electionTimeout = 0;
  heartbeatElapsed = 0;
  /** A candidate's or pre-candidate's. */
  readonly votes = new Map<NodeId, boolean>();

  /** A leader's: of all members but itself. */
  readonly progress = new Map<NodeId, Progress>();
  /** A leader's: the index of the no-op with which its term begins. */
  termStart = 0;
  transferee: NodeId = NOBODY;
  transferElapsed = 0;
  timeoutNowSent = false;

  /** A snapshot that the replica is installing; the log does not stand still meanwhile. */
  installing: SnapshotMeta | undefined;
  /** See CoreOptions.mayHaveLost. */
  lost: LogPosition | undefined;

  constructor(readonly options: CoreOptions) {
    checkOptions(options);
    const { hardState, snapshotMeta } = options;
    this.id = options.id;
    this.log = new RaftLog(options.log, snapshotMeta);
    this.membership = new Membership(snapshotMeta, options.configurations);
    this.uncommitted = new UncommittedTail(options.maxUncommittedBytes);
    // Entries can be durable before the term in which they came is. A vote in that term was not answered then.
    const newer = this.log.lastTerm > hardState.term;
    this.term = newer ? this.log.lastTerm : hardState.term;
    this.vote = newer ? NOBODY : hardState.vote;
    this.lost = options.mayHaveLost;
    this.restartElectionTimer();
  }

  get configuration(): Configuration {
    return this.membership.current;
  }

  get isLeader(): boolean {
    return this.role === 'leader';
  }

  /** Least ticks of silence after which this node may think that the leader has failed. */
  get minElectionTicks(): number {
    return this.options.electionTicks[0];
  }

  /** A leader was heard within the least election timeout, so that nobody else needs a vote (dissertation 4.2.3). */
  get hearsLeader(): boolean {
    return this.leader !== NOBODY && this.electionElapsed < this.minElectionTicks;
  }

  /** Randomised anew each time, so that a split vote does not repeat itself (3.4). */
  restartElectionTimer(): void {
    const [min, max] = this.options.electionTicks;
    this.electionElapsed = 0;
    this.electionTimeout = min + this.draw(max - min);
  }

  /** A whole number from 0 up to, and without, `below`. */
  draw(below: number): number {
    const drawn = this.options.random.next();
    invariant(drawn >= 0 && drawn < 1, () => `The random source gave ${drawn}, which is not in [0, 1).`);
    return Math.floor(drawn * below);
  }

  /** The entry in force has changed: a leader follows exactly the members. */
  followMembers(): void {
    if (!this.isLeader) return;
    const members = memberIds(this.configuration).filter((id) => id !== this.id);
    for (const id of [...this.progress.keys()]) {
      if (!members.includes(id)) this.progress.delete(id);
    }
    for (const id of members) {
      if (this.progress.has(id)) continue;
      const { maxInflightMessages, maxInflightBytes } = this.options;
      this.progress.set(id, new Progress(this.log.lastIndex + 1, maxInflightMessages, maxInflightBytes));
    }
    if (this.transferee !== NOBODY && !members.includes(this.transferee)) this.transferee = NOBODY;
  }

  /** What a leader counts for a member; its own disk counts like any other. */
  readonly matchOf = (id: NodeId): number => (id === this.id ? this.log.durable : (this.progress.get(id)?.match ?? 0));
}

function checkOptions(options: CoreOptions): void {
  const { id, electionTicks, heartbeatTicks, hardState, snapshotMeta } = options;
  const [min, max] = electionTicks;
  invariant(id !== NOBODY, () => 'A node needs an id to take part in consensus.');
  invariant(
    heartbeatTicks >= 1 && min > heartbeatTicks && max > min,
    () =>
      `Heartbeats every ${heartbeatTicks} ticks and election timeouts from ${min} to ${max} ticks were given; ` +
      'expected 0 < heartbeat < least timeout < greatest timeout.',
  );
  for (const limit of ['maxInflightMessages', 'maxInflightBytes', 'maxUncommittedBytes', 'maxMessageBytes'] as const) {
    invariant(options[limit] > 0, () => `The limit ${limit} is ${options[limit]}; it has to be positive.`);
  }
  invariant(
    Number.isSafeInteger(hardState.term) && hardState.term >= 0,
    () => `The hard state's term ${hardState.term} is not a whole number from 0 on.`,
  );
  const fault = configurationFault(snapshotMeta.configuration);
  invariant(
    fault === undefined,
    () => `The configuration of the snapshot at ${snapshotMeta.index} is broken: ${fault}`,
  );
}
