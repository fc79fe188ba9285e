import type { SeededRandom } from '../support/seeded-random';
import type { FaultCounts } from './fault-counts';
import { drawWeather, FAIR_WEATHER, type Network } from './network';
import type { Requests } from './requests';
import type { SimNode } from './sim-node';
import type { Trace } from './trace';
import { MILLISECOND, type VirtualTime } from './virtual-time';

export interface FaultTargets {
  readonly time: VirtualTime;
  readonly trace: Trace;
  readonly counts: FaultCounts;
  readonly network: Network;
  readonly requests: Requests;
  readonly nodes: readonly SimNode[];
}

const USUAL_DISK_MICROS = 300;
const MOST_SKEW_MICROS = 4_000_000;

/** Breaks one thing after the other, and mends some of them, until it is told to heal everything. */
export class FaultPlan {
  private active = false;
  private readonly actions: readonly (readonly [weight: number, action: () => void])[];
  /** Milliseconds between two faults, at most. */
  private readonly pauseMillis: number;

  constructor(
    private readonly targets: FaultTargets,
    private readonly random: SeededRandom,
  ) {
    this.pauseMillis = [60, 250, 1_000][random.below(3)]!;
    // Each run has its own mix: some have no partitions, others nothing else.
    const weight = (usual: number): number => (random.chance(0.2) ? 0 : usual * (0.2 + random.next()));
    this.actions = [
      [weight(6), () => this.partition()],
      [weight(3), () => this.isolateLeader()],
      [weight(5), () => this.strandLeader()],
      [weight(5), () => this.bounce()],
      [weight(3), () => this.cutOneWay()],
      [6, () => this.mendLinks()],
      [weight(1), () => this.slowLink()],
      [weight(5), () => this.killProcess()],
      [weight(5), () => this.losePower()],
      [weight(0.5), () => this.losePowerEverywhere()],
      [12, () => this.restart()],
      [weight(3), () => this.pause()],
      [6, () => this.resume()],
      [weight(2), () => this.skewClock()],
      [weight(2), () => this.slowDisk()],
      [weight(2), () => this.failSync()],
      [weight(2), () => this.handOver()],
      [weight(2), () => this.takeSnapshot()],
      [weight(1), () => this.changeWeather()],
    ];
  }

  start(): void {
    this.active = true;
    this.changeWeather();
    this.next();
  }

  /** Mends everything, starts everyone: from here on the cluster has no excuse. */
  heal(): void {
    const { network, requests, nodes, trace } = this.targets;
    trace.add('world', 'heals');
    this.active = false;
    network.mend();
    network.weather = FAIR_WEATHER;
    requests.loss = 0;
    for (const node of nodes) {
      node.skewMicros = 0;
      node.diskMicros = USUAL_DISK_MICROS;
      node.failNextSync = false;
      node.life?.resume();
    }
    this.supervise();
  }

  /** As an operator's service manager: a late consequence of a broken disk may end a process yet. */
  private supervise(): void {
    for (const node of this.targets.nodes) if (!node.life) node.boot();
    this.targets.time.after(100 * MILLISECOND, () => this.supervise());
  }

  private next(): void {
    this.targets.time.after(this.random.below(this.pauseMillis * MILLISECOND), () => {
      if (!this.active) return;
      this.draw()();
      this.next();
    });
  }

  private draw(): () => void {
    let dice = this.random.next() * this.actions.reduce((sum, [weight]) => sum + weight, 0);
    for (const [weight, action] of this.actions) {
      dice -= weight;
      if (dice < 0) return action;
    }
    return () => undefined;
  }

  private report(who: string, kind: string): void {
    this.targets.counts.add(kind);
    this.targets.trace.add(who, kind);
  }

  private any(nodes: readonly SimNode[]): SimNode | undefined {
    return nodes[this.random.below(nodes.length)];
  }

  private get up(): SimNode[] {
    return this.targets.nodes.filter((node) => node.life);
  }

  private leaders(): SimNode[] {
    return this.up.filter((node) => node.running?.replica.isLeader);
  }

  /** The leader more often than its share, since most goes wrong there. */
  private victim(): SimNode | undefined {
    const leaders = this.leaders();
    return leaders.length > 0 && this.random.chance(0.4) ? this.any(leaders) : this.any(this.up);
  }

  private partition(): void {
    const { nodes, network } = this.targets;
    const side = nodes.filter(() => this.random.chance(0.5));
    for (const from of nodes) {
      for (const to of nodes) if (side.includes(from) !== side.includes(to)) network.cutLink(from.id, to.id);
    }
    this.report('world', `partition`);
    this.targets.trace.add('world', `on one side: ${side.map((node) => node.name).join(' ')}`);
  }

  private isolateLeader(): void {
    const leader = this.any(this.leaders());
    if (!leader) return;
    const both = this.random.chance(0.6);
    for (const peer of this.targets.nodes) {
      if (peer === leader) continue;
      if (both || this.random.chance(0.5)) this.targets.network.cutLink(leader.id, peer.id);
      if (both || this.random.chance(0.5)) this.targets.network.cutLink(peer.id, leader.id);
    }
    this.report(leader.name, 'leader isolated');
  }

  /** The leader keeps fewer than it needs: what it is asked to write reaches some logs and is committed nowhere. */
  private strandLeader(): void {
    const { nodes, network } = this.targets;
    const leader = this.any(this.leaders());
    if (!leader) return;
    const others = nodes.filter((node) => node !== leader);
    const kept = new Set<SimNode>([leader]);
    const room = Math.floor((nodes.length - 1) / 2);
    for (let at = this.random.below(room); at > 0; at -= 1) kept.add(this.any(others)!);
    for (const one of nodes) {
      for (const other of nodes) if (kept.has(one) !== kept.has(other)) network.cutLink(one.id, other.id);
    }
    this.report(leader.name, 'leader stranded');
    // Long enough for an election on the other side, or not.
    this.targets.time.after(this.random.below(800 * MILLISECOND), () => this.active && network.mend());
  }

  /** A crash and an immediate restart: the node is back before the others have a new leader, or in the middle of it. */
  private bounce(): void {
    const node = this.victim();
    if (!node) return;
    this.report(node.name, 'crash and restart');
    if (this.random.chance(0.5)) node.kill();
    else node.losePower(this.random);
    this.targets.time.after(this.random.below(150 * MILLISECOND), () => {
      if (this.active && !node.life) node.boot();
    });
  }

  private cutOneWay(): void {
    const from = this.any(this.targets.nodes)!;
    const to = this.any(this.targets.nodes)!;
    this.targets.network.cutLink(from.id, to.id);
    this.report(`${from.name}>${to.name}`, 'link cut one way');
  }

  private mendLinks(): void {
    this.targets.network.mend();
    this.targets.trace.add('world', 'links mended');
  }

  private slowLink(): void {
    const from = this.any(this.targets.nodes)!;
    const to = this.any(this.targets.nodes)!;
    this.targets.network.slowLink(from.id, to.id, this.random.below(300 * MILLISECOND));
    this.report(`${from.name}>${to.name}`, 'slow link');
  }

  private killProcess(): void {
    const node = this.victim();
    node?.kill();
    if (node) this.report(node.name, 'process killed');
  }

  private losePower(): void {
    const node = this.victim();
    if (!node) return;
    this.report(node.name, 'power lost');
    node.losePower(this.random.chance(0.3) ? 'nothing' : this.random);
  }

  private losePowerEverywhere(): void {
    this.report('world', 'power lost everywhere');
    for (const node of this.up) node.losePower(this.random.chance(0.5) ? 'nothing' : this.random);
  }

  private restart(): void {
    const node = this.any(this.targets.nodes.filter(({ life }) => !life));
    node?.boot();
  }

  private pause(): void {
    const node = this.victim();
    if (!node?.life || node.life.isPaused) return;
    node.life.pause();
    this.report(node.name, 'process paused');
  }

  private resume(): void {
    const node = this.any(this.up.filter(({ life }) => life?.isPaused));
    if (!node) return;
    this.targets.trace.add(node.name, 'resumes');
    node.life?.resume();
  }

  private skewClock(): void {
    const node = this.any(this.targets.nodes)!;
    node.skewMicros = this.random.below(2 * MOST_SKEW_MICROS) - MOST_SKEW_MICROS;
    this.report(node.name, 'clock set');
  }

  private slowDisk(): void {
    const node = this.any(this.targets.nodes)!;
    node.diskMicros = this.random.chance(0.5) ? USUAL_DISK_MICROS : 1 + this.random.below(60 * MILLISECOND);
    this.report(node.name, 'disk speed');
  }

  /** Counted when it happens. */
  private failSync(): void {
    const node = this.any(this.up);
    if (node) node.failNextSync = true;
  }

  private handOver(): void {
    const leader = this.any(this.leaders());
    const target = this.any(this.targets.nodes);
    if (!leader?.running || !target || leader === target || leader.life?.isPaused) return;
    this.report(leader.name, 'leadership handed over');
    leader.running.replica.transferLeadership(target.id);
  }

  private takeSnapshot(): void {
    const node = this.any(this.up);
    if (!node?.running || node.life?.isPaused || node.running.replica.appliedIndex === 0) return;
    this.report(node.name, 'snapshot taken');
    node.running.storage.snapshotter.take().catch(() => undefined);
  }

  private changeWeather(): void {
    this.targets.network.weather = drawWeather(this.random);
    this.targets.requests.loss = [0, 0.02, 0.1][this.random.below(3)]!;
    this.targets.trace.add('world', 'the weather changes');
  }
}
