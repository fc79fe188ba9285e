import {
  type ClientDuplexStream,
  type ClientReadableStream,
  Client,
  connectivityState,
  credentials,
  Metadata,
  type MethodDefinition,
} from '@grpc/grpc-js';
import { ClientReason, fromServiceError, LedgerError } from './errors';

/** Metadata of an answer that names the leader. */
const LEADER_KEY = 'ledger-leader';

const CHANNEL_OPTIONS = {
  // A client that has lost a server for minutes because of a backoff of minutes would have lost it for good.
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 1000,
  // Tells a peer that is gone from one that has nothing to say: streams of records may be silent for hours.
  'grpc.keepalive_time_ms': 10_000,
  'grpc.keepalive_timeout_ms': 5_000,
  // A cluster is named by its own addresses; they are no web sites.
  'grpc.enable_http_proxy': 0,
  'grpc.service_config_disable_resolution': 1,
  'grpc.use_local_subchannel_pool': 1,
  // What may be sent again is decided here, not by the library, which does not know ids.
  'grpc.enable_retries': 0,
  'grpc.enable_channelz': 0,
  'grpc.max_receive_message_length': 16 * 1024 * 1024,
  'grpc.max_send_message_length': 16 * 1024 * 1024,
  'grpc-node.flow_control_window': 4 * 1024 * 1024,
};

export interface ConnectionEvents {
  /** An answer named the leader. */
  leaderNamed(name: string): void;
}

/** The gRPC channel to one server: connects when it is first used, and again whenever it is lost. */
export class Connection {
  private readonly client: Client;
  private closed = false;

  constructor(
    readonly address: string,
    private readonly events: ConnectionEvents,
  ) {
    this.client = new Client(address, credentials.createInsecure(), CHANNEL_OPTIONS);
  }

  /** Rejects with a LedgerError. */
  async unary<Request, Response>(
    method: MethodDefinition<Request, Response>,
    request: Request,
    timeoutMs: number,
  ): Promise<Response> {
    this.assertOpen();
    return new Promise((resolve, reject) => {
      const { path, requestSerialize, responseDeserialize } = method;
      const call = this.client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        request,
        new Metadata(),
        { deadline: Date.now() + timeoutMs },
        (error, response) => {
          if (error) reject(fromServiceError(error, this.address));
          else resolve(response!);
        },
      );
      call.on('metadata', (metadata) => this.noteLeader(metadata));
    });
  }

  /** A stream in both directions of messages that the caller encodes and decodes. Throws a LedgerError when closed. */
  openDuplex(path: string): ClientDuplexStream<Buffer, Buffer> {
    this.assertOpen();
    const asIs = (bytes: Buffer): Buffer => bytes;
    const stream = this.client.makeBidiStreamRequest(path, asIs, asIs);
    stream.on('metadata', (metadata) => this.noteLeader(metadata));
    return stream;
  }

  openTypedDuplex<Request, Response>(
    method: MethodDefinition<Request, Response>,
  ): ClientDuplexStream<Request, Response> {
    this.assertOpen();
    return this.client.makeBidiStreamRequest(method.path, method.requestSerialize, method.responseDeserialize);
  }

  openServerStream<Request, Response>(
    method: MethodDefinition<Request, Response>,
    request: Request,
  ): ClientReadableStream<Response> {
    this.assertOpen();
    const { path, requestSerialize, responseDeserialize } = method;
    return this.client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, request);
  }

  /**
   * Resolves once the connection stands; rejects (nothing was sent) when it does not within the time. For what must not be
   * sent twice: a failure before this is known to have done nothing.
   */
  async untilReady(timeoutMs: number): Promise<void> {
    this.assertOpen();
    if (this.client.getChannel().getConnectivityState(true) === connectivityState.READY) return;
    return new Promise((resolve, reject) => {
      this.client.waitForReady(Date.now() + timeoutMs, (error) => {
        if (!error) return resolve();
        const message = `${this.address}: no connection within ${Math.ceil(timeoutMs)} ms.`;
        reject(new LedgerError('UNAVAILABLE', ClientReason.NOT_CONNECTED, message, { address: this.address }));
      });
    });
  }

  /** Calls under way may still be answered. */
  close(): void {
    this.closed = true;
    this.client.close();
  }

  /** A server may leave the cluster between the moment it is chosen and the moment it is called. */
  private assertOpen(): void {
    if (!this.closed) return;
    const message = `${this.address}: this server is no longer in the cluster.`;
    throw new LedgerError('UNAVAILABLE', ClientReason.NOT_CONNECTED, message, { address: this.address });
  }

  private noteLeader(metadata: Metadata): void {
    const [name] = metadata.get(LEADER_KEY);
    if (typeof name === 'string') this.events.leaderNamed(name);
  }
}
