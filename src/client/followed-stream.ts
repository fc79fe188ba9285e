/** Streams that live on: where a server is lost, or ends, they go on at another one. */
import { type MethodDefinition, type ServiceError } from '@grpc/grpc-js';
import { type Directory } from './directory';
import { type ClientEnvironment, paused, type ServerConnection } from './environment';
import { ClientReason, fromServiceError, LedgerError, remedyOf } from './errors';

/** Milliseconds between two tries to go on, doubled up to the longest. */
const SHORTEST_PAUSE = 25;
const LONGEST_PAUSE = 500;

export interface FollowOptions {
  readonly directory: Directory;
  readonly environment: ClientEnvironment;
  /** Milliseconds without any server that serves the stream after which it fails. */
  readonly patienceMs: number;
  readonly signal: AbortSignal;
}

/** Answers of one server, until it is lost. */
export type Answers<Response> = AsyncGenerator<Response, never, undefined>;

/** Opens the stream at one server. */
export type OpenAt = <Request, Response>(
  method: MethodDefinition<Request, Response>,
  request: Request,
) => Answers<Response>;

/**
 * What `read` gives of one server after the other; `read` is called anew with each, to go on from where it was. Ends when
 * `read` returns, or the signal is aborted; fails with a LedgerError that another server would not help.
 */
export async function* followed<T>(
  { directory, environment, patienceMs, signal }: FollowOptions,
  read: (open: OpenAt) => AsyncGenerator<T, void, undefined>,
): AsyncGenerator<T, void, undefined> {
  let failingSince: number | undefined;
  let failures = 0;
  const serves = (): void => {
    failingSince = undefined;
    failures = 0;
  };
  while (!signal.aborted) {
    const connection = directory.forRead();
    try {
      yield* read((method, request) => answersOf(connection, method, request, signal, serves));
      return;
    } catch (error) {
      if (!(error instanceof LedgerError)) throw error;
      if (signal.aborted) return;
      failingSince ??= environment.now();
      const over = environment.now() - failingSince > patienceMs;
      if (remedyOf(error) === 'none' || over) throw error;
      directory.failed(connection);
      await directory.refresh().catch(() => undefined);
      await paused(environment.timers, Math.min(LONGEST_PAUSE, SHORTEST_PAUSE * 2 ** Math.min(failures++, 8)));
    }
  }
}

async function* answersOf<Request, Response>(
  connection: ServerConnection,
  method: MethodDefinition<Request, Response>,
  request: Request,
  signal: AbortSignal,
  serves: () => void,
): Answers<Response> {
  const stream = connection.openServerStream(method, request);
  const stop = (): void => stream.cancel();
  signal.addEventListener('abort', stop, { once: true });
  stream.on('metadata', serves);
  try {
    for await (const answer of stream as AsyncIterable<Response>) yield answer;
  } catch (error) {
    throw streamError(error, connection);
  } finally {
    signal.removeEventListener('abort', stop);
    stream.cancel();
  }
  throw streamError(undefined, connection);
}

/** @param error undefined: the server ended the stream without saying why */
export function streamError(error: unknown, connection: Pick<ServerConnection, 'address'>): LedgerError {
  if (error instanceof LedgerError) return error;
  if (error instanceof Error && 'code' in error && 'metadata' in error) {
    return fromServiceError(error as ServiceError, connection.address);
  }
  const message = `${connection.address}: ${error instanceof Error ? error.message : 'the server ended the stream.'}`;
  return new LedgerError('UNAVAILABLE', ClientReason.CONNECTION_LOST, message, {
    address: connection.address,
    cause: error,
  });
}
