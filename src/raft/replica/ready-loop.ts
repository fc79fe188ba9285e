import { DiskFullError, LogDamageError } from '../../log/log-errors';
import { RaftMessageError, type Message, type NodeId, type RaftCore, type Ready } from '../core';
import { CatchUpPace } from './catch-up-pace';
import { entryOf, verifyEntry } from './entries';
import type { ReplicaOptions } from './replica-options';

export interface ReadyHandlers {
  committed(to: number): void;
  readConfirmed(context: number, index: number): void;
  softStateChanged(role: string, leader: NodeId): void;
  /** Entries of a configuration came, or some that may have been one went. */
  configurationMayHaveChanged(): void;
  /** Something became durable: the next batch may be made. */
  durable(): void;
}

/**
 * So many answers may wait for the disk; further ones are dropped as if the network had lost them, and the peer asks again.
 * Otherwise a peer that repeats itself would fill the memory of a node whose disk stands still.
 */
const MAX_WAITING_ANSWERS = 1_024;

/**
 * Does what the core hands out, in the order that safety asks for: appends in the same turn, sends in parallel with the
 * disk, and says or sends nothing that depends on the disk before it is durable. Writes become durable in the order in
 * which they were handed out, so that an acknowledged entry never outlives the term it was acknowledged in.
 */
export class ReadyLoop {
  private persisted: Promise<unknown> = Promise.resolve();
  /** Messages that wait for the disk. */
  private waitingAnswers = 0;
  private draining = false;
  private stopped = false;
  private readonly sendingSnapshots = new Set<NodeId>();
  private readonly unreadable = new Set<NodeId>();
  private readonly retryAtTick = new Set<NodeId>();
  private readonly pace: CatchUpPace;

  constructor(
    private readonly core: RaftCore,
    private readonly options: ReplicaOptions,
    private readonly handlers: ReadyHandlers,
  ) {
    const { clock, scheduler, limits } = options;
    this.pace = new CatchUpPace(clock, scheduler, limits.catchUpBytes);
  }

  /** Steps a peer's message into the core. What is wrong with it is logged, and it is dropped. */
  receive(message: Message): void {
    if (this.stopped) return;
    try {
      if (message.type === 'append') for (const entry of message.entries) verifyEntry(entry, this.options.group);
    } catch (error) {
      this.options.events.warn({ peer: message.from, err: error }, 'a peer sent entries that do not verify; dropped');
      return;
    }
    this.guarded(() => {
      try {
        this.core.step(message);
      } catch (error) {
        if (!(error instanceof RaftMessageError)) throw error;
        this.options.events.warn(
          { peer: message.from, err: error },
          'a peer sent a message that Raft does not allow; dropped',
        );
      }
      this.drain();
    });
  }

  /** Runs `work` on the core; whatever it throws is an invariant that broke, and ends the process. */
  guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.stop();
      this.options.listener.fatal(error);
    }
  }

  /** Handles everything that the core has to say now. */
  drain(): void {
    if (this.draining || this.stopped) return;
    this.draining = true;
    try {
      for (let ready = this.core.ready(); ready && !this.stopped; ready = this.core.ready()) this.handle(ready);
    } finally {
      this.draining = false;
    }
  }

  /** Time passes. */
  tick(): void {
    for (const peer of this.retryAtTick) this.core.entriesLoaded(peer);
    this.retryAtTick.clear();
    this.core.tick();
    this.drain();
  }

  /** Resolves when all that was handed out is durable. */
  settled(): Promise<unknown> {
    return this.persisted;
  }

  stop(): void {
    this.stopped = true;
  }

  private handle(ready: Ready): void {
    const truncation =
      ready.truncateFrom === undefined ? undefined : this.options.log.truncateSuffix(ready.truncateFrom);
    for (const entry of ready.entries) {
      this.options.log.append(entry.data);
      this.pace.logGrew(entry.data.length);
    }
    for (const message of ready.messages) this.send(message);
    this.persist(ready, truncation);
    if (ready.truncateFrom !== undefined || ready.entries.some((entry) => entry.config !== undefined)) {
      this.handlers.configurationMayHaveChanged();
    }
    if (ready.softState) this.handlers.softStateChanged(ready.softState.role, ready.softState.leader);
    for (const state of ready.readStates) this.handlers.readConfirmed(state.context, state.index);
    if (ready.committed) this.handlers.committed(ready.committed.to);
    for (const read of ready.reads) this.load(read.peer, read.from);
    for (const { to } of ready.snapshotsToSend) this.sendSnapshot(to);
    if (ready.installSnapshot) this.install(ready.installSnapshot);
    if (ready.lossSettled) this.background(this.options.lossSettled());
  }

  private persist(ready: Ready, truncation: Promise<void> | undefined): void {
    const { ack, messagesAfterSync } = ready;
    if (!ack && (messagesAfterSync.length === 0 || this.waitingAnswers >= MAX_WAITING_ANSWERS)) return;
    this.waitingAnswers += messagesAfterSync.length;
    const work: Promise<unknown>[] = [this.persisted];
    if (ready.hardState) work.push(this.options.saveHardState(ready.hardState));
    if (truncation) work.push(truncation);
    if (truncation || ready.entries.length > 0) work.push(this.options.log.sync());
    this.persisted = Promise.all(work);
    this.background(
      this.persisted.then(() => {
        this.waitingAnswers -= messagesAfterSync.length;
        if (this.stopped) return;
        this.guarded(() => {
          for (const message of messagesAfterSync) this.send(message);
          if (ack) this.core.appended(ack);
          this.drain();
          this.handlers.durable();
        });
      }),
    );
  }

  /** Peers compare clocks by what these three carry; see ClockGuard. */
  private send(message: Message): void {
    const clocked =
      message.type === 'heartbeat' || message.type === 'heartbeatResp' || message.type === 'appendResp'
        ? { ...message, clock: this.options.clock.wallMicros() }
        : message;
    this.options.send(message.to, clocked);
  }

  private load(peer: NodeId, from: number): void {
    const waiting = this.pace.whenTurn(peer, from, (newest) => this.loadNow(peer, newest));
    if (waiting) this.background(waiting);
  }

  private loadNow(peer: NodeId, from: number): void {
    if (this.stopped) return;
    this.background(
      this.options.log.read(from, this.options.limits.messageBytes).then(
        (batches) => this.guarded(() => this.loaded(peer, batches)),
        (error: unknown) => this.notLoaded(peer, from, error),
      ),
    );
  }

  private loaded(peer: NodeId, batches: readonly Buffer[]): void {
    if (this.stopped) return;
    this.unreadable.delete(peer);
    if (batches.length === 0) this.core.entriesLoaded(peer);
    // What the core had no use for any more was not sent, and is not paid for.
    else if (this.core.appendFor(peer, batches.map(entryOf)))
      for (const batch of batches) this.pace.sent(peer, batch.length);
    this.drain();
  }

  /**
   * Asked again at the next tick, not at once: a disk that fails answers fast. One line for each peer until it is read.
   * What is damaged can never be read: only an opening mends it, and until then the peer would wait for ever.
   */
  private notLoaded(peer: NodeId, from: number, error: unknown): void {
    if (error instanceof LogDamageError) {
      this.background(Promise.reject(error));
      return;
    }
    this.retryAtTick.add(peer);
    if (this.unreadable.has(peer)) return;
    this.unreadable.add(peer);
    this.options.events.warn({ peer, from, err: error }, 'entries for a peer could not be read; trying again');
  }

  private sendSnapshot(to: NodeId): void {
    if (this.sendingSnapshots.has(to)) return;
    this.sendingSnapshots.add(to);
    const { term } = this.core.status();
    this.background(
      this.options.snapshots.send(to, term).then((index) => {
        this.sendingSnapshots.delete(to);
        this.guarded(() => {
          this.core.snapshotStatus(to, index !== undefined, index);
          this.drain();
        });
      }),
    );
  }

  private install(meta: NonNullable<Ready['installSnapshot']>): void {
    this.background(
      // Writes that are under way belong to the log that is about to be replaced.
      this.persisted
        .then(() => this.options.snapshots.install(meta))
        .then(() =>
          this.guarded(() => {
            this.core.snapshotInstalled(meta);
            this.handlers.configurationMayHaveChanged();
            this.drain();
          }),
        ),
    );
  }

  private background(work: Promise<unknown>): void {
    work.catch((error: unknown) => {
      // Whoever waits for room on a full disk gives that up only because this node is being stopped.
      if (this.stopped || error instanceof DiskFullError) return;
      this.stop();
      this.options.listener.fatal(error);
    });
  }
}
