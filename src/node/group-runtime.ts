import type { DiskSpace } from '../log/disk-space';
import type { SegmentedLog } from '../log/segmented-log';
import type { NodeId } from '../raft/core';
import { CatchUpPace } from '../raft/replica/catch-up-pace';
import { systemClock, systemScheduler } from '../raft/replica/environment';
import type { Replica } from '../raft/replica/replica';
import { RulesUpgrade } from './rules-upgrade';
import type { SnapshotTransfer } from '../raft/replica/snapshot-transfer';
import type { UnreadLog } from '../raft/replica/unread-log';
import type { IncomingCall, PeerTransport } from '../raft/transport';
import { AppliedSignal } from './applied-signal';
import { FIRST_GROUP } from './data-directory';
import { FullDisk } from './full-disk';
import { GroupBackup, type GroupBackupOptions } from './group-backup';
import { watchDisk } from './group-disk';
import type { GroupOptions } from './group-options';
import { openReplica } from './group-replica';
import { proofsOf } from './group-proofs';
import { GroupStorage } from './group-storage';
import { HoldExpiry } from './hold-expiry';
import { RunThread } from './ids/run-thread';
import { Leadership } from './leadership';
import type { LedgerMachine } from './ledger-machine';
import { serveEntries } from './log-entries';
import { MemberChanges, type MemberChangesOptions } from './member-changes';
import { OutcomeKeeper, type OutcomeDamageError } from './outcome-keeper';
import { PEER_CALLS } from './peer-calls';
import { PeerAddresses } from './peer-addresses';
import { PeerHistory } from './peer-history';
import { ProjectionFeed } from './projection-feed';
import type { Quarantine } from './quarantine';
import { ReadBarrier } from './read-barrier';
import { RecordReader } from './record-reader';
import { serveSnapshots, snapshotTransfer } from './snapshot-calls';
import { StateWatch } from './state-watch';
import { StorageUpkeep } from './storage-upkeep';
import type { TransferProofs } from './transfer-proofs';
import { WritePath } from './write-path';

const HAND_OVER_POLL_MILLIS = 10;

type CheckedOutcomes = Pick<GroupBackupOptions, 'readOutcomes' | 'mendOutcomes'>;
/** A member that does not answer a small question in this time is asked again later. */
const ASK_MILLIS = 2_000;
/** A leader whose disk is full, or whose state is wrong, looks for a better one so often; states are compared so often. */
const UPKEEP_MILLIS = 1_000;

/** One Raft group on this node: its log, its ledger, its replica, and what reads and writes through them. */
export class GroupRuntime {
  readonly id = FIRST_GROUP;
  readonly replica: Replica;
  readonly addresses: PeerAddresses;
  readonly log: SegmentedLog;
  readonly machine: LedgerMachine;
  readonly appliedSignal = new AppliedSignal();
  readonly leaderSignal = new AppliedSignal();
  readonly writes: WritePath;
  readonly barrier: ReadBarrier;
  readonly records: RecordReader;
  readonly projectionFeed: ProjectionFeed;
  readonly leadership: Leadership;
  readonly memberChanges: MemberChanges;
  readonly backup: GroupBackup;
  readonly rulesUpgrade: RulesUpgrade;
  readonly stateWatch: StateWatch;
  readonly proofs: TransferProofs | undefined;
  private readonly fullDisk: FullDisk;
  private readonly upkeep: StorageUpkeep;
  private stopUpkeep: (() => void) | undefined;
  private readonly holdExpiry: HoldExpiry;

  private constructor(
    options: GroupOptions,
    private readonly storage: GroupStorage,
    readonly space: DiskSpace,
  ) {
    this.log = storage.log;
    this.machine = storage.machine;
    const { log, machine } = this;
    const transfer = this.snapshotTransfer(options);
    this.addresses = options.addresses ?? new PeerAddresses(options.data.nodeId, options.transport);
    this.replica = openReplica(options, storage, {
      sendSnapshot: async (to, term) => (this.quarantine.why === undefined ? transfer.send(to, term) : undefined),
      addresses: this.addresses,
      appliedSignal: this.appliedSignal,
      leaderSignal: this.leaderSignal,
    });
    const { data, transport, events, nameOf, livePeers } = options;
    const { replica, id } = this;
    const call = (to: NodeId, group: number, method: number, body: Buffer, deadlineMs: number): Promise<Buffer> =>
      transport.call(to, group, method, body, { deadlineMs });
    const now = (): number => performance.now();
    this.writes = new WritePath({
      group: id,
      replica,
      call,
      nameOf,
      now,
      leaderChange: (millis) => this.leaderSignal.next(millis),
    });
    this.barrier = new ReadBarrier(replica, id, () => data.clusterId);
    this.leadership = new Leadership({ group: id, replica, call });
    this.memberChanges = this.memberChangesOf(call);
    this.rulesUpgrade = this.rulesUpgradeOf(options);
    this.fullDisk = this.fullDiskOf(options);
    this.upkeep = this.upkeepOf(options);
    this.stateWatch = this.stateWatchOf(options);
    const nowMicros = (): number => systemClock.wallMicros();
    this.holdExpiry = new HoldExpiry({ replica, reader: () => machine.reader, nowMicros, events });
    const history = new PeerHistory({ group: id, peers: livePeers, call, events, now });
    const { outcomes } = storage;
    const fromPeers = (fromIndex: number, maxBytes: number) => history.batches(fromIndex, maxBytes);
    const keeper = new OutcomeKeeper({ log, outcomes, fromPeers, events });
    const checked = {
      readOutcomes: (offset: number, count: number) => keeper.read(offset, count),
      mendOutcomes: (damage: OutcomeDamageError) => keeper.mend(damage),
      damageAt: (offset: number) => keeper.damageAt(offset),
    };
    const appliedIndex = (): number => replica.appliedIndex;
    const nextOffset = (): number => machine.nextOffset;
    this.records = new RecordReader({
      log,
      ...checked,
      ledgerCodes: (number) => machine.reader.ledgerByNumber(number)?.code,
      holds: (number) => machine.reader.hold(number),
      appliedIndex,
      nextOffset,
      fromPeers: (from, maxBytes, deadlineMs) => history.records(from, maxBytes, deadlineMs),
    });
    const { appliedSignal: signal } = this;
    this.projectionFeed = new ProjectionFeed({ log, ...checked, appliedIndex, nextOffset, signal, fromPeers });
    this.backup = this.backupOf(options, checked);
    this.proofs = proofsOf(options, this);
    this.serve(transport, history, transfer);
  }

  /** What retention leaves longer. */
  get unread(): UnreadLog {
    return this.storage.unread;
  }

  get quarantine(): Quarantine {
    return this.stateWatch.quarantine;
  }

  get snapshotIndex(): number {
    return this.storage.snapshotter.newestIndex;
  }

  /** Opens log, state and replica, and starts to take part. Rejects with StartupError where the disk does not allow it. */
  static async open(options: GroupOptions): Promise<GroupRuntime> {
    const { repairPeers: peers } = options;
    const space = await watchDisk(options);
    try {
      const storage = await GroupStorage.open({
        ...options,
        space,
        ids: options.ids ?? RunThread.usual,
        ...(peers && { peers }),
      });
      const group = new GroupRuntime(options, storage, space);
      storage.snapshotter.attach(group.replica);
      group.replica.start();
      group.startUpkeep();
      group.holdExpiry.start();
      return group;
    } catch (error) {
      space.close();
      throw error;
    }
  }

  /** Before a stop: gives leadership to another voter, so that the others need no election. Resolves when that is done, or at the deadline. */
  async handOverBeforeStop(deadlineMs: number): Promise<void> {
    const until = performance.now() + deadlineMs;
    if (!this.replica.isLeader || this.replica.status().configuration.voters.length < 2) return;
    await this.leadership.handOver('', deadlineMs);
    while (this.replica.isLeader && performance.now() < until) await this.leaderSignal.next(HAND_OVER_POLL_MILLIS);
  }

  takeSnapshot(): Promise<number> {
    return this.storage.snapshotter.take();
  }

  async stop(): Promise<void> {
    this.appliedSignal.notify();
    this.stopUpkeep?.();
    const kept = this.upkeep.stop();
    const expiryEnds = this.holdExpiry.stop();
    const stopped = this.replica.stop();
    // The replica waits for the disk, and on a full one that would be for ever.
    this.space.close();
    await stopped;
    await kept;
    await expiryEnds;
    await this.storage.close();
  }

  private startUpkeep(): void {
    this.upkeep.start();
    this.stopUpkeep = systemScheduler.every(UPKEEP_MILLIS, () => {
      void this.fullDisk.step();
      void this.stateWatch.step();
    });
  }

  private serve(transport: PeerTransport, history: PeerHistory, snapshots: SnapshotTransfer): void {
    const millisLeft = (deadline: number): number => Math.max(1, deadline - systemClock.monotonicMillis());
    const { quarantine } = this;
    const submit = (call: IncomingCall) => this.writes.serve(call.body, millisLeft(call.deadline));
    transport.handle(PEER_CALLS.submit, quarantine.guarded(submit));
    transport.handle(PEER_CALLS.checks, async () => this.stateWatch.comparison.serve());
    transport.handle(PEER_CALLS.changeMember, (call) => this.memberChanges.serve(call.body));
    transport.handle(PEER_CALLS.transferLeadership, (call) => this.leadership.serve(call.body));
    const records = (call: IncomingCall) => history.serveRecords(this.records, call.body);
    const batches = (call: IncomingCall) => history.serveBatches(this.projectionFeed, call.body);
    transport.handle(PEER_CALLS.records, quarantine.guarded(records));
    transport.handle(PEER_CALLS.batches, quarantine.guarded(batches));
    transport.handle(PEER_CALLS.entries, (call) => serveEntries(this.log, this.replica.status().commit, call.body));
    serveSnapshots((method, answer) => transport.handle(method, answer), snapshots);
    transport.handle(PEER_CALLS.disk, async () => this.fullDisk.serve());
  }

  private stateWatchOf({ transport, nameOf, events }: GroupOptions): StateWatch {
    return new StateWatch({
      replica: this.replica,
      checks: () => this.machine.history.checks,
      call: (to, method, body) => transport.call(to, this.id, method, body, { deadlineMs: ASK_MILLIS }),
      handOver: () => this.leadership.handOver('', ASK_MILLIS),
      forbidSnapshots: (why) => this.storage.snapshotter.forbid(why),
      ...{ nameOf, events },
    });
  }

  private upkeepOf({ config, events }: GroupOptions): StorageUpkeep {
    const { log, snapshots, snapshotter, unread } = this.storage;
    return new StorageUpkeep({
      ...{ log, snapshots, snapshotter, unread, events },
      appliedIndex: () => this.replica.appliedIndex,
      retentionAge: config.retentionAge,
      clock: systemClock,
      scheduler: systemScheduler,
    });
  }

  private rulesUpgradeOf({ transport, events }: GroupOptions): RulesUpgrade {
    return new RulesUpgrade({
      replica: this.replica,
      rules: this.machine.rules,
      activeVersion: () => this.machine.rulesVersion,
      call: (to, method, body) => transport.call(to, this.id, method, body, { deadlineMs: ASK_MILLIS }),
      events,
    });
  }

  private fullDiskOf({ transport, nameOf, events }: GroupOptions): FullDisk {
    return new FullDisk({
      space: this.space,
      replica: this.replica,
      call: (to, method, body) => transport.call(to, this.id, method, body, { deadlineMs: ASK_MILLIS }),
      handOver: (to) => this.leadership.handOver(to, ASK_MILLIS),
      nameOf,
      events,
    });
  }

  private memberChangesOf(call: MemberChangesOptions['call']): MemberChanges {
    const { id: group, replica, leadership, leaderSignal } = this;
    return new MemberChanges({
      ...{ group, replica, call },
      handOver: (deadlineMs) => leadership.handOver('', deadlineMs),
      now: () => performance.now(),
      pause: (millis) => leaderSignal.next(millis),
    });
  }

  private backupOf({ data }: GroupOptions, outcomes: CheckedOutcomes): GroupBackup {
    const { id: group, log, replica, machine, barrier, storage } = this;
    return new GroupBackup({
      ...{ group, log, replica, ...outcomes },
      nextOffset: () => machine.nextOffset,
      caughtUp: (deadlineMs) => barrier.wait({ level: 'LINEARIZABLE' }, deadlineMs),
      owner: () => {
        const { clusterId, nodeId, nodeName, partitions } = data;
        return { clusterId, nodeId, nodeName, partitions };
      },
      snapshots: storage.snapshots,
      attachments: storage.ids.receiver,
      snapshotter: storage.snapshotter,
    });
  }

  private snapshotTransfer({ config, data, transport, events }: GroupOptions): SnapshotTransfer {
    return snapshotTransfer(this.storage, () => this.replica, {
      ...{ id: data.nodeId, group: this.id, events },
      call: (to, group, method, body, deadlineMs) => transport.call(to, group, method, body, { deadlineMs }),
      pace: new CatchUpPace(systemClock, systemScheduler, config.catchUpBytes),
    });
  }
}
