import { setMaxListeners } from 'node:events';

/** Counts the calls that are being answered, so that a stop can let them finish; tells streams when it begins. */
export class CallsUnderWay {
  private count = 0;
  private idle: (() => void) | undefined;
  private readonly stop = new AbortController();

  constructor() {
    // Every stream that is open listens.
    setMaxListeners(0, this.stop.signal);
  }

  get stopping(): boolean {
    return this.stop.signal.aborted;
  }

  /** Aborted when the door closes: whatever lives on its own must end now. */
  get stopSignal(): AbortSignal {
    return this.stop.signal;
  }

  /** The returned function is to be called when the call is answered; more than once does no harm. */
  enter(): () => void {
    this.count++;
    let left = false;
    return () => {
      if (left) return;
      left = true;
      this.count--;
      if (this.count === 0) this.idle?.();
    };
  }

  /** Tells all streams to end, and resolves once nothing is under way. */
  drain(): Promise<void> {
    this.stop.abort();
    if (this.count === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.idle = resolve;
    });
  }
}
