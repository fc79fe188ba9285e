import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { parseAddress } from '../../src/discovery/address';

/** A socket that speaks no protocol at all. */
export class RawSender {
  private constructor(
    private readonly socket: Socket,
    readonly address: string,
  ) {}

  static async open(): Promise<RawSender> {
    const socket = createSocket('udp4');
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return new RawSender(socket, `127.0.0.1:${socket.address().port}`);
  }

  async send(datagram: Buffer, to: string): Promise<void> {
    const address = parseAddress(to);
    if (!address) throw new Error(`${to} is not an address`);
    await new Promise<void>((resolve, reject) => {
      this.socket.send(datagram, address.port, address.host, (error) => (error ? reject(error) : resolve()));
    });
  }

  close(): void {
    this.socket.close();
  }
}
