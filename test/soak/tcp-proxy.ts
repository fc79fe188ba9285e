import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { PEER_PREFACE } from '../../src/raft/transport/frame';
import { FrameReader } from '../../src/raft/transport/frame-reader';
import { decodeHello, MAX_HANDSHAKE_FRAME_BYTES } from '../../src/raft/transport/hello';
import type { Link, Links } from './links';

/** The name of everybody who is no node. */
export const CLIENT = 'client';

/**
 * Stands before a node's RPC port. Peers say their name when they connect, which tells the link that a connection runs
 * over; nobody's bytes are changed.
 */
export class TcpProxy {
  private server: Server | undefined;
  /** Also those whose other end has not said its name: one that is paused does not notice that it was reset. */
  private readonly sockets = new Set<Socket>();

  constructor(
    private readonly name: string,
    private readonly port: number,
    private readonly targetPort: number,
    private readonly links: Links,
  ) {}

  async listen(): Promise<void> {
    if (this.server) return;
    const server = createServer({ noDelay: true }, (socket) => void this.accepted(socket));
    this.server = server;
    server.listen(this.port, '127.0.0.1');
    await once(server, 'listening');
  }

  /** As the machine of a process that has ended: breaks its connections and refuses new ones. */
  refuse(): void {
    this.server?.close();
    this.server = undefined;
    for (const connection of this.links.connections) if (connection.from === this.name) connection.destroy();
    for (const socket of this.sockets) breakOff(socket);
  }

  private keep(socket: Socket): void {
    this.sockets.add(socket);
    socket.once('close', () => this.sockets.delete(socket));
  }

  private async accepted(near: Socket): Promise<void> {
    near.on('error', () => undefined);
    this.keep(near);
    const greeting = await greetingOf(near);
    if (near.destroyed || !this.server) {
      near.destroy();
      return;
    }
    const far = connect({ port: this.targetPort, host: '127.0.0.1', noDelay: true });
    far.on('error', () => near.destroy());
    this.keep(far);
    const { links, name } = this;
    const from = greeting.name;
    const connection = { from, to: name, destroy: () => [near, far].forEach(breakOff) };
    links.connections.add(connection);
    near.once('close', () => links.connections.delete(connection));
    await Promise.all([
      pump(near, far, links.between(from, name), greeting.head),
      pump(far, near, links.between(name, from), Buffer.alloc(0)),
    ]);
  }
}

/** One that is ending cannot be reset: the system refuses that, and then Node waits for its end for ever, at the end of the process. */
function breakOff(socket: Socket): void {
  if (socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}

interface Greeting {
  readonly name: string;
  /** What was read to know it. */
  readonly head: Buffer;
}

function greetingOf(socket: Socket): Promise<Greeting> {
  const reader = new FrameReader(MAX_HANDSHAKE_FRAME_BYTES);
  let head = Buffer.alloc(0);
  return new Promise((resolve) => {
    const done = (name: string): void => {
      socket.removeAllListeners('data').removeListener('close', gone).pause();
      resolve({ name, head });
    };
    const gone = (): void => done(CLIENT);
    socket.once('close', gone);
    socket.on('data', (chunk: Buffer) => {
      const isFirst = head.length === 0;
      head = Buffer.concat([head, chunk]);
      if (head[0] !== PEER_PREFACE) {
        done(CLIENT);
        return;
      }
      reader.feed(isFirst ? chunk.subarray(1) : chunk);
      const hello = reader.next();
      if (hello) done(decodeHello(hello.body).nodeName);
    });
  });
}

/** Carries one direction over its link until the one side ends; over a link that is cut nobody hears even of that. */
async function pump(from: Socket, to: Socket, link: Link, head: Buffer): Promise<void> {
  try {
    if (head.length > 0) {
      await link.carry(head.length);
      to.write(head);
    }
    for await (const chunk of from as AsyncIterable<Buffer>) {
      await link.carry(chunk.length);
      if (to.destroyed) break;
      if (!to.write(chunk)) await drainedOrClosed(to);
    }
  } catch {
    // A connection that breaks is what this is for; the other end is told below.
  }
  await link.untilOpen();
  to.destroy();
  from.destroy();
}

/** Whatever comes first; the one that does not come leaves no listener behind. */
async function drainedOrClosed(socket: Socket): Promise<void> {
  const other = new AbortController();
  const { signal } = other;
  try {
    await Promise.race([once(socket, 'drain', { signal }), once(socket, 'close', { signal })]);
  } finally {
    other.abort();
  }
}
