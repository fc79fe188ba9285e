import { randomBytes } from 'node:crypto';
import { type GrpcServer } from '../api/grpc/server';
import { type HttpServer } from '../api/http/server';
import { Gossip } from '../discovery/gossip';
import { Rules } from '../ledger/rules-versions';
import { LedgerState } from '../ledger/state';
import { systemClock, systemRandom, type EventLog } from '../raft/replica/environment';
import { createFirstLedger, needsFirstLedger } from './bootstrap-ledger';
import { ClusterView } from './cluster-view';
import type { NodeConfig } from './config/node-config';
import { formatAddress } from './config/units';
import { DataDirectory } from './data-directory';
import { Doors } from './doors';
import { gossipTags, loadKeyring, probeForCluster } from './gossip-setup';
import type { ProgramParts } from './group-options';
import { GroupRuntime } from './group-runtime';
import { JoinDesk, type Adoption } from './join-desk';
import { Lifecycle } from './lifecycle';
import { listening } from './listening';
import { MembershipLoop } from './membership-loop';
import { loadNodeKey, type NodeKey } from './node-key';
import { NodeMetrics } from './metrics';
import { metricsSource } from './metrics-source';
import { NodeService } from './node-service';
import { PeerAddresses } from './peer-addresses';
import { expectProjection, type NodeProjection, startProjection } from './projection';
import { repairPeers } from './repair-peers';
import { openRpcPort, type RpcPort } from './rpc-port';
import { StartupError } from './startup-error';
import { programVersion } from './version';

const CLUSTER_ID_BYTES = 16;
const DOOR_GRACE_MILLIS = 3_000;
const HAND_OVER_MILLIS = 2_000;

/** The composition root: configuration in, an ordered list of parts started; the same list stopped in reverse. */
export class LedgerNode {
  private readonly lifecycle: Lifecycle;
  private readonly doors: Doors;
  private readonly service: NodeService;
  private readonly rules: Rules;
  private readonly metrics: NodeMetrics;
  private data: DataDirectory | undefined;
  private key: NodeKey | undefined;
  private group: GroupRuntime | undefined;
  private projection: NodeProjection | undefined;
  private readonly version = programVersion();
  private rpcAddr = '';
  private stopping = false;
  private readonly stopAsked = new AbortController();
  private starting: Promise<void> | undefined;
  private removed: () => void = () => undefined;
  /** Resolves when the cluster says that this node is no member any more. */
  readonly untilRemoved = new Promise<void>((resolve) => (this.removed = resolve));

  constructor(
    private readonly config: NodeConfig,
    private readonly events: EventLog,
    private readonly fatal: (error: unknown) => void,
    private readonly parts: ProgramParts = {},
  ) {
    this.rules = parts.rules ?? new Rules();
    this.lifecycle = new Lifecycle(events);
    const group = (): GroupRuntime | undefined => this.group;
    this.metrics = new NodeMetrics(metricsSource(group, () => this.projection));
    this.service = new NodeService({
      info: () => ({
        clusterId: this.data?.clusterId ?? '',
        nodeName: config.nodeName,
        nodeId: this.data?.nodeId ?? '',
        version: this.version,
        ...(this.key && { publicKey: this.key.publicKey }),
      }),
      emptyReader: new LedgerState().reader,
      rehearsals: parts.rehearsals,
      metricsText: () => this.metrics.text(),
      rows: () => this.projection,
      projection: () =>
        this.projection?.view() ?? { state: config.database.kind === 'off' ? 'off' : 'starting', lagRecords: 0 },
    });
    this.doors = new Doors(this.service, config, events);
  }

  get isStopping(): boolean {
    return this.stopping;
  }

  /** Resolves when the node serves. Rejects with StartupError, or with the cause of what failed. */
  start(): Promise<void> {
    this.starting = this.startParts();
    return this.starting;
  }

  private async startParts(): Promise<void> {
    const { config, events } = this;
    const data = await this.unlessStopping(this.openData());
    const grpc = this.openGrpc();
    const rpc = await this.unlessStopping(this.openRpc(data, grpc));
    const http = await this.unlessStopping(this.openHttp());
    const desk = this.openDesk(data, rpc);
    const gossip = await this.unlessStopping(this.startGossip(data));
    await this.unlessStopping(this.enterCluster(data, desk, gossip));
    gossip.setTags(gossipTags(config, data, this.rpcAddr, this.rules.newest));
    const group = await this.unlessStopping(this.openGroup(data, rpc, gossip));
    if (needsFirstLedger(group)) await this.unlessStopping(createFirstLedger(group, config, events));
    this.service.openDoors();
    grpc.setServing(true);
    group.quarantine.onEnter(() => grpc.setServing(false));
    this.startMembership(data, group, gossip, rpc);
    this.startProjection(data, group);
    // The doors close first: what has come in is answered while this node can still pass it on to the next leader.
    const close = (door?: GrpcServer | HttpServer): Promise<void> | undefined => door?.close(DOOR_GRACE_MILLIS);
    this.lifecycle.started('doors', () => Promise.all([close(grpc), close(http)]).then(() => undefined));
    events.info(
      {
        rpc: this.rpcAddr,
        gossip: gossip.gossipAddr,
        http: config.httpAddr ? formatAddress(config.httpAddr) : 'off',
        cluster: data.clusterId,
        nodeId: data.nodeId,
        dataDir: config.dataDir,
      },
      'serving',
    );
  }

  /** Hands leadership over, finishes what is in flight, flushes, closes. Never rejects. */
  async stop(): Promise<void> {
    this.stopping = true;
    this.stopAsked.abort();
    // A start that is under way ends at its next step: what it opens there must not find closed what it stands on.
    await this.starting?.catch(() => undefined);
    try {
      await this.group?.handOverBeforeStop(HAND_OVER_MILLIS);
    } catch (error) {
      this.events.warn({ err: error }, 'leadership was not handed over; the others will elect');
    }
    this.service.beginStop();
    await this.lifecycle.stop();
  }

  private async openData(): Promise<DataDirectory> {
    const data = await DataDirectory.open(this.config, this.events);
    this.data = data;
    this.lifecycle.started('data directory', () => data.close());
    this.key = await loadNodeKey(data.path);
    if (data.clusterId !== '' && this.config.bootstrap) {
      const cluster = data.clusterId;
      this.events.info({ cluster }, 'this data directory belongs to a cluster already: --bootstrap is ignored');
    }
    return data;
  }

  private openGrpc(): GrpcServer {
    const grpc = this.doors.grpc();
    this.lifecycle.started('gRPC', () => grpc.close(DOOR_GRACE_MILLIS));
    return grpc;
  }

  private async openRpc(data: DataDirectory, grpc: GrpcServer): Promise<RpcPort> {
    const rpc = openRpcPort({
      identity: () => ({ clusterId: data.clusterId, nodeId: data.nodeId, nodeName: this.config.nodeName }),
      events: this.events,
      onMessage: (group, _from, message) => {
        if (group === 0) this.group?.replica.receive(message);
      },
      onUnreachable: (peer) => this.group?.replica.unreachable(peer),
      onGone: (peer) => this.group?.replica.peerGone(peer),
      onClient: (socket) => grpc.injectConnection(socket),
    });
    const bound = await listening('--rpc-addr', this.config.rpcAddr, () =>
      rpc.listen(formatAddress(this.config.rpcAddr)),
    );
    this.rpcAddr = this.config.advertiseRpcAddr ? formatAddress(this.config.advertiseRpcAddr) : bound;
    this.lifecycle.started('RPC port', () => rpc.close());
    return rpc;
  }

  private async openHttp(): Promise<HttpServer | undefined> {
    const address = this.config.httpAddr;
    if (!address) return undefined;
    const http = this.doors.http(address.host, address.port);
    await listening('--http-addr', address, () => http.listen());
    this.lifecycle.started('HTTP', () => http.close(DOOR_GRACE_MILLIS));
    return http;
  }

  private openDesk(data: DataDirectory, rpc: RpcPort): JoinDesk {
    return new JoinDesk(
      () => ({
        clusterId: data.clusterId,
        nodeId: data.nodeId,
        name: this.config.nodeName,
        rpcAddr: this.rpcAddr,
        rulesVersion: this.rules.newest,
      }),
      (adoption) => data.joinCluster(adoption),
      () => this.removed(),
    ).serve(rpc.transport);
  }

  private async startGossip(data: DataDirectory): Promise<Gossip> {
    const { config } = this;
    const keyring = await loadKeyring(config);
    const gossip = await listening('--bind-addr', config.bindAddr, () =>
      Gossip.start({
        bindAddr: formatAddress(config.bindAddr),
        ...(config.advertiseAddr && { advertiseAddr: formatAddress(config.advertiseAddr) }),
        tags: gossipTags(config, data, this.rpcAddr, this.rules.newest),
        joinAddrs: config.startJoinAddrs,
        knownPeers: data.knownPeers,
        keyring,
        clock: systemClock,
        random: systemRandom,
        log: this.events,
      }),
    );
    this.lifecycle.started('gossip', () => gossip.stop());
    return gossip;
  }

  /** Bootstraps, or waits to be taken in; nothing to do for a node that belongs to a cluster. */
  private async enterCluster(data: DataDirectory, desk: JoinDesk, gossip: Gossip): Promise<void> {
    const { config } = this;
    if (data.clusterId !== '') return;
    if (config.bootstrap) {
      if (config.startJoinAddrs.length > 0) await probeForCluster(gossip);
      const clusterId = randomBytes(CLUSTER_ID_BYTES).toString('hex');
      await data.bootstrapCluster({ clusterId, partitions: config.partitions }, this.rpcAddr);
      this.events.info({ cluster: clusterId }, 'a new cluster begins here');
      return;
    }
    this.events.info({ joinAddrs: config.startJoinAddrs }, 'looking for the cluster');
    const adoption: Adoption = await Promise.race([desk.waitForAdoption(), this.untilStopped()]);
    this.events.info({ cluster: adoption.clusterId }, 'the cluster has taken this node in');
  }

  private async openGroup(data: DataDirectory, rpc: RpcPort, gossip: Gossip): Promise<GroupRuntime> {
    const cluster = new ClusterView({
      configuration: () => group.replica.status().configuration,
      gossip: () => gossip.members(),
      leaderId: () => group.replica.leaderId,
    });
    const addresses = new PeerAddresses(data.nodeId, rpc.transport);
    const shared = { config: this.config, data, transport: rpc.transport, addresses };
    const group = await GroupRuntime.open({
      ...shared,
      repairPeers: repairPeers({ ...shared, gossip: () => gossip.members(), stopAsked: this.stopAsked.signal }),
      events: this.events,
      fatal: this.fatal,
      ...this.parts,
      rules: this.rules,
      ...(this.key && { key: this.key }),
      nameOf: (id) => cluster.nameOf(id),
      livePeers: () => cluster.livePeers(data.nodeId),
    });
    this.group = group;
    expectProjection(this.config, group);
    this.lifecycle.started('Raft group 0', () => group.stop());
    this.service.attach(group, cluster);
    return group;
  }

  private startMembership(data: DataDirectory, group: GroupRuntime, gossip: Gossip, rpc: RpcPort): void {
    const loop = new MembershipLoop({
      data,
      group,
      gossip,
      transport: rpc.transport,
      events: this.events,
      partitions: this.config.partitions,
    });
    loop.start();
    this.lifecycle.started('membership', () => loop.stop());
  }

  private startProjection(data: DataDirectory, group: GroupRuntime): void {
    this.projection = startProjection(this.config, data, group, this.events);
    const { projection } = this;
    if (projection) this.lifecycle.started('projection', () => projection.stop());
  }

  private untilStopped(): Promise<never> {
    return new Promise((_resolve, reject) => {
      this.stopAsked.signal.addEventListener('abort', () =>
        reject(new StartupError('stopped before a cluster had taken this node in', 1)),
      );
    });
  }

  /** What the step has started is stopped with the rest: it was registered before. */
  private async unlessStopping<T>(step: Promise<T>): Promise<T> {
    const result = await step;
    if (this.stopping) throw new StartupError('stopped while it was starting', 1);
    return result;
  }
}
