import type { NodeId } from '../raft/core';
import type { EventLog } from '../raft/replica/environment';
import type { Replica } from '../raft/replica/replica';
import type { StateCheck } from './group-history';
import { Quarantine } from './quarantine';
import { StateComparison } from './state-comparison';

export interface StateWatchOptions {
  readonly replica: Pick<Replica, 'status' | 'isLeader'>;
  readonly checks: () => readonly StateCheck[];
  readonly call: (to: NodeId, method: number, body: Buffer) => Promise<Buffer>;
  readonly nameOf: (id: NodeId) => string;
  /** Begins to hand leadership over, to whoever is best. */
  readonly handOver: () => Promise<void>;
  /** Keeps the state from getting to the disk. */
  readonly forbidSnapshots: (why: string) => void;
  readonly events: EventLog;
}

/** Compares the state of a node with that of its peers, and shuts the node off when it is wrong. */
export class StateWatch {
  readonly quarantine = new Quarantine();
  readonly comparison: StateComparison;

  constructor(private readonly options: StateWatchOptions) {
    const { replica, checks, call, nameOf, events, forbidSnapshots } = options;
    const diverged = (why: string): void => {
      events.error({ why }, 'the state of this node is wrong: it serves nothing any more; see docs/operations.md');
      forbidSnapshots(why);
      this.quarantine.enter(why);
    };
    this.comparison = new StateComparison({ replica, checks, call, nameOf, events, diverged });
  }

  /** To be called every second or so. Never rejects. */
  async step(): Promise<void> {
    await this.comparison.step();
    if (this.quarantine.why === undefined || !this.options.replica.isLeader) return;
    try {
      // It votes and keeps the log, which are right, and may be elected; then it leads for as long as it takes to hand over.
      await this.options.handOver();
    } catch (error) {
      this.options.events.warn(
        { err: error },
        'this node is shut off and leads: leadership was not handed over; trying again',
      );
    }
  }
}
