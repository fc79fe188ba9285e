/** Wakes those who wait for the applied state to move, without polling and with a bound in time. */
export class AppliedSignal {
  private waiters = new Set<() => void>();

  /** The state has moved, or the node stops: everyone looks again. */
  notify(): void {
    if (this.waiters.size === 0) return;
    const woken = this.waiters;
    this.waiters = new Set();
    for (const wake of woken) wake();
  }

  /** Resolves at the next `notify`, after `millis`, or when `signal` is aborted, whichever comes first. */
  next(millis: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        this.waiters.delete(done);
        clearTimeout(timer);
        signal?.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, millis);
      timer.unref();
      this.waiters.add(done);
      signal?.addEventListener('abort', done);
    });
  }
}
