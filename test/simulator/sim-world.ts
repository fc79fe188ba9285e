import type { GroupStorage } from '../../src/node/group-storage';
import type { LedgerMachine } from '../../src/node/ledger-machine';
import type { Message, NodeId } from '../../src/raft/core';
import type { ReplicaLimits } from '../../src/raft/replica/limits';
import type { ReplicaTiming } from '../../src/raft/replica/replica-options';
import type { StateMachine } from '../../src/raft/replica/state-machine';
import type { Calls } from './calls';
import type { FaultCounts } from './fault-counts';
import type { Network } from './network';
import type { SimNode } from './sim-node';
import type { Trace } from './trace';
import type { VirtualTime } from './virtual-time';

/** What a run draws once, for all its nodes. */
export interface NodeSettings {
  readonly timing: ReplicaTiming;
  readonly limits: ReplicaLimits;
  readonly storage: {
    readonly segmentBytes: number;
    readonly snapshotBytes: number;
    readonly retentionBytes: number | undefined;
  };
}

/** A simulated cluster as one of its nodes sees it. */
export interface SimWorld {
  readonly time: VirtualTime;
  readonly trace: Trace;
  readonly calls: Calls;
  readonly network: Network;
  /** Machines that stand by included. */
  readonly nodes: readonly SimNode[];
  readonly counts: FaultCounts;
  readonly settings: NodeSettings;
  readonly clusterId: string;
  /** Nodes that did something in this step; they are checked at its end. */
  readonly touched: Set<SimNode>;
  nameOf(id: NodeId): string;
  /** The machine has a disk with an identity. */
  named(node: SimNode): void;
  /** To whoever is at `address`, if that is the one that the message is for. */
  send(message: Message, address: string): void;
  /** The machine as a replica is to see it, so that every batch it applies is checked. */
  observed(node: SimNode, machine: LedgerMachine): StateMachine;
  /** A process has read its disk and is about to take part. */
  started(node: SimNode, storage: GroupStorage): void;
  /** A process was killed, and its machine runs on. */
  processEnded(node: SimNode): void;
  /** Its disk was made to lose or change something, and it does not have everything again yet. */
  isHurt(node: SimNode): boolean;
  /** Something happened that must not: the run ends. */
  fail(error: unknown): void;
}
