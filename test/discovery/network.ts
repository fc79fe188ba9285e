import { formatAddress } from '../../src/discovery/address';
import { openUdpSocket, type DatagramSocket, type OpenSocket } from '../../src/discovery/udp-socket';

export interface Carried {
  readonly datagram: Buffer;
  readonly from: string;
  readonly to: string;
}

/** Real UDP on loopback with a hand on it: it can cut nodes off, lose datagrams, and show what goes by. */
export class Network {
  /** Says which arriving datagrams are lost. */
  loses: (carried: Carried) => boolean = () => false;
  /** Sees every datagram that arrives, lost or not. */
  watches: (carried: Carried) => void = () => undefined;

  readonly open: OpenSocket = async (...options) => {
    const socket = await openUdpSocket(...options);
    const to = formatAddress(socket.bound);
    const wrapped: DatagramSocket = {
      bound: socket.bound,
      send: (datagram, host) => socket.send(datagram, host),
      close: () => socket.close(),
      onDatagram: (handler) => {
        socket.onDatagram((datagram, from) => {
          this.watches({ datagram, from, to });
          if (!this.loses({ datagram, from, to })) handler(datagram, from);
        });
      },
    };
    return wrapped;
  };

  /** Nothing passes between the group and everyone else any more. */
  cutOff(...group: string[]): void {
    this.loses = ({ from, to }) => group.includes(from) !== group.includes(to);
  }

  heal(): void {
    this.loses = () => false;
  }
}
