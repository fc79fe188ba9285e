/**
 * The gRPC door: log, ledger, cluster, health and reflection on one server. It listens nowhere itself: whoever owns the
 * port (clients and peers share it) hands over the sockets.
 */
import { type Socket } from 'node:net';
import { logVerbosity, Server, ServerCredentials, type ServerOptions, setLogVerbosity } from '@grpc/grpc-js';
import { serverDefinition } from '../../proto/load';
import { type OnUnforeseen } from '../errors';
import { DEFAULT_LIMITS, type Limits } from '../limits';
import { type NodePort } from '../node-port';
import { type RefusalQuota } from '../refusal-quota';
import { clusterService } from './cluster-service';
import { Door } from './door';
import { withDryRunsAsBytes } from './dry-run-codec';
import { Health } from './health';
import { ledgerService } from './ledger-service';
import { logService } from './log-service';
import { addReflection } from './reflection';

/** A stream of 1 MiB messages runs at memory speed only if more than a few of them fit the window. */
const WINDOW_BYTES = 16 * 1024 * 1024;
/** Calls at once on one connection; what is beyond waits in the client. */
const MAX_CONCURRENT_STREAMS = 1024;
/**
 * A connection is asked for a sign of life after so long, and cut when none comes within a third of that. This is also
 * what ends connections that stopped in the middle of a frame: node:http2 itself keeps them for ever.
 */
const KEEPALIVE_MS = 30_000;

export interface GrpcServerOptions {
  readonly limits?: Partial<Limits>;
  /** Overrides after how many milliseconds a connection is asked for a sign of life. */
  readonly keepaliveMs?: number;
  /** Of refusals that cost memory; the HTTP door of the same node has the same one. */
  readonly refusalQuota?: RefusalQuota;
  /** Told of every exception that nobody foresaw; the caller has been answered INTERNAL. */
  readonly onUnforeseen: OnUnforeseen;
}

export interface GrpcServer {
  readonly server: Server;
  /** Takes over a connection that speaks HTTP/2, from its first byte on. */
  injectConnection(socket: Socket): void;
  /** What health says; not serving until told. */
  setServing(serving: boolean): void;
  /** Lets calls finish and ends streams; what is left after `graceMs` milliseconds is cut. */
  close(graceMs: number): Promise<void>;
}

export function createGrpcServer(port: NodePort, options: GrpcServerOptions): GrpcServer {
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  // The library writes a line to stderr for every odd header that anybody sends. GRPC_VERBOSITY still turns it on.
  if (process.env['GRPC_VERBOSITY'] === undefined) setLogVerbosity(logVerbosity.NONE);
  const server = new Server(serverOptions(limits, options.keepaliveMs ?? KEEPALIVE_MS));
  const door = new Door(port, limits, options.onUnforeseen, options.refusalQuota);
  const health = new Health(door);
  server.addService(serverDefinition('log.v1.Log'), logService(door));
  server.addService(withDryRunsAsBytes(serverDefinition('ledger.v1.Ledger')), ledgerService(door));
  server.addService(serverDefinition('cluster.v1.Cluster'), clusterService(door));
  health.addTo(server);
  addReflection(server, door);
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  const sockets = new Set<Socket>();
  return {
    server,
    injectConnection: (socket) => {
      if (door.calls.stopping) {
        socket.destroy();
        return;
      }
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
      injector.injectConnection(socket);
    },
    setServing: (serving) => health.setServing(serving && !door.calls.stopping),
    close: async (graceMs) => {
      health.setServing(false);
      await bounded(
        door.calls.drain().then(() => orderlyShutdown(server)),
        graceMs,
      );
      server.forceShutdown();
      // Without channelz, grpc-js does not know its connections and forceShutdown cuts none of them.
      for (const socket of sockets) socket.destroy();
    },
  };
}

function serverOptions(limits: Limits, keepaliveMs: number): ServerOptions {
  return {
    'grpc.max_receive_message_length': limits.messageBytes,
    'grpc.max_concurrent_streams': MAX_CONCURRENT_STREAMS,
    'grpc.keepalive_time_ms': keepaliveMs,
    'grpc.keepalive_timeout_ms': Math.ceil(keepaliveMs / 3),
    'grpc-node.flow_control_window': WINDOW_BYTES,
    'grpc.enable_channelz': 0,
  };
}

/** Waits until the last answers have left; for ever, where a stream stays open. */
function orderlyShutdown(server: Server): Promise<void> {
  return new Promise((resolve) => server.tryShutdown(() => resolve()));
}

function bounded(work: Promise<void>, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    void work.finally(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}
