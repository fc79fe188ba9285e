import { CallError } from './call-error';
import { decodeFailure, decodeResponse, encodeRequestPrefix } from './call-codec';
import type { TransportEnvironment, TransportLimits } from './environment';
import { FrameType, type Frame } from './frame';
import type { FrameConnection } from './frame-connection';
import { dialPeer, RefusedError, type Established } from './handshake';
import type { Identity } from './hello';
import { WireFormatError } from './wire-format-error';

export interface AddressCallOptions {
  readonly deadlineMs: number;
  readonly group?: number;
}

export interface AddressAnswer {
  /** Who answered. */
  readonly peer: Identity;
  readonly body: Buffer;
}

/**
 * One call to whoever answers at `address`, on a connection of its own: for a node whose id is not known yet. Rejects with
 * CallError; reason `PEER_REFUSED` where either side refused the other.
 */
export async function callAddress(
  address: string,
  method: number,
  body: Buffer,
  options: AddressCallOptions,
  environment: TransportEnvironment,
  limits: TransportLimits,
): Promise<AddressAnswer> {
  const deadlineAt = environment.clock.monotonicMillis() + options.deadlineMs;
  const { connection, peer } = await connect(address, options.deadlineMs, environment, limits);
  const remainingMs = Math.max(1, deadlineAt - environment.clock.monotonicMillis());
  const cancel = environment.timers.after(remainingMs, () =>
    connection.close(
      new CallError('DEADLINE_EXCEEDED', 'NO_ANSWER', `no answer from ${address} in time`, { sent: true }),
    ),
  );
  try {
    connection.send(FrameType.request, options.group ?? 0, [encodeRequestPrefix(1, method, remainingMs), body]);
    const answer = await oneAnswer(connection, address);
    return { peer: { clusterId: peer.clusterId, nodeId: peer.nodeId, nodeName: peer.nodeName }, body: answer };
  } finally {
    cancel();
    connection.close();
  }
}

async function connect(
  address: string,
  deadlineMs: number,
  environment: TransportEnvironment,
  limits: TransportLimits,
): Promise<Established> {
  try {
    const handshakeMs = Math.min(limits.handshakeMs, deadlineMs);
    return await dialPeer(address, 'bulk', environment, { ...limits, handshakeMs });
  } catch (error) {
    const cause = error as Error;
    const reason = cause instanceof RefusedError ? 'PEER_REFUSED' : 'PEER_UNREACHABLE';
    throw new CallError('UNAVAILABLE', reason, `no connection to ${address}: ${cause.message}`, { sent: false, cause });
  }
}

function oneAnswer(connection: FrameConnection, address: string): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    connection.start({
      onFrame: (frame: Frame) => {
        if (frame.type === FrameType.response) resolve(decodeResponse(frame.body).body);
        else if (frame.type === FrameType.failure) reject(decodeFailure(frame.body).error);
        else throw new WireFormatError('unexpected', `a frame of type ${frame.type} where an answer was expected`);
      },
      onClosed: (cause) => {
        const message = `the connection to ${address} broke before the answer: ${cause?.message ?? 'closed'}`;
        reject(
          cause instanceof CallError
            ? cause
            : new CallError('UNAVAILABLE', 'CONNECTION_LOST', message, { sent: true, cause }),
        );
      },
    });
  });
}
