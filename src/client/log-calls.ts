/** Producing and consuming opaque values: log.v1.Log. */
import { type ClientDuplexStream, type ServiceError } from '@grpc/grpc-js';
import { clientDefinition } from '../proto/load';
import { type ConsumeResponse, type ProduceRequestOut, type ProduceResponse, type Record } from '../proto/log-v1';
import { type Caller } from './caller';
import { type ClientEnvironment, paused, type ServerConnection } from './environment';
import { type Directory } from './directory';
import { ClientReason, fromServiceError, LedgerError, remedyOf } from './errors';
import { type RecordView } from './types';

const LOG = clientDefinition('log.v1.Log');

/** Values of one ProduceStream that are sent and not yet answered. */
const MAX_UNANSWERED = 8190;
/** Milliseconds between two tries to go on with a stream of records, doubled up to the longest. */
const SHORTEST_PAUSE = 25;
const LONGEST_PAUSE = 500;

export type Value = Uint8Array | string;

export interface ProduceOptions {
  readonly timeoutMs: number;
  /** Send it again even where it may already be in the log: it is then in the log at least once. */
  readonly atLeastOnce: boolean;
}

/** Resolves to the offset of the record, once it is committed. */
export async function produce(caller: Caller, value: Value, options: ProduceOptions): Promise<number> {
  const kind = options.atLeastOnce ? 'idempotent' : 'once';
  const request = requestOf(value);
  const { offset } = await caller.call({ target: 'leader', kind, timeoutMs: options.timeoutMs }, (server, time) =>
    server.unary(LOG.Produce, request, time),
  );
  return Number(offset);
}

/**
 * Offsets of the values, in order, each once it is committed. Ends with a LedgerError at the first value that is not;
 * `details.acknowledged` says how many came before it. Nothing is sent again.
 */
export async function* produceStream(
  connection: ServerConnection,
  values: Iterable<Value> | AsyncIterable<Value>,
): AsyncGenerator<number, void, undefined> {
  const stream = connection.openTypedDuplex(LOG.ProduceStream);
  const window = { sent: 0, acknowledged: 0, failure: undefined as Error | undefined, wake: (): void => undefined };
  const pumping = pump(stream, values, window).catch((error: unknown) => {
    window.failure = error instanceof Error ? error : new Error(String(error));
    stream.cancel();
  });
  try {
    for await (const response of stream as AsyncIterable<ProduceResponse>) {
      window.acknowledged += 1;
      window.wake();
      yield Number(response.offset);
    }
    await pumping;
  } catch (error) {
    if (window.failure === undefined) throw howFar(streamError(error, connection), window);
  } finally {
    stream.cancel();
    window.wake();
  }
  // What the caller's own source of values throws is the caller's.
  if (window.failure !== undefined) throw window.failure;
  if (window.acknowledged < window.sent) throw howFar(streamError(undefined, connection), window);
}

interface Window {
  sent: number;
  acknowledged: number;
  failure: Error | undefined;
  wake: () => void;
}

async function pump(
  stream: ClientDuplexStream<ProduceRequestOut, ProduceResponse>,
  values: Iterable<Value> | AsyncIterable<Value>,
  window: Window,
): Promise<void> {
  const until = (): Promise<void> => new Promise((resolve) => (window.wake = resolve));
  stream.on('drain', () => window.wake());
  for await (const value of values) {
    if (stream.destroyed) return;
    window.sent += 1;
    const flows = stream.write(requestOf(value));
    if (!flows || window.sent - window.acknowledged >= MAX_UNANSWERED) await until();
  }
  stream.end();
}

function howFar(error: LedgerError, window: Window): LedgerError {
  const details = { ...error.details, acknowledged: String(window.acknowledged) };
  const unknown = window.sent > window.acknowledged && remedyOf(error) !== 'none';
  const reason = unknown ? ClientReason.OUTCOME_UNKNOWN : error.reason;
  const message = `${error.message} ${window.acknowledged} values were acknowledged before.`;
  return new LedgerError(error.code, reason, message, { details, cause: error, address: error.address });
}

/** @returns the record at that offset; rejects with OUT_OF_RANGE where there is none */
export async function consume(caller: Caller, offset: number, timeoutMs: number): Promise<RecordView> {
  const { record } = await caller.call({ target: 'follower', kind: 'read', timeoutMs }, (server, time) =>
    server.unary(LOG.Consume, { offset }, time),
  );
  return viewOf(record);
}

/** Where the log begins and ends, as the leader knows it: the first offset kept, and the next one to be given. */
export async function logRange(
  caller: Caller,
  timeoutMs: number,
): Promise<{ readonly firstOffset: number; readonly nextOffset: number }> {
  try {
    await caller.call({ target: 'leader', kind: 'read', timeoutMs }, (server, time) =>
      server.unary(LOG.Consume, { offset: Number.MAX_SAFE_INTEGER }, time),
    );
  } catch (error) {
    // No log is that long: the refusal says how long it is.
    const details = error instanceof LedgerError && error.code === 'OUT_OF_RANGE' ? error.details : undefined;
    if (details?.['next_offset'] === undefined) throw error;
    return { firstOffset: Number(details['first_offset'] ?? 0), nextOffset: Number(details['next_offset']) };
  }
  throw new LedgerError('INTERNAL', 'MALFORMED_ANSWER', 'The server found a record at the largest offset there is.');
}

export interface FollowOptions {
  readonly directory: Directory;
  readonly environment: ClientEnvironment;
  /** Milliseconds without any server that serves the stream after which it fails. */
  readonly patienceMs: number;
  readonly signal: AbortSignal;
}

/** Records from an offset on, without end, without a gap; goes on elsewhere where a server is lost. */
export async function* consumeStream(
  from: number,
  options: FollowOptions,
): AsyncGenerator<RecordView, void, undefined> {
  const { directory, environment, signal } = options;
  const state: FollowState = { next: from, failingSince: undefined, failures: 0 };
  while (!signal.aborted) {
    const connection = directory.forRead();
    try {
      yield* followOne(connection, state, signal);
    } catch (error) {
      if (!(error instanceof LedgerError)) throw error;
      if (signal.aborted) return;
      state.failingSince ??= environment.now();
      const over = environment.now() - state.failingSince > options.patienceMs;
      if (remedyOf(error) === 'none' || over) throw error;
      directory.failed(connection);
      await directory.refresh().catch(() => undefined);
      const pause = Math.min(LONGEST_PAUSE, SHORTEST_PAUSE * 2 ** Math.min(state.failures++, 8));
      await paused(environment.timers, pause);
    }
  }
}

interface FollowState {
  next: number;
  failingSince: number | undefined;
  failures: number;
}

async function* followOne(
  connection: ServerConnection,
  state: FollowState,
  signal: AbortSignal,
): AsyncGenerator<RecordView, void, undefined> {
  const stream = connection.openServerStream(LOG.ConsumeStream, { offset: state.next });
  const stop = (): void => stream.cancel();
  signal.addEventListener('abort', stop, { once: true });
  stream.on('metadata', () => {
    state.failingSince = undefined;
    state.failures = 0;
  });
  try {
    for await (const { record } of stream as AsyncIterable<ConsumeResponse>) {
      const view = viewOf(record);
      if (view.offset !== state.next) {
        const message = `The stream has offset ${view.offset} where ${state.next} was expected.`;
        throw new LedgerError('INTERNAL', 'MALFORMED_ANSWER', message, { address: connection.address });
      }
      state.next += 1;
      yield view;
    }
  } catch (error) {
    throw streamError(error, connection);
  } finally {
    signal.removeEventListener('abort', stop);
    stream.cancel();
  }
  throw streamError(undefined, connection);
}

/** @param error undefined: the server ended the stream without saying why */
function streamError(error: unknown, connection: ServerConnection): LedgerError {
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

function requestOf(value: Value): ProduceRequestOut {
  return { record: { value: typeof value === 'string' ? Buffer.from(value, 'utf8') : Buffer.from(value) } };
}

function viewOf(record: Record | null): RecordView {
  if (record === null) throw new LedgerError('INTERNAL', 'MALFORMED_ANSWER', 'The answer holds no record.');
  const { value, type } = record;
  return {
    offset: Number(record.offset),
    term: Number(record.term),
    timestamp: Number(record.timestamp),
    type,
    value,
  };
}
