import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { Message } from '../../../src/raft/core/messages';
import { systemClock, systemRandom, type EventLog } from '../../../src/raft/replica/environment';
import {
  dialTcp,
  PeerTransport,
  PortMultiplexer,
  systemTimers,
  type TransportEnvironment,
  type TransportLimits,
} from '../../../src/raft/transport';

export const CLUSTER = 'c'.repeat(32);

/** The n-th node id of a test. */
export function nodeId(n: number): string {
  return n.toString(16).padStart(16, '0');
}

export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly fields: Readonly<Record<string, unknown>>;
  readonly message: string;
}

export function recordingLog(lines: LogLine[]): EventLog {
  const at = (level: LogLine['level']) => (fields: Readonly<Record<string, unknown>>, message: string) => {
    lines.push({ level, fields, message });
  };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

/** Waits for a condition, and fails loudly where it never comes. */
export async function until(what: string, condition: () => boolean, withinMs = 10_000): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`After ${withinMs} ms still not so: ${what}.`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

export interface NodeOptions {
  readonly id?: number;
  readonly limits?: Partial<TransportLimits>;
  readonly environment?: Partial<TransportEnvironment>;
}

/** A node as far as the network sees it: a port, a multiplexer, a transport; everything real. */
export class TestNode {
  readonly id: string;
  readonly lines: LogLine[] = [];
  readonly received: { group: number; from: string; message: Message }[] = [];
  readonly unreachable: string[] = [];
  readonly gone: string[] = [];
  readonly clients: Socket[] = [];
  readonly transport: PeerTransport;
  readonly port: PortMultiplexer;
  onMessage: (message: Message) => void = () => undefined;
  onClient: (socket: Socket) => void = (socket) => this.clients.push(socket);
  address = '';

  constructor(options: NodeOptions = {}) {
    this.id = nodeId(options.id ?? 1);
    const environment: TransportEnvironment = {
      clock: systemClock,
      timers: systemTimers,
      random: systemRandom,
      log: recordingLog(this.lines),
      dial: dialTcp,
      secure: async (socket) => socket,
      admit: () => ({ ok: true }),
      identity: () => ({ clusterId: CLUSTER, nodeId: this.id, nodeName: `node-${this.id.slice(-2)}` }),
      ...options.environment,
    };
    this.transport = new PeerTransport({
      environment,
      limits: { backoffMinMs: 5, backoffMaxMs: 40, ...options.limits },
      onMessage: (group, from, message) => {
        this.received.push({ group, from, message });
        this.onMessage(message);
      },
      onUnreachable: (peer) => this.unreachable.push(peer),
      onGone: (peer) => this.gone.push(peer),
    });
    this.port = new PortMultiplexer({
      clock: systemClock,
      timers: systemTimers,
      log: recordingLog(this.lines),
      onPeer: (socket) => this.transport.accept(socket),
      onClient: (socket) => this.onClient(socket),
    });
  }

  async listen(address = '127.0.0.1:0'): Promise<this> {
    this.address = await this.port.listen(address);
    return this;
  }

  /** The log's lines that contain `text`. */
  logged(text: string): LogLine[] {
    return this.lines.filter((line) => line.message.includes(text));
  }

  async close(): Promise<void> {
    this.transport.close();
    await this.port.close();
  }
}

/** A server that hands out raw sockets, for a test that plays a peer which does not keep the rules. */
export class RawServer {
  readonly sockets: Socket[] = [];
  private readonly server: Server;

  constructor(onSocket: (socket: Socket) => void = () => undefined) {
    this.server = createServer((socket) => {
      socket.on('error', () => undefined);
      this.sockets.push(socket);
      onSocket(socket);
    });
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return `127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

export function heartbeat(from: TestNode, to: TestNode, context: number): Message {
  return { type: 'heartbeat', from: from.id, to: to.id, term: 7, commit: 5, context };
}
