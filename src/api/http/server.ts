/** The HTTP door: REST, health, metrics, the API's description and a status page, on node:http alone. */
import { setMaxListeners } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, type Socket } from 'node:net';
import { budgetOf } from '../deadline';
import { type Fault, faultOf, type OnUnforeseen, shuttingDown } from '../errors';
import { FollowerSlots } from '../follow/follower-slots';
import { DEFAULT_LIMITS, type Limits } from '../limits';
import { type NodePort } from '../node-port';
import { RefusalQuota, subjectOf } from '../refusal-quota';
import { TransferWrites } from '../transfer-writes';
import { accountRoutes } from './accounts';
import { balanceRoutes } from './balances';
import { bodyTooLarge, readBody } from './body';
import { consoleRoutes } from './console-page';
import { EVENT_HEADERS, type EventReply, EventStream, type EventStreamTimes } from './event-stream';
import { eventRoutes } from './events';
import { RequestGuard } from './guard';
import { ledgerRoutes } from './ledgers';
import { openApiRoutes } from './openapi';
import { operationRoutes } from './operations';
import { type Reply, replyOfFault, send } from './reply';
import { MethodNotAllowed, Router } from './router';
import { transactionRoutes } from './transactions';
import { transferRoutes } from './transfers';

/** How long a caller may take to send its headers, its whole request, and its next one on the same connection. */
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;
const KEEP_ALIVE_MS = 30_000;
const CHECK_INTERVAL_MS = 1_000;
const MAX_CONNECTIONS = 4096;
/** Methods that change nothing, so that a node which is stopping may still answer. */
const READING = new Set(['GET', 'HEAD']);

export interface HttpServerOptions {
  /** Where to listen; port 0 takes a free one. */
  readonly host: string;
  readonly port: number;
  /** More names, without ports, under which callers may know this server. */
  readonly allowedHosts?: readonly string[];
  readonly limits?: Partial<Limits>;
  /** Overrides how long a caller may take to send its headers and its whole request. */
  readonly headersTimeoutMs?: number;
  readonly requestTimeoutMs?: number;
  /** Overrides how often a stream of events that is silent gives a sign of life, and how long a reader may take nothing. */
  readonly events?: EventStreamTimes;
  /** Of refusals that cost memory; the gRPC door of the same node has the same one. */
  readonly refusalQuota?: RefusalQuota;
  /** Told of every exception that nobody foresaw; the caller has been answered 500. */
  readonly onUnforeseen: OnUnforeseen;
}

export interface HttpServer {
  /** Resolves to the address that is listened on; rejects where it cannot be. */
  listen(): Promise<AddressInfo>;
  /** Lets requests finish; what is left after `graceMs` milliseconds is cut. */
  close(graceMs: number): Promise<void>;
}

export function createHttpServer(port: NodePort, options: HttpServerOptions): HttpServer {
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const door = new HttpDoor(port, limits, options);
  const server = createServer(
    {
      headersTimeout: options.headersTimeoutMs ?? HEADERS_TIMEOUT_MS,
      requestTimeout: options.requestTimeoutMs ?? REQUEST_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      connectionsCheckingInterval: Math.min(CHECK_INTERVAL_MS, options.headersTimeoutMs ?? CHECK_INTERVAL_MS),
    },
    (request, response) => door.serve(request, response),
  );
  server.maxConnections = MAX_CONNECTIONS;
  server.on('checkContinue', (request, response) => door.serveAfterContinue(request, response));
  server.on('clientError', refuseConnection);
  return {
    listen: () => listen(server, options),
    close: (graceMs) => {
      door.close();
      return close(server, graceMs);
    },
  };
}

class HttpDoor {
  private readonly stop = new AbortController();
  private readonly guard: RequestGuard;
  private readonly router: Router;

  constructor(
    port: NodePort,
    private readonly limits: Limits,
    private readonly options: HttpServerOptions,
  ) {
    // Every stream of events that is open listens.
    setMaxListeners(0, this.stop.signal);
    this.guard = new RequestGuard(options.host, options.allowedHosts ?? []);
    const transfers = new TransferWrites(port, limits, options.refusalQuota ?? new RefusalQuota());
    this.router = new Router({
      ...transferRoutes(port, limits, transfers),
      ...transactionRoutes(port, limits, transfers),
      ...ledgerRoutes(port, limits),
      ...balanceRoutes(port, limits),
      ...accountRoutes(port, limits),
      ...eventRoutes(port, limits, new FollowerSlots(limits.followers)),
      ...operationRoutes(port, () => this.stopping),
      ...openApiRoutes(port.info.version),
      ...consoleRoutes(),
    });
  }

  get stopping(): boolean {
    return this.stop.signal.aborted;
  }

  /** Nothing new is begun, and streams of events end. */
  close(): void {
    this.stop.abort();
  }

  serve(request: IncomingMessage, response: ServerResponse): void {
    this.answer(request)
      .catch((error: unknown) => {
        const fault = faultOf(error, `${request.method} ${request.url}`, this.options.onUnforeseen);
        return replyOfFault(fault, faultHeaders(fault));
      })
      .then((reply) => {
        if ('follow' in reply) return this.stream(reply, request, response);
        if (this.stopping || !request.complete) response.setHeader('Connection', 'close');
        return send(response, reply);
      })
      // Only a reply that cannot be written at all comes here: the connection is of no more use.
      .catch((error: unknown) => {
        this.options.onUnforeseen(error, `${request.method} ${request.url}`);
        response.destroy();
      });
  }

  /** Says no to a body that is announced too large before it is sent (RFC 9110, 10.1.1). */
  serveAfterContinue(request: IncomingMessage, response: ServerResponse): void {
    if (Number(request.headers['content-length'] ?? 0) > this.limits.bodyBytes) {
      response.setHeader('Connection', 'close');
      send(response, replyOfFault(bodyTooLarge(this.limits.bodyBytes)));
      return;
    }
    response.writeContinue();
    this.serve(request, response);
  }

  /** Resolves when the stream is over: the reader has left, the door closes, or the node can give no more. */
  private async stream(reply: EventReply, request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method === 'HEAD') {
      reply.abandon?.();
      response.writeHead(200, EVENT_HEADERS).end();
      return;
    }
    const stream = new EventStream(response, this.stop.signal, this.options.events);
    try {
      await reply.follow(stream);
    } catch (error) {
      // What ends because its reader has left, or because the door closes, has no fault of its own.
      const cause = stream.signal.aborted ? shuttingDown() : error;
      stream.end(faultOf(cause, `${request.method} ${request.url}`, this.options.onUnforeseen));
    }
  }

  private async answer(request: IncomingMessage): Promise<Reply | EventReply> {
    const body = await readBody(request, this.limits.bodyBytes);
    this.guard.check(request);
    const { handler, params, query } = this.router.match(request.method ?? '', request.url ?? '');
    if (this.stopping && !READING.has(request.method ?? '')) throw shuttingDown();
    const lastEventId = request.headers['last-event-id']?.toString();
    const subject = subjectOf(request.socket.remoteAddress);
    const budget = budgetOf(Infinity, this.limits.deadlineMs);
    return handler({ params, query, lastEventId, body, subject, budget });
  }
}

function faultHeaders(fault: Fault): Record<string, string> {
  return fault instanceof MethodNotAllowed ? { Allow: fault.allow } : {};
}

function listen(server: Server, options: HttpServerOptions): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, () => {
      server.off('error', reject);
      resolve(server.address() as AddressInfo);
    });
  });
}

function close(server: Server, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    const cut = setTimeout(() => server.closeAllConnections(), graceMs);
    server.close(() => {
      clearTimeout(cut);
      resolve();
    });
    server.closeIdleConnections();
  });
}

const BROKEN: Readonly<Record<string, string>> = {
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: '413 Payload Too Large',
};

/** What is not HTTP at all, or comes too slowly, has no response object: the answer is written by hand. */
function refuseConnection(error: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const line = BROKEN[error.code ?? ''] ?? '400 Bad Request';
  const body = JSON.stringify({
    message: `The request is not valid HTTP/1.1, or came too slowly.`,
    code: 'http_invalid',
  });
  socket.end(
    `HTTP/1.1 ${line}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n` +
      `Connection: close\r\n\r\n${body}`,
    () => socket.destroy(),
  );
}
