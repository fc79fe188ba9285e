import type { EventLog } from '../../src/raft/replica/environment';

export type Level = keyof EventLog;

export interface RecordedEvent {
  readonly level: Level;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly message: string;
}

export interface RecordedEvents extends EventLog {
  readonly all: RecordedEvent[];
  of(level: Level): RecordedEvent[];
  /** The messages of the errors that came as `err`. */
  errors(): string[];
}

/** An event log that keeps everything. */
export function recordedEvents(): RecordedEvents {
  const all: RecordedEvent[] = [];
  const record =
    (level: Level) =>
    (fields: Readonly<Record<string, unknown>>, message: string): void => {
      all.push({ level, fields, message });
    };
  return {
    all,
    debug: record('debug'),
    info: record('info'),
    warn: record('warn'),
    error: record('error'),
    of: (level) => all.filter((event) => event.level === level),
    errors: () => all.flatMap(({ fields: { err } }) => (err instanceof Error ? [err.message] : [])),
  };
}

/** For whoever must not be ended by what it tests. */
export function notFatal(error: unknown): never {
  throw error;
}
