/** Answers questions about the past in the process of the projection: so many at once, in time, and never with an old truth. */
import { type AnswerTo, type AsOf, type HistoryQuestion } from '../../history';
import { type ProjectionStatus } from '../source';
import { balanceThen } from './balance-then';
import { reachedBy } from './bearings';
import { type PastDatabase, PastNotReadyError } from './past-database';
import { transfersThen } from './transfer-page';

/** `BEHIND`: the rows did not come so far in time. `PAUSED`: they do not move. `FAILED`: the database did not answer it. */
export type PastRefusalReason = 'BEHIND' | 'PAUSED' | 'FAILED' | 'BUSY';

export class PastRefusal extends Error {
  override readonly name = 'PastRefusal';

  constructor(
    readonly reason: PastRefusalReason,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** Questions that wait for their turn. */
const MOST_WAITING = 256;
/** Milliseconds between two looks whether the rows have come far enough, where nobody tells. */
const POLL = 25;
/** Milliseconds for which rows that do not move are waited for: another node may be writing them, or the next try succeed. */
const PAUSE_PATIENCE = 1_000;
/** A list ends where this share of its time is spent, so that what was found is answered. */
const SHARE_FOR_LISTS = 0.6;

export class PastDesk {
  private known: AsOf = { index: 0, offset: -1 };
  private pausedSince: number | undefined;
  private why = '';
  private running = 0;
  private readonly queue: (() => void)[] = [];
  private readonly watchers = new Set<() => void>();

  /** @param monotonic milliseconds since any fixed moment */
  constructor(
    private readonly database: PastDatabase,
    private readonly group: number,
    private readonly monotonic: () => number,
  ) {}

  /** With everything that the projector says: what it has written can be read from now on. */
  told({ state, why, checkpointIndex, checkpointOffset }: ProjectionStatus): void {
    this.why = why;
    if (state === 'running') this.known = { index: checkpointIndex, offset: checkpointOffset };
    if (state === 'paused') this.pausedSince ??= this.monotonic();
    else this.pausedSince = undefined;
    for (const wake of this.watchers) wake();
  }

  /**
   * @param needs what the rows must reflect before they answer
   * @param deadlineMs milliseconds from now on
   * @throws PastRefusal
   */
  async ask<Q extends HistoryQuestion>(question: Q, needs: AsOf, deadlineMs: number): Promise<AnswerTo<Q>> {
    const from = this.monotonic();
    const deadline = from + deadlineMs;
    const listDeadline = from + deadlineMs * SHARE_FOR_LISTS;
    for (;;) {
      await this.reaches(needs, deadline);
      await this.turn(deadline);
      try {
        const answer = await this.look(question, () => this.monotonic() >= listDeadline);
        if (answer) return answer as AnswerTo<Q>;
        this.known = { index: 0, offset: -1 };
      } catch (error) {
        if (!(error instanceof PastNotReadyError)) throw failed(error);
        this.why = error.message;
        this.known = { index: 0, offset: -1 };
      } finally {
        this.next();
      }
      if (this.monotonic() >= deadline) throw this.behind(needs);
      await this.progress(POLL);
    }
  }

  private look(question: HistoryQuestion, isLate: () => boolean): Promise<AnswerTo<HistoryQuestion> | undefined> {
    const { database, group } = this;
    return question.kind === 'balance'
      ? balanceThen(database, group, question.account, question.at)
      : transfersThen(database, group, question, isLate);
  }

  private async reaches(needs: AsOf, deadline: number): Promise<void> {
    while (!covers(this.known, needs)) {
      await this.readReached();
      if (covers(this.known, needs)) return;
      const now = this.monotonic();
      if (this.pausedSince !== undefined && now - this.pausedSince >= PAUSE_PATIENCE) {
        throw new PastRefusal('PAUSED', `The projection is paused: ${this.why}. ${this.standing(needs)}`);
      }
      if (now >= deadline) throw this.behind(needs);
      await this.progress(Math.min(POLL, deadline - now));
    }
  }

  /** Another node may write the rows, so the database is asked. */
  private async readReached(): Promise<void> {
    try {
      const reached = await reachedBy(this.database, this.group);
      if (reached) this.known = reached;
    } catch (error) {
      // Where it is not ready yet it is waited for, as for rows.
      if (!(error instanceof PastNotReadyError)) throw failed(error);
    }
  }

  private behind(needs: AsOf): PastRefusal {
    return new PastRefusal('BEHIND', `The projection did not catch up in time. ${this.standing(needs)}`);
  }

  private standing(needs: AsOf): string {
    return `Its rows are at Raft index ${this.known.index}, the answer needs ${needs.index}.`;
  }

  private async turn(deadline: number): Promise<void> {
    if (this.running < this.database.lanes) {
      this.running++;
      return;
    }
    if (this.queue.length >= MOST_WAITING) {
      throw new PastRefusal('BUSY', `${MOST_WAITING} questions about the past wait already.`);
    }
    await new Promise<void>((resolve, reject) => {
      const mine = (): void => {
        clearTimeout(late);
        resolve();
      };
      const late = setTimeout(
        () => {
          this.queue.splice(this.queue.indexOf(mine), 1);
          reject(new PastRefusal('BUSY', 'Other questions about the past took all the time that there was.'));
        },
        Math.max(0, deadline - this.monotonic()),
      );
      this.queue.push(mine);
    });
  }

  /** Passes the turn on. */
  private next(): void {
    const waiting = this.queue.shift();
    if (waiting) waiting();
    else this.running--;
  }

  private progress(millis: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.watchers.delete(done);
        resolve();
      };
      const timer = setTimeout(done, millis);
      this.watchers.add(done);
    });
  }
}

function covers(known: AsOf, needs: AsOf): boolean {
  return known.index >= needs.index && known.offset >= needs.offset;
}

function failed(error: unknown): PastRefusal {
  const reason = error instanceof Error ? error.message || error.name : String(error);
  return new PastRefusal('FAILED', `The database of the projection did not answer: ${reason}`, { cause: error });
}
