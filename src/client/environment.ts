/** The world as a client sees it: servers, time, chance. A simulator supplies another one. */
import { type ServiceError } from '@grpc/grpc-js';
import { Connection, type ConnectionEvents } from './connection';

/** Milliseconds. What these return prevents what has not happened yet. */
export interface Timers {
  after(millis: number, task: () => void): () => void;
  every(millis: number, task: () => void): () => void;
  /** As `every`, but no reason for the process to live on. */
  everyInPassing(millis: number, task: () => void): () => void;
  /** After everything that this turn of the event loop brings. */
  soon(task: () => void): void;
}

/** A connection to one server, as the rest of the client uses it. */
export type ServerConnection = Pick<
  Connection,
  'address' | 'unary' | 'openTypedDuplex' | 'openServerStream' | 'untilReady' | 'close'
> & {
  openDuplex(path: string): BytesDuplex;
};

/** A stream in both directions, as far as it is used: `data`, `error` and `end` come in; the last two end it. */
export interface BytesDuplex {
  on(event: 'data', listener: (bytes: Buffer) => void): unknown;
  on(event: 'error', listener: (error: ServiceError) => void): unknown;
  on(event: 'end', listener: () => void): unknown;
  write(bytes: Buffer): unknown;
  end(): unknown;
  cancel(): void;
}

export interface ClientEnvironment {
  /** Milliseconds on a clock that only goes forward. */
  now(): number;
  /** A number in [0, 1). */
  random(): number;
  readonly timers: Timers;
  /** A connection is made when it is first used. */
  connect(address: string, events: ConnectionEvents): ServerConnection;
}

export const systemEnvironment: ClientEnvironment = {
  now: () => performance.now(),
  random: () => Math.random(),
  timers: {
    after: (millis, task) => {
      const timer = setTimeout(task, millis);
      return () => clearTimeout(timer);
    },
    every: (millis, task) => {
      const timer = setInterval(task, millis);
      return () => clearInterval(timer);
    },
    everyInPassing: (millis, task) => {
      const timer = setInterval(task, millis);
      timer.unref();
      return () => clearInterval(timer);
    },
    soon: (task) => {
      setImmediate(task);
    },
  },
  connect: (address, events) => new Connection(address, events),
};

export function paused(timers: Timers, millis: number): Promise<void> {
  return new Promise((resolve) => timers.after(millis, resolve));
}
