import { Aim } from './aim';
import { drawWeather, FAIR_WEATHER } from './network';
import type { SimNode } from './sim-node';
import { MILLISECOND } from './virtual-time';

/** What goes wrong between machines. */
export class NetworkFaults extends Aim {
  private active = true;

  /** Everything arrives again, soon and once. */
  heal(): void {
    this.active = false;
    this.targets.network.mend();
    this.targets.network.weather = FAIR_WEATHER;
    this.targets.requests.loss = 0;
  }

  partition(): void {
    const { network } = this.targets;
    const nodes = this.inService;
    const side = nodes.filter(() => this.random.chance(0.5));
    for (const from of nodes) {
      for (const to of nodes) if (side.includes(from) !== side.includes(to)) network.cutLink(from.name, to.name);
    }
    this.report('world', `partition`);
    this.targets.trace.add('world', `on one side: ${side.map((node) => node.name).join(' ')}`);
  }

  isolateLeader(): void {
    const leader = this.any(this.leaders());
    if (!leader) return;
    const both = this.random.chance(0.6);
    for (const peer of this.targets.nodes) {
      if (peer === leader) continue;
      if (both || this.random.chance(0.5)) this.targets.network.cutLink(leader.name, peer.name);
      if (both || this.random.chance(0.5)) this.targets.network.cutLink(peer.name, leader.name);
    }
    this.report(leader.name, 'leader isolated');
  }

  /** The leader keeps fewer than it needs: what it is asked to write reaches some logs and is committed nowhere. */
  strandLeader(): void {
    const { network } = this.targets;
    const nodes = this.inService;
    const leader = this.any(this.leaders());
    if (!leader) return;
    const others = nodes.filter((node) => node !== leader);
    const kept = new Set<SimNode>([leader]);
    const room = Math.floor((nodes.length - 1) / 2);
    for (let at = this.random.below(room); at > 0; at -= 1) kept.add(this.any(others)!);
    for (const one of nodes) {
      for (const other of nodes) if (kept.has(one) !== kept.has(other)) network.cutLink(one.name, other.name);
    }
    this.report(leader.name, 'leader stranded');
    // Long enough for an election on the other side, or not.
    this.targets.time.after(this.random.below(800 * MILLISECOND), () => this.active && network.mend());
  }

  cutOneWay(): void {
    const from = this.any(this.inService)!;
    const to = this.any(this.inService)!;
    this.targets.network.cutLink(from.name, to.name);
    this.report(`${from.name}>${to.name}`, 'link cut one way');
  }

  mendLinks(): void {
    this.targets.network.mend();
    this.targets.trace.add('world', 'links mended');
  }

  slowLink(): void {
    const from = this.any(this.inService)!;
    const to = this.any(this.inService)!;
    this.targets.network.slowLink(from.name, to.name, this.random.below(300 * MILLISECOND));
    this.report(`${from.name}>${to.name}`, 'slow link');
  }

  changeWeather(): void {
    this.targets.network.weather = drawWeather(this.random);
    this.targets.requests.loss = [0, 0.02, 0.1][this.random.below(3)]!;
    this.targets.trace.add('world', 'the weather changes');
  }
}
