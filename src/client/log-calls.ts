/** Producing and consuming opaque values: log.v1.Log. */
import { type ClientDuplexStream } from '@grpc/grpc-js';
import { clientDefinition } from '../proto/load';
import { type ProduceRequestOut, type ProduceResponse } from '../proto/log-v1';
import { type Caller } from './caller';
import { type ServerConnection } from './environment';
import { ClientReason, LedgerError, remedyOf } from './errors';
import { streamError } from './followed-stream';
import { recordView } from './record-stream';
import { type RecordView } from './types';

const LOG = clientDefinition('log.v1.Log');

/** Values of one ProduceStream that are sent and not yet answered. */
const MAX_UNANSWERED = 8190;

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
  return recordView(record);
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

function requestOf(value: Value): ProduceRequestOut {
  return { record: { value: typeof value === 'string' ? Buffer.from(value, 'utf8') : Buffer.from(value) } };
}
