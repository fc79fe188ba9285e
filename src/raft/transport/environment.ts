import type { Duplex } from 'node:stream';
import type { Clock, EventLog, Random } from '../replica/environment';
import type { Hello, Identity } from './hello';

/** Timers as the transport needs them; injected, as every other source of time. */
export interface Timers {
  /** Runs `task` once after `millis`, unless the returned function is called before. */
  after(millis: number, task: () => void): () => void;
}

/** Timers of Node that do not keep a process alive by themselves. */
export const systemTimers: Timers = {
  after: (millis, task) => {
    const timer = setTimeout(task, millis);
    timer.unref();
    return () => clearTimeout(timer);
  },
};

export type Role = 'dialer' | 'acceptor';

/** Whether a peer may speak to this node; the reason is told to it and logged. */
export type Admission = { readonly ok: true } | { readonly ok: false; readonly reason: string };

/** What surrounds the transport. */
export interface TransportEnvironment {
  readonly clock: Pick<Clock, 'monotonicMillis'>;
  readonly timers: Timers;
  readonly random: Random;
  readonly log: EventLog;
  /** Opens a connection to `host:port`. Rejects where there is none to be had, and when `signal` says that nobody waits any more. */
  readonly dial: (address: string, signal: AbortSignal) => Promise<Duplex>;
  /**
   * Wraps a connection, after the preface byte, in TLS or in whatever else. A rejection closes the connection. What it
   * resolves to must destroy `socket` when it is destroyed.
   */
  readonly secure: (socket: Duplex, role: Role) => Promise<Duplex>;
  /**
   * Asked on both sides, once the peer has said who it is; `connection` is what `secure` returned, for its certificate.
   * Different cluster ids are refused before this is asked; an empty one (a node without a cluster) is not.
   */
  readonly admit: (peer: Hello, role: Role, connection: Duplex) => Admission;
  /** Who this node is. A function, because a node that joins learns its cluster id while it runs. */
  readonly identity: () => Identity;
}

/** Bounds of the transport. Milliseconds and bytes. */
export interface TransportLimits {
  /** A longer frame closes its connection. Must hold a batch of the largest size with its message. */
  readonly maxFrameBytes: number;
  /** From the start of a dial, or of an accept, until the peer is admitted. */
  readonly handshakeMs: number;
  /** A dialer asks for a sign of life this often. */
  readonly pingMs: number;
  /** Without a byte from the other side for so long, a connection is closed. */
  readonly idleMs: number;
  /** Backoff between attempts to connect: doubles from the first to the second, each shortened by up to half at random. */
  readonly backoffMinMs: number;
  readonly backoffMaxMs: number;
  /** Bytes that wait to leave for one peer, on each lane. */
  readonly maxQueueBytes: number;
  /** Calls of this node that one peer has not answered. */
  readonly maxPendingCalls: number;
  /** Calls that one connection may have this node work on at a time. */
  readonly maxServedCalls: number;
  /** Connections from peers, whether admitted or not. */
  readonly maxInboundConnections: number;
}

export const DEFAULT_LIMITS: TransportLimits = {
  maxFrameBytes: 8 * 1024 * 1024,
  handshakeMs: 2_000,
  pingMs: 1_000,
  idleMs: 4_000,
  backoffMinMs: 50,
  backoffMaxMs: 1_000,
  maxQueueBytes: 32 * 1024 * 1024,
  maxPendingCalls: 4_096,
  maxServedCalls: 1_024,
  maxInboundConnections: 256,
};
