/**
 * One name for one fault on every door. A door never answers from an exception directly: whatever went wrong becomes a
 * `Fault` here, and the Fault says the canonical gRPC code, the HTTP status, the reason and how long to wait.
 *
 * Results of the ledger have their row in src/ledger/result-codes.ts; refusals of the node and of the doors have theirs here.
 */
import { status } from '@grpc/grpc-js';
import { type ResultInfo, resultInfo, type ResultCode, SHAPE_ERRORS, type ShapeError } from '../ledger/result-codes';
import { type FieldViolation } from '../proto/rpc-status';
import { NodeError } from './node-port';

/** Names of the canonical gRPC codes that are answered on purpose. */
export type FaultCode =
  | 'INVALID_ARGUMENT'
  | 'NOT_FOUND'
  | 'ALREADY_EXISTS'
  | 'PERMISSION_DENIED'
  | 'UNAUTHENTICATED'
  | 'RESOURCE_EXHAUSTED'
  | 'FAILED_PRECONDITION'
  | 'OUT_OF_RANGE'
  | 'UNIMPLEMENTED'
  | 'INTERNAL'
  | 'UNAVAILABLE'
  | 'DEADLINE_EXCEEDED';

export const HTTP_STATUS: Readonly<Record<FaultCode, number>> = {
  INVALID_ARGUMENT: 400,
  UNAUTHENTICATED: 401,
  PERMISSION_DENIED: 403,
  NOT_FOUND: 404,
  ALREADY_EXISTS: 409,
  OUT_OF_RANGE: 400,
  FAILED_PRECONDITION: 422,
  RESOURCE_EXHAUSTED: 429,
  INTERNAL: 500,
  UNIMPLEMENTED: 501,
  UNAVAILABLE: 503,
  DEADLINE_EXCEEDED: 504,
};

/** How long to wait before the next try where the fault does not say it itself: about one election. */
const RETRY_AFTER_MS: Partial<Record<FaultCode, number>> = { UNAVAILABLE: 1000, RESOURCE_EXHAUSTED: 1000 };

/** Refusals after which the caller must look before it tries again: waiting alone does not help. */
const NO_RETRY = new Set(['OUTCOME_UNKNOWN']);

/** Longest message that goes out: it travels in a header, percent-encoded. */
const MAX_MESSAGE = 512;

export interface FaultOptions {
  readonly fieldViolations?: readonly FieldViolation[];
  readonly retryAfterMs?: number;
  readonly details?: Readonly<Record<string, string>>;
  /** Where it differs from what the code stands for. */
  readonly httpStatus?: number;
}

/** What a door answers instead of a result. */
export class Fault extends Error {
  override readonly name = 'Fault';
  readonly fieldViolations: readonly FieldViolation[];
  readonly retryAfterMs: number | undefined;
  readonly details: Readonly<Record<string, string>>;
  readonly httpStatus: number;

  constructor(
    readonly code: FaultCode,
    /** UPPER_SNAKE; in lower case it is the `code` of HTTP. */
    readonly reason: string,
    message: string,
    options: FaultOptions = {},
  ) {
    super(presentable(message));
    this.fieldViolations = options.fieldViolations ?? [];
    this.retryAfterMs = options.retryAfterMs ?? (NO_RETRY.has(reason) ? undefined : RETRY_AFTER_MS[code]);
    this.details = options.details ?? {};
    this.httpStatus = options.httpStatus ?? HTTP_STATUS[code];
  }

  /** Number of the canonical gRPC code. */
  get grpcStatus(): number {
    return status[this.code];
  }
}

/** A fault of the request itself; `field` is the path of what is to blame. */
export function invalid(field: string, reason: string, message: string): Fault {
  return new Fault('INVALID_ARGUMENT', reason, message, { fieldViolations: [{ field, description: message }] });
}

export function notFound(reason: string, message: string): Fault {
  return new Fault('NOT_FOUND', reason, message);
}

export function shuttingDown(): Fault {
  return new Fault('UNAVAILABLE', 'SHUTTING_DOWN', 'This node is stopping; ask another one.');
}

/** The row of a refusal by its number or, for a fault of shape, by its name. */
export function refusalInfo(result: ResultCode | ShapeError): ResultInfo {
  return typeof result === 'number' ? resultInfo(result) : SHAPE_ERRORS[result];
}

/** What a single call answers for a result that is not `ok`; `message` where a door has a sentence of its own. */
export function faultOfResult(info: ResultInfo, field?: string, message = info.message): Fault {
  if (info.grpc === 'OK') throw new Error('The result ok is no fault and must not be answered as one.');
  return new Fault(info.grpc, info.name.toUpperCase(), message, {
    httpStatus: info.http,
    ...(field === undefined ? {} : { fieldViolations: [{ field, description: message }] }),
  });
}

/** Told of every exception that nobody foresaw, so that it is logged and not only answered. */
export type OnUnforeseen = (error: unknown, where: string) => void;

/** The fault that stands for anything that was thrown. What is not a refusal is INTERNAL, and is reported. */
export function faultOf(error: unknown, where: string, onUnforeseen: OnUnforeseen): Fault {
  if (error instanceof Fault) return error;
  if (error instanceof NodeError) {
    return new Fault(error.code, error.reason, error.message, {
      details: error.details,
      ...(error.field === undefined ? {} : { fieldViolations: [{ field: error.field, description: error.message }] }),
      ...(error.retryAfterMs === undefined ? {} : { retryAfterMs: error.retryAfterMs }),
    });
  }
  onUnforeseen(error, where);
  return new Fault('INTERNAL', 'INTERNAL', 'The server failed on this request; its log says more.');
}

/** Text that every header and every reader can take: no unpaired surrogate, bounded. */
function presentable(message: string): string {
  const short = message.length > MAX_MESSAGE ? `${message.slice(0, MAX_MESSAGE)}…` : message;
  return short.replace(/\p{Surrogate}/gu, '\ufffd');
}
