import { FIRST_GROUP, joinCluster } from '../../src/node/data-directory';
import { DiskSpace, reserveFor } from '../../src/log/disk-space';
import { GroupStorage } from '../../src/node/group-storage';
import { JoinDesk } from '../../src/node/join-desk';
import { serveEntries } from '../../src/node/log-entries';
import type { RepairPeers } from '../../src/node/log-repair';
import { MembershipLoop, type MembershipLoopOptions } from '../../src/node/membership-loop';
import { PeerAddresses } from '../../src/node/peer-addresses';
import { PEER_CALLS } from '../../src/node/peer-calls';
import { serveSnapshots, snapshotTransfer } from '../../src/node/snapshot-calls';
import { repairPeers } from '../../src/node/repair-peers';
import { RulesUpgrade } from '../../src/node/rules-upgrade';
import { WritePath } from '../../src/node/write-path';
import type { Configuration, Message, NodeId } from '../../src/raft/core';
import { CatchUpPace } from '../../src/raft/replica/catch-up-pace';
import { Replica } from '../../src/raft/replica/replica';
import type { SnapshotTransfer } from '../../src/raft/replica/snapshot-transfer';
import { LevelStableStore, type StableStore } from '../../src/raft/stable';
import { FileKeyValues } from '../raft/stable/file-key-values';
import type { FaultyFiles } from '../support/faulty-files';
import type { ProcessLife } from './process-life';
import { SimGossip } from './sim-gossip';
import type { SimNode } from './sim-node';
import { SimService, type PeerCall } from './sim-service';
import { SimTransport } from './sim-transport';
import { expectNewer } from './snapshot-checks';
import type { SimWorld } from './sim-world';
import { MILLISECOND } from './virtual-time';

const DATA_DIR = '/node';
/** About as small as they can be, so that every simulated hour has some, of more sizes than one; no row stays in memory that is in one. */
const SMALL_RUNS = { runRows: 128, keptRows: 0, runExtras: 3_000, keptExtras: 0 };
const LEADER_POLL_MILLIS = 25;
const PARTITIONS = 1;
const ASK_MILLIS = 2_000;
const UPKEEP_MILLIS = 1_000;

/** One process of the real program on a simulated machine, wired as `ledger-node.ts` and `group-runtime.ts` do it. */
export class SimProcess {
  private readonly transport: SimTransport;
  private readonly gossip: SimGossip;

  constructor(
    private readonly world: SimWorld,
    private readonly machine: SimNode,
    private readonly life: ProcessLife,
    private readonly fatal: (error: unknown) => void,
  ) {
    this.gossip = new SimGossip(world, machine);
    const self = { name: machine.name, id: () => machine.id };
    this.transport = new SimTransport(life, world.calls, self, (message, address) => world.send(message, address));
  }

  /** Resolves when the node takes part; a node without a cluster waits for one to take it in. */
  async start(): Promise<void> {
    const { world, machine, life } = this;
    const stable = await openStable(machine.disk);
    await this.enterCluster(stable);
    const addresses = new PeerAddresses(machine.id, this.transport);
    const data = this.data(stable);
    const space = await this.diskSpace();
    const storage = await GroupStorage.open({
      config: { dataDir: DATA_DIR, ...world.settings.storage },
      data,
      space,
      peers: this.repairPeers(data, addresses),
      events: life.events,
      fatal: this.fatal,
      rules: machine.rules,
      ids: SMALL_RUNS,
    });
    const transfer = this.snapshotTransfer(storage);
    const replica = this.replica(storage, stable, transfer, addresses);
    const writes = this.writePath(replica);
    storage.snapshotter.attach(replica);
    const call: PeerCall = (to, group, method, body, deadlineMs) =>
      this.transport.call(to, group, method, body, deadlineMs);
    const service = new SimService({
      machine,
      life,
      gossip: this.gossip,
      space,
      storage,
      replica,
      writes,
      call,
      fail: world.fail,
    });
    const { door, outcomes } = service;
    machine.running = { storage, replica, writes, addresses, door, outcomes };
    service.servePeers(machine.handlers);
    life.scheduler.every(UPKEEP_MILLIS, () => service.upkeep());
    this.serve(storage, replica, writes, transfer);
    world.started(machine, storage);
    replica.start();
    const rulesUpgrade = this.rulesUpgrade(replica, storage);
    this.membership(stable, { replica, addresses, rulesUpgrade }).start();
  }

  private diskSpace(): Promise<DiskSpace> {
    const { machine, life, world } = this;
    return DiskSpace.open({
      files: machine.disk,
      directory: DATA_DIR,
      reserveBytes: reserveFor(world.settings.storage.segmentBytes),
      every: (millis, task) => life.scheduler.every(millis, task),
      onChange: (full) => life.events.info({}, full ? 'the disk is full' : 'the disk has room again'),
      onUnknown: (error) => life.events.warn({ err: error }, 'how much room the disk has could not be found out'),
    });
  }

  private async enterCluster(stable: StableStore): Promise<void> {
    const { machine, world, life } = this;
    if (!stable.identity) {
      const identity = { clusterId: '', nodeName: machine.name, nodeId: machine.newId(), createdAt: 0, partitions: 0 };
      await stable.initialise(identity);
    }
    const { nodeId, clusterId } = stable.identity!;
    machine.id = nodeId;
    machine.clusterId = clusterId;
    world.named(machine);
    const { name } = machine;
    const desk = new JoinDesk(
      () => ({
        clusterId: stable.identity!.clusterId,
        nodeId,
        name,
        rpcAddr: machine.rpcAddr,
        rulesVersion: machine.rules.newest,
      }),
      (adoption) => joinCluster(stable, adoption),
    );
    machine.handlers.set(PEER_CALLS.identify, () => desk.identify());
    machine.handlers.set(PEER_CALLS.adopt, (call) => desk.adopt(call));
    machine.handlers.set(PEER_CALLS.refuse, (call) => desk.refuse(call));
    if (clusterId !== '') return;
    life.events.info({}, 'waits to be taken in');
    machine.clusterId = (await desk.waitForAdoption()).clusterId;
  }

  private membership(stable: StableStore, group: MembershipLoopOptions['group']): MembershipLoop {
    const { machine, life, gossip, transport } = this;
    return new MembershipLoop({
      data: {
        clusterId: machine.clusterId,
        nodeId: machine.id,
        saveKnownPeers: (peers) => stable.saveKnownPeers(peers),
      },
      group,
      gossip,
      transport,
      events: life.events,
      partitions: PARTITIONS,
      clock: life.clock,
      scheduler: life.scheduler,
    });
  }

  private rulesUpgrade(replica: Replica, { machine }: GroupStorage): RulesUpgrade {
    return new RulesUpgrade({
      replica,
      rules: machine.rules,
      activeVersion: () => machine.rulesVersion,
      call: (to, method, body) => this.transport.call(to, FIRST_GROUP, method, body, ASK_MILLIS),
      events: this.life.events,
    });
  }

  private replica(
    storage: GroupStorage,
    stable: StableStore,
    transfer: SnapshotTransfer,
    addresses: PeerAddresses,
  ): Replica {
    const { world, life, machine } = this;
    const replica: Replica = new Replica({
      group: FIRST_GROUP,
      id: machine.id,
      log: storage.log,
      machine: world.observed(machine, storage.machine),
      hardState: storage.hardState,
      snapshotMeta: storage.snapshotMeta,
      configurations: storage.configurations,
      ...(storage.mayHaveLost && { mayHaveLost: storage.mayHaveLost }),
      saveHardState: (hardState) => stable.saveHardState(FIRST_GROUP, hardState),
      lossSettled: () => storage.settleLoss(),
      send: (to, message) => this.transport.send(to, message),
      diskFull: () => storage.space?.full ?? false,
      snapshots: {
        send: (to, term) => transfer.send(to, term),
        install: (meta) => {
          world.counts.add('snapshot installed');
          expectNewer(machine, meta, replica);
          return storage.snapshotter.install(meta);
        },
      },
      clock: life.clock,
      scheduler: life.scheduler,
      random: machine.random,
      limits: world.settings.limits,
      timing: world.settings.timing,
      events: life.events,
      listener: {
        applied: (header, batch) => storage.snapshotter.applied(header, batch.length),
        leaderChanged: (leader, term) =>
          world.trace.add(machine.name, `leader of term ${term}: ${world.nameOf(leader)}`),
        configurationChanged: (configuration) => {
          world.trace.add(machine.name, `configuration: ${describe(configuration, world)}`);
          for (const server of configuration.servers) addresses.named(server);
        },
        fatal: this.fatal,
      },
    });
    return replica;
  }

  private writePath(replica: Replica): WritePath {
    const { life, transport } = this;
    return new WritePath({
      group: FIRST_GROUP,
      replica,
      call: (to, group, method, body, deadlineMs) => transport.call(to, group, method, body, deadlineMs),
      nameOf: (id) => id,
      now: () => life.clock.monotonicMillis(),
      leaderChange: (millis) => life.sleep(Math.min(millis, LEADER_POLL_MILLIS) * MILLISECOND),
    });
  }

  private snapshotTransfer(storage: GroupStorage): SnapshotTransfer {
    const { machine, life, transport } = this;
    const receive = (message: Message): void => machine.receive(message);
    return snapshotTransfer(storage, () => ({ receive, status: () => machine.running!.replica.status() }), {
      id: machine.id,
      group: FIRST_GROUP,
      call: (to, group, method, body, deadlineMs) => transport.call(to, group, method, body, deadlineMs),
      pace: new CatchUpPace(life.clock, life.scheduler, this.world.settings.limits.catchUpBytes),
      events: life.events,
    });
  }

  private data(stable: StableStore) {
    const { machine } = this;
    return {
      files: machine.disk,
      stable,
      clusterId: machine.clusterId,
      nodeId: machine.id,
      knownPeers: stable.knownPeers(),
      groupFolder: (group: number) => `${DATA_DIR}/groups/${group}`,
    };
  }

  private repairPeers(data: ReturnType<SimProcess['data']>, addresses: PeerAddresses): RepairPeers {
    const { life, gossip, transport } = this;
    const peers = repairPeers({
      config: { startJoinAddrs: ['n1:2'] },
      data,
      gossip: () => gossip.members(),
      addresses,
      transport: {
        call: (to, group, method, body, { deadlineMs }) => transport.call(to, group, method, body, deadlineMs),
      },
      stopAsked: new AbortController().signal,
    });
    return { ...peers, pause: (millis) => life.sleep(millis * MILLISECOND) };
  }

  private serve(storage: GroupStorage, replica: Replica, writes: WritePath, transfer: SnapshotTransfer): void {
    const { handlers } = this.machine;
    const left = (deadline: number): number => Math.max(1, deadline - this.life.clock.monotonicMillis());
    handlers.set(PEER_CALLS.submit, (call) => writes.serve(call.body, left(call.deadline)));
    serveSnapshots((method, answer) => handlers.set(method, answer), transfer);
    handlers.set(PEER_CALLS.entries, (call) => serveEntries(storage.log, replica.status().commit, call.body));
  }
}

/** Makes the data directory of a member of a new cluster. */
export async function formatMember(clusterId: string, machine: SimNode, configuration: Configuration): Promise<void> {
  const stable = await openStable(machine.disk);
  const { name: nodeName, id: nodeId } = machine;
  await stable.initialise({ clusterId, nodeName, nodeId, createdAt: 0, partitions: PARTITIONS });
  await stable.createGroup(FIRST_GROUP);
  await stable.saveSnapshot(FIRST_GROUP, { index: 0, term: 0, file: '', configuration });
  await stable.close();
}

function openStable(files: FaultyFiles): Promise<LevelStableStore> {
  return LevelStableStore.open({ dataDir: DATA_DIR, files, openKeyValues: () => FileKeyValues.open(files) });
}

function describe({ voters, votersOutgoing, learners }: Configuration, world: SimWorld): string {
  const names = (ids: readonly NodeId[]): string => ids.map((id) => world.nameOf(id)).join(' ');
  const leaving = votersOutgoing.length > 0 ? `, until now ${names(votersOutgoing)}` : '';
  return `${names(voters)} vote${leaving}${learners.length > 0 ? `, ${names(learners)} learn` : ''}`;
}
