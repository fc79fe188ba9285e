import type { SeededRandom } from '../support/seeded-random';
import type { FaultCounts } from './fault-counts';
import type { Network } from './network';
import type { SimNode } from './sim-node';
import type { Trace } from './trace';
import { violated } from './violation';

interface Targets {
  readonly nodes: readonly SimNode[];
  readonly network: Network;
  readonly counts: FaultCounts;
  readonly trace: Trace;
}

/** Seconds: for elections after the links are cut; and how long nothing may change then. */
export const SETTLING_SECONDS = 2;
export const STEADY_SECONDS = 2;

/**
 * A minority whose links work in one direction only or to some peers only, for good. Those who hear each other have to
 * settle on a leader and keep it: neither a leader that hears nobody nor a node that hears no leader may disturb them
 * (sections 4.2.3, 6.2 and 9.6 of the dissertation; Cloudflare lost its control plane to such a switch in 2020).
 */
export class HalfConnected {
  private readonly core: readonly SimNode[];
  /** A leader whom a majority hears, and who hears it, keeps its place from the first moment on. */
  private readonly leaderInCore: boolean;
  private settledTerm: number;

  constructor(
    private readonly targets: Targets,
    random: SeededRandom,
  ) {
    const { nodes, counts, trace } = targets;
    const leader = nodes.find(({ running }) => running?.replica.isLeader);
    const odd = new Set<SimNode>(leader && random.chance(0.35) ? [leader] : []);
    while (odd.size < Math.floor((nodes.length - 1) / 2)) odd.add(nodes[random.below(nodes.length)]!);
    this.core = nodes.filter((node) => !odd.has(node));
    this.leaderInCore = leader !== undefined && !odd.has(leader);
    this.settledTerm = this.newestTerm();
    for (const node of odd) {
      counts.add('half connected for good');
      trace.add(node.name, this.cutLinks(node, leader, random));
    }
  }

  /** @returns what the node does not hear or is not heard by, as a clause */
  private cutLinks(node: SimNode, leader: SimNode | undefined, random: SeededRandom): string {
    const { network, nodes } = this.targets;
    // Who does not hear the leader and is heard by all others is the one that could depose it.
    const mode = node !== leader && random.chance(0.5) ? 3 : random.below(3);
    for (const peer of nodes) {
      if (peer === node) continue;
      const deaf = [true, false, random.chance(0.5), peer === leader][mode]!;
      const mute = [false, true, random.chance(0.5), false][mode]!;
      if (deaf) network.cutLink(peer.name, node.name);
      if (mute) network.cutLink(node.name, peer.name);
    }
    return ['hears nobody', 'is heard by nobody', 'has some links', 'does not hear the leader'][mode]!;
  }

  /** After {@link SETTLING_SECONDS}. */
  settled(): void {
    if (!this.leaderInCore) this.settledTerm = this.newestTerm();
  }

  /** After {@link STEADY_SECONDS} more. */
  expectSteady(): void {
    const term = this.newestTerm();
    if (term !== this.settledTerm) {
      violated('a stable leader', `half-connected nodes drove the others from term ${this.settledTerm} to ${term}`);
    }
    const leaders = this.targets.nodes.filter(({ running }) => {
      const status = running?.replica.status();
      return status?.role === 'leader' && status.term === term;
    });
    if (leaders.length !== 1)
      violated('a stable leader', `a majority hears each other, and term ${term} has no leader`);
  }

  private newestTerm(): number {
    return Math.max(...this.core.map(({ running }) => running?.replica.status().term ?? 0));
  }
}
