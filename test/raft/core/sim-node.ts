import {
  EntryKind,
  RaftCore,
  type Configuration,
  type CoreOptions,
  type Entry,
  type HardState,
  type LogPosition,
  type Message,
  type NodeId,
  type Ready,
  type SnapshotMeta,
  type StorageAck,
} from '../../../src/raft/core';
import { MemoryLog, sealForTest } from './memory-log';

/** What survives a crash. */
export interface Disk {
  hardState: HardState;
  snapshot: SnapshotMeta;
  log: MemoryLog;
  /** What a cut at start-up may have taken, until that is settled. */
  lost?: LogPosition;
}

export function freshDisk(configuration: Configuration): Disk {
  return {
    hardState: { term: 0, vote: '' },
    snapshot: { index: 0, term: 0, configuration },
    log: new MemoryLog({ index: 0, term: 0 }),
  };
}

/** What the world around one node does for it; how long things take is the world's to say. */
export interface World {
  now(): number;
  send(m: Message): void;
  sendSnapshot(from: SimNode, to: NodeId): void;
  load(node: SimNode, peer: NodeId, from: number): void;
  storageDelay(): number;
  applyDelay(): number;
  options(id: NodeId): Pick<CoreOptions, 'random'> & Partial<CoreOptions>;
  entryAppended(node: SimNode, entry: Entry): void;
  entryApplied(node: SimNode, entry: Entry): void;
  persisted(node: SimNode): void;
  ready(node: SimNode, ready: Ready): void;
}

interface Write {
  readonly due: number;
  readonly truncateFrom: number | undefined;
  readonly entries: readonly Entry[];
  readonly hardState: HardState | undefined;
  readonly messages: readonly Message[];
  readonly ack: StorageAck | undefined;
  readonly install: SnapshotMeta | undefined;
}

const DEFAULTS = {
  electionTicks: [10, 20],
  heartbeatTicks: 2,
  maxInflightMessages: 8,
  maxInflightBytes: 4096,
  maxUncommittedBytes: 4096,
  maxMessageBytes: 256,
} as const;

/** A replica in miniature: does with each Ready what the contract of Ready says, on a disk that is slow and can be lost. */
export class SimNode {
  private running: { core: RaftCore; log: MemoryLog } | undefined;
  private writes: Write[] = [];
  private applying: { due: number; to: number }[] = [];
  private appliedTo = 0;

  constructor(
    readonly id: NodeId,
    readonly disk: Disk,
    private readonly world: World,
  ) {
    this.start();
  }

  get isUp(): boolean {
    return this.running !== undefined;
  }

  get core(): RaftCore {
    if (!this.running) throw new Error(`Node ${this.id} is down.`);
    return this.running.core;
  }

  /** The log as it is now, durable or not. */
  get log(): MemoryLog {
    if (!this.running) throw new Error(`Node ${this.id} is down.`);
    return this.running.log;
  }

  start(): void {
    const log = this.disk.log.copy();
    const configurations = log.entries.flatMap((stored) =>
      stored.config && stored.index > this.disk.snapshot.index
        ? [{ index: stored.index, configuration: stored.config }]
        : [],
    );
    this.writes = [];
    this.applying = [];
    this.appliedTo = this.disk.snapshot.index;
    const core = new RaftCore({
      ...DEFAULTS,
      id: this.id,
      log,
      hardState: this.disk.hardState,
      snapshotMeta: this.disk.snapshot,
      configurations,
      seal: sealForTest,
      ...(this.disk.lost ? { mayHaveLost: this.disk.lost } : {}),
      ...this.world.options(this.id),
    });
    this.running = { core, log };
    this.pump();
  }

  /** Power is lost. Of what was not synced, the oldest `written` writes happen to be on the disk nevertheless. */
  crash(written = 0): void {
    for (const write of this.writes.slice(0, written)) {
      if (write.install) break;
      this.persist(write);
    }
    this.running = undefined;
  }

  /** While it is down, the end of its log is damaged: what was acknowledged there is gone, and the start will see it. */
  damage(entries: number): void {
    const { log, snapshot } = this.disk;
    const from = Math.max(log.lastIndex - entries + 1, snapshot.index + 1, log.firstIndex);
    if (from > log.lastIndex) return;
    this.disk.lost = { index: log.lastIndex, term: log.termAt(log.lastIndex) ?? 0 };
    log.truncateSuffix(from);
  }

  /** Calls the core and does everything that follows from it. */
  call<T>(use: (core: RaftCore) => T): T {
    const result = use(this.core);
    this.pump();
    return result;
  }

  /** Finishes what is due on the disk and in the state machine. */
  work(): void {
    for (;;) {
      const write = this.writes[0];
      if (!this.isUp || write === undefined || write.due > this.world.now()) break;
      this.writes.shift();
      this.finish(write);
    }
    for (;;) {
      const next = this.applying[0];
      if (!this.isUp || next === undefined || next.due > this.world.now()) break;
      this.applying.shift();
      this.apply(next.to);
    }
  }

  /** Takes a snapshot of what is applied and drops the log below it, but for the last `keep` entries. */
  compact(keep: number): void {
    const index = this.core.status().applied;
    const term = this.log.termAt(index);
    if (term === undefined || index <= this.disk.snapshot.index) return;
    this.disk.snapshot = { index, term, configuration: this.core.configurationAt(index) };
    const upTo = index - keep;
    if (upTo < this.log.firstIndex || upTo > this.disk.log.lastIndex) return;
    this.log.truncatePrefix(upTo);
    this.disk.log.truncatePrefix(upTo);
  }

  private pump(): void {
    for (;;) {
      const ready = this.running?.core.ready();
      if (ready === undefined) return;
      this.perform(ready);
    }
  }

  private perform(ready: Ready): void {
    if (ready.truncateFrom !== undefined) this.log.truncateSuffix(ready.truncateFrom);
    for (const entry of ready.entries) {
      this.log.append(entry);
      this.world.entryAppended(this, entry);
    }
    for (const message of ready.messages) this.world.send(message);
    this.enqueue(ready);
    if (ready.lossSettled) delete this.disk.lost;
    for (const { to } of ready.snapshotsToSend) this.world.sendSnapshot(this, to);
    for (const { peer, from } of ready.reads) this.world.load(this, peer, from);
    if (ready.committed) {
      this.applying.push({ due: this.world.now() + this.world.applyDelay(), to: ready.committed.to });
    }
    this.world.ready(this, ready);
  }

  private enqueue(ready: Ready): void {
    if (ready.ack === undefined && ready.messagesAfterSync.length === 0 && ready.installSnapshot === undefined) return;
    const due = Math.max(this.world.now() + this.world.storageDelay(), this.writes.at(-1)?.due ?? 0);
    this.writes.push({
      due,
      truncateFrom: ready.truncateFrom,
      entries: ready.entries,
      hardState: ready.hardState,
      messages: ready.messagesAfterSync,
      ack: ready.ack,
      install: ready.installSnapshot,
    });
  }

  private finish(write: Write): void {
    this.persist(write);
    for (const message of write.messages) this.world.send(message);
    const { ack, install } = write;
    if (ack) this.core.appended(ack);
    if (install) this.install(install);
    this.pump();
  }

  private persist(write: Write): void {
    if (write.truncateFrom !== undefined) this.disk.log.truncateSuffix(write.truncateFrom);
    for (const entry of write.entries) this.disk.log.append(entry);
    if (write.hardState) this.disk.hardState = write.hardState;
    this.world.persisted(this);
  }

  private install(meta: SnapshotMeta): void {
    this.disk.snapshot = meta;
    this.disk.log.reset(meta);
    this.log.reset(meta);
    this.applying = [];
    this.appliedTo = meta.index;
    this.core.snapshotInstalled(meta);
  }

  private apply(to: number): void {
    while (this.appliedTo < to) {
      const entry = this.log.at(this.appliedTo + 1);
      if (!entry)
        throw new Error(`Node ${this.id} was to apply entry ${this.appliedTo + 1}, which its log does not have.`);
      this.appliedTo = entry.index;
      this.world.entryApplied(this, entry);
    }
    this.core.applied(to);
    this.pump();
  }
}

/** What a client put into the log, apart from the core's own entries. */
export function isProposal(entry: Entry): boolean {
  return entry.kind !== EntryKind.noop && entry.kind !== EntryKind.configuration;
}
