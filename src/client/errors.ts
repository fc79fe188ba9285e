/** What a call of the client fails with, and what that means for a second try. */
import { status, type ServiceError } from '@grpc/grpc-js';
import { statusOf } from '../proto/rpc-status';

/** Names of the canonical gRPC codes. */
export type ErrorCode = keyof typeof status;

export interface LedgerErrorOptions {
  readonly retryAfterMs?: number | undefined;
  readonly details?: Readonly<Record<string, string>> | undefined;
  readonly address?: string | undefined;
  readonly cause?: unknown;
}

/**
 * A call that has no answer of the ledger. A transfer that the ledger *refused* is an answer and comes back as a result;
 * this is for what went wrong around it, and for single calls whose refusal is an error on the wire.
 */
export class LedgerError extends Error {
  /** How long the server asked to wait before the next try. */
  readonly retryAfterMs: number | undefined;
  /** Facts for programs, such as `first_offset`. */
  readonly details: Readonly<Record<string, string>>;
  /** The server that said it; undefined where the client itself did. */
  readonly address: string | undefined;

  constructor(
    /** Canonical gRPC code. */
    readonly code: ErrorCode,
    /** UPPER_SNAKE and stable: `ledger errors REASON` explains it. */
    readonly reason: string,
    message: string,
    options: LedgerErrorOptions = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'LedgerError';
    this.retryAfterMs = options.retryAfterMs;
    this.details = options.details ?? {};
    this.address = options.address;
  }

  /** True where a write may have happened all the same. A transfer can be repeated with its id; a produced value cannot. */
  get outcomeUnknown(): boolean {
    return this.reason === 'OUTCOME_UNKNOWN';
  }
}

/** Reasons that the client itself gives. */
export const ClientReason = {
  /** No address that the client knows answered. */
  NO_CLUSTER: 'NO_CLUSTER',
  /** The connection failed while the call was under way, and no server said anything about it. */
  CONNECTION_LOST: 'CONNECTION_LOST',
  /** No connection to the server could be made: nothing was sent. */
  NOT_CONNECTED: 'NOT_CONNECTED',
  /** The time that the caller gave is over. */
  DEADLINE: 'DEADLINE',
  OUTCOME_UNKNOWN: 'OUTCOME_UNKNOWN',
  CLIENT_CLOSED: 'CLIENT_CLOSED',
  /** More calls wait for room than the client keeps waiting. */
  BACKLOG_FULL: 'BACKLOG_FULL',
  INVALID_ARGUMENT: 'INVALID_ARGUMENT',
} as const;

/** Codes that grpc-js itself ends a call with when the connection or the other process is lost. */
const TRANSPORT_CODES = new Set<number>([
  status.UNAVAILABLE,
  status.CANCELLED,
  status.UNKNOWN,
  status.INTERNAL,
  status.ABORTED,
]);

/** The error of a failed gRPC call. Every error that a server means to give carries a reason; others are the transport's. */
export function fromServiceError(error: ServiceError, address: string): LedgerError {
  const details = statusOf(error);
  const code = (status[error.code] ?? 'UNKNOWN') as ErrorCode;
  if (details?.errorInfo) {
    const { reason, metadata } = details.errorInfo;
    const { retryAfterMs, message } = details;
    return new LedgerError(code, reason, message, { retryAfterMs, details: metadata, address, cause: error });
  }
  const reason = transportReason(error) ?? code;
  return new LedgerError(code, reason, `${address}: ${error.details}`, { address, cause: error });
}

/**
 * What the library says before anything has left, and of a stream that the server refused as a whole (REFUSED_STREAM: nothing
 * of it was processed, RFC 9113, 8.7). Where its wording changes, the cautious reading is taken.
 */
const NOTHING_SENT = /^(No connection established|Name resolution failed|Stream refused by server)/;

function transportReason(error: ServiceError): string | undefined {
  if (error.code === status.DEADLINE_EXCEEDED) return ClientReason.DEADLINE;
  if (!TRANSPORT_CODES.has(error.code)) return undefined;
  return NOTHING_SENT.test(error.details) ? ClientReason.NOT_CONNECTED : ClientReason.CONNECTION_LOST;
}

/** What a second try could change. */
export type Remedy =
  /** Ask another server, or this one a little later. */
  | 'elsewhere'
  /** The same server, once the load has gone down. */
  | 'later'
  /** Nothing: it would be refused again. */
  | 'none';

export function remedyOf(error: LedgerError): Remedy {
  // The server is there, and its rows are on their way.
  if (error.reason === 'PROJECTION_BEHIND') return 'later';
  if (error.reason === ClientReason.CONNECTION_LOST || error.code === 'UNAVAILABLE') return 'elsewhere';
  // A limit of size has this code too, without a reason of the server's own; that one stays a limit.
  if (error.code === 'RESOURCE_EXHAUSTED' && error.reason !== error.code) return 'later';
  return error.code === 'DEADLINE_EXCEEDED' ? 'elsewhere' : 'none';
}

/** Whether a write that failed like this may have happened all the same. */
export function mayHaveHappened(error: LedgerError): boolean {
  return error.outcomeUnknown || error.reason === ClientReason.CONNECTION_LOST || error.code === 'DEADLINE_EXCEEDED';
}

/** A write that may not be sent again, and whose try failed so that nobody knows what became of it. */
export function unknownOutcome(last: LedgerError): LedgerError {
  if (last.outcomeUnknown) return last;
  const message = `The answer was lost; whether it was done is not known, and it was not sent again. ${last.message}`;
  return new LedgerError('UNAVAILABLE', ClientReason.OUTCOME_UNKNOWN, message, { cause: last, address: last.address });
}

/** The end of a call whose time is over; `last` is what its last try failed with. */
export function outOfTime(timeoutMs: number, unknown: boolean, last: LedgerError | undefined): LedgerError {
  const because = last === undefined ? '' : ` The last try failed with ${last.reason}: ${last.message}`;
  const options = { cause: last, address: last?.address, details: last?.details };
  if (unknown) {
    const message = `No answer within ${timeoutMs} ms; whether it was done is not known.${because}`;
    return new LedgerError('UNAVAILABLE', ClientReason.OUTCOME_UNKNOWN, message, options);
  }
  if (last === undefined) {
    return new LedgerError('DEADLINE_EXCEEDED', ClientReason.DEADLINE, `No answer within ${timeoutMs} ms.`);
  }
  const message = `Given up after ${timeoutMs} ms; nothing was done.${because}`;
  return new LedgerError(last.code, last.reason, message, options);
}

export function closedError(): LedgerError {
  return new LedgerError('CANCELLED', ClientReason.CLIENT_CLOSED, 'This client is closed; connect a new one.');
}

export function invalidArgument(message: string): LedgerError {
  return new LedgerError('INVALID_ARGUMENT', ClientReason.INVALID_ARGUMENT, message);
}
