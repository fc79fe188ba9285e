import { readHeader, type BatchHeader } from '../../log/batch';
import type { LogStore } from '../../log/log-store';
import type { Clock, Scheduler } from './environment';
import { ReplicaError } from './errors';
import type { StateMachine } from './state-machine';

interface IndexWaiter {
  readonly index: number;
  readonly deadlineAt: number;
  readonly resolve: () => void;
  readonly reject: (error: ReplicaError) => void;
}

/** How long the state machine may work in one go before input and output get a turn, and how much is read at once. */
const SLICE_MILLIS = 8;
const READ_BYTES = 1 << 20;

export interface ApplierEvents {
  /** Called for each batch in order, right after the state machine took it. */
  applied(header: BatchHeader, outcomes: Buffer, batch: Buffer): void;
  failed(error: unknown): void;
}

/** Feeds committed batches to the state machine, in order, each once, in slices that leave the event loop responsive. */
export class Applier {
  private commit: number;
  private running = false;
  private stopped: ReplicaError | undefined;
  private paused = false;
  private waiters: IndexWaiter[] = [];
  /** Read, and not applied yet: the first of them had to be prepared. */
  private ahead: readonly Buffer[] = [];

  constructor(
    private readonly log: LogStore,
    private readonly machine: Pick<StateMachine, 'apply' | 'backlog' | 'prepare'>,
    private readonly clock: Clock,
    private readonly scheduler: Scheduler,
    private readonly events: ApplierEvents,
    private appliedTo: number,
    private readonly maxWaiters: number,
  ) {
    this.commit = appliedTo;
  }

  get appliedIndex(): number {
    return this.appliedTo;
  }

  get committedIndex(): number {
    return this.commit;
  }

  /** Everything up to `index` is committed. */
  committed(index: number): void {
    if (index <= this.commit) return;
    this.commit = index;
    this.run();
  }

  /** Nothing is applied until `jumped`: the state is being replaced. */
  pause(): void {
    this.paused = true;
  }

  /** The state was replaced by a snapshot at `index`. */
  jumped(index: number): void {
    this.appliedTo = index;
    this.commit = Math.max(this.commit, index);
    this.paused = false;
    this.wake();
    this.run();
  }

  waitFor(index: number, deadlineAt: number): Promise<void> {
    if (this.appliedTo >= index) return Promise.resolve();
    // Deadlines are not looked at any more: whoever came now would wait for ever.
    if (this.stopped) return Promise.reject(this.stopped);
    if (this.waiters.length >= this.maxWaiters) {
      return Promise.reject(
        new ReplicaError(
          'OVERLOADED',
          `${this.maxWaiters} reads wait already for the log to be applied, as many as this node allows; try again later`,
        ),
      );
    }
    return new Promise((resolve, reject) => this.waiters.push({ index, deadlineAt, resolve, reject }));
  }

  expire(now: number): void {
    if (this.waiters.length === 0) return;
    const late = this.waiters.filter((waiter) => waiter.deadlineAt <= now);
    if (late.length === 0) return;
    this.waiters = this.waiters.filter((waiter) => waiter.deadlineAt > now);
    for (const waiter of late) {
      waiter.reject(
        new ReplicaError(
          'NO_LEADER',
          `This node has applied the log up to index ${this.appliedTo}, not ${waiter.index}, in time.`,
        ),
      );
    }
  }

  stop(error: ReplicaError): void {
    this.stopped = error;
    for (const waiter of this.waiters.splice(0)) waiter.reject(error);
  }

  private run(): void {
    if (this.running || this.stopped || this.paused) return;
    this.running = true;
    try {
      this.slice();
    } catch (error) {
      this.events.failed(error);
    }
  }

  private slice(): void {
    const until = this.clock.monotonicMillis() + SLICE_MILLIS;
    while (this.appliedTo < this.commit && !this.stopped && !this.paused) {
      const backlog = this.machine.backlog?.();
      if (backlog) return this.continueAfter(backlog);
      const batches = this.takeAhead() ?? this.log.cached(this.appliedTo + 1, READ_BYTES);
      if (!batches || batches.length === 0) {
        this.loadThenContinue();
        return;
      }
      const preparation = this.applyAll(batches, until);
      if (preparation === true) continue;
      if (preparation) return this.continueAfter(preparation);
      this.scheduler.defer(() => this.continueSlice());
      return;
    }
    this.running = false;
  }

  private continueAfter(work: Promise<void>): void {
    work.then(
      () => this.continueSlice(),
      (error: unknown) => {
        if (!this.stopped) this.events.failed(error);
      },
    );
  }

  /** What was read before and is next; a snapshot may have been installed meanwhile. */
  private takeAhead(): readonly Buffer[] | undefined {
    const { ahead } = this;
    this.ahead = [];
    const [next] = ahead;
    return next && readHeader(next).index === this.appliedTo + 1 ? ahead : undefined;
  }

  private continueSlice(): void {
    this.running = false;
    this.run();
  }

  /** False when the slice's time is over; a promise where the next batch is being prepared: it is applied when that resolves. */
  private applyAll(batches: readonly Buffer[], until: number): boolean | Promise<void> {
    for (const [i, batch] of batches.entries()) {
      if (this.appliedTo >= this.commit || this.stopped || this.paused) return true;
      const header = readHeader(batch);
      if (header.index !== this.appliedTo + 1) {
        throw new Error(`Batch ${header.index} was read where batch ${this.appliedTo + 1} is to be applied.`);
      }
      const preparation = this.machine.prepare?.(batch, header);
      if (preparation) {
        // What is committed now stays as it is; anything behind it may be another entry by then.
        this.ahead = batches.slice(i, i + this.commit - this.appliedTo);
        return preparation;
      }
      const outcomes = this.machine.apply(batch, header);
      this.appliedTo = header.index;
      this.events.applied(header, outcomes, batch);
      this.wake();
      if (this.clock.monotonicMillis() >= until && this.appliedTo < this.commit) return false;
    }
    return true;
  }

  private loadThenContinue(): void {
    const from = this.appliedTo + 1;
    this.log.read(from, READ_BYTES).then(
      (batches) => {
        try {
          // A snapshot may have been installed while the disk was read.
          const isNext = this.appliedTo + 1 === from && !this.stopped && !this.paused;
          const preparation = isNext && this.applyAll(batches, Number.POSITIVE_INFINITY);
          if (preparation instanceof Promise) this.continueAfter(preparation);
          else this.continueSlice();
        } catch (error) {
          this.events.failed(error);
        }
      },
      (error: unknown) => {
        if (this.stopped) return;
        if (this.appliedTo + 1 !== from || this.paused) this.continueSlice();
        else this.events.failed(error);
      },
    );
  }

  private wake(): void {
    if (this.waiters.length === 0) return;
    const ready = this.waiters.filter((waiter) => waiter.index <= this.appliedTo);
    if (ready.length === 0) return;
    this.waiters = this.waiters.filter((waiter) => waiter.index > this.appliedTo);
    for (const waiter of ready) waiter.resolve();
  }
}
