import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LedgerState } from '../../src/ledger/state';
import { ClusterView } from '../../src/node/cluster-view';
import { nodeConfig, type NodeConfig, type RawOptions } from '../../src/node/config/node-config';
import { mergeSources } from '../../src/node/config/sources';
import { DataDirectory } from '../../src/node/data-directory';
import { GroupRuntime } from '../../src/node/group-runtime';
import { NodeService } from '../../src/node/node-service';
import { openRpcPort, type RpcPort } from '../../src/node/rpc-port';
import { CLUSTER, gossiped, nameOf } from './members';
import { recordedEvents, type RecordedEvents } from './recorded-events';

/** A cluster of one on a temporary folder: real disk, real log, real ledger, real replica; nobody gossips, nobody listens. */
export class OneNode {
  readonly events: RecordedEvents = recordedEvents();
  readonly failures: unknown[] = [];
  readonly service: NodeService;

  private constructor(
    readonly config: NodeConfig,
    readonly data: DataDirectory,
    readonly group: GroupRuntime,
    private readonly rpc: RpcPort,
    failures: unknown[],
    events: RecordedEvents,
  ) {
    this.failures = failures;
    this.events = events;
    const cluster = new ClusterView({
      configuration: () => group.replica.status().configuration,
      gossip: () => [gossiped(1, { tags: { nodeId: data.nodeId } })],
      leaderId: () => group.replica.leaderId,
    });
    this.service = new NodeService({
      info: () => ({ clusterId: data.clusterId, nodeName: nameOf(1), nodeId: data.nodeId, version: '0.0.0' }),
      emptyReader: new LedgerState().reader,
      metricsText: async () => 'ledger_up 1\n',
      projection: () => ({ state: 'off', lagRecords: 0 }),
    });
    this.service.attach(group, cluster);
  }

  static folder(): string {
    return mkdtempSync(join(tmpdir(), 'ledger-one-node-'));
  }

  static remove(folder: string): void {
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  }

  /** Opens what is in the folder; bootstraps where there is nothing. */
  static async open(folder: string, flags: RawOptions = {}): Promise<OneNode> {
    const given = { 'node-name': nameOf(1), 'data-dir': join(folder, 'data'), bootstrap: true, 'log-level': 'fatal' };
    const timing = { 'election-timeout': '50ms-100ms', 'heartbeat-interval': '20ms' };
    const config = nodeConfig(mergeSources({ ...given, ...timing, ...flags }, {}, undefined), false);
    const events = recordedEvents();
    const failures: unknown[] = [];
    const data = await DataDirectory.open(config, events);
    if (data.clusterId === '') await data.bootstrapCluster({ clusterId: CLUSTER, partitions: 1 }, '127.0.0.1:8301');
    const identity = { clusterId: CLUSTER, nodeId: data.nodeId, nodeName: nameOf(1) };
    const rpc = openRpcPort({
      identity: () => identity,
      events,
      onMessage: () => undefined,
      onUnreachable: () => undefined,
      onGone: () => undefined,
      onClient: (socket) => socket.destroy(),
    });
    const group = await GroupRuntime.open({
      config,
      data,
      transport: rpc.transport,
      events,
      fatal: (error) => failures.push(error),
      nameOf: () => nameOf(1),
      livePeers: () => [],
    });
    return new OneNode(config, data, group, rpc, failures, events);
  }

  async close(): Promise<void> {
    this.service.beginStop();
    await this.group.stop();
    await this.rpc.close();
    await this.data.close();
    if (this.failures.length > 0) throw this.failures[0];
  }
}
