import { FileSystemError } from '../../src/log/files';
import { GroupStorage } from '../../src/node/group-storage';
import { PEER_CALLS } from '../../src/node/peer-calls';
import { WritePath } from '../../src/node/write-path';
import { FIRST_GROUP } from '../../src/node/data-directory';
import type { Configuration, Message, NodeId } from '../../src/raft/core';
import { Replica } from '../../src/raft/replica/replica';
import { SnapshotTransfer } from '../../src/raft/replica/snapshot-transfer';
import { LevelStableStore, type StableStore } from '../../src/raft/stable';
import type { CallHandler } from '../../src/raft/transport';
import { FileKeyValues } from '../raft/stable/file-key-values';
import { FaultyFiles, type FileOperation } from '../support/faulty-files';
import type { Survival } from '../support/faulty-inode';
import { SeededRandom } from '../support/seeded-random';
import { ProcessLife } from './process-life';
import type { SimWorld } from './sim-world';
import { MILLISECOND } from './virtual-time';

const DATA_DIR = '/node';
const LEADER_POLL_MILLIS = 25;

/** What a running process holds. */
export interface Running {
  readonly storage: GroupStorage;
  readonly replica: Replica;
  readonly writes: WritePath;
}

/** One machine: a disk, a clock, and at most one process of the real program, which can be killed at any moment. */
export class SimNode {
  disk = new FaultyFiles();
  /** Microseconds that this machine's wall clock is ahead. */
  skewMicros = 0;
  /** Each operation on the disk takes up to so long, in microseconds. */
  diskMicros = 300;
  /** The next sync fails, and with it everything that was not synced is gone. */
  failNextSync = false;
  life: ProcessLife | undefined;
  running: Running | undefined;
  handlers = new Map<number, CallHandler>();
  readonly random: SeededRandom;

  constructor(
    private readonly world: SimWorld,
    readonly id: NodeId,
    readonly name: string,
    seed: number,
  ) {
    this.random = new SeededRandom(seed);
  }

  /** Makes the data directory of a member of a new cluster, before any fault. */
  async format(clusterId: string, configuration: Configuration): Promise<void> {
    const stable = await this.openStable();
    await stable.initialise({ clusterId, nodeName: this.name, nodeId: this.id, createdAt: 0, partitions: 1 });
    await stable.createGroup(FIRST_GROUP);
    await stable.saveSnapshot(FIRST_GROUP, { index: 0, term: 0, file: '', configuration });
    await stable.close();
  }

  /** Starts the process; it is up when `running` is set. */
  boot(): void {
    const { time, trace } = this.world;
    const life = new ProcessLife(this.name, time, trace, {
      skewMicros: () => this.skewMicros,
      ran: () => this.world.touched.add(this),
    });
    this.life = life;
    this.disk.intercept = (operation, path) => this.operation(life, operation, path);
    trace.add(this.name, 'boot');
    this.start(life).catch((error: unknown) => {
      if (life.isAlive) this.fatal(life, error);
    });
  }

  /** Ends the process. What it wrote stays in the system's memory, unsynced, for the next one to find. */
  kill(): void {
    if (this.life) this.world.processEnded(this);
    this.end();
  }

  private end(): void {
    this.life?.kill();
    this.life = undefined;
    this.running = undefined;
    this.handlers = new Map();
    // What this process still asks of the disk, in the very step in which it ends, is never done.
    this.disk.intercept = () => new Promise<never>(() => undefined);
  }

  /** Ends the process and takes from the disk what was not synced, as far as `survival` says. */
  losePower(survival: Survival): void {
    this.end();
    this.disk = this.disk.afterPowerLoss(survival);
  }

  /** The machine of peer `gone` answers that nobody listens there. */
  refused(gone: NodeId): void {
    const { life } = this;
    life?.run(() => {
      if (this.life === life) this.running?.replica.peerGone(gone);
    });
  }

  receive(message: Message): void {
    const { life } = this;
    life?.run(() => {
      if (this.life === life) this.running?.replica.receive(message);
    });
  }

  private async start(life: ProcessLife): Promise<void> {
    const stable = await this.openStable();
    const { events } = life;
    const fatal = (error: unknown): void => this.fatal(life, error);
    const folder = (group: number): string => `${DATA_DIR}/groups/${group}`;
    const storage = await GroupStorage.open({
      config: { dataDir: DATA_DIR, ...this.world.settings.storage },
      data: { files: this.disk, stable, clusterId: this.world.clusterId, nodeId: this.id, groupFolder: folder },
      events,
      fatal,
    });
    const call = (to: NodeId, _group: number, method: number, body: Buffer, deadlineMs: number): Promise<Buffer> =>
      this.world.calls.call(life, this.id, to, method, body, deadlineMs);
    const transfer = this.snapshotTransfer(life, storage, call);
    const replica = this.replica(life, storage, stable, transfer);
    const writes = new WritePath({
      group: FIRST_GROUP,
      replica,
      call,
      nameOf: (id) => id,
      now: () => life.clock.monotonicMillis(),
      leaderChange: (millis) => life.sleep(Math.min(millis, LEADER_POLL_MILLIS) * MILLISECOND),
    });
    storage.snapshotter.attach(replica);
    this.running = { storage, replica, writes };
    this.handlers = this.servedCalls(life, writes, transfer);
    this.world.started(this, storage);
    replica.start();
  }

  private replica(life: ProcessLife, storage: GroupStorage, stable: StableStore, transfer: SnapshotTransfer): Replica {
    const { world, id } = this;
    return new Replica({
      group: FIRST_GROUP,
      id,
      log: storage.log,
      machine: world.observed(this, storage.machine),
      hardState: storage.hardState,
      snapshotMeta: storage.snapshotMeta,
      configurations: storage.configurations,
      ...(storage.mayHaveLost && { mayHaveLost: storage.mayHaveLost }),
      saveHardState: (hardState) => stable.saveHardState(FIRST_GROUP, hardState),
      lossSettled: () => storage.settleLoss(),
      send: (_to, message) => {
        if (life.isAlive) world.send(message);
      },
      snapshots: {
        send: (to, term) => transfer.send(to, term),
        install: (meta) => {
          world.counts.add('snapshot installed');
          return storage.snapshotter.install(meta);
        },
      },
      clock: life.clock,
      scheduler: life.scheduler,
      random: this.random,
      limits: world.settings.limits,
      timing: world.settings.timing,
      events: life.events,
      listener: {
        applied: (header, batch) => storage.snapshotter.applied(header, batch.length),
        leaderChanged: (leader, term) => world.trace.add(this.name, `leader of term ${term}: ${world.nameOf(leader)}`),
        configurationChanged: () => undefined,
        fatal: (error) => this.fatal(life, error),
      },
    });
  }

  private snapshotTransfer(
    life: ProcessLife,
    storage: GroupStorage,
    call: (to: NodeId, group: number, method: number, body: Buffer, deadlineMs: number) => Promise<Buffer>,
  ): SnapshotTransfer {
    const { snapshotBegin: begin, snapshotChunk: chunk, snapshotFinish: finish } = PEER_CALLS;
    return new SnapshotTransfer({
      id: this.id,
      group: FIRST_GROUP,
      store: storage.snapshots,
      calls: { begin, chunk, finish },
      call,
      step: (message) => this.receive(message),
      events: life.events,
    });
  }

  private servedCalls(life: ProcessLife, writes: WritePath, transfer: SnapshotTransfer): Map<number, CallHandler> {
    const left = (deadline: number): number => Math.max(1, deadline - life.clock.monotonicMillis());
    return new Map<number, CallHandler>([
      [PEER_CALLS.submit, (call) => writes.serve(call.body, left(call.deadline))],
      [PEER_CALLS.snapshotBegin, (call) => transfer.begin(call)],
      [PEER_CALLS.snapshotChunk, (call) => transfer.chunk(call)],
      [PEER_CALLS.snapshotFinish, (call) => transfer.finish(call)],
    ]);
  }

  private openStable(): Promise<LevelStableStore> {
    const files = this.disk;
    return LevelStableStore.open({ dataDir: DATA_DIR, files, openKeyValues: () => FileKeyValues.open(files) });
  }

  /** One operation on the disk takes its time, and may fail. */
  private async operation(life: ProcessLife, operation: FileOperation, path: string): Promise<void> {
    await life.sleep(1 + this.random.below(this.diskMicros));
    if (!this.failNextSync || !(operation === 'datasync' || operation === 'sync')) return;
    this.failNextSync = false;
    this.world.counts.add('failed fsync');
    this.world.trace.add(this.name, `a sync of ${path} fails`);
    this.disk.inode(path).dropUnsynced();
    throw new FileSystemError(operation, path, 'EIO');
  }

  /** The program ended itself: right where its disk failed, and a bug anywhere else. */
  private fatal(life: ProcessLife, error: unknown): void {
    if (!life.isAlive || this.life !== life) return;
    this.world.trace.add(this.name, `ends itself: ${error instanceof Error ? error.message : String(error)}`);
    if (isDiskFault(error)) this.losePower('nothing');
    else this.world.fail(error);
  }
}

function isDiskFault(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return (error instanceof FileSystemError && error.code === 'EIO') || isDiskFault(error.cause);
}
