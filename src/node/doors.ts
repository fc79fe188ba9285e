import { createGrpcServer, type GrpcServer } from '../api/grpc/server';
import { createHttpServer, type HttpServer } from '../api/http/server';
import type { NodePort } from '../api/node-port';
import { RefusalQuota } from '../api/refusal-quota';
import type { EventLog } from '../raft/replica/environment';
import type { NodeConfig } from './config/node-config';

/** The doors of one node, as it was configured. A caller's quota of refusals is one for all of them. */
export class Doors {
  private readonly quota: RefusalQuota;

  constructor(
    private readonly port: NodePort,
    private readonly config: NodeConfig,
    private readonly events: EventLog,
  ) {
    this.quota = new RefusalQuota(config.refusalQuota);
  }

  grpc(): GrpcServer {
    return createGrpcServer(this.port, { refusalQuota: this.quota, onUnforeseen: this.unforeseen });
  }

  http(host: string, port: number): HttpServer {
    return createHttpServer(this.port, {
      host,
      port,
      allowedHosts: advertisedHosts(this.config),
      refusalQuota: this.quota,
      onUnforeseen: this.unforeseen,
    });
  }

  private readonly unforeseen = (error: unknown, where: string): void => {
    this.events.error({ err: error, where }, 'an error that nobody foresaw; its caller was told INTERNAL');
  };
}

/** Names under which others know this machine: a request that was meant for it may carry them. */
function advertisedHosts(config: NodeConfig): string[] {
  return [config.advertiseAddr, config.advertiseRpcAddr].flatMap((address) => (address ? [address.host] : []));
}
