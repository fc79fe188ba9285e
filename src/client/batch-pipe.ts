/**
 * Brings batches to the leader until each is answered: several in flight on one stream, sent again with the same ids when
 * the stream breaks, the leader changes, or the cluster cannot answer for the moment. The ids in a batch make that safe.
 *
 * Batches are sent in the order they come. Where one has to be sent again, later ones may overtake it.
 */
import { status } from '@grpc/grpc-js';
import { type BatchAnswer, type BatchFailure } from './batch-codec';
import { BatchStream } from './batch-stream';
import { type Directory } from './directory';
import { type Timers } from './environment';
import { closedError, type ErrorCode, LedgerError, mayHaveHappened, outOfTime, remedyOf } from './errors';

/** Milliseconds between two looks at deadlines and at streams that have gone silent. */
const SWEEP = 50;
/** Milliseconds without an answer after which it is asked whether the leader is still the leader. */
const SILENCE = 1_500;
/** Milliseconds before a batch is sent again, doubled with each failure in a row, by chance between half and whole. */
const SHORTEST_PAUSE = 20;
const LONGEST_PAUSE = 500;
/** Milliseconds that a server's word to wait is kept to: other batches of the pipe must not wait for ever with this one. */
const LONGEST_WAIT = 2_000;

export interface Batch {
  /** Unique in this client; the answer carries it. */
  readonly sequence: number;
  /** The encoded SubmitBatchRequest. */
  readonly bytes: Buffer;
  /** On the clock of `BatchPipeOptions.now`. */
  readonly deadline: number;
  readonly timeoutMs: number;
  settle(answer: BatchAnswer): void;
  fail(error: LedgerError): void;
}

export interface BatchPipeOptions {
  readonly directory: Directory;
  readonly maxInFlight: number;
  readonly now: () => number;
  /** A number in [0, 1). */
  readonly random: () => number;
  readonly timers: Timers;
  /** A batch has been answered or given up: there is room for another. */
  readonly onRoom: () => void;
}

interface UnderWay {
  readonly batch: Batch;
  /** Where it was sent last; undefined while it waits to be sent (again). */
  stream: BatchStream | undefined;
  sentAt: number;
  /** A try may have taken effect without an answer. */
  unknown: boolean;
  last: LedgerError | undefined;
}

export class BatchPipe {
  /** By sequence, in the order of sending. */
  private readonly underWay = new Map<number, UnderWay>();
  private stream: BatchStream | undefined;
  private stopSweeping: (() => void) | undefined;
  private recovering = false;
  private failures = 0;
  private askedAt = 0;
  private drained: (() => void)[] = [];
  private freed: (() => void)[] = [];

  constructor(private readonly options: BatchPipeOptions) {}

  /** How many more batches may be sent now. */
  get room(): number {
    return this.options.maxInFlight - this.underWay.size;
  }

  send(batch: Batch): void {
    if (this.room <= 0)
      throw new Error('A batch was sent although as many as allowed are in flight; ask for room first.');
    const one: UnderWay = { batch, stream: undefined, sentAt: 0, unknown: false, last: undefined };
    this.underWay.set(batch.sequence, one);
    this.stopSweeping ??= this.options.timers.every(SWEEP, () => this.sweep());
    if (this.recovering && this.stream === undefined) return;
    this.transmit(one);
  }

  /** Batches from now on go to the leader of now; what is in flight is answered where it was sent. */
  followLeader(): void {
    const leader = this.options.directory.leader();
    if (!this.stream || !leader || this.stream.connection === leader) return;
    this.stream.finish();
    this.stream = undefined;
  }

  /** Resolves when nothing is in flight. */
  drain(): Promise<void> {
    if (this.underWay.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.drained.push(resolve));
  }

  /** Resolves when something in flight is answered or given up; at once where there is room. */
  untilRoom(): Promise<void> {
    if (this.room > 0) return Promise.resolve();
    return new Promise((resolve) => this.freed.push(resolve));
  }

  close(): void {
    this.stream?.cancel();
    this.stream = undefined;
    for (const one of [...this.underWay.values()]) {
      one.stream?.cancel();
      this.giveUp(one, one.sentAt > 0 ? outOfTime(one.batch.timeoutMs, true, closedError()) : closedError());
    }
  }

  private transmit(one: UnderWay): void {
    try {
      this.stream ??= new BatchStream(this.options.directory.forWrite(), {
        answered: (answer) => this.answered(answer),
        ended: (stream, error) => this.ended(stream, error),
      });
    } catch (error) {
      if (!(error instanceof LedgerError)) throw error;
      this.refused(one, error);
      return;
    }
    one.stream = this.stream;
    one.sentAt = this.options.now();
    this.stream.send(one.batch.bytes);
  }

  private answered(answer: BatchAnswer): void {
    const one = this.underWay.get(answer.sequence);
    // Answered or given up before: a batch that was sent twice is answered twice.
    if (!one) return;
    if (answer.error) {
      this.refused(one, errorOf(answer.error, one.stream?.connection.address));
      return;
    }
    this.failures = 0;
    if (one.stream) this.options.directory.answered(one.stream.connection);
    this.remove(one);
    one.batch.settle(answer);
  }

  /** A batch as a whole was not taken, and the server (or this client) said why. */
  private refused(one: UnderWay, error: LedgerError): void {
    one.last = error;
    one.unknown ||= mayHaveHappened(error);
    one.stream = undefined;
    if (remedyOf(error) === 'none') this.giveUp(one, error);
    else this.recoverSoon(error);
  }

  private ended(stream: BatchStream, error: LedgerError): void {
    if (this.stream === stream) this.stream = undefined;
    const orphans = [...this.underWay.values()].filter((one) => one.stream === stream);
    if (orphans.length === 0) return;
    this.options.directory.failed(stream.connection);
    for (const one of orphans) {
      one.stream = undefined;
      one.unknown = true;
      one.last = error;
      if (remedyOf(error) === 'none') this.giveUp(one, error);
    }
    this.recoverSoon(error);
  }

  private recoverSoon(error: LedgerError): void {
    if (this.recovering || this.underWay.size === 0) return;
    this.recovering = true;
    const doubled = SHORTEST_PAUSE * 2 ** Math.min(this.failures++, 8);
    const own = Math.min(LONGEST_PAUSE, doubled) * (0.5 + this.options.random() / 2);
    const pause = remedyOf(error) === 'later' ? Math.min(LONGEST_WAIT, Math.max(own, error.retryAfterMs ?? 0)) : own;
    this.options.timers.after(pause, () => void this.recover());
  }

  /** Looks for the leader and sends what is not with anyone, in order. */
  private async recover(): Promise<void> {
    // Whether anybody is there shows when the batches are sent.
    await this.options.directory.refresh().catch(() => undefined);
    this.recovering = false;
    this.followLeader();
    for (const one of [...this.underWay.values()]) {
      if (one.stream === undefined && this.underWay.has(one.batch.sequence)) this.transmit(one);
    }
  }

  private sweep(): void {
    const now = this.options.now();
    let oldest: UnderWay | undefined;
    for (const one of [...this.underWay.values()]) {
      if (one.batch.deadline <= now) {
        const unknown = one.unknown || one.stream !== undefined;
        this.giveUp(one, outOfTime(one.batch.timeoutMs, unknown, one.last));
      } else if (one.stream && (oldest === undefined || one.sentAt < oldest.sentAt)) oldest = one;
    }
    if (oldest && now - Math.max(oldest.sentAt, this.askedAt) > SILENCE) {
      this.askedAt = now;
      void this.askAboutSilence(oldest);
    }
  }

  /** A leader that is cut off or stopped keeps its connection and says nothing; the others know whether it still leads. */
  private async askAboutSilence(oldest: UnderWay): Promise<void> {
    const { directory } = this.options;
    await directory.refresh().catch(() => undefined);
    const { stream } = oldest;
    const leader = directory.leader();
    if (!stream || !this.underWay.has(oldest.batch.sequence) || !leader || leader === stream.connection) return;
    stream.cancel();
    const { address } = stream.connection;
    this.ended(stream, new LedgerError('UNAVAILABLE', 'CONNECTION_LOST', `${address} is silent and no longer leads.`));
  }

  private giveUp(one: UnderWay, error: LedgerError): void {
    this.remove(one);
    one.batch.fail(error);
  }

  private remove(one: UnderWay): void {
    this.underWay.delete(one.batch.sequence);
    if (this.underWay.size === 0) {
      this.stopSweeping?.();
      this.stopSweeping = undefined;
      for (const resolve of this.drained.splice(0)) resolve();
    }
    for (const resolve of this.freed.splice(0)) resolve();
    this.options.onRoom();
  }
}

function errorOf(failure: BatchFailure, address: string | undefined): LedgerError {
  const code = (status[failure.code] ?? 'UNKNOWN') as ErrorCode;
  const retryAfterMs = failure.retryAfterMs === 0 ? undefined : failure.retryAfterMs;
  return new LedgerError(code, failure.reason, failure.message, { address, retryAfterMs });
}
