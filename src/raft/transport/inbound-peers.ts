import type { Duplex } from 'node:stream';
import type { Message } from '../core/messages';
import type { NodeId } from '../core/types';
import type { CallServer } from './call-server';
import type { TransportEnvironment, TransportLimits } from './environment';
import { FrameType, type Frame } from './frame';
import type { FrameConnection } from './frame-connection';
import { acceptPeer, type Established } from './handshake';
import type { Hello } from './hello';
import { LogAllowance } from './log-allowance';
import { decodeMessage } from './message-decoder';
import { WireFormatError } from './wire-format-error';

export type MessageHandler = (group: number, from: NodeId, message: Message) => void;

/** The connections that peers have opened to this node. */
export class InboundPeers {
  private readonly handshakes = new Set<Duplex>();
  private readonly established = new Map<FrameConnection, Hello>();
  /** Anybody who reaches the port can make these lines appear. */
  private readonly refusals: LogAllowance;
  private closed = false;

  constructor(
    private readonly environment: TransportEnvironment,
    private readonly limits: TransportLimits,
    private readonly calls: CallServer,
    private readonly onMessage: MessageHandler,
  ) {
    this.refusals = new LogAllowance(environment.clock, environment.log);
  }

  get count(): number {
    return this.handshakes.size + this.established.size;
  }

  /** Takes a connection whose preface byte has been read. */
  accept(socket: Duplex, remote: string): void {
    if (this.closed || this.count >= this.limits.maxInboundConnections) {
      if (!this.closed) this.refusals.warn({ remote }, `refused a peer: ${this.count} connections are open already`);
      socket.on('error', () => undefined);
      socket.destroy();
      return;
    }
    this.handshakes.add(socket);
    acceptPeer(socket, this.environment, this.limits).then(
      (established) => {
        this.handshakes.delete(socket);
        this.serve(established, remote);
      },
      (error: Error) => {
        this.handshakes.delete(socket);
        if (!this.closed) this.refusals.warn({ remote }, `refused a connection from a peer: ${error.message}`);
      },
    );
  }

  /** Whether a connection for messages from this node stands. */
  hears(nodeId: NodeId): boolean {
    for (const peer of this.established.values()) if (peer.nodeId === nodeId && peer.lane === 'raft') return true;
    return false;
  }

  /** Closes what came from this node. It may come back if it is admitted again. */
  closeFrom(nodeId: NodeId): void {
    for (const [connection, peer] of this.established) if (peer.nodeId === nodeId) connection.close();
  }

  close(): void {
    this.closed = true;
    for (const socket of this.handshakes) socket.destroy();
    for (const connection of this.established.keys()) connection.close();
  }

  private serve({ connection, peer }: Established, remote: string): void {
    if (this.closed) {
      connection.close();
      return;
    }
    if (peer.lane === 'raft') this.supersede(peer);
    this.established.set(connection, peer);
    connection.start({
      onFrame: peer.lane === 'raft' ? this.messageSession(peer) : this.calls.session(connection, peer),
      onClosed: (cause) => {
        this.established.delete(connection);
        const fields = { peer: peer.nodeId, peerName: peer.nodeName, lane: peer.lane, remote };
        if (cause instanceof WireFormatError) {
          this.refusals.warn({ ...fields, fault: cause.fault }, `closed the connection of a peer: ${cause.message}`);
        } else {
          this.environment.log.debug(
            fields,
            `the connection of a peer ended: ${cause?.message ?? 'closed by this node'}`,
          );
        }
      },
    });
  }

  /** A node has one connection for messages: the one before is dead, though TCP has not noticed yet. */
  private supersede(peer: Hello): void {
    for (const [connection, other] of this.established) {
      if (other.nodeId === peer.nodeId && other.lane === 'raft') connection.close();
    }
  }

  private messageSession(peer: Hello): (frame: Frame) => void {
    const me = this.environment.identity().nodeId;
    return (frame) => {
      if (frame.type !== FrameType.message) {
        throw new WireFormatError('unexpected', `a frame of type ${frame.type} where messages were expected`);
      }
      this.onMessage(frame.group, peer.nodeId, decodeMessage(frame, peer.nodeId, me));
    };
  }
}
