import type { BatchHeader } from '../../log/batch';
import {
  NOBODY,
  RaftCore,
  type Configuration,
  type ConfigurationChange,
  type ConfigurationRefusal,
  type CoreStatus,
  type Message,
  type NodeId,
} from '../core';
import { Applier } from './applier';
import { ClockGuard } from './clock-guard';
import { entryOf, logView } from './entries';
import { ReplicaError } from './errors';
import { ProposalQueue, type Applied } from './proposal-queue';
import { ProposalWaiters } from './proposal-waiters';
import { Proposer } from './proposer';
import { beginningOfRounds, ReadRounds } from './read-rounds';
import { ReadyLoop } from './ready-loop';
import type { ReplicaOptions } from './replica-options';
import { Sealer } from './sealer';

/** Deadlines are looked at so often; they are bounds, not appointments. */
const EXPIRE_EVERY_MILLIS = 50;
const CLOCK_SAMPLE_LIFE_MILLIS = 5_000;

/** One member of one Raft group: drives the pure core, the log and the state machine, and answers those who wait for them. */
export class Replica {
  readonly id: NodeId;
  private readonly core: RaftCore;
  private readonly loop: ReadyLoop;
  private readonly applier: Applier;
  private readonly proposer: Proposer;
  private readonly waiters = new ProposalWaiters();
  private readonly rounds: ReadRounds;
  private readonly clockGuard: ClockGuard;
  private stopTicking: (() => void) | undefined;
  private stopped = false;
  private expiredAt = 0;
  private leader: NodeId = NOBODY;
  private configurationIndex = -1;
  private voters: readonly NodeId[] = [];
  private freshAt = Number.NEGATIVE_INFINITY;

  constructor(private readonly options: ReplicaOptions) {
    const { log, clock, limits, timing, listener } = options;
    this.id = options.id;
    const sealer = new Sealer(log, options.group, clock);
    this.core = new RaftCore({
      id: options.id,
      log: logView(log),
      hardState: options.hardState,
      snapshotMeta: options.snapshotMeta,
      configurations: options.configurations,
      electionTicks: timing.electionTicks,
      heartbeatTicks: timing.heartbeatTicks,
      random: options.random,
      maxInflightMessages: limits.inflightMessages,
      maxInflightBytes: limits.inflightBytes,
      maxUncommittedBytes: limits.uncommittedBytes,
      maxMessageBytes: limits.messageBytes,
      seal: (kind, index, term, commit, payload, count) =>
        entryOf(sealer.seal(kind, index, term, commit, payload, count)),
      ...(options.mayHaveLost && { mayHaveLost: options.mayHaveLost }),
    });
    this.clockGuard = new ClockGuard(clock, limits.clockLeadMicros, CLOCK_SAMPLE_LIFE_MILLIS);
    this.applier = new Applier(
      log,
      options.machine,
      clock,
      options.scheduler,
      {
        applied: (header, outcomes, batch) => this.batchApplied(header, outcomes, batch),
        failed: (error) => listener.fatal(error),
      },
      options.snapshotMeta.index,
      limits.waitingReads,
    );
    this.loop = new ReadyLoop(this.core, options, {
      committed: (to) => this.applier.committed(to),
      readConfirmed: (context, index) => this.rounds.confirmed(context, index),
      softStateChanged: (_role, leader) => this.leaderChanged(leader),
      configurationMayHaveChanged: () => this.lookAtConfiguration(),
      durable: () => this.proposer.pump(),
    });
    this.proposer = new Proposer(this.core, this.loop, this.waiters, new ProposalQueue(limits), options, () =>
      this.clockGuard.mayPropose(this.id, this.voters),
    );
    this.rounds = new ReadRounds(
      beginningOfRounds(options.random),
      (context) =>
        this.loop.guarded(() => {
          this.core.readIndex(context);
          this.loop.drain();
        }),
      () => clock.monotonicMillis(),
      timing.tickMillis * timing.heartbeatTicks * 2,
      limits.waitingReads,
    );
  }

  /** Begins to tick: to campaign, to send heartbeats, to keep deadlines. */
  start(): void {
    this.stopTicking = this.options.scheduler.every(this.options.timing.tickMillis, () => this.tick());
    this.lookAtConfiguration();
    this.loop.guarded(() => this.loop.drain());
  }

  /** A message of a peer has arrived. */
  receive(message: Message): void {
    if (this.stopped) return;
    if ('clock' in message && message.clock !== undefined) this.clockGuard.observe(message.from, message.clock);
    this.loop.receive(message);
  }

  /** Commits a chunk through this replica, if it leads. Rejects with ReplicaError. */
  submit(kind: number, chunk: Buffer, count: number, deadlineMillis: number): Promise<Applied> {
    if (this.stopped) return Promise.reject(new ReplicaError('STOPPING', 'This node is stopping.'));
    if (this.leader !== this.id) {
      return Promise.reject(new ReplicaError('NOT_LEADER', 'This node does not lead.', this.leader));
    }
    return this.proposer.submit(kind, chunk, count, this.options.clock.monotonicMillis() + deadlineMillis);
  }

  /** Resolves when this replica's state reflects everything that was acknowledged anywhere before the call. */
  async linearizable(deadlineMillis: number): Promise<void> {
    const startedAt = this.options.clock.monotonicMillis();
    const deadlineAt = startedAt + deadlineMillis;
    if (this.stopped) throw new ReplicaError('STOPPING', 'This node is stopping.');
    const index = await this.rounds.request(deadlineAt);
    await this.applier.waitFor(index, deadlineAt);
    this.freshAt = Math.max(this.freshAt, startedAt);
  }

  /** Resolves when the state has applied `index`. */
  waitApplied(index: number, deadlineMillis: number): Promise<void> {
    return this.applier.waitFor(index, this.options.clock.monotonicMillis() + deadlineMillis);
  }

  /** Milliseconds since a moment of which the state is known to reflect all that was acknowledged; infinite before the first. */
  staleness(): number {
    return this.options.clock.monotonicMillis() - this.freshAt;
  }

  /** Puts a change of the membership into the log; the refusal, if it cannot be made now. */
  changeConfiguration(change: ConfigurationChange): ConfigurationRefusal | undefined {
    let refusal: ConfigurationRefusal | undefined;
    this.loop.guarded(() => {
      const answer = this.core.proposeConfiguration(change);
      refusal = typeof answer === 'string' ? answer : undefined;
      this.loop.drain();
    });
    return refusal;
  }

  /** Starts to hand leadership over; the outcome shows in `leaderId`. The refusal, if it does not even start. */
  transferLeadership(to: NodeId): string | undefined {
    let refusal: string | undefined;
    this.loop.guarded(() => {
      refusal = this.core.transferLeadership(to);
      this.loop.drain();
    });
    return refusal;
  }

  unreachable(peer: NodeId): void {
    if (this.stopped) return;
    this.loop.guarded(() => {
      this.core.unreachable(peer);
      this.loop.drain();
    });
  }

  /** The peer's process has ended; see RaftCore.peerGone. */
  peerGone(peer: NodeId): void {
    if (this.stopped) return;
    this.loop.guarded(() => {
      this.core.peerGone(peer);
      this.loop.drain();
    });
  }

  status(): CoreStatus {
    return this.core.status();
  }

  /** '' while nobody is known to lead. */
  get leaderId(): NodeId {
    return this.leader;
  }

  get isLeader(): boolean {
    return this.leader === this.id && !this.stopped;
  }

  get appliedIndex(): number {
    return this.applier.appliedIndex;
  }

  get queuedBytes(): number {
    return this.proposer.queuedBytes;
  }

  /** In force after the entry at `index`, which is at or above the applied one. */
  configurationAt(index: number): Configuration {
    return this.core.configurationAt(index);
  }

  /** Nothing is applied until `stateJumped`. */
  pauseApplying(): void {
    this.applier.pause();
  }

  /** The state machine holds the snapshot at `index` now; called during an installation. */
  stateJumped(index: number): void {
    this.applier.jumped(index);
    this.waiters.skipped(index);
  }

  /** Refuses what waits, and resolves when everything that was handed to the disk is durable. */
  async stop(): Promise<void> {
    if (this.stopped) return;
    this.stopped = true;
    this.stopTicking?.();
    const stopping = new ReplicaError('STOPPING', 'This node is stopping.');
    this.proposer.rejectAll(stopping);
    this.rounds.rejectAll(stopping);
    this.applier.stop(stopping);
    // A write that failed was reported as fatal when it did; who waits here is told all the same.
    await this.loop.settled().catch(() => undefined);
    this.loop.stop();
    this.waiters.rejectAll();
  }

  private tick(): void {
    this.loop.guarded(() => this.loop.tick());
    this.rounds.tick();
    const now = this.options.clock.monotonicMillis();
    if (now - this.expiredAt >= EXPIRE_EVERY_MILLIS) {
      this.expiredAt = now;
      this.proposer.expire(now);
      this.waiters.expire(now);
      this.applier.expire(now);
    }
    this.proposer.pump();
  }

  private batchApplied(header: BatchHeader, outcomes: Buffer, batch: Buffer): void {
    this.core.applied(header.index);
    this.waiters.applied(header, outcomes);
    this.options.listener.applied(header, batch);
  }

  private leaderChanged(leader: NodeId): void {
    this.leader = leader;
    if (leader !== this.id) {
      this.proposer.rejectAll(new ReplicaError('NOT_LEADER', 'This node does not lead any more.', leader));
    }
    this.options.listener.leaderChanged(leader, this.core.status().term);
  }

  private lookAtConfiguration(): void {
    const { configuration, configurationIndex } = this.core.status();
    if (configurationIndex === this.configurationIndex) return;
    this.configurationIndex = configurationIndex;
    this.voters = configuration.voters;
    this.options.listener.configurationChanged(configuration);
  }
}
