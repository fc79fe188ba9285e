import { type MemberState } from './member';

interface Suspicion {
  readonly incarnation: number;
  deadline: number;
}

/**
 * When a suspect that does not object is declared failed. swim's own timer starts again with every missed probe, so that in
 * a small cluster, where a dead member is probed more often than the timeout, it never ends; this one starts once for each
 * incarnation, also for a suspicion that another member had.
 */
export class Suspicions {
  private readonly suspects = new Map<string, Suspicion>();

  constructor(private readonly timeoutMs: number) {}

  /** @param now milliseconds on a clock that never goes back, here and below */
  observe(host: string, state: MemberState, incarnation: number, now: number): void {
    if (state !== 'suspect') {
      this.suspects.delete(host);
      return;
    }
    if (this.suspects.get(host)?.incarnation === incarnation) return;
    this.suspects.set(host, { incarnation, deadline: now + this.timeoutMs });
  }

  forget(host: string): void {
    this.suspects.delete(host);
  }

  /** This process stood still for so long and may not have read the objections yet: everyone gets the time back. */
  postpone(byMs: number): void {
    for (const suspicion of this.suspects.values()) suspicion.deadline += byMs;
  }

  /** Takes out and returns those whose time is up. */
  due(now: number): { host: string; incarnation: number }[] {
    const expired: { host: string; incarnation: number }[] = [];
    for (const [host, { incarnation, deadline }] of this.suspects) {
      if (now < deadline) continue;
      this.suspects.delete(host);
      expired.push({ host, incarnation });
    }
    return expired;
  }
}
