import type { Duplex } from 'node:stream';
import type { TransportEnvironment, TransportLimits } from './environment';
import { encodeFrame, FrameType, type Frame } from './frame';
import { FrameReader } from './frame-reader';
import { MAX_HANDSHAKE_FRAME_BYTES } from './hello';
import { WireFormatError } from './wire-format-error';

/** Pongs are left out while so much waits to leave: a peer that pings and does not read must not fill this node's memory. */
const PONG_BACKLOG_BYTES = 64 * 1024;

const FULL_BYTES = 256 * 1024;

const NO_PARTS: readonly Buffer[] = [];

export interface ConnectionOwner {
  /** Every frame but pings and pongs. A WireFormatError thrown from it closes the connection; anything else is the owner's own fault and passes. */
  onFrame(frame: Frame): void;
  /** Once, whoever closed it. `cause` says why if it was not this side's wish. */
  onClosed(cause: Error | undefined): void;
  /** What was handed over has left, after the buffer of the connection was full. */
  onDrain?(): void;
}

/**
 * Frames over one duplex stream. Small and large writes of one turn leave together (cork, then one writev), and no payload
 * is copied on its way out. It starts silent: frames are held until `start`, so that none is lost between two owners.
 */
export class FrameConnection {
  private readonly reader = new FrameReader(MAX_HANDSHAKE_FRAME_BYTES);
  private owner: ConnectionOwner | undefined;
  private corked = false;
  private closed = false;
  private closeCause: Error | undefined;
  private silentMs = 0;
  private cancelTimer: () => void = () => undefined;

  constructor(
    readonly stream: Duplex,
    private readonly environment: Pick<TransportEnvironment, 'timers'>,
    private readonly limits: Pick<TransportLimits, 'maxFrameBytes' | 'pingMs' | 'idleMs'>,
  ) {
    stream.on('data', (chunk: Buffer) => this.onData(chunk));
    stream.on('drain', () => this.owner?.onDrain?.());
    stream.on('error', (error) => this.close(error));
    stream.on('end', () => this.close(new Error('the peer closed the connection')));
    stream.on('close', () => this.close(new Error('the connection was closed')));
    // Whoever had the stream before may have paused it.
    stream.resume();
  }

  get isClosed(): boolean {
    return this.closed;
  }

  /** Bytes that were sent here and that the operating system has not taken yet. */
  get bufferedBytes(): number {
    return this.stream.writableLength;
  }

  /** Whether enough waits to keep the socket busy; `onDrain` follows. What is kept back until then is known not to be sent. */
  get isFull(): boolean {
    return this.stream.writableNeedDrain && this.stream.writableLength >= FULL_BYTES;
  }

  /** Hands what arrives, and what was held, to `owner`; the one before hears nothing more. */
  start(owner: ConnectionOwner): void {
    if (this.closed) {
      owner.onClosed(this.closeCause);
      return;
    }
    this.owner = owner;
    this.deliver();
  }

  /** Holds frames from now on, until the next `start`. */
  hold(): void {
    this.owner = undefined;
  }

  /** After the handshake: frames of full length are taken, and the connection watches over itself. */
  establish(role: 'dialer' | 'acceptor'): void {
    this.reader.maxFrameBytes = this.limits.maxFrameBytes;
    this.watch(role);
  }

  /** Queues a frame. The parts must not change any more; the first `checkedParts` of them are covered by the frame's checksum. */
  send(type: FrameType, group: number, parts: readonly Buffer[], checkedParts = parts.length): void {
    if (this.closed) return;
    this.corkForThisTurn();
    for (const buffer of encodeFrame(type, group, parts, checkedParts)) this.stream.write(buffer);
  }

  /** Sends a last frame, and closes once it has left. */
  sendAndClose(type: FrameType, parts: readonly Buffer[]): void {
    this.send(type, 0, parts);
    const stream = this.stream;
    this.finish(undefined, () => {
      stream.end();
      // A peer that does not take the frame must not hold the connection.
      const cancel = this.environment.timers.after(this.limits.pingMs, () => stream.destroy());
      stream.once('close', cancel);
    });
  }

  close(cause?: Error): void {
    this.finish(cause, () => this.stream.destroy());
  }

  private finish(cause: Error | undefined, end: () => void): void {
    if (this.closed) return;
    this.closed = true;
    this.closeCause = cause;
    this.cancelTimer();
    const owner = this.owner;
    this.owner = undefined;
    end();
    owner?.onClosed(cause);
  }

  private corkForThisTurn(): void {
    if (this.corked) return;
    this.corked = true;
    this.stream.cork();
    process.nextTick(() => {
      this.corked = false;
      this.stream.uncork();
    });
  }

  private onData(chunk: Buffer): void {
    if (this.closed) return;
    this.silentMs = 0;
    this.reader.feed(chunk);
    this.deliver();
  }

  private deliver(): void {
    try {
      while (this.owner !== undefined && !this.closed) {
        const frame = this.reader.next();
        if (frame === undefined) return;
        this.take(frame, this.owner);
      }
    } catch (error) {
      this.close(error as Error);
      if (!(error instanceof WireFormatError)) throw error;
    }
  }

  private take(frame: Frame, owner: ConnectionOwner): void {
    if (frame.type === FrameType.pong) return;
    if (frame.type !== FrameType.ping) owner.onFrame(frame);
    else if (this.bufferedBytes < PONG_BACKLOG_BYTES) this.send(FrameType.pong, 0, NO_PARTS);
  }

  private watch(role: 'dialer' | 'acceptor'): void {
    this.cancelTimer = this.environment.timers.after(this.limits.pingMs, () => {
      if (this.closed) return;
      // Counted in turns of this timer, not on a clock: a process that was stopped for a while has not listened either.
      this.silentMs += this.limits.pingMs;
      if (this.silentMs > this.limits.idleMs) {
        this.close(new Error(`nothing was heard from the peer for ${this.limits.idleMs} ms`));
        return;
      }
      // Where the last ping still waits to leave, another one says nothing new.
      if (role === 'dialer' && this.bufferedBytes < PONG_BACKLOG_BYTES) this.send(FrameType.ping, 0, NO_PARTS);
      this.watch(role);
    });
  }
}
