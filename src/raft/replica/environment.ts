/** The world as a replica sees it: everything that is not a function of its inputs comes in through these, so that a simulator can supply it. */

export interface Clock {
  /** Wall clock, microseconds since the Unix epoch. May jump. */
  wallMicros(): number;
  /** Milliseconds on a clock that never goes back; its zero is arbitrary. */
  monotonicMillis(): number;
}

export interface Scheduler {
  /** Runs `task` once, after what is waiting for input or output now has had its turn. */
  defer(task: () => void): void;
  /** Runs `task` every `millis` until the returned function is called. */
  every(millis: number, task: () => void): () => void;
}

export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
}

/** Log lines as events with fields; never awaited by consensus. */
export interface EventLog {
  debug(fields: Readonly<Record<string, unknown>>, message: string): void;
  info(fields: Readonly<Record<string, unknown>>, message: string): void;
  warn(fields: Readonly<Record<string, unknown>>, message: string): void;
  error(fields: Readonly<Record<string, unknown>>, message: string): void;
}

/** The wall clock may differ by so much from what was measured since the last look at it before that counts as a step. */
const STEP_MILLIS = 20;
let originMillis = performance.timeOrigin;

/**
 * Microseconds from the monotonic clock, anchored at the wall clock: the wall clock itself has only milliseconds. A step of
 * the wall clock is followed, or a clock that was put right would stay wrong until the next start.
 */
function wallMicros(): number {
  const monotonic = performance.now();
  const wall = Date.now();
  if (Math.abs(originMillis + monotonic - wall) > STEP_MILLIS) originMillis = wall - monotonic;
  return Math.floor((originMillis + monotonic) * 1_000);
}

export const systemClock: Clock = {
  wallMicros,
  monotonicMillis: () => performance.now(),
};

export const systemScheduler: Scheduler = {
  defer: (task) => {
    setImmediate(task);
  },
  every: (millis, task) => {
    const timer = setInterval(task, millis);
    return () => clearInterval(timer);
  },
};

export const systemRandom: Random = { next: () => Math.random() };
