import type { BatchHeader } from '../../log/batch';
import type { LogStore } from '../../log/log-store';
import type { Configuration, HardState, LogPosition, Message, NodeId, SnapshotMeta } from '../core';
import type { ConfigurationAt } from './entries';
import type { Clock, EventLog, Random, Scheduler } from './environment';
import type { ReplicaLimits } from './limits';
import type { StateMachine } from './state-machine';

/** Counted in ticks of `tickMillis`. */
export interface ReplicaTiming {
  readonly tickMillis: number;
  readonly electionTicks: readonly [number, number];
  readonly heartbeatTicks: number;
}

/** How a replica moves whole snapshots; see SnapshotTransfer and Snapshotter. */
export interface SnapshotMover {
  /** Sends the newest snapshot; resolves to its index, or to undefined where that failed. */
  send(to: NodeId, term: number): Promise<number | undefined>;
  /** Replaces log and state by the received snapshot `meta` stands for. */
  install(meta: SnapshotMeta): Promise<void>;
}

export interface ReplicaOptions {
  readonly group: number;
  readonly id: NodeId;
  readonly log: LogStore;
  readonly machine: StateMachine;
  readonly hardState: HardState;
  /** The snapshot that `machine` was restored from. */
  readonly snapshotMeta: SnapshotMeta;
  readonly configurations: readonly ConfigurationAt[];
  readonly mayHaveLost?: LogPosition;
  /** Durable when it resolves. */
  saveHardState(hardState: HardState): Promise<void>;
  lossSettled(): Promise<void>;
  /** Whether the disk has no room for anything new: then this leader proposes nothing for its callers. */
  diskFull?(): boolean;
  send(to: NodeId, message: Message): void;
  readonly snapshots: SnapshotMover;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly limits: ReplicaLimits;
  readonly timing: ReplicaTiming;
  readonly events: EventLog;
  readonly listener: ReplicaListener;
}

export interface ReplicaListener {
  /** After the state machine took a batch, in order. */
  applied(header: BatchHeader, batch: Buffer): void;
  /** Who leads has changed, as far as this node knows; '' nobody. */
  leaderChanged(leader: NodeId, term: number): void;
  /** The configuration in force has changed. */
  configurationChanged(configuration: Configuration): void;
  /** Nothing can be trusted from here on: the process has to end. */
  fatal(error: unknown): void;
}
