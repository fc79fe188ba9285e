import type { SeededRandom } from '../support/seeded-random';
import { Aim, type FaultTargets } from './aim';
import { Ambushes } from './ambushes';
import { DiskFaults } from './disk-faults';
import { JointSplit } from './joint-split';
import { LateWord } from './late-word';
import { MachineFaults } from './machine-faults';
import { MembershipOrders } from './membership-orders';
import { NetworkFaults } from './network-faults';
import { Overtaken } from './overtaken';
import type { Scene } from './scene';
import { Seesaw } from './seesaw';
import type { SimClient } from './sim-client';
import { MILLISECOND } from './virtual-time';

/** What happens at random while a run has faults. */
const RANDOM_KINDS = [
  'partition',
  'isolated-leader',
  'stranded-leader',
  'bounce',
  'one-way',
  'slow-link',
  'kill',
  'power',
  'power-everywhere',
  'pause',
  'clock',
  'slow-disk',
  'failed-sync',
  'hand-over',
  'snapshot',
  'weather',
  'join',
  'remove',
  'set-voters',
  'rush',
  'lost-disk',
  'move',
  'doubt',
  'upgrade',
  'rot',
  'rot-at-the-end',
  'misdirected-write',
  'ambush',
  'away',
  'seesaw',
  'joint-split',
  'overtaken',
  'late-word',
  'full-disk',
] as const;
type RandomKind = (typeof RANDOM_KINDS)[number];

/** What a run can be told to leave out; the last is a phase of its own behind the others. */
export const FAULT_KINDS = [...RANDOM_KINDS, 'half-connected'] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

type Action = readonly [weight: number, action: () => unknown];

/** Of the processes that ended because they were too old, so many are started with a newer program. */
const UPGRADES = 0.3;

/** Breaks one thing after the other, and mends some of them, until it is told to heal everything. */
export class FaultPlan extends Aim {
  private active = false;
  private readonly actions: readonly Action[];
  /** Milliseconds between two faults, at most. */
  private readonly pauseMillis: number;
  private readonly orders: MembershipOrders;
  private readonly network: NetworkFaults;
  private readonly machines: MachineFaults;
  private readonly ambushes: Ambushes;
  private readonly seesaw: Seesaw;
  private readonly jointSplit: JointSplit;
  private overtaken: Overtaken | undefined;
  private lateWord: LateWord | undefined;

  constructor(
    targets: FaultTargets,
    random: SeededRandom,
    private readonly without: ReadonlySet<FaultKind>,
  ) {
    super(targets, random);
    this.orders = new MembershipOrders(targets, random);
    this.network = new NetworkFaults(targets, random);
    this.machines = new MachineFaults(targets, random);
    this.ambushes = new Ambushes(targets, random);
    this.seesaw = new Seesaw(targets, random);
    this.jointSplit = new JointSplit(targets, random);
    this.pauseMillis = [60, 250, 1_000][random.below(3)]!;
    this.actions = this.drawMix();
  }

  /** @param client makes one of this name, for what has to be written in a special situation */
  start(client: (name: string) => SimClient): void {
    this.active = true;
    this.overtaken = new Overtaken(this.targets, this.random, this.ambushes, client('patient'));
    this.lateWord = new LateWord(this.targets, this.random, client('reader'));
    if (!this.without.has('weather')) this.network.changeWeather();
    this.next();
  }

  /** Mends everything, starts everyone: from here on the cluster has no excuse. */
  heal(): void {
    this.targets.trace.add('world', 'heals');
    this.active = false;
    this.orders.end();
    this.network.heal();
    this.machines.heal();
    this.ambushes.heal();
    for (const scene of this.scenes) scene.playing = false;
    this.supervise();
  }

  private get scenes(): Scene[] {
    const { seesaw, jointSplit, overtaken, lateWord } = this;
    return [seesaw, jointSplit, overtaken, lateWord].filter((scene) => scene !== undefined);
  }

  /** Each run has its own mix: some have no partitions, others nothing else. */
  private drawMix(): Action[] {
    const { orders, network, machines, ambushes, seesaw, jointSplit } = this;
    const disks = new DiskFaults(this.targets, this.random);
    const usual: Record<RandomKind, Action> = {
      partition: [6, () => network.partition()],
      'isolated-leader': [3, () => network.isolateLeader()],
      'stranded-leader': [5, () => network.strandLeader()],
      bounce: [5, () => machines.bounce()],
      'one-way': [3, () => network.cutOneWay()],
      'slow-link': [1, () => network.slowLink()],
      kill: [5, () => machines.killProcess()],
      power: [5, () => machines.losePower()],
      'power-everywhere': [0.5, () => machines.losePowerEverywhere()],
      pause: [3, () => machines.pause()],
      clock: [2, () => machines.skewClock()],
      'slow-disk': [2, () => machines.slowDisk()],
      'failed-sync': [2, () => machines.failSync()],
      'hand-over': [2, () => machines.handOver()],
      snapshot: [2, () => machines.takeSnapshot()],
      weather: [1, () => network.changeWeather()],
      join: [2, () => orders.join()],
      remove: [1, () => orders.remove()],
      'set-voters': [2, () => orders.setVoters()],
      rush: [2, () => orders.rush()],
      'lost-disk': [2, () => orders.loseDisk()],
      move: [1, () => orders.move()],
      doubt: [1, () => orders.doubt()],
      upgrade: [2, () => orders.upgrade()],
      rot: [2, () => disks.rot()],
      'rot-at-the-end': [2, () => disks.rotAtTheEnd()],
      'misdirected-write': [2, () => disks.misdirect()],
      ambush: [10, () => ambushes.lay()],
      away: [1, () => ambushes.stayAway()],
      seesaw: [3, () => seesaw.start()],
      'joint-split': [3, () => jointSplit.start()],
      overtaken: [4, () => this.overtaken?.start()],
      'late-word': [4, () => this.lateWord?.start()],
      'full-disk': [1.5, () => machines.fillDisk()],
    };
    const drawn = RANDOM_KINDS.map((kind): Action => {
      const [weight, action] = usual[kind];
      const share = this.random.chance(0.2) ? 0 : 0.2 + this.random.next();
      return [this.without.has(kind) ? 0 : weight * share, action];
    });
    const mending: Action[] = [
      [6, () => network.mendLinks()],
      [12, () => machines.restart((node) => orders.start(node, UPGRADES))],
      [6, () => machines.resume()],
    ];
    return [...drawn, ...mending];
  }

  /** As an operator's service manager: a late consequence of a broken disk may end a process yet. */
  private supervise(): void {
    for (const node of this.inService) if (!node.life) this.orders.start(node, 1);
    this.targets.time.after(100 * MILLISECOND, () => this.supervise());
  }

  private next(): void {
    this.targets.time.after(this.random.below(this.pauseMillis * MILLISECOND), () => {
      if (!this.active) return;
      if (!this.scenes.some(({ playing }) => playing)) this.draw()();
      this.next();
    });
  }

  private draw(): () => unknown {
    let dice = this.random.next() * this.actions.reduce((sum, [weight]) => sum + weight, 0);
    for (const [weight, action] of this.actions) {
      dice -= weight;
      if (dice < 0) return action;
    }
    return () => undefined;
  }
}
