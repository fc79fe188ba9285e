import { ClientReason, LedgerError, outOfTime } from './errors';

interface Waiting {
  readonly deadline: number;
  readonly timeoutMs: number;
  readonly enter: () => void;
  readonly refuse: (error: LedgerError) => void;
}

/** Callers that wait, in order, because as much as allowed is under way: the back pressure of the client. */
export class WaitingRoom {
  private callers: Waiting[] = [];

  /** @param places callers that may wait; further ones are refused with RESOURCE_EXHAUSTED, BACKLOG_FULL */
  constructor(private readonly places: number) {}

  get size(): number {
    return this.callers.length;
  }

  /** Resolves when the caller is let in; rejects with a LedgerError when it is refused or its time is over. */
  wait(deadline: number, timeoutMs: number): Promise<void> {
    if (this.callers.length >= this.places) {
      const message = `${this.places} calls already wait for room; wait for answers before making more.`;
      return Promise.reject(new LedgerError('RESOURCE_EXHAUSTED', ClientReason.BACKLOG_FULL, message));
    }
    return new Promise((enter, refuse) => this.callers.push({ deadline, timeoutMs, enter, refuse }));
  }

  letIn(count: number): void {
    if (count <= 0 || this.callers.length === 0) return;
    for (const caller of this.callers.splice(0, count)) caller.enter();
  }

  /** Refuses those whose time is over; nothing of theirs was sent. */
  expire(now: number): void {
    if (!this.callers.some((caller) => caller.deadline <= now)) return;
    const late = this.callers.filter((caller) => caller.deadline <= now);
    this.callers = this.callers.filter((caller) => caller.deadline > now);
    for (const caller of late) caller.refuse(outOfTime(caller.timeoutMs, false, undefined));
  }

  refuseAll(error: LedgerError): void {
    for (const caller of this.callers.splice(0)) caller.refuse(error);
  }
}
