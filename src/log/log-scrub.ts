import type { DiskReads } from './disk-reads';
import { LogDamageError } from './log-errors';
import type { Segment } from './segment';

export interface LogScrubOptions {
  /** Segments that are not written to any more, oldest first, as they are now. */
  readonly atRest: () => readonly Segment[];
  readonly reads: Pick<DiskReads, 'verify'>;
  /** Whether reads and writes want the disk for themselves now. */
  readonly busy: () => boolean;
  /** A read failed for another reason than damage: the pass goes on with the next segment. */
  readonly onFailed: (error: unknown) => void;
}

/** A busy log is scrubbed all the same, at a tenth of the pace. */
const MAX_SKIPPED_TICKS = 9;

/** Ticks from the beginning of a pass to that of the next: an hour of half seconds. */
const PASS_TICKS = 7_200;

/**
 * Reads the segments at rest from time to time and verifies every mark, every checksum and the chain, so that rot is found
 * before somebody needs what it took. One step, at most 1 MiB, at each tick: the pace is the caller's. What is found goes
 * where everything that is found damaged goes, see DamageWatch.
 */
export class LogScrub {
  /** Whole passes, and steps read. */
  passes = 0;
  steps = 0;
  private step: (() => void) | undefined;
  private skipped = 0;
  private ticksLeft = 0;
  private running = false;
  private stopped = false;

  constructor(private readonly options: LogScrubOptions) {}

  /** To be called at the pace of the scrub. */
  tick(): void {
    this.ticksLeft -= 1;
    if (this.stopped || (this.options.busy() && this.skipped < MAX_SKIPPED_TICKS)) {
      this.skipped += 1;
      return;
    }
    this.skipped = 0;
    const { step } = this;
    this.step = undefined;
    if (step) step();
    else if (!this.running && this.ticksLeft <= 0) this.begin();
  }

  /** Nothing more is read; what waits for its turn is given up. */
  stop(): void {
    this.stopped = true;
    this.step?.();
  }

  private begin(): void {
    this.running = true;
    this.ticksLeft = PASS_TICKS;
    void this.pass().finally(() => {
      this.running = false;
    });
  }

  private async pass(): Promise<void> {
    for (const segment of [...this.options.atRest()]) {
      if (this.stopped) return;
      // Dropped since the pass began.
      if (!this.options.atRest().includes(segment)) continue;
      try {
        await this.options.reads.verify(segment, () => this.turn());
      } catch (error) {
        if (error instanceof ScrubStopped) return;
        // The reads have reported it already.
        if (!(error instanceof LogDamageError)) this.options.onFailed(error);
      }
    }
    this.passes += 1;
  }

  /** Resolves at the next tick that has time for it. */
  private async turn(): Promise<void> {
    await new Promise<void>((resolve) => (this.step = resolve));
    if (this.stopped) throw new ScrubStopped();
    this.steps += 1;
  }
}

class ScrubStopped extends Error {}
