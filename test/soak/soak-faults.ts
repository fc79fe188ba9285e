import type { LedgerClient } from '../../src/client';
import { FaultCounts } from '../simulator/fault-counts';
import type { SeededRandom } from '../support/seeded-random';
import type { SoakCluster, SoakNode } from './soak-cluster';
import { CLIENT } from './tcp-proxy';

/** Milliseconds between two faults, at most: each phase has its own, some are calm and some are wild. */
const MOST_PAUSES = [800, 2_500, 6_000];
const PHASE_MILLIS = 20_000;
/** Beyond the longest election timeout, and beyond what a peer is silent before its connection is closed. */
const MOST_SUSPENSION = 6_000;
const MOST_DOWN = 3_000;
const MOST_CUT = 5_000;
const TRANSFER_MILLIS = 2_000;

/** Breaks one thing after the other, each for a while, until it is told to heal everything. */
export class SoakFaults {
  readonly counts = new FaultCounts();
  private active = true;
  private readonly repairs = new Set<Promise<void>>();
  private readonly running: Promise<void>;
  private readonly actions: readonly (readonly [
    weight: number,
    name: string,
    action: () => Promise<void> | undefined,
  ])[] = [
    [6, 'kill -9', () => this.kill()],
    [3, 'SIGTERM', () => this.stop()],
    [5, 'SIGSTOP', () => this.suspend()],
    [1, 'kill -9 of all', () => this.killAll()],
    [5, 'node isolated', () => this.isolate()],
    [4, 'link cut', () => this.cut(true)],
    [4, 'link cut one way', () => this.cut(false)],
    [2, 'clients cut off from a node', () => this.cutClients()],
    [3, 'slow link', () => this.slow()],
    [2, 'narrow link', () => this.narrow()],
    [4, 'connections reset', () => this.reset()],
    [2, 'gossip lost', () => this.loseGossip()],
    [3, 'leadership handed over', () => this.handOver()],
  ];

  constructor(
    private readonly cluster: SoakCluster,
    private readonly client: LedgerClient,
    private readonly random: SeededRandom,
    private readonly onFault: (text: string) => void,
  ) {
    this.running = this.run();
  }

  /** Mends everything and starts everyone: from here on the cluster has no excuse. */
  async heal(): Promise<void> {
    this.active = false;
    await this.running;
    this.cluster.links.mend();
    this.cluster.gossip.loss = 0;
    await Promise.all(this.repairs);
    for (const node of this.cluster.nodes) if (node.condition === 'suspended') node.resume();
    await Promise.all(this.cluster.nodes.filter(({ condition }) => condition === 'down').map((node) => node.start()));
  }

  private async run(): Promise<void> {
    const total = this.actions.reduce((sum, [weight]) => sum + weight, 0);
    for (let phase = 0, most = MOST_PAUSES[1]!; this.active;) {
      const now = Math.floor(performance.now() / PHASE_MILLIS);
      if (now !== phase) most = MOST_PAUSES[this.random.below(MOST_PAUSES.length)]!;
      phase = now;
      await wait(this.random.below(most));
      let dice = this.random.next() * total;
      const [, name, action] = this.actions.find(([weight]) => (dice -= weight) < 0)!;
      const repair = action();
      if (!repair) continue;
      this.counts.add(name);
      const done = repair.finally(() => this.repairs.delete(done));
      this.repairs.add(done);
    }
  }

  /** The leader more often than its share, since most goes wrong there. */
  private victim(): SoakNode | undefined {
    const up = this.cluster.nodes.filter(({ condition }) => condition === 'up');
    const leader = this.client.servers().find(({ isLeader }) => isLeader)?.id;
    if (this.random.chance(0.4)) {
      const leading = up.find(({ name }) => name === leader);
      if (leading) return leading;
    }
    return up[this.random.below(up.length)];
  }

  /** Most of the time a majority is there; a fault that takes it away is one of its own. */
  private mayLoseOne(): boolean {
    const { nodes } = this.cluster;
    const missing = nodes.filter(({ condition }) => condition !== 'up').length;
    return missing < Math.floor((nodes.length - 1) / 2) || this.random.chance(0.15);
  }

  private takeAway(
    how: string,
    node: SoakNode | undefined,
    away: (node: SoakNode) => Promise<void>,
  ): Promise<void> | undefined {
    if (!node || !this.mayLoseOne()) return undefined;
    this.onFault(`${node.name}: ${how}`);
    const down = this.random.below(MOST_DOWN);
    return away(node)
      .then(() => wait(down))
      .then(() => node.start());
  }

  private kill(): Promise<void> | undefined {
    return this.takeAway('kill -9', this.victim(), (node) => node.kill());
  }

  private stop(): Promise<void> | undefined {
    return this.takeAway('SIGTERM', this.victim(), (node) => node.stop());
  }

  private killAll(): Promise<void> {
    const up = this.cluster.nodes.filter(({ condition }) => condition === 'up');
    this.onFault('all: kill -9');
    const down = up.map(() => this.random.below(MOST_DOWN));
    return Promise.all(
      up.map((node, at) =>
        node
          .kill()
          .then(() => wait(down[at]!))
          .then(() => node.start()),
      ),
    ).then(() => undefined);
  }

  private suspend(): Promise<void> | undefined {
    const node = this.victim();
    if (!node || !this.mayLoseOne()) return undefined;
    const millis = this.random.below(MOST_SUSPENSION);
    this.onFault(`${node.name}: SIGSTOP for ${millis} ms`);
    node.suspend();
    return wait(millis).then(() => {
      if (node.condition === 'suspended') node.resume();
    });
  }

  private isolate(): Promise<void> | undefined {
    const node = this.victim();
    if (!node) return undefined;
    const others = this.cluster.nodes.filter((other) => other !== node);
    return this.cutAll(
      `${node.name} is isolated`,
      others.flatMap(({ name }) => [
        [node.name, name],
        [name, node.name],
      ]),
    );
  }

  private cut(both: boolean): Promise<void> | undefined {
    const [from, to] = this.pair();
    return this.cutAll(
      `${from} to ${to} is cut${both ? ', both ways' : ''}`,
      both
        ? [
            [from, to],
            [to, from],
          ]
        : [[from, to]],
    );
  }

  private cutClients(): Promise<void> | undefined {
    const node = this.victim();
    return (
      node &&
      this.cutAll(`clients are cut off from ${node.name}`, [
        [CLIENT, node.name],
        [node.name, CLIENT],
      ])
    );
  }

  private cutAll(text: string, links: readonly (readonly string[])[]): Promise<void> {
    this.onFault(text);
    const cut = links.map(([from, to]) => this.cluster.links.between(from!, to!));
    for (const link of cut) link.cut();
    return wait(this.random.below(MOST_CUT)).then(() => cut.forEach((link) => link.mend()));
  }

  private slow(): Promise<void> {
    const [from, to] = this.pair();
    const link = this.cluster.links.between(from, to);
    link.delayMs = 1 + this.random.below(200);
    this.onFault(`${from} to ${to} takes ${link.delayMs} ms more`);
    return wait(this.random.below(MOST_CUT)).then(() => void (link.delayMs = 0));
  }

  private narrow(): Promise<void> {
    const [from, to] = this.pair();
    const link = this.cluster.links.between(from, to);
    link.bytesPerSecond = 20_000 + this.random.below(500_000);
    this.onFault(`${from} to ${to} carries ${link.bytesPerSecond} bytes a second`);
    return wait(this.random.below(MOST_CUT)).then(() => void (link.bytesPerSecond = Infinity));
  }

  private reset(): Promise<void> {
    const [from, to] = this.pair();
    const other = this.random.chance(0.3) ? CLIENT : from;
    this.onFault(`connections between ${other} and ${to} are reset`);
    this.cluster.links.reset(other, to);
    return Promise.resolve();
  }

  private loseGossip(): Promise<void> {
    const { gossip } = this.cluster;
    gossip.loss = 0.5;
    this.onFault('half of the gossip is lost');
    return wait(this.random.below(MOST_CUT)).then(() => void (gossip.loss = 0));
  }

  private handOver(): Promise<void> {
    const { nodes } = this.cluster;
    const { name } = nodes[this.random.below(nodes.length)]!;
    this.onFault(`leadership is to go to ${name}`);
    // It may be refused, or come to nothing, while other things go wrong.
    return this.client.transferLeadership(name, { timeoutMs: TRANSFER_MILLIS }).then(
      () => undefined,
      () => undefined,
    );
  }

  private pair(): [string, string] {
    const { nodes } = this.cluster;
    const at = this.random.below(nodes.length);
    const other = (at + 1 + this.random.below(nodes.length - 1)) % nodes.length;
    return [nodes[at]!.name, nodes[other]!.name];
  }
}

function wait(millis: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, millis));
}
