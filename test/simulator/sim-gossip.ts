import type { GossipMember, MemberState, Tags } from '../../src/discovery/member';
import type { Network } from './network';
import type { SimNode } from './sim-node';
import { MILLISECOND, type VirtualTime } from './virtual-time';

const SUSPECT_AFTER = 600 * MILLISECOND;
const FAILED_AFTER = 2_000 * MILLISECOND;

interface Contact {
  readonly tags: Tags;
  readonly incarnation: number;
  readonly at: number;
  readonly left: boolean;
}

/** Who is there, as one process has heard: late, only of those that it reaches, and wrongly where it was made to doubt. */
export class SimGossip {
  private readonly contacts = new Map<SimNode, Contact>();

  constructor(
    private readonly world: {
      readonly time: VirtualTime;
      readonly network: Network;
      readonly nodes: readonly SimNode[];
      readonly clusterId: string;
    },
    private readonly observer: SimNode,
  ) {}

  members(): GossipMember[] {
    const { time, network, nodes } = this.world;
    const { observer } = this;
    for (const node of nodes) {
      const reached = network.passes(observer.name, node.name) && network.passes(node.name, observer.name);
      if (!reached || !node.life || node.life.isPaused || node.id === '') continue;
      this.contacts.set(node, { ...node.announcement(), at: time.now, left: node.saysFarewell });
    }
    return [...this.contacts].map(([node, { tags, incarnation, at, left }]) => ({
      gossipAddr: `${node.name}:2`,
      tags,
      incarnation,
      state: left ? 'left' : this.stateOf(node, time.now - at),
      since: at / MILLISECOND,
    }));
  }

  private stateOf(node: SimNode, silent: number): MemberState {
    if (this.observer.doubts.has(node.name) || silent > FAILED_AFTER) return 'failed';
    return silent > SUSPECT_AFTER ? 'suspect' : 'alive';
  }
}
