import type { Clock, EventLog, Scheduler } from '../../src/raft/replica/environment';
import type { Trace } from './trace';
import { MILLISECOND, type VirtualTime } from './virtual-time';

/** 2025-10-09, so that wall clocks look like wall clocks. */
const EPOCH_MICROS = 1_760_000_000_000_000;

/**
 * One life of a process, from its start to its end. All that can make it do something goes through here: once it is killed
 * nothing does, wherever it was waiting; while it is paused everything waits.
 */
export class ProcessLife {
  private alive = true;
  private held: (() => void)[] | undefined;

  constructor(
    readonly name: string,
    private readonly time: VirtualTime,
    private readonly trace: Trace,
    private readonly machine: {
      /** How far the wall clock is ahead. */
      readonly skewMicros: () => number;
      /** Told what the program logs. */
      readonly logged: (message: string) => void;
      /** Told whenever the process does something. */
      readonly ran: () => void;
    },
  ) {}

  get isAlive(): boolean {
    return this.alive;
  }

  get isPaused(): boolean {
    return this.held !== undefined;
  }

  /** Its promises never settle again; nobody is left to see it. */
  kill(): void {
    this.alive = false;
    this.held = undefined;
  }

  pause(): void {
    this.held ??= [];
  }

  /** What came meanwhile is done now, one after the other, and time has passed at a stroke. */
  resume(): void {
    const held = this.held ?? [];
    this.held = undefined;
    for (const task of held) this.time.after(0, () => this.run(task));
  }

  /** Runs `task` in this process: now, when it goes on, or never. */
  run(task: () => void): void {
    if (!this.alive) return;
    if (this.held) {
      this.held.push(task);
      return;
    }
    this.machine.ran();
    task();
  }

  after(micros: number, task: () => void): () => void {
    return this.time.after(micros, () => this.run(task));
  }

  sleep(micros: number): Promise<void> {
    return new Promise((resolve) => this.after(micros, resolve));
  }

  readonly clock: Clock = {
    wallMicros: () => EPOCH_MICROS + this.time.now + this.machine.skewMicros(),
    monotonicMillis: () => this.time.now / MILLISECOND,
  };

  readonly scheduler: Scheduler = {
    defer: (task) => {
      this.after(5, task);
    },
    every: (millis, task) => {
      let cancel = (): void => undefined;
      const next = (): void => {
        cancel = this.after(millis * MILLISECOND, () => {
          next();
          task();
        });
      };
      next();
      return () => cancel();
    },
  };

  readonly events: EventLog = {
    debug: () => undefined,
    info: (fields, message) => this.log(fields, message),
    warn: (fields, message) => this.log(fields, message),
    error: (fields, message) => this.log(fields, message),
  };

  private log(fields: Readonly<Record<string, unknown>>, message: string): void {
    this.machine.logged(message);
    const { err } = fields;
    this.trace.add(this.name, err instanceof Error ? `${message}: ${err.message}` : message);
  }
}
