import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { SeededRandom } from '../support/seeded-random';
import type { Links } from './links';

/** Where a node gossips, and the port that the others are told. */
export interface GossipEnd {
  readonly name: string;
  readonly port: number;
  readonly toldPort: number;
}

/**
 * The gossip of all nodes over their links. A datagram that node A sends to the told port of node B comes to B from the told
 * port of A, as if that were A's own.
 */
export class UdpProxy {
  /** Chance of a datagram to get lost. */
  loss = 0;
  private readonly sockets = new Map<string, Socket>();

  constructor(
    private readonly ends: readonly GossipEnd[],
    private readonly links: Links,
    private readonly random: SeededRandom,
  ) {}

  async listen(): Promise<void> {
    for (const end of this.ends) {
      const socket = createSocket('udp4');
      // A node that is down answers with ICMP, which is no fault here.
      socket.on('error', () => undefined);
      socket.on('message', (datagram, { port }) => void this.forward(port, end, datagram));
      socket.bind(end.toldPort, '127.0.0.1');
      await once(socket, 'listening');
      this.sockets.set(end.name, socket);
    }
  }

  close(): void {
    for (const socket of this.sockets.values()) socket.close();
    this.sockets.clear();
  }

  private async forward(sourcePort: number, to: GossipEnd, datagram: Buffer): Promise<void> {
    const from = this.ends.find((end) => end.port === sourcePort);
    if (!from) return;
    const link = this.links.between(from.name, to.name);
    if (link.isCut || this.random.chance(this.loss)) return;
    await link.carry(datagram.length);
    this.sockets.get(from.name)?.send(datagram, to.port, '127.0.0.1');
  }
}
