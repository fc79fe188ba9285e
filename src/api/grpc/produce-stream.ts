/**
 * `log.v1.Log.ProduceStream`: values in, offsets out, in order. What arrives while a chunk is being committed makes up the
 * next chunk, so that a fast producer is carried in large chunks and a slow one has the latency of a single commit.
 *
 * One chunk is under way at a time, and a chunk is committed whole or not at all. That is what makes "ends at the first
 * error" exact: nothing behind a value that failed is ever in the log.
 */
import { type ServerDuplexStream } from '@grpc/grpc-js';
import { encodeValues, RecordType } from '../../log/chunk';
import { type ProduceRequest, type ProduceResponseOut } from '../../proto/log-v1';
import { within } from '../deadline';
import { Fault, shuttingDown } from '../errors';
import { decoded, type Door, failStream } from './door';
import { producedValue } from './record-codec';
import { drained, lifetimeOf, StreamEnded } from './stream-writer';

type Call = ServerDuplexStream<ProduceRequest, ProduceResponseOut>;

export function produceStream(door: Door): (call: Call) => void {
  return (call) => {
    const leave = door.calls.enter();
    // Not ended by the door's stop: what is under way is still to be answered.
    const lifetime = lifetimeOf(call, new AbortController().signal);
    const session = new ProduceSession(door, call, lifetime.signal);
    session
      .run()
      .catch((error: unknown) => door.onUnforeseen(error, 'ProduceStream'))
      .finally(() => {
        lifetime.release();
        leave();
      });
  };
}

class ProduceSession {
  private queue: Buffer[] = [];
  private queuedBytes = 0;
  /** Why nothing more is taken from the caller: it half-closed, or a value was at fault. */
  private ending: { readonly fault: Error | undefined } | undefined;
  private wake: (() => void) | undefined;
  private committed = 0;
  private lastOffset = -1;

  constructor(
    private readonly door: Door,
    private readonly call: Call,
    private readonly gone: AbortSignal,
  ) {
    call.on('data', (request: ProduceRequest) => this.take(request));
    call.on('end', () => this.endWith(undefined));
  }

  async run(): Promise<void> {
    const stop = this.door.calls.stopSignal;
    const onStop = (): void => this.endWith(shuttingDown());
    const onGone = (): void => this.notify();
    stop.addEventListener('abort', onStop, { once: true });
    this.gone.addEventListener('abort', onGone, { once: true });
    if (stop.aborted) onStop();
    try {
      await this.commitAll();
      if (this.ending?.fault === undefined) this.call.end(this.door.leaderMetadata());
      else throw this.ending.fault;
    } catch (error) {
      if (!(error instanceof StreamEnded))
        failStream(this.call, this.door.failure(this.howFar(error), 'ProduceStream'));
    } finally {
      this.ending ??= { fault: undefined };
      this.queue = [];
      // What the caller still sends is read and dropped, so that it hears the status.
      this.call.resume();
      stop.removeEventListener('abort', onStop);
      this.gone.removeEventListener('abort', onGone);
    }
  }

  private take(request: ProduceRequest): void {
    if (this.ending !== undefined) return;
    try {
      const value = producedValue(decoded(request).record, this.door.limits);
      this.queue.push(value);
      this.queuedBytes += value.length;
    } catch (error) {
      this.endWith(this.door.fault(error, 'ProduceStream'));
      return;
    }
    if (this.isFull()) this.call.pause();
    this.notify();
  }

  private isFull(): boolean {
    return this.queue.length >= this.door.limits.batchItems || this.queuedBytes >= this.door.limits.batchBytes;
  }

  private endWith(fault: Error | undefined): void {
    this.ending ??= { fault };
    this.notify();
  }

  private notify(): void {
    this.wake?.();
    this.wake = undefined;
  }

  private async commitAll(): Promise<void> {
    this.call.sendMetadata(this.door.leaderMetadata());
    for (;;) {
      if (this.gone.aborted) throw new StreamEnded();
      if (this.queue.length > 0) await this.commitChunk(this.nextValues());
      else if (this.ending !== undefined) return;
      else await new Promise<void>((resolve) => (this.wake = resolve));
    }
  }

  /** As many of the waiting values as one chunk holds, at least one. */
  private nextValues(): Buffer[] {
    let bytes = 0;
    let count = 0;
    for (const value of this.queue) {
      if (count > 0 && (bytes + value.length > this.door.limits.batchBytes || count === this.door.limits.batchItems)) {
        break;
      }
      bytes += value.length;
      count++;
    }
    const values = this.queue.splice(0, count);
    this.queuedBytes -= bytes;
    if (!this.isFull() && this.ending === undefined) this.call.resume();
    return values;
  }

  private async commitChunk(values: readonly Buffer[]): Promise<void> {
    const { door, call } = this;
    const budget = door.stepBudget(call);
    const chunk = encodeValues(RecordType.Value, [...values]);
    const submitted = door.port.submit(
      { type: 0, kind: 'records', chunk, count: values.length, subject: '' },
      budget.workMs,
    );
    const { baseOffset } = await within(submitted, budget.patienceMs, 'write');
    this.committed += values.length;
    this.lastOffset = baseOffset + values.length - 1;
    for (let i = 0; i < values.length; i++) {
      if (this.gone.aborted) throw new StreamEnded();
      if (!call.write({ offset: baseOffset + i })) await drained(call, this.gone);
    }
  }

  /** The fault, with how much of the stream is committed. */
  private howFar(error: unknown): Fault {
    const fault = this.door.fault(error, 'ProduceStream');
    const done =
      this.committed === 0
        ? 'nothing of this stream is committed'
        : `the first ${this.committed} of this stream are committed, the last at offset ${this.lastOffset}`;
    const unknown = fault.reason === 'OUTCOME_UNKNOWN' ? '; whether those sent next are is not known' : '';
    return new Fault(fault.code, fault.reason, `${fault.message} In all, ${done}${unknown}.`, {
      fieldViolations: fault.fieldViolations,
      ...(fault.retryAfterMs === undefined ? {} : { retryAfterMs: fault.retryAfterMs }),
      details: { ...fault.details, committed: String(this.committed), last_offset: String(this.lastOffset) },
    });
  }
}
