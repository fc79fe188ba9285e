import type { Clock, Scheduler } from '../../../src/raft/replica/environment';

/** A clock that stands still until it is moved. */
export class ManualClock implements Clock {
  wall = 1_700_000_000_000_000;
  monotonic = 0;

  wallMicros(): number {
    return this.wall;
  }

  monotonicMillis(): number {
    return this.monotonic;
  }
}

/** Runs what was deferred when it is told to. */
export class ManualScheduler implements Scheduler {
  readonly deferred: (() => void)[] = [];

  defer(task: () => void): void {
    this.deferred.push(task);
  }

  every(): () => void {
    throw new Error('Nothing here asks for a timer.');
  }

  /** Runs all that is deferred now, not what that defers in turn; says how much it was. */
  runOnce(): number {
    const tasks = this.deferred.splice(0);
    for (const task of tasks) task();
    return tasks.length;
  }
}
