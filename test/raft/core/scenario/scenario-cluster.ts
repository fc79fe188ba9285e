import {
  EMPTY_CONFIGURATION,
  EntryKind,
  RaftCore,
  type Configuration,
  type CoreOptions,
  type HardState,
  type Message,
  type NodeId,
  type Ready,
  type SnapshotMeta,
  type StorageAck,
} from '../../../../src/raft/core';
import { id, MemoryLog, sealForTest } from '../memory-log';

/** What one Ready gave to storage: done when the script says so, in order. */
interface Write {
  readonly ready: Ready;
  readonly ack: StorageAck | undefined;
}

/** What survives a crash. */
interface Disk {
  hardState: HardState;
  snapshot: SnapshotMeta;
  log: MemoryLog;
}

/** One node whose every step (ready, storage, state machine, network) the script takes by itself. */
export class ScenarioNode {
  core!: RaftCore;
  log!: MemoryLog;
  isUp = true;
  /** Handed out and not written yet. */
  readonly writes: Write[] = [];
  /** Handed out and not applied yet: ends of ranges. */
  readonly applying: number[] = [];
  /** Peers that wait for a snapshot, or for entries that are not in memory. */
  readonly snapshotsFor: NodeId[] = [];
  readonly loads: { readonly peer: NodeId; readonly from: number }[] = [];
  /** Values of proposals in the order in which they were applied. */
  applied: string[] = [];
  private appliedTo = 0;

  constructor(
    readonly number: number,
    private readonly disk: Disk,
    private readonly options: Partial<CoreOptions>,
  ) {
    this.start();
  }

  static fresh(number: number, configuration: Configuration, options: Partial<CoreOptions>): ScenarioNode {
    const snapshot = { index: 0, term: 0, configuration };
    return new ScenarioNode(
      number,
      { hardState: { term: 0, vote: '' }, snapshot, log: new MemoryLog(snapshot) },
      options,
    );
  }

  get id(): NodeId {
    return id(this.number);
  }

  /** Power is lost: what was not written is gone, and so is everything in memory. */
  crash(): void {
    this.isUp = false;
    for (const list of [this.writes, this.applying, this.snapshotsFor, this.loads]) list.length = 0;
  }

  start(): void {
    this.isUp = true;
    this.log = this.disk.log.copy();
    this.applied = [];
    this.appliedTo = this.disk.snapshot.index;
    this.core = new RaftCore({
      id: this.id,
      log: this.log,
      hardState: this.disk.hardState,
      snapshotMeta: this.disk.snapshot,
      configurations: this.log.entries.flatMap(({ index, config }) =>
        config ? [{ index, configuration: config }] : [],
      ),
      electionTicks: [10, 20],
      heartbeatTicks: 3,
      // Each node waits longer than the one before: nobody campaigns unless the script lets it.
      random: { next: () => this.number / 10 },
      maxInflightMessages: 8,
      maxInflightBytes: 1 << 20,
      maxUncommittedBytes: 1 << 20,
      maxMessageBytes: 1 << 20,
      seal: sealForTest,
      ...this.options,
    });
  }

  /** One Ready: what is due at once is done, and what storage and the state machine have to do waits. */
  takeReady(send: (message: Message) => void): Ready | undefined {
    const ready = this.core.ready();
    if (!ready) return undefined;
    if (ready.truncateFrom !== undefined) this.log.truncateSuffix(ready.truncateFrom);
    for (const entry of ready.entries) this.log.append(entry);
    ready.messages.forEach(send);
    if (ready.ack || ready.messagesAfterSync.length > 0 || ready.installSnapshot) {
      this.writes.push({ ready, ack: ready.ack });
    }
    if (ready.committed) this.applying.push(ready.committed.to);
    this.snapshotsFor.push(...ready.snapshotsToSend.map(({ to }) => to));
    this.loads.push(...ready.reads);
    return ready;
  }

  /** The oldest write becomes durable; then what waited for it happens. False where there is none. */
  writeOne(send: (message: Message) => void): boolean {
    const write = this.writes.shift();
    if (!write) return false;
    const { ready, ack } = write;
    if (ready.truncateFrom !== undefined) this.disk.log.truncateSuffix(ready.truncateFrom);
    for (const entry of ready.entries) this.disk.log.append(entry);
    if (ready.hardState) this.disk.hardState = ready.hardState;
    ready.messagesAfterSync.forEach(send);
    if (ack) this.core.appended(ack);
    if (ready.installSnapshot) this.install(ready.installSnapshot);
    return true;
  }

  applyOne(): boolean {
    const to = this.applying.shift();
    if (to === undefined) return false;
    for (let index = this.appliedTo + 1; index <= to; index += 1) {
      const entry = this.log.at(index);
      if (!entry) throw new Error(`Node ${this.number} is to apply entry ${index}, which it does not have.`);
      if (entry.kind === EntryKind.records) this.applied.push(entry.data.toString('latin1').split(':')[1] ?? '');
    }
    this.appliedTo = to;
    this.core.applied(to);
    return true;
  }

  /** Takes a snapshot of what is applied, and drops the log under it. */
  compact(): SnapshotMeta {
    const index = this.appliedTo;
    const term = this.log.termAt(index);
    if (term === undefined) throw new Error(`Node ${this.number} has no entry ${index} to take a snapshot at.`);
    this.disk.snapshot = { index, term, configuration: this.core.configurationAt(index) };
    if (index >= this.log.firstIndex) this.log.truncatePrefix(index);
    if (index >= this.disk.log.firstIndex) this.disk.log.truncatePrefix(index);
    return this.disk.snapshot;
  }

  /** Entries under this one are not in memory any more: a peer that needs them waits for a load. */
  forgetUnder(index: number): void {
    this.log.inMemoryFrom = index;
  }

  get snapshot(): SnapshotMeta {
    return this.disk.snapshot;
  }

  private install(meta: SnapshotMeta): void {
    this.disk.snapshot = meta;
    this.disk.log.reset(meta);
    this.log.reset(meta);
    this.applying.length = 0;
    this.appliedTo = meta.index;
    this.core.snapshotInstalled(meta);
  }
}

/** Nodes and the messages between them, which move only when the script says so. */
export class ScenarioCluster {
  readonly nodes = new Map<NodeId, ScenarioNode>();
  /** On their way, oldest first. */
  network: Message[] = [];

  add(
    number: number,
    configuration: Configuration = EMPTY_CONFIGURATION,
    options: Partial<CoreOptions> = {},
  ): ScenarioNode {
    if (this.nodes.has(id(number))) throw new Error(`There is a node ${number} already.`);
    const node = ScenarioNode.fresh(number, configuration, options);
    this.nodes.set(node.id, node);
    return node;
  }

  node(number: number): ScenarioNode {
    const node = this.nodes.get(id(number));
    if (!node) throw new Error(`There is no node ${number}.`);
    return node;
  }

  readonly send = (message: Message): void => {
    this.network.push(message);
  };

  /** Takes the messages out of the network that `which` is true for, in order. */
  take(which: (message: Message) => boolean): Message[] {
    const taken = this.network.filter(which);
    this.network = this.network.filter((message) => !which(message));
    return taken;
  }
}
