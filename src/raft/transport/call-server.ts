import { CallError } from './call-error';
import { decodeRequest, encodeFailure, encodeResponsePrefix, RESPONSE_PREFIX_BYTES } from './call-codec';
import type { TransportEnvironment, TransportLimits } from './environment';
import { FRAME_HEADER_BYTES, FrameType, type Frame } from './frame';
import type { FrameConnection } from './frame-connection';
import type { Hello, Identity } from './hello';
import { WireFormatError } from './wire-format-error';

export interface IncomingCall {
  /** Node id of the caller. */
  readonly from: string;
  /** All that the caller said about itself, and was admitted with. */
  readonly peer: Identity;
  readonly group: number;
  readonly body: Buffer;
  /** When the caller stops waiting, on this node's monotonic clock in milliseconds. */
  readonly deadline: number;
}

/** Resolves to the body of the answer, or throws a CallError for the caller. */
export type CallHandler = (call: IncomingCall) => Promise<Buffer>;

/** Works on the calls of peers, within bounds per connection: beyond them a call is refused and certainly not done. */
export class CallServer {
  private readonly handlers = new Map<number, CallHandler>();

  constructor(
    private readonly environment: Pick<TransportEnvironment, 'clock' | 'log'>,
    private readonly limits: TransportLimits,
  ) {}

  /** Throws where the method has a handler already: two parts of a node would answer each other's calls. */
  handle(method: number, handler: CallHandler): void {
    if (!Number.isInteger(method) || method < 0 || method > 0xffff) {
      throw new RangeError(`A method is a number of 16 bits, but it is ${method}.`);
    }
    if (this.handlers.has(method)) throw new Error(`Method ${method} is handled already.`);
    this.handlers.set(method, handler);
  }

  /** The frames of one admitted connection of the bulk lane. */
  session(connection: FrameConnection, peer: Hello): (frame: Frame) => void {
    let running = 0;
    return (frame) => {
      if (frame.type !== FrameType.request) {
        throw new WireFormatError('unexpected', `a frame of type ${frame.type} where calls were expected`);
      }
      const { callId, method, timeoutMs, body } = decodeRequest(frame.body);
      const handler = this.handlers.get(method);
      if (handler === undefined) {
        fail(connection, callId, unknownMethod(method));
        return;
      }
      if (connection.bufferedBytes > this.limits.maxQueueBytes) {
        throw new WireFormatError('unexpected', 'the peer goes on calling and does not read the answers');
      }
      if (running >= this.limits.maxServedCalls) {
        fail(connection, callId, overloaded(running));
        return;
      }
      const deadline = this.environment.clock.monotonicMillis() + timeoutMs;
      running += 1;
      void this.run(handler, { from: peer.nodeId, peer, group: frame.group, body, deadline }).then((outcome) => {
        running -= 1;
        this.answer(connection, frame.group, callId, outcome);
      });
    };
  }

  private async run(handler: CallHandler, call: IncomingCall): Promise<Buffer | CallError> {
    try {
      return await handler(call);
    } catch (error) {
      if (error instanceof CallError) return error;
      this.environment.log.error({ peer: call.from, group: call.group, err: error }, 'a call of a peer failed');
      const message = error instanceof Error ? error.message : String(error);
      return new CallError('INTERNAL', 'HANDLER_FAILED', message, { sent: true });
    }
  }

  private answer(connection: FrameConnection, group: number, callId: number, outcome: Buffer | CallError): void {
    if (outcome instanceof CallError) {
      fail(connection, callId, outcome);
      return;
    }
    const bytes = FRAME_HEADER_BYTES + RESPONSE_PREFIX_BYTES + outcome.length;
    if (bytes > this.limits.maxFrameBytes) {
      const message = `the answer has ${outcome.length} bytes, more than a frame holds`;
      fail(connection, callId, new CallError('INTERNAL', 'HANDLER_FAILED', message, { sent: true }));
      return;
    }
    connection.send(FrameType.response, group, [encodeResponsePrefix(callId), outcome]);
  }
}

function fail(connection: FrameConnection, callId: number, error: CallError): void {
  connection.send(FrameType.failure, 0, [encodeFailure(callId, error)]);
}

function unknownMethod(method: number): CallError {
  return new CallError('UNIMPLEMENTED', 'METHOD_UNKNOWN', `this node does not know method ${method}`, { sent: true });
}

function overloaded(running: number): CallError {
  const message = `${running} calls of this peer are being worked on, as many as are allowed`;
  return new CallError('RESOURCE_EXHAUSTED', 'PEER_OVERLOADED', message, { sent: true });
}
