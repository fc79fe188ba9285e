import type { BatchHeader } from '../../../src/log/batch';
import { encodeValues } from '../../../src/log/chunk';
import type { Configuration, HardState, Message, NodeId, SnapshotMeta } from '../../../src/raft/core';
import { DEFAULT_REPLICA_LIMITS, type ReplicaLimits } from '../../../src/raft/replica/limits';
import type { Applied } from '../../../src/raft/replica/proposal-queue';
import { Replica } from '../../../src/raft/replica/replica';
import { recordedEvents } from '../../node/recorded-events';
import { MemoryLog } from '../../support/memory-log';
import { ManualClock } from './manual-world';

export const SELF: NodeId = '00000000000000a1';
export const B: NodeId = '00000000000000b2';
export const C: NodeId = '00000000000000c3';

/** A disk that answers when it is told to, in the order in which it was asked. */
export class SlowDisk {
  isSlow = false;
  private readonly waiting: { resolve: () => void; reject: (error: unknown) => void }[] = [];

  get pending(): number {
    return this.waiting.length;
  }

  async write(): Promise<void> {
    if (!this.isSlow) return;
    await new Promise<void>((resolve, reject) => this.waiting.push({ resolve, reject }));
  }

  release(): void {
    this.isSlow = false;
    for (const { resolve } of this.waiting.splice(0)) resolve();
  }

  fail(error: unknown): void {
    for (const { reject } of this.waiting.splice(0)) reject(error);
  }
}

class SlowLog extends MemoryLog {
  constructor(private readonly disk: SlowDisk) {
    super();
  }

  override async sync(): Promise<number> {
    await this.disk.write();
    return super.sync();
  }
}

/** One replica of a cluster whose others are played by the test; time passes when the test says so. */
export class LoneReplica {
  readonly logDisk = new SlowDisk();
  readonly voteDisk = new SlowDisk();
  readonly log = new SlowLog(this.logDisk);
  readonly clock = new ManualClock();
  readonly events = recordedEvents();
  readonly sent: Message[] = [];
  readonly saved: HardState[] = [];
  readonly applied: number[] = [];
  readonly failures: unknown[] = [];
  readonly snapshotsSent: NodeId[] = [];
  /** The index of the snapshot that gets through; undefined: it does not. */
  snapshotReaches: number | undefined;
  install: (meta: SnapshotMeta) => Promise<void> = async () => undefined;
  diskFull = false;
  readonly replica: Replica;
  private readonly timers = new Set<{ readonly millis: number; due: number; readonly task: () => void }>();

  constructor(others: readonly NodeId[], limits: Partial<ReplicaLimits> = {}) {
    const voters = [SELF, ...others];
    const servers = voters.map((id) => ({ id, name: id, rpcAddr: `127.0.0.1:${Number.parseInt(id.slice(-2), 16)}` }));
    const configuration: Configuration = { voters, votersOutgoing: [], learners: [], servers };
    this.replica = new Replica({
      group: 0,
      id: SELF,
      log: this.log,
      machine: {
        apply: (_batch, header: BatchHeader) => Buffer.alloc(64 * header.count),
        snapshot: () => [],
        restore: async () => undefined,
        flush: async () => undefined,
      },
      hardState: { term: 0, vote: '' },
      snapshotMeta: { index: 0, term: 0, configuration },
      configurations: [],
      saveHardState: async (hardState) => {
        await this.voteDisk.write();
        this.saved.push(hardState);
      },
      lossSettled: async () => undefined,
      diskFull: () => this.diskFull,
      send: (_to, message) => void this.sent.push(message),
      snapshots: {
        send: async (to) => {
          this.snapshotsSent.push(to);
          return this.snapshotReaches;
        },
        install: (meta) => this.install(meta),
      },
      clock: this.clock,
      scheduler: {
        defer: (task) => void setImmediate(task),
        every: (millis, task) => {
          const timer = { millis, due: this.clock.monotonic + millis, task };
          this.timers.add(timer);
          return () => void this.timers.delete(timer);
        },
      },
      random: { next: () => 0 },
      limits: { ...DEFAULT_REPLICA_LIMITS, ...limits },
      timing: { tickMillis: 10, electionTicks: [10, 20], heartbeatTicks: 2 },
      events: this.events,
      listener: {
        applied: (header) => void this.applied.push(header.index),
        leaderChanged: () => undefined,
        configurationChanged: () => undefined,
        fatal: (error) => void this.failures.push(error),
      },
    });
    this.replica.start();
  }

  ticks(count: number): void {
    for (let at = 0; at < count; at += 1) {
      this.clock.monotonic += 10;
      this.clock.wall += 10_000;
      for (const timer of this.timers) {
        if (timer.due > this.clock.monotonic) continue;
        timer.due += timer.millis;
        timer.task();
      }
    }
  }

  /** Everything that only waits for a turn of the event loop happens. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  }

  sentOf<T extends Message['type']>(type: T): Extract<Message, { type: T }>[] {
    return this.sent.filter((message): message is Extract<Message, { type: T }> => message.type === type);
  }

  /** Is elected by the other voters, and its no-op is committed by the first of them. */
  async lead(...others: readonly NodeId[]): Promise<void> {
    this.ticks(10);
    await this.settle();
    const { term } = this.replica.status();
    for (const from of others) this.receive({ type: 'preVoteResp', from, term: term + 1, reject: false });
    await this.settle();
    for (const from of others) this.receive({ type: 'voteResp', from, term: term + 1, reject: false });
    await this.settle();
    for (const from of others) this.acknowledge(from);
    await this.settle();
    if (!this.replica.isLeader) throw new Error('The replica was not elected.');
  }

  /** A follower has everything that the log has now. */
  acknowledge(from: NodeId): void {
    const term = this.replica.status().term;
    const rest = { reject: false, index: this.log.lastIndex, hintIndex: 0, hintTerm: 0, lost: false };
    this.receive({ type: 'appendResp', from, term, ...rest });
  }

  receive(message: Unaddressed<Message>): void {
    this.replica.receive({ ...message, to: SELF });
  }

  submit(value: string, deadlineMillis = 1_000): Promise<Applied> {
    return this.replica.submit(0, encodeValues(0, [Buffer.from(value)]), 1, deadlineMillis);
  }

  async stop(): Promise<void> {
    this.logDisk.release();
    this.voteDisk.release();
    await this.replica.stop();
  }
}

type Unaddressed<T> = T extends Message ? Omit<T, 'to'> : never;
