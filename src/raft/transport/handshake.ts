import type { Duplex } from 'node:stream';
import type { Role, TransportEnvironment, TransportLimits } from './environment';
import { FrameType, PEER_PREFACE, type Frame } from './frame';
import { FrameConnection } from './frame-connection';
import { decodeHello, decodeRefusal, encodeHello, encodeRefusal, type Hello, type Lane } from './hello';
import { WireFormatError } from './wire-format-error';

/** A connection whose other end has said who it is and was admitted. Its frames are held until somebody starts it. */
export interface Established {
  readonly connection: FrameConnection;
  readonly peer: Hello;
}

/** The peer said no, or this node will not speak to it. Trying again soon will hardly help, unlike with a lost connection. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';
}

/** Why two identities do not go together, if so. */
function conflict(environment: TransportEnvironment, peer: Hello, role: Role, stream: Duplex): string | undefined {
  const mine = environment.identity();
  if (peer.clusterId !== '' && mine.clusterId !== '' && peer.clusterId !== mine.clusterId) {
    return `node "${peer.nodeName}" belongs to cluster ${peer.clusterId}, this node "${mine.nodeName}" to cluster ${mine.clusterId}`;
  }
  const admission = environment.admit(peer, role, stream);
  return admission.ok ? undefined : admission.reason;
}

/**
 * Runs `work` with a bound in time, and until `signal`; what it left open is closed by `abandon`. The signal is the
 * caller's: it may stay silent for ever.
 */
async function within<T>(
  environment: TransportEnvironment,
  millis: number,
  signal: AbortSignal | undefined,
  work: Promise<T>,
  abandon: () => void,
): Promise<T> {
  let stop: () => void = () => undefined;
  const tooLate = new Promise<never>((_resolve, reject) => {
    const aborted = () => reject(new Error('nobody waits for the connection any more'));
    signal?.addEventListener('abort', aborted);
    const cancel = environment.timers.after(millis, () => reject(new Error(`no connection within ${millis} ms`)));
    stop = () => {
      signal?.removeEventListener('abort', aborted);
      cancel();
    };
  });
  try {
    return await Promise.race([work, tooLate]);
  } catch (error) {
    abandon();
    throw error;
  } finally {
    stop();
  }
}

/** Waits for the one frame that the handshake expects next; frames behind it are held. */
function oneFrame(connection: FrameConnection): Promise<Frame> {
  return new Promise((resolve, reject) => {
    connection.start({
      onFrame: (frame) => {
        connection.hold();
        resolve(frame);
      },
      onClosed: (cause) => reject(cause ?? new Error('the connection was closed during the handshake')),
    });
  });
}

/**
 * Connects to `address` and introduces this node. Rejects with RefusedError where either side refuses the other, and with
 * the cause where there is no connection.
 */
export async function dialPeer(
  address: string,
  lane: Lane,
  environment: TransportEnvironment,
  limits: TransportLimits,
  signal?: AbortSignal,
): Promise<Established> {
  let stream: Duplex | undefined;
  const attempt = new AbortController();
  const work = async (): Promise<Established> => {
    const socket = await environment.dial(address, attempt.signal);
    stream = socket;
    if (attempt.signal.aborted) socket.destroy();
    // Until the frames take over, a failure shows in the next write or read; without a listener it would end the process.
    socket.on('error', () => undefined);
    socket.write(Buffer.of(PEER_PREFACE));
    stream = await environment.secure(socket, 'dialer');
    const connection = new FrameConnection(stream, environment, limits);
    connection.send(FrameType.hello, 0, [encodeHello({ ...environment.identity(), lane })]);
    const peer = readAnswer(await oneFrame(connection));
    const reason = conflict(environment, peer, 'dialer', stream);
    if (reason !== undefined) throw new RefusedError(reason);
    connection.establish('dialer');
    return { connection, peer };
  };
  return within(environment, limits.handshakeMs, signal, work(), () => {
    attempt.abort();
    stream?.destroy();
  });
}

function readAnswer(frame: Frame): Hello {
  if (frame.type === FrameType.refused) throw new RefusedError(`the peer refused: ${decodeRefusal(frame.body)}`);
  if (frame.type !== FrameType.helloOk) {
    throw new WireFormatError('unexpected', `a hello was answered by a frame of type ${frame.type}`);
  }
  return decodeHello(frame.body);
}

/**
 * The other side of `dialPeer`, for a connection whose preface byte has been read. Rejects, with the connection closed,
 * where the peer is not admitted: it has been told why.
 */
export async function acceptPeer(
  socket: Duplex,
  environment: TransportEnvironment,
  limits: TransportLimits,
): Promise<Established> {
  let stream = socket;
  socket.on('error', () => undefined);
  const work = async (): Promise<Established> => {
    stream = await environment.secure(socket, 'acceptor');
    const connection = new FrameConnection(stream, environment, limits);
    const frame = await oneFrame(connection);
    if (frame.type !== FrameType.hello) {
      throw new WireFormatError(
        'unexpected',
        `a conversation began with a frame of type ${frame.type}, not with a hello`,
      );
    }
    const peer = helloOrRefuse(frame, connection);
    const reason = conflict(environment, peer, 'acceptor', stream);
    if (reason !== undefined) throw refuse(connection, reason);
    connection.establish('acceptor');
    connection.send(FrameType.helloOk, 0, [encodeHello({ ...environment.identity(), lane: peer.lane })]);
    return { connection, peer };
  };
  return within(environment, limits.handshakeMs, undefined, work(), () => {
    // A refusal must reach the peer first; it closes the stream itself.
    if (!stream.writableEnded) stream.destroy();
    if (!socket.writableEnded) socket.destroy();
  });
}

function helloOrRefuse(frame: Frame, connection: FrameConnection): Hello {
  try {
    return decodeHello(frame.body);
  } catch (error) {
    // A peer of another version deserves to learn why; it reads REFUSED in every version of this protocol.
    if (error instanceof WireFormatError && error.fault === 'unexpected') throw refuse(connection, error.message);
    throw error;
  }
}

function refuse(connection: FrameConnection, reason: string): RefusedError {
  connection.sendAndClose(FrameType.refused, [encodeRefusal(reason)]);
  return new RefusedError(reason);
}
