import type { ConfigurationChange } from '../../../src/raft/core';
import { Cluster, type ClusterSettings } from './cluster';
import { id, server } from './memory-log';
import { SeededRandom } from './seeded-random';

/** A read that was asked for: whatever was committed by then, its answer has to cover. */
interface AskedRead {
  readonly node: number;
  readonly committed: number;
}

/**
 * One cluster and everything that can happen to it, from one seed: proposals, reads, changes of the configuration,
 * transfers, partitions, lost and late messages, crashes with loss of what was not synced, compaction.
 */
export class Chaos {
  readonly cluster: Cluster;
  private readonly random: SeededRandom;
  private readonly reads = new Map<number, AskedRead>();
  private readonly started: number;
  private contexts = 0;
  private proposals = 0;
  private answered = 0;
  private consumedReadies = 0;

  constructor(seed: number) {
    this.random = new SeededRandom(seed * 2 + 1);
    this.started = this.random.pick([1, 2, 3, 3, 5]) ?? 3;
    this.cluster = new Cluster(this.started, this.chooseSettings(seed));
  }

  get confirmedReads(): number {
    return this.answered;
  }

  /** Storms for a while, then lets everything heal, and sees whether the cluster still works and agrees. */
  run(units: number): void {
    for (let i = 0; i < units; i++) {
      if (this.random.chance(0.35)) this.somethingHappens();
      this.cluster.run(1);
      this.checkReads();
    }
    this.recover();
  }

  private chooseSettings(seed: number): ClusterSettings {
    const { random } = this;
    return {
      seed,
      delay: [1, 1 + random.below(6)],
      drop: random.pick([0, 0, 0.05, 0.2]) ?? 0,
      duplicate: random.pick([0, 0.1]) ?? 0,
      storage: [0, random.below(6)],
      apply: [0, random.below(4)],
      lostReports: random.pick([0, 0.2]) ?? 0,
      options: {
        electionTicks: [10, 25],
        maxInflightMessages: 1 + random.below(6),
        maxInflightBytes: 64 + random.below(512),
        maxMessageBytes: 16 + random.below(128),
      },
    };
  }

  private somethingHappens(): void {
    const { random } = this;
    const dice = random.next();
    const node = 1 + random.below(this.cluster.nodes.size);
    const up = this.cluster.node(node).isUp;
    if (dice < 0.07) this.partition();
    else if (dice < 0.11) this.cluster.heal();
    else if (dice < 0.14) this.crashOrRestart(node);
    else if (!up && dice < 0.3) this.cluster.restart(node);
    else if (!up) return;
    else if (dice < 0.18) this.pauseOrResume(node);
    else if (dice < 0.55) this.proposeWithin(4);
    else if (dice < 0.7) this.read(this.random.pick([node, ...this.cluster.leaders()]) ?? node);
    else if (dice < 0.76) this.changeMembers();
    else if (dice < 0.8) this.compact(node);
    else if (dice < 0.83) this.cluster.call(node, (core) => core.transferLeadership(id(1 + random.below(5))));
    else if (dice < 0.85) this.cluster.call(node, (core) => core.unreachable(id(1 + random.below(5))));
    else if (dice < 0.87) this.cluster.call(node, (core) => core.campaign());
    else if (dice < 0.89)
      this.cluster.node(node).log.inMemoryFrom = random.below(this.cluster.node(node).log.lastIndex + 1);
    // True or not: it must never cost more than an election.
    else if (dice < 0.94) this.cluster.call(node, (core) => core.peerGone(id(1 + random.below(5))));
  }

  /** A leader that was stopped takes itself for one when it goes on, whatever the others have done meanwhile. */
  private pauseOrResume(node: number): void {
    const paused = [...this.cluster.nodes.keys()]
      .map((n) => Number.parseInt(n, 16))
      .filter((n) => this.cluster.isPaused(n));
    if (paused.length === 0) this.cluster.pause(this.random.pick([node, ...this.cluster.leaders()]) ?? node);
    for (const n of paused) {
      if (this.cluster.node(n).isUp && this.random.chance(0.7)) this.read(n);
      this.cluster.resume(n);
    }
  }

  private partition(): void {
    if (this.random.chance(0.5)) this.split();
    else this.cutLinks();
  }

  /** Two sides. A leader left with few goes on for a while, and its log and that of the others part. */
  private split(): void {
    const all = [...this.cluster.nodes.keys()].map((n) => Number.parseInt(n, 16));
    const leaders = this.random.chance(0.7) ? this.cluster.leaders() : [];
    const share = leaders.length > 0 ? 0.2 : 0.4;
    const one = all.filter((n) => leaders.includes(n) || this.random.chance(share));
    this.proposeWithin(3);
    this.cluster.partition(
      one,
      all.filter((n) => !one.includes(n)),
    );
    this.proposeWithin(5);
  }

  /** Any set of broken links, in one direction or both. */
  private cutLinks(): void {
    const all = [...this.cluster.nodes.keys()];
    const blocked = new Set<string>();
    const oneWay = this.random.chance(0.3);
    for (const from of all) {
      for (const to of all) {
        if (from === to || this.random.chance(0.6)) continue;
        blocked.add(from + to);
        if (!oneWay) blocked.add(to + from);
      }
    }
    this.cluster.passes = (m) => !blocked.has(m.from + m.to);
  }

  private crashOrRestart(n: number): void {
    if (!this.cluster.node(n).isUp) this.cluster.restart(n);
    else {
      const bearable = this.couldBearDamage();
      this.cluster.crash(n, this.random.below(3));
      if (bearable && this.random.chance(0.5)) this.cluster.node(n).damage(1 + this.random.below(6));
    }
  }

  /** One damaged disk at a time, and enough others that a majority goes on without it. */
  private couldBearDamage(): boolean {
    const nodes = [...this.cluster.nodes.values()];
    const leader = this.cluster.leaders()[0];
    if (leader === undefined || nodes.some((node) => !node.isUp || node.disk.lost)) return false;
    const { configuration, configurationIndex } = this.cluster.status(leader);
    const agreed = nodes.every((node) => node.core.status().configurationIndex === configurationIndex);
    return agreed && configuration.voters.length >= 3 && configuration.votersOutgoing.length === 0;
  }

  private proposeWithin(most: number): void {
    for (const leader of this.cluster.leaders()) {
      for (let i = this.random.below(most); i >= 0; i--) {
        this.proposals += 1;
        this.cluster.propose(leader, `v${this.proposals}`.padEnd(this.random.below(40), '.'));
      }
    }
  }

  private read(node: number): void {
    this.contexts += 1;
    this.reads.set(this.contexts, { node, committed: this.cluster.invariants.commit });
    const context = this.contexts;
    this.cluster.call(node, (core) => core.readIndex(context));
  }

  private checkReads(): void {
    const { readies } = this.cluster;
    for (; this.consumedReadies < readies.length; this.consumedReadies++) {
      for (const state of readies[this.consumedReadies]?.ready.readStates ?? []) {
        const asked = this.reads.get(state.context);
        if (!asked) continue;
        this.answered += 1;
        if (state.index < asked.committed) {
          throw new Error(
            `Node ${asked.node} was to read at ${state.index}, but ${asked.committed} was committed when it asked.`,
          );
        }
      }
    }
  }

  private changeMembers(): void {
    const leader = this.cluster.leaders()[0];
    if (leader === undefined || [...this.cluster.nodes.values()].some((node) => node.disk.lost)) return;
    const { configuration } = this.cluster.status(leader);
    const any = 1 + this.random.below(this.cluster.nodes.size);
    const newcomer = this.cluster.nodes.size + 1;
    const mayGrow = newcomer <= 7;
    const changes: ConfigurationChange[] = [
      { type: 'remove', id: id(any) },
      ...configuration.learners.map((learner) => ({ type: 'promote', id: learner }) as const),
      { type: 'updateServer', server: { ...server(any), rpcAddr: `127.0.0.1:${this.random.below(10_000)}` } },
      { type: 'setVoters', voters: configuration.servers.map((s) => s.id).filter(() => this.random.chance(0.7)) },
      ...(mayGrow ? [{ type: 'addLearner', server: server(newcomer) } as const] : []),
      ...(mayGrow ? [{ type: 'replace', old: id(any), server: server(newcomer) } as const] : []),
    ];
    const change = this.random.pick(changes);
    if (change === undefined || (change.type === 'setVoters' && change.voters.length === 0)) return;
    const result = this.cluster.change(leader, change);
    const adds = change.type === 'addLearner' || change.type === 'replace';
    if (adds && typeof result !== 'string') this.cluster.add(newcomer);
  }

  private compact(n: number): void {
    this.cluster.node(n).compact(this.random.below(5));
  }

  /** Every node comes up, the network heals: a leader is found, takes a proposal, and all members end with one log. */
  private recover(): void {
    const { cluster } = this;
    for (const n of cluster.nodes.keys()) cluster.resume(Number.parseInt(n, 16));
    for (const n of cluster.nodes.keys()) if (!cluster.nodes.get(n)?.isUp) cluster.restart(Number.parseInt(n, 16));
    cluster.heal();
    cluster.settings = { ...cluster.settings, drop: 0, lostReports: 0, storage: [0, 1] };
    let proposed = false;
    cluster.runUntil(
      () => {
        const leader = this.undisputedLeader();
        if (!proposed && leader !== undefined) proposed = typeof cluster.propose(leader, 'last') !== 'string';
        return proposed && this.membersAgree();
      },
      'a leader takes a proposal after the storm and all members apply it',
      1500,
    );
    this.checkReads();
  }

  /** A leader that no member is ahead of. Nodes that were removed may be in any term. */
  private undisputedLeader(): number | undefined {
    return this.cluster.leaders().find((leader) => {
      const { term, configuration } = this.cluster.status(leader);
      return configuration.servers.every(
        ({ id: member }) => (this.cluster.nodes.get(member)?.core.status().term ?? 0) <= term,
      );
    });
  }

  private membersAgree(): boolean {
    const leader = this.undisputedLeader();
    if (leader === undefined) return false;
    const { configuration, lastIndex } = this.cluster.status(leader);
    return configuration.servers.every(
      ({ id: member }) => this.cluster.nodes.get(member)?.core.status().applied === lastIndex,
    );
  }
}
