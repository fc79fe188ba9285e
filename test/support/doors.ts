/** The real doors on real sockets, over a node of one. */
import { createServer, type AddressInfo, type Server as NetServer, type Socket } from 'node:net';
import {
  type Client,
  credentials,
  makeGenericClientConstructor,
  Metadata,
  type MethodDefinition,
  type ServiceError,
} from '@grpc/grpc-js';
import { createGrpcServer, type GrpcServer, type GrpcServerOptions } from '../../src/api/grpc/server';
import { createHttpServer, type HttpServer, type HttpServerOptions } from '../../src/api/http/server';
import { type NodePort } from '../../src/api/node-port';
import { clientDefinition, type ServiceName } from '../../src/proto/load';
import { statusOf } from '../../src/proto/rpc-status';

/** What the doors did not foresee: a test that did not ask for it fails when it looks here. */
export class Unforeseen {
  readonly errors: { error: unknown; where: string }[] = [];
  readonly note = (error: unknown, where: string): void => {
    this.errors.push({ error, where });
  };
}

export class GrpcDoor {
  readonly unforeseen = new Unforeseen();
  readonly grpc: GrpcServer;
  private readonly listener: NetServer;
  private readonly sockets = new Set<Socket>();
  private readonly clients: Client[] = [];
  address = '';

  constructor(port: NodePort, options: Partial<GrpcServerOptions> = {}) {
    this.grpc = createGrpcServer(port, { onUnforeseen: this.unforeseen.note, ...options });
    this.listener = createServer((socket) => {
      this.sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.once('close', () => this.sockets.delete(socket));
      this.grpc.injectConnection(socket);
    });
  }

  async listen(): Promise<this> {
    await new Promise<void>((resolve) => this.listener.listen(0, '127.0.0.1', resolve));
    this.address = `127.0.0.1:${(this.listener.address() as AddressInfo).port}`;
    this.grpc.setServing(true);
    return this;
  }

  get port(): number {
    return (this.listener.address() as AddressInfo).port;
  }

  client(service: ServiceName): Client {
    const Constructor = makeGenericClientConstructor(clientDefinition(service), service);
    const client = new Constructor(this.address, credentials.createInsecure(), {
      'grpc.max_send_message_length': -1,
      // Every test its own connection.
      'grpc.use_local_subchannel_pool': 1,
    });
    this.clients.push(client);
    return client;
  }

  async close(graceMs = 1000): Promise<void> {
    for (const client of this.clients) client.close();
    await this.grpc.close(graceMs);
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.listener.close(resolve));
  }
}

export interface Answered<T> {
  readonly response: T;
  /** Initial metadata. */
  readonly metadata: Metadata;
}

/** One unary call. */
export function call<Request, Response>(
  client: Client,
  method: MethodDefinition<Request, Response>,
  request: Request,
  options: { deadlineMs?: number } = {},
): Promise<Answered<Response>> {
  return new Promise((resolve, reject) => {
    let metadata = new Metadata();
    const deadline = Date.now() + (options.deadlineMs ?? 10_000);
    client
      .makeUnaryRequest(
        method.path,
        method.requestSerialize,
        method.responseDeserialize,
        request,
        new Metadata(),
        { deadline },
        (error, response) => {
          if (error !== null) reject(error);
          else resolve({ response: response!, metadata });
        },
      )
      .on('metadata', (received: Metadata) => {
        metadata = received;
      });
  });
}

/** What a failed call says, in one object to compare with. */
export async function failureOf(work: Promise<unknown>): Promise<{
  code: number;
  reason: string | undefined;
  domain: string | undefined;
  message: string;
  field: string | undefined;
  retryAfterMs: number | undefined;
  details: Readonly<Record<string, string>>;
}> {
  const error = await work.then(
    () => {
      throw new Error('The call was expected to fail, but it did not.');
    },
    (reason: unknown) => reason as ServiceError,
  );
  if (error.metadata === undefined) throw error;
  return describeFailure(error);
}

export function describeFailure(
  error: Pick<ServiceError, 'code' | 'details' | 'metadata'>,
): Awaited<ReturnType<typeof failureOf>> {
  const status = statusOf(error);
  return {
    code: error.code,
    reason: status?.errorInfo?.reason,
    domain: status?.errorInfo?.domain,
    message: error.details,
    field: status?.fieldViolations?.[0]?.field,
    retryAfterMs: status?.retryAfterMs,
    details: status?.errorInfo?.metadata ?? {},
  };
}

export class HttpDoorUnderTest {
  readonly unforeseen = new Unforeseen();
  readonly http: HttpServer;
  port = 0;

  constructor(port: NodePort, options: Partial<HttpServerOptions> = {}) {
    this.http = createHttpServer(port, {
      host: '127.0.0.1',
      port: 0,
      onUnforeseen: this.unforeseen.note,
      ...options,
    });
  }

  async listen(): Promise<this> {
    this.port = (await this.http.listen()).port;
    return this;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  close(graceMs = 1000): Promise<void> {
    return this.http.close(graceMs);
  }
}
