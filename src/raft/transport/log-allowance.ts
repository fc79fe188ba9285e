import type { Clock, EventLog } from '../replica/environment';

const LINES = 10;
const WINDOW_MS = 10_000;

/** Warnings that a stranger can provoke: so many in a window of time, and then only their number. */
export class LogAllowance {
  private windowStart = Number.NEGATIVE_INFINITY;
  private written = 0;
  private withheld = 0;

  constructor(
    private readonly clock: Pick<Clock, 'monotonicMillis'>,
    private readonly log: Pick<EventLog, 'warn'>,
  ) {}

  warn(fields: Readonly<Record<string, unknown>>, message: string): void {
    const now = this.clock.monotonicMillis();
    if (now - this.windowStart >= WINDOW_MS) {
      if (this.withheld > 0) this.log.warn({ withheld: this.withheld }, 'warnings like these were withheld');
      this.windowStart = now;
      this.written = 0;
      this.withheld = 0;
    }
    if (this.written >= LINES) {
      this.withheld += 1;
      return;
    }
    this.written += 1;
    this.log.warn(fields, message);
  }
}
