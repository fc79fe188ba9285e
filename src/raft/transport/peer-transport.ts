import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Message } from '../core/messages';
import type { NodeId } from '../core/types';
import { callAddress, type AddressAnswer, type AddressCallOptions } from './address-call';
import { CallError } from './call-error';
import { CallLane } from './call-lane';
import { CallServer, type CallHandler } from './call-server';
import { DEFAULT_LIMITS, type TransportEnvironment, type TransportLimits } from './environment';
import { assertIdentity } from './hello';
import { InboundPeers, type MessageHandler } from './inbound-peers';
import { MessageLane } from './message-lane';
import { splitAddress, tuneSocket } from './tcp-dial';

export interface PeerTransportOptions {
  readonly environment: TransportEnvironment;
  readonly limits?: Partial<TransportLimits>;
  /** A message of an admitted peer. What it throws is not caught: a broken invariant has to end the process. */
  readonly onMessage: MessageHandler;
  /** Messages to this peer are being lost; at most once a turn. Never called from within `send`. */
  readonly onUnreachable: (peer: NodeId) => void;
  /** The peer's process has ended: nobody listens at its address, and it has no connection to this node. Told again after each attempt. */
  readonly onGone: (peer: NodeId) => void;
}

export interface PeerStatistics {
  readonly connected: boolean;
  /** Raft messages, in bytes, that wait to leave. */
  readonly queuedBytes: number;
  /** Raft messages that were dropped, ever. */
  readonly dropped: number;
}

interface Peer {
  readonly messages: MessageLane;
  readonly calls: CallLane;
}

/**
 * Speaks to the other nodes: Raft's messages one way on one connection, calls with answers on another. The wire format is in
 * docs/internals/peer-protocol.md.
 */
export class PeerTransport {
  private readonly environment: TransportEnvironment;
  private readonly limits: TransportLimits;
  private readonly peers = new Map<NodeId, Peer>();
  private readonly server: CallServer;
  private readonly inbound: InboundPeers;
  private closed = false;

  constructor(private readonly options: PeerTransportOptions) {
    this.environment = options.environment;
    this.limits = { ...DEFAULT_LIMITS, ...options.limits };
    assertIdentity(this.environment.identity());
    this.server = new CallServer(this.environment, this.limits);
    this.inbound = new InboundPeers(this.environment, this.limits, this.server, options.onMessage);
  }

  /** Where a peer is. Connects to it from now on; a new address replaces the one before. Throws RangeError for what is no address. */
  setAddress(id: NodeId, address: string): void {
    if (this.closed) return;
    if (id === this.environment.identity().nodeId) throw new RangeError('A node is not a peer of its own.');
    splitAddress(address);
    const peer = this.peers.get(id);
    if (peer === undefined) {
      const owner = {
        onUnreachable: () => this.options.onUnreachable(id),
        // Somebody may refuse connections for it while it lives: then the one that it has opened is still there.
        onGone: () => void (this.inbound.hears(id) || this.options.onGone(id)),
      };
      this.peers.set(id, {
        messages: new MessageLane(id, address, this.environment, this.limits, owner),
        calls: new CallLane(id, address, this.environment, this.limits),
      });
      return;
    }
    peer.messages.setAddress(address);
    peer.calls.setAddress(address);
  }

  /** Forgets a peer and closes its connections, both ways. Calls to it fail. */
  removePeer(id: NodeId): void {
    const peer = this.peers.get(id);
    this.peers.delete(id);
    peer?.messages.close();
    peer?.calls.close((sent) => gone(`node ${id} is no longer a peer`, sent));
    this.inbound.closeFrom(id);
  }

  /** Sends a Raft message, or drops it: without an address, without a connection, with a full queue. */
  send(to: NodeId, group: number, message: Message): void {
    const peer = this.peers.get(to);
    if (peer !== undefined) {
      peer.messages.send(group, message);
      return;
    }
    if (!this.closed) queueMicrotask(() => this.options.onUnreachable(to));
  }

  /**
   * Calls a method of a peer, at most once. Rejects with CallError, whose `sent` says whether any byte of it has left.
   * `body` must not change until then.
   */
  async call(
    to: NodeId,
    group: number,
    method: number,
    body: Buffer,
    options: { readonly deadlineMs: number },
  ): Promise<Buffer> {
    const peer = this.peers.get(to);
    if (this.closed) throw gone('this node is stopping', false);
    if (peer === undefined) {
      throw new CallError('UNAVAILABLE', 'PEER_UNKNOWN', `no address of node ${to} is known`, { sent: false });
    }
    return peer.calls.call(group, method, body, options.deadlineMs);
  }

  /** Calls a method of whoever answers at an address, and says who that was. */
  async callAddress(
    address: string,
    method: number,
    body: Buffer,
    options: AddressCallOptions,
  ): Promise<AddressAnswer> {
    if (this.closed) throw gone('this node is stopping', false);
    return callAddress(address, method, body, options, this.environment, this.limits);
  }

  /** Serves a method to peers; one handler each. */
  handle(method: number, handler: CallHandler): void {
    this.server.handle(method, handler);
  }

  /** Takes over a socket that a peer has opened and whose preface byte has been read; see PortMultiplexer. */
  accept(socket: Duplex): void {
    const tcp = socket as Partial<Socket>;
    if (typeof tcp.setNoDelay === 'function') tuneSocket(socket as Socket);
    this.inbound.accept(socket, `${tcp.remoteAddress ?? 'unknown'}:${tcp.remotePort ?? 0}`);
  }

  statistics(id: NodeId): PeerStatistics | undefined {
    const lane = this.peers.get(id)?.messages;
    return lane && { connected: lane.isConnected, queuedBytes: lane.queuedBytes, dropped: lane.dropped };
  }

  /** Closes every connection at once. Calls fail; nothing is delivered any more. */
  close(): void {
    this.closed = true;
    for (const peer of this.peers.values()) {
      peer.messages.close();
      peer.calls.close((sent) => gone('this node is stopping', sent));
    }
    this.peers.clear();
    this.inbound.close();
  }
}

function gone(message: string, sent: boolean): CallError {
  return new CallError('UNAVAILABLE', sent ? 'CONNECTION_LOST' : 'TRANSPORT_CLOSED', message, { sent });
}
