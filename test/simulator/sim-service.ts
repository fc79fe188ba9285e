import type { DiskSpace } from '../../src/log/disk-space';
import { AppliedSignal } from '../../src/node/applied-signal';
import { ClusterView } from '../../src/node/cluster-view';
import { FIRST_GROUP } from '../../src/node/data-directory';
import { FullDisk } from '../../src/node/full-disk';
import { GroupBackup } from '../../src/node/group-backup';
import type { GroupStorage } from '../../src/node/group-storage';
import { HoldExpiry } from '../../src/node/hold-expiry';
import { Leadership } from '../../src/node/leadership';
import { MemberChanges } from '../../src/node/member-changes';
import { NodeService, type ServedGroup } from '../../src/node/node-service';
import { OutcomeKeeper, type OutcomeDamageError } from '../../src/node/outcome-keeper';
import { PEER_CALLS } from '../../src/node/peer-calls';
import { PeerHistory } from '../../src/node/peer-history';
import { ProjectionFeed } from '../../src/node/projection-feed';
import { ReadBarrier } from '../../src/node/read-barrier';
import { RecordReader } from '../../src/node/record-reader';
import type { WritePath } from '../../src/node/write-path';
import type { NodeId } from '../../src/raft/core';
import type { Replica } from '../../src/raft/replica/replica';
import type { CallHandler } from '../../src/raft/transport';
import type { ProcessLife } from './process-life';
import { SimDoor } from './sim-door';
import type { SimGossip } from './sim-gossip';
import type { SimNode } from './sim-node';
import { MILLISECOND } from './virtual-time';

const ASK_MILLIS = 2_000;

export type PeerCall = (to: NodeId, group: number, method: number, body: Buffer, deadlineMs: number) => Promise<Buffer>;

export interface ServiceParts {
  readonly machine: SimNode;
  readonly life: ProcessLife;
  readonly gossip: SimGossip;
  readonly space: DiskSpace;
  readonly storage: GroupStorage;
  readonly replica: Replica;
  readonly writes: WritePath;
  readonly call: PeerCall;
  readonly fail: (error: unknown) => void;
}

/** What a process answers clients, and peers who read its history, put together as `group-runtime.ts` does it. */
export class SimService {
  readonly door: SimDoor;
  readonly outcomes: OutcomeKeeper;
  private readonly records: RecordReader;
  private readonly feed: ProjectionFeed;
  private readonly history: PeerHistory;
  private readonly fullDisk: FullDisk;
  private readonly memberChanges: MemberChanges;
  private readonly holdExpiry: HoldExpiry;

  constructor(private readonly parts: ServiceParts) {
    const { machine, life, gossip, space, storage, replica, call } = parts;
    const { log, outcomes } = storage;
    const { events } = life;
    const cluster = new ClusterView({
      configuration: () => replica.status().configuration,
      gossip: () => gossip.members(),
      leaderId: () => replica.leaderId,
    });
    const peers = (): readonly NodeId[] => cluster.livePeers(machine.id);
    const now = (): number => life.clock.monotonicMillis();
    const history = new PeerHistory({ group: FIRST_GROUP, peers, call, events, now });
    const fromPeers = (fromIndex: number, maxBytes: number) => history.batches(fromIndex, maxBytes);
    const keeper = new OutcomeKeeper({ log, outcomes, fromPeers, events });
    const shared = {
      log,
      readOutcomes: (offset: number, count: number) => keeper.read(offset, count),
      mendOutcomes: (damage: OutcomeDamageError) => keeper.mend(damage),
      damageAt: (offset: number) => keeper.damageAt(offset),
      appliedIndex: () => replica.appliedIndex,
      nextOffset: () => storage.machine.nextOffset,
    };
    this.history = history;
    this.outcomes = keeper;
    this.feed = new ProjectionFeed({ ...shared, signal: new AppliedSignal(), fromPeers });
    this.records = new RecordReader({
      ...shared,
      ledgerCodes: (number) => storage.machine.reader.ledgerByNumber(number)?.code,
      holds: (number) => storage.machine.reader.hold(number),
      fromPeers: (from, maxBytes, deadlineMs) => history.records(from, maxBytes, deadlineMs),
    });
    const leadership = new Leadership({ group: FIRST_GROUP, replica, call });
    this.fullDisk = new FullDisk({
      space,
      replica,
      call: (to, method, body) => call(to, FIRST_GROUP, method, body, ASK_MILLIS),
      handOver: (to) => leadership.handOver(to, ASK_MILLIS),
      nameOf: (id) => cluster.nameOf(id),
      events,
    });
    const nowMicros = (): number => life.clock.wallMicros();
    this.holdExpiry = new HoldExpiry({ replica, reader: () => storage.machine.reader, nowMicros, events });
    const barrier = new ReadBarrier(replica, FIRST_GROUP, () => machine.clusterId);
    const backup = new GroupBackup({
      ...shared,
      group: FIRST_GROUP,
      replica,
      caughtUp: (deadlineMs) => barrier.wait({ level: 'LINEARIZABLE' }, deadlineMs),
      owner: () => ({ clusterId: machine.clusterId, nodeId: machine.id, nodeName: machine.name, partitions: 1 }),
      snapshots: storage.snapshots,
      attachments: storage.ids.receiver,
      snapshotter: storage.snapshotter,
    });
    const memberChanges = new MemberChanges({
      ...{ group: FIRST_GROUP, replica, call, now },
      handOver: (deadlineMs) => leadership.handOver('', deadlineMs),
      pause: (millis) => life.sleep(millis * MILLISECOND),
    });
    this.memberChanges = memberChanges;
    const built = { leadership, barrier, backup, memberChanges };
    this.door = new SimDoor(this.service(cluster, built), parts.fail);
  }

  /** What needs to be looked after now and then. */
  upkeep(): void {
    void this.fullDisk.step();
    void this.holdExpiry.step();
    this.parts.storage.snapshotter.upkeep();
  }

  servePeers(handlers: Map<number, CallHandler>): void {
    handlers.set(PEER_CALLS.disk, () => Promise.resolve(this.fullDisk.serve()));
    handlers.set(PEER_CALLS.changeMember, (call) => this.memberChanges.serve(call.body));
    handlers.set(PEER_CALLS.records, (call) => this.history.serveRecords(this.records, call.body));
    handlers.set(PEER_CALLS.batches, (call) => this.history.serveBatches(this.feed, call.body));
  }

  private service(
    cluster: ClusterView,
    built: Pick<ServedGroup, 'leadership' | 'barrier' | 'backup' | 'memberChanges'>,
  ): NodeService {
    const { machine, life, space, storage, replica, writes } = this.parts;
    const service = new NodeService({
      info: () => ({ clusterId: machine.clusterId, nodeId: machine.id, nodeName: machine.name, version: '0.0.0' }),
      emptyReader: storage.machine.reader,
      metricsText: () => Promise.resolve(''),
      projection: () => ({ state: 'off', lagRecords: 0 }),
    });
    const signal = { next: (millis: number) => life.sleep(millis * MILLISECOND), notify: () => undefined };
    service.attach(
      {
        machine: storage.machine,
        writes,
        replica,
        records: this.records,
        ...built,
        space,
        snapshotIndex: storage.snapshotter.newestIndex,
        takeSnapshot: () => storage.snapshotter.take(),
        appliedSignal: signal,
        leaderSignal: signal,
      },
      cluster,
    );
    service.openDoors();
    return service;
  }
}
