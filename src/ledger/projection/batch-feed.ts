import { type Fetched, type ProjectionSource } from './source';

/**
 * Pulls batches, at most one answer ahead of what was taken: that bounds the memory, and the node works on the next answer
 * while the database works on this one.
 */
export class BatchFeed {
  private outstanding = false;
  private arrived: Fetched | undefined;
  private failed: Error | undefined;
  private wake: (() => void) | undefined;

  /** @param maxBytes of batches, about, in one answer */
  constructor(
    private readonly source: ProjectionSource,
    private readonly maxBytes: number,
  ) {}

  /** Asks for what comes from `fromIndex` on; does nothing while an answer is outstanding or was not taken. */
  request(fromIndex: number): void {
    if (this.outstanding || this.arrived || this.failed) return;
    this.outstanding = true;
    const settle = () => {
      this.outstanding = false;
      this.wake?.();
    };
    this.source.fetch(fromIndex, this.maxBytes).then(
      (fetched) => {
        this.arrived = fetched;
        settle();
      },
      (error: unknown) => {
        this.failed = error instanceof Error ? error : new Error(String(error));
        settle();
      },
    );
  }

  /**
   * The answer to the request; undefined when it has not come within `waitMs` milliseconds, or by the time that `signal`
   * is aborted. Rejects with what the source rejected with. One caller at a time.
   */
  async take(signal: AbortSignal, waitMs?: number): Promise<Fetched | undefined> {
    if (this.outstanding && !signal.aborted) await this.settled(signal, waitMs);
    const { arrived, failed } = this;
    this.arrived = undefined;
    this.failed = undefined;
    if (failed) throw failed;
    return arrived;
  }

  /** Listeners and timers are taken down again each time: this is called for as long as the process lives. */
  private settled(signal: AbortSignal, waitMs: number | undefined): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        this.wake = undefined;
        resolve();
      };
      const timer = waitMs === undefined ? undefined : setTimeout(done, waitMs);
      signal.addEventListener('abort', done);
      this.wake = done;
    });
  }
}
