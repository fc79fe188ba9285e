import type { Message } from '../core/messages';
import type { TransportEnvironment, TransportLimits } from './environment';
import { FRAME_HEADER_BYTES, FrameType, type Frame } from './frame';
import type { FrameConnection } from './frame-connection';
import { encodeMessage, type EncodedMessage } from './message-encoder';
import { PeerLink } from './peer-link';
import { nobodyListens } from './tcp-dial';
import { WireFormatError } from './wire-format-error';

export interface MessageLaneOwner {
  /** Messages are being lost; at most once a turn, never from within `send`. */
  onUnreachable(): void;
  /** Nobody listens where the peer is. Never from within `send`. */
  onGone(): void;
}

interface Waiting {
  readonly group: number;
  readonly message: EncodedMessage;
}

/**
 * Raft messages to one peer, in order, without any promise that they arrive: Raft is made for loss. What finds no
 * connection, or a queue that is full, is dropped, and the owner learns that the peer is unreachable.
 */
export class MessageLane {
  private readonly link: PeerLink;
  /** While the connection is being made: a first request for a vote should not be lost to the handshake. */
  private waiting: Waiting[] = [];
  private waitingBytes = 0;
  private reportPending = false;
  private closed = false;
  private droppedMessages = 0;

  constructor(
    peerId: string,
    address: string,
    environment: TransportEnvironment,
    private readonly limits: TransportLimits,
    private readonly owner: MessageLaneOwner,
  ) {
    this.link = new PeerLink({ peerId, address, lane: 'raft', keepConnected: true }, environment, limits, {
      onConnected: (connection) => this.flush(connection),
      onDrain: () => undefined,
      onFrame: rejectFrame,
      onLost: (cause) => this.lost(cause),
    });
    this.link.wake();
  }

  get isConnected(): boolean {
    return this.link.connection !== undefined;
  }

  /** Bytes that wait to leave. */
  get queuedBytes(): number {
    return this.waitingBytes + (this.link.connection?.bufferedBytes ?? 0);
  }

  /** Messages that were dropped here, ever. */
  get dropped(): number {
    return this.droppedMessages;
  }

  setAddress(address: string): void {
    this.link.setAddress(address);
  }

  send(group: number, message: Message): void {
    const encoded = encodeMessage(message);
    const bytes = FRAME_HEADER_BYTES + encoded.bytes;
    if (bytes > this.limits.maxFrameBytes) {
      throw new RangeError(
        `A ${message.type} of ${bytes} bytes does not fit into a frame of ${this.limits.maxFrameBytes}.`,
      );
    }
    const { connection } = this.link;
    const queued = this.queuedBytes;
    const full = queued > 0 && queued + bytes > this.limits.maxQueueBytes;
    if (full || (connection === undefined && !this.link.isConnecting)) this.drop(1);
    else if (connection !== undefined) connection.send(FrameType.message, group, encoded.parts, encoded.checkedParts);
    else {
      this.waiting.push({ group, message: encoded });
      this.waitingBytes += bytes;
    }
  }

  close(): void {
    this.closed = true;
    this.waiting = [];
    this.waitingBytes = 0;
    this.link.close();
  }

  private flush(connection: FrameConnection): void {
    for (const { group, message } of this.waiting) {
      connection.send(FrameType.message, group, message.parts, message.checkedParts);
    }
    this.waiting = [];
    this.waitingBytes = 0;
  }

  private lost(cause: Error): void {
    if (nobodyListens(cause)) this.owner.onGone();
    const dropped = this.waiting.length;
    this.waiting = [];
    this.waitingBytes = 0;
    this.drop(dropped);
  }

  /** One report a turn, and never from within `send`: the caller is in the middle of its own work then. */
  private drop(messages: number): void {
    this.droppedMessages += messages;
    if (this.reportPending) return;
    this.reportPending = true;
    queueMicrotask(() => {
      this.reportPending = false;
      if (!this.closed) this.owner.onUnreachable();
    });
  }
}

function rejectFrame(frame: Frame): void {
  throw new WireFormatError('unexpected', `a frame of type ${frame.type} on a connection that only sends`);
}
