import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIP, isIPv6 } from 'node:net';
import { formatAddress, parseAddress, type Address } from './address';
import { messageOf } from './error-message';
import { NameResolver } from './name-resolver';

/** The network as gossip sees it. Sending never throws: a datagram that cannot be sent is one more that is lost. */
export interface DatagramSocket {
  /** Where it is bound, with the port that the system chose where 0 was asked for. */
  readonly bound: Address;
  send(datagram: Buffer, to: string): void;
  /** Takes the place of the handler before it. */
  onDatagram(handler: (datagram: Buffer, from: string) => void): void;
  close(): Promise<void>;
}

export type OpenSocket = (
  bind: Address,
  monotonicMillis: () => number,
  onProblem: (to: string, error: unknown) => void,
) => Promise<DatagramSocket>;

/** A UDP socket bound to exactly the address given. Rejects when the system refuses to bind. */
export const openUdpSocket: OpenSocket = async (bind, monotonicMillis, onProblem) => {
  const family = isIPv6(bind.host) ? 6 : 4;
  const socket = createSocket(family === 6 ? 'udp6' : 'udp4');
  const listening = once(socket, 'listening');
  socket.bind(bind.port, bind.host);
  try {
    await listening;
  } catch (error) {
    socket.close();
    throw new Error(
      `gossip cannot bind to ${formatAddress(bind)}: ${messageOf(error)}; ` +
        'choose a free UDP address of this machine with --bind-addr',
      { cause: error },
    );
  }
  socket.on('error', (error) => onProblem(formatAddress(bind), error));
  return new UdpSocket(socket, new NameResolver(family, monotonicMillis, onProblem), onProblem);
};

class UdpSocket implements DatagramSocket {
  readonly bound: Address;
  private handler: (datagram: Buffer, from: string) => void = () => undefined;
  private closed = false;

  constructor(
    private readonly socket: Socket,
    private readonly names: NameResolver,
    private readonly onProblem: (to: string, error: unknown) => void,
  ) {
    const { address, port } = socket.address();
    this.bound = { host: address, port };
    socket.on('message', (datagram, from) =>
      this.handler(datagram, formatAddress({ host: from.address, port: from.port })),
    );
  }

  send(datagram: Buffer, to: string): void {
    if (this.closed) return;
    const address = parseAddress(to);
    if (!address || address.port === 0) {
      this.onProblem(to, new Error(`"${to}" is not an address that a datagram can be sent to`));
      return;
    }
    const host = isIP(address.host) === 0 ? this.names.resolve(address.host) : address.host;
    if (host === undefined) return;
    this.socket.send(datagram, address.port, host, (error) => {
      if (error && !this.closed) this.onProblem(to, error);
    });
  }

  onDatagram(handler: (datagram: Buffer, from: string) => void): void {
    this.handler = handler;
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    const closed = once(this.socket, 'close');
    this.socket.close();
    await closed;
  }
}
