/**
 * `ledger.v1.Ledger.DryRunStream`: more writes than one call holds, tried one after the other on a copy of the state. This passes
 * bytes from and to the thread that does it, and sees to it that the copy is let go of whatever becomes of the caller.
 */
import { type ServerDuplexStream } from '@grpc/grpc-js';
import { Fault, shuttingDown } from '../errors';
import { type Rehearsal } from '../node-port';
import { type Door, failStream } from './door';
import { decodeDryRun } from './dry-run-codec';
import { consistencyIn } from './ledger-codec';
import { drained, lifetimeOf, StreamEnded } from './stream-writer';

type Call = ServerDuplexStream<Buffer, Buffer>;

/** Requests that are here and wait for the one before. */
const MOST_WAITING = 2;

export function dryRunStream(door: Door): (call: Call) => void {
  return (call) => {
    const leave = door.calls.enter();
    const lifetime = lifetimeOf(call, new AbortController().signal);
    const session = new DryRunSession(door, call, lifetime.signal);
    session
      .run()
      .catch((error: unknown) => door.onUnforeseen(error, 'DryRunStream'))
      .finally(() => {
        lifetime.release();
        leave();
      });
  };
}

class DryRunSession {
  private readonly requests: Buffer[] = [];
  private isComplete = false;
  private wake: (() => void) | undefined;
  /** Aborted with what the stream ends with before its time. */
  private readonly ending = new AbortController();
  private idle: NodeJS.Timeout | undefined;

  constructor(
    private readonly door: Door,
    private readonly call: Call,
    private readonly gone: AbortSignal,
  ) {
    call.on('data', (request: Buffer) => this.take(request));
    call.on('end', () => {
      this.isComplete = true;
      this.wake?.();
    });
  }

  async run(): Promise<void> {
    const { door, call, gone, ending } = this;
    const stop = door.calls.stopSignal;
    const onStop = (): void => ending.abort(shuttingDown());
    const onGone = (): void => ending.abort(new StreamEnded());
    stop.addEventListener('abort', onStop, { once: true });
    gone.addEventListener('abort', onGone, { once: true });
    if (stop.aborted) onStop();
    if (gone.aborted) onGone();
    try {
      call.sendMetadata(door.leaderMetadata());
      const first = await this.next();
      if (first) await this.tryAll(first);
      call.end(door.leaderMetadata());
    } catch (error) {
      const why: unknown = ending.signal.aborted ? ending.signal.reason : error;
      if (!(why instanceof StreamEnded)) failStream(call, door.failure(why, 'DryRunStream'));
    } finally {
      this.isComplete = true;
      // What the caller still sends is read and dropped, so that it hears the status.
      call.resume();
      stop.removeEventListener('abort', onStop);
      gone.removeEventListener('abort', onGone);
    }
  }

  private async tryAll(first: Buffer): Promise<void> {
    const { door, call, ending } = this;
    const { port, limits } = door;
    if (!port.beginRehearsal) {
      throw new Fault('UNIMPLEMENTED', 'UNIMPLEMENTED', 'DryRunStream is not available on this node.');
    }
    const consistency = consistencyIn(decodeDryRun(first).consistency);
    const { signal } = ending;
    const deadlineMs = door.stepBudget(call).workMs;
    const life = setTimeout(() => ending.abort(tooLong(limits.dryRunLifeMs)), limits.dryRunLifeMs);
    try {
      const rehearsal = await port.beginRehearsal({ consistency, deadlineMs, limits, signal });
      await this.answerAll(rehearsal, first).finally(() => rehearsal.close());
    } finally {
      clearTimeout(life);
    }
  }

  private async answerAll(rehearsal: Rehearsal, first: Buffer): Promise<void> {
    for (let request: Buffer | undefined = first; request; request = await this.next()) {
      await this.write(await this.unlessEnded(rehearsal.decide(request)));
    }
    for (;;) {
      const page = await this.unlessEnded(rehearsal.balances());
      if (!page) return;
      await this.write(page);
    }
  }

  private take(request: Buffer): void {
    if (this.isComplete) return;
    this.requests.push(request);
    if (this.requests.length >= MOST_WAITING) this.call.pause();
    this.wake?.();
  }

  /** The next request; undefined where there will be none. */
  private async next(): Promise<Buffer | undefined> {
    this.ending.signal.throwIfAborted();
    if (this.requests.length === 0 && !this.isComplete) {
      await this.inTime(this.unlessEnded(new Promise<void>((resolve) => (this.wake = resolve))));
    }
    const request = this.requests.shift();
    if (!this.isComplete && this.requests.length < MOST_WAITING) this.call.resume();
    return request;
  }

  private async write(answer: Buffer): Promise<void> {
    if (!this.call.write(answer)) await this.inTime(drained(this.call, this.ending.signal));
  }

  /** Rejects when the stream ends first; what is under way is closed by `tryAll`. */
  private unlessEnded<T>(work: Promise<T>): Promise<T> {
    const { signal } = this.ending;
    return new Promise((resolve, reject) => {
      const onEnd = (): void => reject(signal.reason as Error);
      signal.addEventListener('abort', onEnd, { once: true });
      if (signal.aborted) onEnd();
      work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onEnd));
    });
  }

  /** While the caller is waited for: others want to try something, too. */
  private async inTime<T>(work: Promise<T>): Promise<T> {
    const { dryRunIdleMs } = this.door.limits;
    const message = `The caller sent or took nothing for ${dryRunIdleMs} ms; nothing was done. Begin the dry run again.`;
    this.idle = setTimeout(
      () => this.ending.abort(new Fault('DEADLINE_EXCEEDED', 'DRY_RUN_IDLE', message)),
      dryRunIdleMs,
    );
    try {
      return await work;
    } finally {
      clearTimeout(this.idle);
    }
  }
}

/** One that says a word every minute would be the only one for ever. */
function tooLong(millis: number): Fault {
  const message = `A dry run lasts at most ${millis} ms, since others on this node wait for it; nothing was done. Try a part of it.`;
  return new Fault('DEADLINE_EXCEEDED', 'DRY_RUN_TOO_LONG', message);
}
