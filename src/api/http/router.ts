/** Which route answers a path, and what its path and query say. */
import { type Budget } from '../deadline';
import { Fault } from '../errors';
import { type EventReply } from './event-stream';
import { type QueryNames, refuseUnknownParameters } from './query';
import { type Reply } from './reply';

export interface HttpRequest {
  /** Percent-decoded parts of the path, by their name in the pattern. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** The header `Last-Event-ID`, of a reader of events that comes again. */
  readonly lastEventId?: string | undefined;
  /** Empty for a method without one. */
  readonly body: Buffer;
  readonly budget: Budget;
  /** Who is asking. */
  readonly subject: string;
}

export type Handler = (request: HttpRequest) => Promise<Reply | EventReply> | Reply;

/** A handler with the names of all parameters that its query may have: any other one is refused before it is asked. */
export interface Endpoint {
  readonly parameters: QueryNames;
  readonly handler: Handler;
}

export function endpoint(parameters: QueryNames, handler: Handler): Endpoint {
  return { parameters, handler };
}

/** By method. A route with GET answers HEAD too. */
export type Methods = Readonly<Partial<Record<'GET' | 'POST' | 'PATCH', Endpoint>>>;

interface Route {
  readonly segments: readonly string[];
  readonly methods: Methods;
}

export interface Match {
  readonly handler: Handler;
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
}

export class Router {
  private readonly routes: readonly Route[];

  /** By pattern: `/api/v1/accounts/{name}`. */
  constructor(patterns: Readonly<Record<string, Methods>>) {
    this.routes = Object.entries(patterns).map(([pattern, methods]) => ({ segments: pattern.split('/'), methods }));
  }

  /** Throws 404, or 405 with the methods that there are, or 400 for a path that does not decode and a query that has a parameter too many. */
  match(method: string, url: string): Match {
    const mark = url.indexOf('?');
    const path = mark < 0 ? url : url.slice(0, mark);
    const query = new URLSearchParams(mark < 0 ? '' : url.slice(mark + 1));
    const segments = path.split('/');
    for (const route of this.routes) {
      if (!fits(route.segments, segments)) continue;
      const found = route.methods[(method === 'HEAD' ? 'GET' : method) as keyof Methods];
      if (found === undefined) throw new MethodNotAllowed(allowed(route.methods));
      refuseUnknownParameters(query, found.parameters);
      return { handler: found.handler, params: paramsOf(route.segments, segments), query };
    }
    throw new Fault('NOT_FOUND', 'NOT_FOUND', 'There is nothing at this path; /openapi.json says what there is.');
  }
}

export class MethodNotAllowed extends Fault {
  constructor(readonly allow: string) {
    const message = `This path takes ${allow}, not the method of the request.`;
    super('INVALID_ARGUMENT', 'METHOD_NOT_ALLOWED', message, { httpStatus: 405 });
  }
}

function allowed(methods: Methods): string {
  return ['GET', 'HEAD', 'POST', 'PATCH']
    .filter((name) => methods[(name === 'HEAD' ? 'GET' : name) as keyof Methods] !== undefined)
    .join(', ');
}

function fits(pattern: readonly string[], segments: readonly string[]): boolean {
  return (
    pattern.length === segments.length &&
    pattern.every((part, i) => (part.startsWith('{') ? segments[i] !== '' : part === segments[i]))
  );
}

function paramsOf(pattern: readonly string[], segments: readonly string[]): Record<string, string> {
  const params: Record<string, string> = {};
  pattern.forEach((part, i) => {
    if (part.startsWith('{')) params[part.slice(1, -1)] = percentDecoded(segments[i]!);
  });
  return params;
}

function percentDecoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    const message = 'The path has a percent-encoding that is not valid UTF-8.';
    throw new Fault('INVALID_ARGUMENT', 'PATH_INVALID', message);
  }
}
