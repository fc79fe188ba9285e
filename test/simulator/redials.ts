import type { NodeId } from '../../src/raft/core';
import type { SeededRandom } from '../support/seeded-random';
import type { FaultCounts } from './fault-counts';
import type { Network } from './network';
import type { SimNode } from './sim-node';
import { MILLISECOND, type VirtualTime } from './virtual-time';

const FIRST_WAIT = 50 * MILLISECOND;
const MOST_DIALS = 6;

/**
 * What the others notice of a process that was killed while its machine runs on: their connections break, they dial again,
 * and are refused, over and over, until somebody listens there. A machine without power, or one that is cut off, refuses
 * nothing.
 */
export class Redials {
  constructor(
    private readonly time: VirtualTime,
    private readonly network: Network,
    private readonly random: SeededRandom,
    private readonly counts: FaultCounts,
  ) {}

  processEnded(gone: SimNode, others: readonly SimNode[]): void {
    for (const other of others) if (other !== gone) this.dial(other, gone, gone.id, 0);
  }

  private dial(from: SimNode, gone: SimNode, id: NodeId, dials: number): void {
    const wait = dials === 0 ? 0 : FIRST_WAIT * 2 ** (dials - 1);
    this.time.after(wait / 2 + this.random.below(wait / 2 + MILLISECOND), () => {
      if (gone.life || !from.life) return;
      const answered = this.network.passes(from.name, gone.name) && this.network.passes(gone.name, from.name);
      if (answered) {
        this.counts.add('connection refused');
        from.refused(id);
      }
      if (dials + 1 < MOST_DIALS) this.dial(from, gone, id, dials + 1);
    });
  }
}
