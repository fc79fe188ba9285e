/** Single calls: which server, how often, how long. */
import { type Directory } from './directory';
import { paused, type ServerConnection, type Timers } from './environment';
import { ClientReason, closedError, LedgerError, mayHaveHappened, outOfTime, remedyOf, unknownOutcome } from './errors';

/** Milliseconds between tries, doubled with each up to the longest, each time by chance between half and whole. */
const SHORTEST_PAUSE = 25;
const LONGEST_PAUSE = 500;
/** Milliseconds for a connection to be made before a server is passed over. */
const CONNECT_TIMEOUT = 500;
/** Another server may have what this one has not; when none has, waiting does not help either. */
const NOBODY_MAY_HAVE_IT: ReadonlySet<string> = new Set([
  ...['STALE_READ', 'NO_PROJECTION', 'PROJECTION_PAUSED', 'PROJECTION_FAILED'],
]);
/** The server is about to have it. */
const COMING = 'PROJECTION_BEHIND';

export type Target = 'leader' | 'follower';

export interface CallPlan {
  readonly target: Target;
  /** `read`: may be asked again. `idempotent`: a write that may be sent again. `once`: a write that may not. */
  readonly kind: 'read' | 'idempotent' | 'once';
  readonly timeoutMs: number;
}

export interface CallerOptions {
  readonly directory: Directory;
  /** Milliseconds after which an unanswered try is made again elsewhere. */
  readonly attemptTimeoutMs: number;
  readonly now: () => number;
  /** A number in [0, 1). */
  readonly random: () => number;
  readonly timers: Timers;
}

/** One try: at this server, answered within so many milliseconds, or a LedgerError. */
export type Attempt<T> = (connection: ServerConnection, timeoutMs: number) => Promise<T>;

/** Milliseconds in which a try can be answered at best. */
const LEAST_TRY = 2;

export class Caller {
  private closed = false;

  constructor(private readonly options: CallerOptions) {}

  /** Resolves to the answer of the first try that has one; rejects with a LedgerError. */
  async call<T>(plan: CallPlan, attempt: Attempt<T>): Promise<T> {
    const { directory, now } = this.options;
    const deadline = now() + plan.timeoutMs;
    let unknown = false;
    // What the caller is told when its time is over.
    let told: LedgerError | undefined;
    // Servers that have not got it, by address, and whether another one is about to.
    const without = new Set<string>();
    let isComing = false;
    for (let tries = 0; ; tries++) {
      const left = deadline - now();
      if (this.closed) throw closedError();
      // A timer may be a little early: a try that cannot be answered any more would only put the outcome in doubt.
      if (left < LEAST_TRY) throw outOfTime(plan.timeoutMs, unknown, told);
      const connection = plan.target === 'leader' ? directory.forWrite() : this.forRead(without);
      let last: LedgerError;
      try {
        const answer = await this.tryOnce(plan, connection, left, attempt);
        directory.answered(connection);
        return answer;
      } catch (error) {
        if (!(error instanceof LedgerError)) throw error;
        last = error;
      }
      // A last try that was cut short by the caller's own deadline says less than what a server said before it.
      if (told === undefined || last.reason !== ClientReason.DEADLINE) told = last;
      if (plan.kind !== 'read' && mayHaveHappened(last)) {
        if (plan.kind === 'once') throw unknownOutcome(last);
        unknown = true;
      }
      if (remedyOf(last) === 'none') throw last;
      isComing ||= last.reason === COMING;
      if (NOBODY_MAY_HAVE_IT.has(last.reason)) {
        const isNews = !without.has(connection.address);
        without.add(connection.address);
        const isLast = !isNews || without.size >= directory.connections().length;
        // All that can be asked were: the caller wants an answer that is fresh or none, and that is the answer.
        if (isLast && !isComing) throw last;
        if (isNews) continue;
      }
      await this.beforeNextTry(connection, last, tries, deadline - now());
    }
  }

  close(): void {
    this.closed = true;
  }

  private async tryOnce<T>(plan: CallPlan, server: ServerConnection, left: number, attempt: Attempt<T>): Promise<T> {
    const { now, attemptTimeoutMs } = this.options;
    // A try that is not answered is better made elsewhere than waited for,
    if (plan.kind !== 'once') return attempt(server, Math.min(left, attemptTimeoutMs));
    // unless it may not be made again. Then it has all the time there is, and a server that is there.
    const from = now();
    await server.untilReady(Math.min(left, CONNECT_TIMEOUT));
    return attempt(server, Math.max(1, left - (now() - from)));
  }

  /** One that has not said that it has not got it, the leader last; where all have, the next one all the same. */
  private forRead(without: ReadonlySet<string>): ServerConnection {
    const { directory } = this.options;
    const first = directory.forRead();
    if (!without.has(first.address)) return first;
    for (let others = directory.connections().length; others > 1; others--) {
      const next = directory.forRead();
      if (!without.has(next.address)) return next;
    }
    const leader = directory.leader();
    return leader && !without.has(leader.address) ? leader : first;
  }

  private async beforeNextTry(
    connection: ServerConnection,
    error: LedgerError,
    tries: number,
    left: number,
  ): Promise<void> {
    const { directory, random, timers } = this.options;
    let pause = Math.min(LONGEST_PAUSE, SHORTEST_PAUSE * 2 ** Math.min(tries, 8)) * (0.5 + random() / 2);
    if (remedyOf(error) === 'later' || NOBODY_MAY_HAVE_IT.has(error.reason))
      pause = Math.max(pause, error.retryAfterMs ?? 0);
    else {
      directory.failed(connection);
      // Its failure is no news: the next try fails for itself.
      await directory.refresh().catch(() => undefined);
      // The first try elsewhere is made at once.
      if (tries === 0) return;
    }
    await paused(timers, Math.max(0, Math.min(pause, left)));
  }
}
