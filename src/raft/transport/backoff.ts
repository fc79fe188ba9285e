import type { Random } from '../replica/environment';

/**
 * Waits between attempts: the bound doubles with each failure, and each wait is drawn from its upper half, so that nodes
 * which lost the same peer at the same moment do not come back at the same moment.
 */
export class Backoff {
  private failures = 0;

  constructor(
    private readonly random: Random,
    private readonly minMs: number,
    private readonly maxMs: number,
  ) {}

  /** Milliseconds until the next attempt, after one more failure. */
  next(): number {
    const bound = Math.min(this.maxMs, this.minMs * 2 ** Math.min(this.failures, 30));
    this.failures += 1;
    return bound * (0.5 + this.random.next() / 2);
  }

  reset(): void {
    this.failures = 0;
  }
}
