import type { Socket } from 'node:net';
import { systemClock, systemRandom, type EventLog } from '../raft/replica/environment';
import {
  PeerTransport,
  PortMultiplexer,
  dialTcp,
  systemTimers,
  type Admission,
  type Hello,
  type Identity,
  type PeerTransportOptions,
} from '../raft/transport';

export interface RpcPortOptions {
  readonly identity: () => Identity;
  readonly events: EventLog;
  readonly onMessage: PeerTransportOptions['onMessage'];
  readonly onUnreachable: (peer: string) => void;
  readonly onGone: (peer: string) => void;
  /** Takes connections of clients, from their first byte on. */
  readonly onClient: (socket: Socket) => void;
}

export interface RpcPort {
  readonly transport: PeerTransport;
  /** Resolves to the address that is listened on. */
  listen(address: string): Promise<string>;
  close(): Promise<void>;
}

/** Peers and clients on one port. */
export function openRpcPort(options: RpcPortOptions): RpcPort {
  const transport = new PeerTransport({
    environment: {
      clock: systemClock,
      timers: systemTimers,
      random: systemRandom,
      log: options.events,
      dial: dialTcp,
      // TLS between peers takes its place here.
      secure: (socket) => Promise.resolve(socket),
      admit: (peer) => admit(peer, options.identity()),
      identity: options.identity,
    },
    onMessage: options.onMessage,
    onUnreachable: options.onUnreachable,
    onGone: options.onGone,
  });
  const multiplexer = new PortMultiplexer({
    onPeer: (socket) => transport.accept(socket),
    onClient: options.onClient,
    clock: systemClock,
    timers: systemTimers,
    log: options.events,
  });
  return {
    transport,
    listen: (address) => multiplexer.listen(address),
    close: async () => {
      transport.close();
      await multiplexer.close();
    },
  };
}

/** Cluster ids were compared before. What is left: nobody else may bear this disk's identity. */
function admit(peer: Hello, own: Identity): Admission {
  if (peer.nodeId !== own.nodeId) return { ok: true };
  return {
    ok: false,
    reason: `both ends say that they are node ${own.nodeId}: a data directory was copied, or a node was told its own address`,
  };
}
