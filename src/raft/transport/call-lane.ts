import { CallError } from './call-error';
import { decodeFailure, decodeResponse, encodeRequestPrefix, REQUEST_PREFIX_BYTES } from './call-codec';
import type { TransportEnvironment, TransportLimits } from './environment';
import { FRAME_HEADER_BYTES, FrameType, MAX_U32, type Frame } from './frame';
import type { FrameConnection } from './frame-connection';
import { PeerLink } from './peer-link';
import { WireFormatError } from './wire-format-error';

interface PendingCall {
  readonly callId: number;
  readonly group: number;
  readonly method: number;
  readonly body: Buffer;
  readonly deadlineAt: number;
  readonly resolve: (body: Buffer) => void;
  readonly reject: (error: CallError) => void;
  cancelTimer: () => void;
  sent: boolean;
  settled: boolean;
}

/** Calls of this node to one peer, each sent at most once: whoever calls is told whether any byte of a failed one has left. */
export class CallLane {
  private readonly link: PeerLink;
  private readonly pending = new Map<number, PendingCall>();
  /** Not handed to a connection yet, in order. */
  private readonly queue = new Set<PendingCall>();
  private queuedBytes = 0;
  private lastCallId = 0;

  constructor(
    peerId: string,
    address: string,
    private readonly environment: TransportEnvironment,
    private readonly limits: TransportLimits,
  ) {
    this.link = new PeerLink({ peerId, address, lane: 'bulk', keepConnected: false }, environment, limits, {
      onConnected: (connection) => this.pump(connection),
      onDrain: () => this.pump(this.link.connection),
      onFrame: (frame) => this.onFrame(frame),
      onLost: (cause) => this.rejectAll((sent) => lost(sent, cause)),
    });
  }

  setAddress(address: string): void {
    this.link.setAddress(address);
  }

  /** Resolves to the body of the answer; rejects with CallError only. */
  call(group: number, method: number, body: Buffer, deadlineMs: number): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const refusal = this.refusal(body);
      if (refusal) {
        reject(refusal);
        return;
      }
      const call: PendingCall = {
        callId: this.freeCallId(),
        group,
        method,
        body,
        deadlineAt: this.environment.clock.monotonicMillis() + deadlineMs,
        resolve,
        reject,
        cancelTimer: () => undefined,
        sent: false,
        settled: false,
      };
      call.cancelTimer = this.environment.timers.after(deadlineMs, () => this.settle(call, tooLate(call, deadlineMs)));
      this.pending.set(call.callId, call);
      this.queue.add(call);
      this.queuedBytes += body.length;
      this.pump(this.link.connection);
    });
  }

  close(error: (sent: boolean) => CallError): void {
    this.link.close();
    this.rejectAll(error);
  }

  private refusal(body: Buffer): CallError | undefined {
    const { maxFrameBytes, maxPendingCalls, maxQueueBytes } = this.limits;
    if (FRAME_HEADER_BYTES + REQUEST_PREFIX_BYTES + body.length > maxFrameBytes) {
      const message = `a request of ${body.length} bytes does not fit into a frame of ${maxFrameBytes}`;
      return new CallError('INVALID_ARGUMENT', 'REQUEST_TOO_LARGE', message, { sent: false });
    }
    if (
      this.pending.size >= maxPendingCalls ||
      (this.queuedBytes > 0 && this.queuedBytes + body.length > maxQueueBytes)
    ) {
      const message = `${this.pending.size} calls wait for this peer, ${this.queuedBytes} bytes of them unsent: as many as are allowed`;
      return new CallError('RESOURCE_EXHAUSTED', 'QUEUE_FULL', message, { sent: false });
    }
    this.link.wake();
    if (this.link.connection === undefined && !this.link.isConnecting) {
      const message = 'the peer could not be reached a moment ago, and the next attempt is still to come';
      return new CallError('UNAVAILABLE', 'PEER_UNREACHABLE', message, { sent: false });
    }
    return undefined;
  }

  private freeCallId(): number {
    do {
      this.lastCallId = (this.lastCallId + 1) % MAX_U32;
    } while (this.pending.has(this.lastCallId));
    return this.lastCallId;
  }

  /** Hands over as much as keeps the connection busy, and not more: what is still here is known not to be sent. */
  private pump(connection: FrameConnection | undefined): void {
    if (connection === undefined) return;
    for (const call of this.queue) {
      if (connection.isFull || connection.isClosed) return;
      this.queue.delete(call);
      this.queuedBytes -= call.body.length;
      call.sent = true;
      const remainingMs = call.deadlineAt - this.environment.clock.monotonicMillis();
      const prefix = encodeRequestPrefix(call.callId, call.method, remainingMs);
      connection.send(FrameType.request, call.group, [prefix, call.body]);
    }
  }

  private onFrame(frame: Frame): void {
    if (frame.type === FrameType.response) {
      const { callId, body } = decodeResponse(frame.body);
      this.settle(this.pending.get(callId), body);
    } else if (frame.type === FrameType.failure) {
      const { callId, error } = decodeFailure(frame.body);
      this.settle(this.pending.get(callId), error);
    } else {
      throw new WireFormatError('unexpected', `a frame of type ${frame.type} where answers were expected`);
    }
  }

  /** An answer to nobody (his deadline has passed) is dropped. */
  private settle(call: PendingCall | undefined, outcome: Buffer | CallError): void {
    if (call === undefined || call.settled) return;
    call.settled = true;
    call.cancelTimer();
    this.pending.delete(call.callId);
    if (this.queue.delete(call)) this.queuedBytes -= call.body.length;
    if (outcome instanceof CallError) call.reject(outcome);
    else call.resolve(outcome);
  }

  private rejectAll(error: (sent: boolean) => CallError): void {
    for (const call of [...this.pending.values()]) this.settle(call, error(call.sent));
  }
}

function tooLate(call: PendingCall, deadlineMs: number): CallError {
  return call.sent
    ? new CallError('DEADLINE_EXCEEDED', 'NO_ANSWER', `the peer did not answer within ${deadlineMs} ms`, { sent: true })
    : new CallError('DEADLINE_EXCEEDED', 'DEADLINE_BEFORE_SENT', `no connection to the peer within ${deadlineMs} ms`, {
        sent: false,
      });
}

function lost(sent: boolean, cause: Error): CallError {
  return sent
    ? new CallError('UNAVAILABLE', 'CONNECTION_LOST', `the connection broke before the answer: ${cause.message}`, {
        sent,
        cause,
      })
    : new CallError('UNAVAILABLE', 'PEER_UNREACHABLE', `no connection to the peer: ${cause.message}`, { sent, cause });
}
