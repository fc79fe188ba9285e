import type { SeededRandom } from '../support/seeded-random';
import type { DamageLedger } from './damage-ledger';
import type { FaultCounts } from './fault-counts';
import type { Network } from './network';
import type { Requests } from './requests';
import type { SimNode } from './sim-node';
import type { NodeSettings } from './sim-world';
import type { Trace } from './trace';
import type { VirtualTime } from './virtual-time';

/** What faults can be done to. */
export interface FaultTargets {
  readonly time: VirtualTime;
  readonly trace: Trace;
  readonly counts: FaultCounts;
  readonly network: Network;
  readonly requests: Requests;
  /** Machines that stand by included. */
  readonly nodes: readonly SimNode[];
  readonly damage: DamageLedger;
  readonly settings: NodeSettings;
  /** Whether `node` is in a configuration that may be in force somewhere. */
  isMember(node: SimNode): boolean;
}

/** Chooses who is hit, and says so. */
export class Aim {
  constructor(
    protected readonly targets: FaultTargets,
    protected readonly random: SeededRandom,
  ) {}

  protected any<T>(values: readonly T[]): T | undefined {
    return values[this.random.below(values.length)];
  }

  protected get inService(): SimNode[] {
    return this.targets.nodes.filter(({ duty }) => duty !== 'spare');
  }

  protected get up(): SimNode[] {
    return this.targets.nodes.filter((node) => node.life);
  }

  protected leaders(): SimNode[] {
    return this.up.filter((node) => node.running?.replica.isLeader);
  }

  /** The leader more often than its share, since most goes wrong there. */
  protected victim(): SimNode | undefined {
    const leaders = this.leaders();
    return leaders.length > 0 && this.random.chance(0.4) ? this.any(leaders) : this.any(this.up);
  }

  protected report(who: string, kind: string): void {
    this.targets.counts.add(kind);
    this.targets.trace.add(who, kind);
  }
}
