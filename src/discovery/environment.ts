/** The world as gossip sees it. Whoever starts a node supplies these; swim's own probe timers are the one exception. */

export interface Clock {
  /** Wall clock, microseconds since the Unix epoch. May jump. */
  wallMicros(): number;
  /** Milliseconds on a clock that never goes back; its zero is arbitrary. */
  monotonicMillis(): number;
}

export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
}

/** Log lines as events with fields. */
export interface EventLog {
  debug(fields: Readonly<Record<string, unknown>>, message: string): void;
  info(fields: Readonly<Record<string, unknown>>, message: string): void;
  warn(fields: Readonly<Record<string, unknown>>, message: string): void;
}

/** The wall clock in whole milliseconds: what incarnations and sessions are numbered with. */
export function wallMillis(clock: Clock): number {
  return Math.floor(clock.wallMicros() / 1_000);
}
