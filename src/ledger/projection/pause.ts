/** Resolves after `ms` milliseconds, or as soon as `signal` is aborted. */
export function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
  });
}

/** Resolves when the process has looked once after its sockets and files. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Milliseconds between attempts: doubling from the first to the longest, each shortened by chance to spread callers. */
export class Backoff {
  private attempts = 0;

  constructor(
    private readonly first: number,
    private readonly longest: number,
    private readonly random: () => number = Math.random,
  ) {}

  next(): number {
    const full = Math.min(this.longest, this.first * 2 ** Math.min(this.attempts++, 30));
    return Math.ceil(full * (0.75 + 0.25 * this.random()));
  }

  reset(): void {
    this.attempts = 0;
  }
}
