/** What a route answers, and how it goes out. */
import { type ServerResponse } from 'node:http';
import { type Fault } from '../errors';

export interface Reply {
  readonly status: number;
  /** Sent as JSON; a string goes out as it is, with `contentType`. */
  readonly body: object | string;
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export function ok(body: object, status = 200, headers: Readonly<Record<string, string>> = {}): Reply {
  return { status, body, headers };
}

export function text(body: string, contentType: string, headers: Readonly<Record<string, string>> = {}): Reply {
  return { status: 200, body, contentType, headers };
}

/** Every write here carries an id, so that after these a repeat is always safe and always the thing to do. */
const ALWAYS_RETRY = new Set([429, 503]);

/** `{"message": …, "code": …}`; where waiting helps, with Retry-After in whole seconds. */
export function replyOfFault(fault: Fault, headers: Readonly<Record<string, string>> = {}): Reply {
  const retry = fault.retryAfterMs ?? (ALWAYS_RETRY.has(fault.httpStatus) ? 1000 : undefined);
  return {
    status: fault.httpStatus,
    body: { message: fault.message, code: fault.reason.toLowerCase() },
    headers: {
      ...headers,
      ...(retry === undefined ? {} : { 'Retry-After': String(Math.max(1, Math.ceil(retry / 1000))) }),
    },
  };
}

export function send(response: ServerResponse, reply: Reply): void {
  const body = Buffer.from(typeof reply.body === 'string' ? reply.body : JSON.stringify(reply.body), 'utf8');
  response.writeHead(reply.status, {
    'Content-Type': reply.contentType ?? 'application/json',
    'Content-Length': body.length,
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
    ...reply.headers,
  });
  response.end(body);
}
