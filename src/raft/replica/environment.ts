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

export const systemClock: Clock = {
  wallMicros: () => Math.floor((performance.timeOrigin + performance.now()) * 1_000),
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
