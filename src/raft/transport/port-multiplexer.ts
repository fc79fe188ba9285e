import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { Clock, EventLog } from '../replica/environment';
import { LogAllowance } from './log-allowance';
import type { Timers } from './environment';
import { PEER_PREFACE } from './frame';
import { splitAddress } from './tcp-dial';

export interface PortMultiplexerOptions {
  /** A connection of a peer; its preface byte has been taken, what followed has been put back. */
  readonly onPeer: (socket: Socket) => void;
  /** Any other connection, untouched: the gRPC server's connection injector. */
  readonly onClient: (socket: Socket) => void;
  readonly clock: Pick<Clock, 'monotonicMillis'>;
  readonly timers: Timers;
  readonly log: EventLog;
  /** How long a connection may stay silent before its first byte, milliseconds. */
  readonly firstByteMs?: number;
  /** Connections that have not sent their first byte. Beyond, the oldest of them is closed. */
  readonly maxSilent?: number;
}

const DEFAULT_FIRST_BYTE_MS = 10_000;
const DEFAULT_MAX_SILENT = 512;

/** One port for peers and clients: the first byte tells them apart, since neither HTTP/2 nor TLS begins with 0x01. */
export class PortMultiplexer {
  private readonly server: Server;
  /** Connections before their first byte, oldest first, each with what stops its clock. */
  private readonly silent = new Map<Socket, () => void>();
  private readonly sockets = new Set<Socket>();
  private readonly complaints: LogAllowance;

  constructor(private readonly options: PortMultiplexerOptions) {
    this.complaints = new LogAllowance(options.clock, options.log);
    this.server = createServer({ noDelay: true }, (socket) => this.onConnection(socket));
    this.server.on('error', (error) => options.log.error({ err: error }, 'the RPC port failed'));
  }

  /** Resolves to the address that is listened on, with the real port where 0 was asked for. Rejects where that fails. */
  async listen(address: string): Promise<string> {
    const { host, port } = address.endsWith(':0') ? { host: hostOf(address), port: 0 } : splitAddress(address);
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen({ host, port }, () => {
        this.server.off('error', reject);
        resolve();
      });
    });
    const bound = this.server.address() as AddressInfo;
    return bound.family === 'IPv6' ? `[${bound.address}]:${bound.port}` : `${bound.address}:${bound.port}`;
  }

  /** Takes no more connections; those that are there go on. */
  stopListening(): void {
    for (const socket of this.silent.keys()) socket.destroy();
    // The callback waits for open connections, which have owners of their own: only the listening has to be over.
    this.server.close();
  }

  /** Closes the port and whatever is still connected to it. Resolves when all is closed. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      if (!this.server.listening && this.sockets.size === 0) resolve();
      else this.server.once('close', () => resolve());
    });
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
    await closed;
  }

  private onConnection(socket: Socket): void {
    this.sockets.add(socket);
    socket.on('close', () => {
      this.sockets.delete(socket);
      this.settle(socket);
    });
    // From here on, until somebody owns the socket, an error only means that nobody will.
    socket.on('error', () => undefined);
    if (this.silent.size >= (this.options.maxSilent ?? DEFAULT_MAX_SILENT)) this.dropOldest();
    const cancel = this.options.timers.after(this.options.firstByteMs ?? DEFAULT_FIRST_BYTE_MS, () => socket.destroy());
    this.silent.set(socket, cancel);
    socket.once('readable', () => this.onReadable(socket));
  }

  private onReadable(socket: Socket): void {
    this.settle(socket);
    const first = socket.read() as Buffer | null;
    // Readable without a byte: the other side has closed.
    if (first === null || first.length === 0) {
      socket.destroy();
      return;
    }
    const isPeer = first[0] === PEER_PREFACE;
    const rest = isPeer ? first.subarray(1) : first;
    if (rest.length > 0) socket.unshift(rest);
    if (isPeer) this.options.onPeer(socket);
    else this.options.onClient(socket);
  }

  private settle(socket: Socket): void {
    this.silent.get(socket)?.();
    this.silent.delete(socket);
  }

  private dropOldest(): void {
    const oldest = this.silent.keys().next();
    if (oldest.done === true) return;
    this.complaints.warn(
      { remote: oldest.value.remoteAddress },
      `${this.silent.size} connections have not sent a byte: closed the oldest`,
    );
    this.settle(oldest.value);
    oldest.value.destroy();
  }
}

function hostOf(address: string): string {
  return address.slice(0, -':0'.length).replace(/^\[|\]$/g, '');
}
