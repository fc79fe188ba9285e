/**
 * What every gRPC method shares: the node behind it, limits, deadlines, the answer's metadata, and the count of calls
 * under way that a clean stop waits for.
 */
import {
  type handleUnaryCall,
  Metadata,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type ServerWritableStream,
} from '@grpc/grpc-js';
import { Malformed } from '../../proto/malformed';
import { encodeRpcStatus, STATUS_DETAILS_KEY } from '../../proto/rpc-status';
import { type Budget, budgetOf, stepBudget } from '../deadline';
import { Fault, faultOf, type OnUnforeseen, shuttingDown } from '../errors';
import { FollowerSlots } from '../follow/follower-slots';
import { type Limits } from '../limits';
import { type NodePort } from '../node-port';
import { RefusalQuota, subjectOf } from '../refusal-quota';
import { TransferWrites } from '../transfer-writes';
import { CallsUnderWay } from './calls-under-way';

/** `domain` of every google.rpc.ErrorInfo. */
export const ERROR_DOMAIN = 'ledger-node';
/** Metadata that names the leader. */
export const LEADER_KEY = 'ledger-leader';

type AnyCall =
  Pick<ServerUnaryCall<unknown, unknown>, 'getDeadline'> | Pick<ServerWritableStream<unknown, unknown>, 'getDeadline'>;

/** @param subject who is asking */
type UnaryHandler<Request, Response> = (
  request: Request,
  budget: Budget,
  subject: string,
) => Promise<Response> | Response;

/** What a failed call ends with, as grpc-js takes it. */
export interface CallFailure {
  readonly code: number;
  readonly details: string;
  readonly metadata: Metadata;
}

export class Door {
  readonly calls = new CallsUnderWay();
  readonly followers: FollowerSlots;
  readonly transfers: TransferWrites;

  constructor(
    readonly port: NodePort,
    readonly limits: Limits,
    readonly onUnforeseen: OnUnforeseen,
    quota = new RefusalQuota(),
  ) {
    this.followers = new FollowerSlots(limits.followers);
    this.transfers = new TransferWrites(port, limits, quota);
  }

  /** A unary method: decodes, keeps the time, answers what `handler` resolves to or what it throws as a status. */
  unary<Request, Response>(name: string, handler: UnaryHandler<Request, Response>): handleUnaryCall<Request, Response> {
    return (call, callback) => {
      const leave = this.calls.enter();
      this.answer(call, handler)
        .then((response) => {
          call.sendMetadata(this.leaderMetadata());
          callback(null, response, this.leaderMetadata());
        })
        .catch((error: unknown) => callback(this.failure(error, name)))
        // Only an answer that cannot be sent at all comes here; the caller is gone then.
        .catch((error: unknown) => this.onUnforeseen(error, name))
        .finally(leave);
    };
  }

  private async answer<Request, Response>(
    call: ServerUnaryCall<Request, Response>,
    handler: UnaryHandler<Request, Response>,
  ): Promise<Response> {
    if (this.calls.stopping) throw shuttingDown();
    return handler(decoded(call.request), this.budget(call), subjectOfCall(call));
  }

  budget(call: AnyCall): Budget {
    return budgetOf(remainingMs(call), this.limits.deadlineMs);
  }

  /** For one step of a stream that lives on. */
  stepBudget(call: AnyCall): Budget {
    return stepBudget(remainingMs(call), this.limits.deadlineMs);
  }

  fault(error: unknown, where: string): Fault {
    return faultOf(error, where, this.onUnforeseen);
  }

  failure(error: unknown, where: string): CallFailure {
    const fault = this.fault(error, where);
    const metadata = this.leaderMetadata();
    const errorInfo = { reason: fault.reason, domain: ERROR_DOMAIN, metadata: fault.details };
    metadata.set(
      STATUS_DETAILS_KEY,
      encodeRpcStatus({
        code: fault.grpcStatus,
        message: fault.message,
        errorInfo,
        fieldViolations: fault.fieldViolations,
        ...(fault.retryAfterMs === undefined ? {} : { retryAfterMs: fault.retryAfterMs }),
      }),
    );
    return { code: fault.grpcStatus, details: fault.message, metadata };
  }

  leaderMetadata(): Metadata {
    const metadata = new Metadata();
    const leader = this.port.leaderName();
    if (leader !== undefined) metadata.set(LEADER_KEY, printable(leader));
    return metadata;
  }
}

/** The request, or the fault that it did not decode. */
export function decoded<T>(request: T): T {
  if (request instanceof Malformed) {
    throw new Fault('INVALID_ARGUMENT', 'MALFORMED_REQUEST', `The request is not a valid message: ${request.why}.`);
  }
  return request;
}

export function notBuilt(call: string): Fault {
  return new Fault('UNIMPLEMENTED', 'UNIMPLEMENTED', `${call} is not available in this version.`);
}

/** Ends a stream with a status, after everything that was written before. */
export function failStream(
  call: ServerWritableStream<unknown, unknown> | ServerDuplexStream<unknown, unknown>,
  failure: CallFailure,
): void {
  if (!call.cancelled && !call.destroyed) call.emit('error', failure);
}

/** Who is asking: the address of the peer without its port, so that its connections count together. */
export function subjectOfCall(call: Pick<ServerUnaryCall<unknown, unknown>, 'getPeer'>): string {
  return subjectOf(call.getPeer().replace(/:\d+$/, ''));
}

function remainingMs(call: AnyCall): number {
  const deadline = call.getDeadline();
  const at = deadline instanceof Date ? deadline.getTime() : deadline;
  return at === Infinity ? Infinity : at - Date.now();
}

/** Metadata values are printable ASCII (gRPC over HTTP/2, ASCII-Value). */
function printable(text: string): string {
  return text.replace(/[^ -~]+/gu, (part) => encodeURIComponent(part.replace(/\p{Surrogate}/gu, '\ufffd')));
}
