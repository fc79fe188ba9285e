import type { Configuration, HardState, Message, NodeId } from '../../../src/raft/core';
import { systemClock, systemRandom, systemScheduler } from '../../../src/raft/replica/environment';
import { DEFAULT_REPLICA_LIMITS, type ReplicaLimits } from '../../../src/raft/replica/limits';
import { Replica } from '../../../src/raft/replica/replica';
import { ListMachine } from '../../support/list-machine';
import { MemoryLog } from '../../support/memory-log';

export interface Member {
  readonly id: NodeId;
  readonly replica: Replica;
  readonly machine: ListMachine;
  readonly log: MemoryLog;
}

const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

/** Three replicas in one process over a network that can be cut; everything but log and network is what a node runs. */
export class ReplicaCluster {
  readonly members: Member[] = [];
  readonly cut = new Set<NodeId>();
  readonly failures: unknown[] = [];

  constructor(size: number, limits: Partial<ReplicaLimits> = {}) {
    const ids = Array.from({ length: size }, (_, at) => String(at + 1).padStart(16, '0'));
    const configuration: Configuration = {
      voters: ids,
      votersOutgoing: [],
      learners: [],
      servers: ids.map((id) => ({ id, name: `node-${Number(id)}`, rpcAddr: `127.0.0.1:${Number(id)}` })),
    };
    for (const id of ids) this.members.push(this.member(id, configuration, { ...DEFAULT_REPLICA_LIMITS, ...limits }));
    for (const { replica } of this.members) replica.start();
  }

  private member(id: NodeId, configuration: Configuration, limits: ReplicaLimits): Member {
    const log = new MemoryLog();
    const machine = new ListMachine();
    const saved: HardState[] = [];
    const replica = new Replica({
      group: 0,
      id,
      log,
      machine,
      hardState: { term: 0, vote: '' },
      snapshotMeta: { index: 0, term: 0, configuration },
      configurations: [],
      saveHardState: (hardState) => {
        saved.push(hardState);
        return new Promise((resolve) => setImmediate(resolve));
      },
      lossSettled: () => Promise.resolve(),
      send: (to, message) => this.deliver(id, to, message),
      snapshots: {
        send: () => Promise.resolve(undefined),
        install: () => Promise.reject(new Error('no snapshots here')),
      },
      clock: systemClock,
      scheduler: systemScheduler,
      random: systemRandom,
      limits,
      timing: { tickMillis: 5, electionTicks: [20, 40], heartbeatTicks: 4 },
      events: quiet,
      listener: {
        applied: () => undefined,
        leaderChanged: () => undefined,
        configurationChanged: () => undefined,
        fatal: (error) => this.failures.push(error),
      },
    });
    return { id, replica, machine, log };
  }

  private deliver(from: NodeId, to: NodeId, message: Message): void {
    if (this.cut.has(from) || this.cut.has(to)) return;
    const target = this.members.find((member) => member.id === to);
    setImmediate(() => target?.replica.receive(message));
  }

  async leader(): Promise<Member> {
    return this.until('one leader', () => {
      const leaders = this.members.filter((member) => !this.cut.has(member.id) && member.replica.isLeader);
      return leaders.length === 1 ? leaders[0] : undefined;
    });
  }

  /** Polls until there is an answer; fails with what was waited for after the deadline. */
  async until<T>(what: string, look: () => T | undefined, deadlineMs = 10_000): Promise<T> {
    const end = Date.now() + deadlineMs;
    for (;;) {
      if (this.failures.length > 0) throw this.failures[0];
      const found = look();
      if (found !== undefined) return found;
      if (Date.now() > end) throw new Error(`Waited ${deadlineMs} ms in vain for ${what}.`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  async stop(): Promise<void> {
    for (const { replica } of this.members) await replica.stop();
  }
}
