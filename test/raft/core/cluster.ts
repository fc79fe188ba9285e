import type {
  Configuration,
  ConfigurationChange,
  CoreOptions,
  CoreStatus,
  Entry,
  Message,
  NodeId,
  Ready,
} from '../../../src/raft/core';
import { EMPTY_CONFIGURATION, EntryKind } from '../../../src/raft/core';
import { Invariants } from './invariants';
import { configuration as configurationOf, id } from './memory-log';
import { SeededRandom } from './seeded-random';
import { freshDisk, isProposal, SimNode, type Disk, type World } from './sim-node';

export interface ClusterSettings {
  readonly seed?: number;
  /** Of messages: [least, most] in units of time; a tick of every node is one unit. */
  readonly delay?: readonly [number, number];
  readonly drop?: number;
  readonly duplicate?: number;
  /** Of the disks. */
  readonly storage?: readonly [number, number];
  readonly apply?: readonly [number, number];
  /** Reports of the replica to its core (snapshots, loads) that get lost. */
  readonly lostReports?: number;
  readonly options?: Partial<CoreOptions>;
}

interface Event {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

/**
 * A whole cluster in one thread, on a clock that the test turns: every run with the same seed is the same. The network
 * delays, reorders, drops and doubles; disks are slow and lose what was not synced; after every event all of Raft's
 * invariants are checked.
 */
export class Cluster implements World {
  readonly nodes = new Map<NodeId, SimNode>();
  readonly random: SeededRandom;
  readonly invariants = new Invariants(this.nodes);
  /** Proposals that each node applied, in order. */
  readonly applied = new Map<NodeId, string[]>();
  readonly readies: { node: NodeId; ready: Ready }[] = [];
  /** Every message that was handed to the network. */
  readonly sent: Message[] = [];
  /** Says which messages get through; the test sets it. */
  passes: (m: Message) => boolean = () => true;
  settings: ClusterSettings;
  private readonly paused = new Set<NodeId>();
  private time = 0;
  private order = 0;
  private events: Event[] = [];

  constructor(voters: number, settings: ClusterSettings = {}) {
    this.settings = settings;
    this.random = new SeededRandom(settings.seed ?? 1);
    const numbers = Array.from({ length: voters }, (_, n) => n + 1);
    for (const n of numbers) this.add(n, configurationOf(numbers));
  }

  // --- the test's hands ---------------------------------------------------------------------------------------------

  /** A new node with an empty disk; unless it bootstraps the cluster it knows nobody. */
  add(n: number, configuration: Configuration = EMPTY_CONFIGURATION): SimNode {
    return this.start(n, freshDisk(configuration));
  }

  start(n: number, disk: Disk): SimNode {
    this.applied.set(id(n), []);
    const node = new SimNode(id(n), disk, this);
    this.nodes.set(node.id, node);
    for (const stored of disk.log.entries) this.invariants.entryStored(node, stored);
    return node;
  }

  node(n: number): SimNode {
    const node = this.nodes.get(id(n));
    if (!node) throw new Error(`There is no node ${n}.`);
    return node;
  }

  status(n: number): CoreStatus {
    return this.node(n).core.status();
  }

  call<T>(n: number, use: Parameters<typeof SimNode.prototype.call<T>>[0]): T {
    const node = this.node(n);
    const result = node.call(use);
    this.invariants.check(node);
    return result;
  }

  propose(n: number, value: string): ReturnType<SimNode['core']['propose']> {
    return this.call(n, (core) => core.propose(EntryKind.records, [Buffer.from(value)], 1));
  }

  change(n: number, change: ConfigurationChange): ReturnType<SimNode['core']['proposeConfiguration']> {
    return this.call(n, (core) => core.proposeConfiguration(change));
  }

  crash(n: number, written = 0): void {
    this.node(n).crash(written);
  }

  restart(n: number): void {
    this.invariants.restarted(id(n));
    this.applied.set(id(n), []);
    this.node(n).start();
  }

  /** As by SIGSTOP: the process is there, but neither time nor messages reach it; what comes meanwhile waits. */
  pause(n: number): void {
    this.paused.add(id(n));
  }

  resume(n: number): void {
    this.paused.delete(id(n));
  }

  isPaused(n: number): boolean {
    return this.paused.has(id(n));
  }

  /** Only members of one group hear each other; whoever is in none hears nobody. */
  partition(...groups: number[][]): void {
    const groupOf = (node: NodeId) => groups.findIndex((group) => group.map(id).includes(node));
    this.passes = (m) => groupOf(m.from) >= 0 && groupOf(m.from) === groupOf(m.to);
  }

  heal(): void {
    this.passes = () => true;
  }

  /** The numbers of all nodes that are up and take themselves for leaders. */
  leaders(): number[] {
    return [...this.nodes.values()]
      .filter((node) => node.isUp && node.core.status().role === 'leader')
      .map((node) => Number.parseInt(node.id, 16));
  }

  /** Lets units of time pass, one tick of every node each. */
  run(units: number): void {
    for (let i = 0; i < units; i++) this.advance();
  }

  runUntil(condition: () => boolean, what: string, units = 400): void {
    for (let i = 0; i < units; i++) {
      if (condition()) return;
      this.advance();
    }
    if (!condition()) throw new Error(`It did not come to this within ${units} ticks: ${what}.`);
  }

  /** Waits until exactly one node leads and all that it can reach follow it; gives its number. */
  electLeader(): number {
    let found = 0;
    this.runUntil(() => {
      found = this.leaders().at(-1) ?? 0;
      return this.leaders().length === 1 && this.status(found).commit >= this.status(found).lastIndex;
    }, 'a single leader that has committed its whole log');
    return found;
  }

  /** Makes this node the leader, by a campaign that it starts now. */
  makeLeader(n: number): void {
    this.call(n, (core) => core.campaign());
    this.runUntil(
      () => this.status(n).role === 'leader' && this.status(n).commit === this.status(n).lastIndex,
      `node ${n} leads`,
    );
  }

  /** Waits until all nodes that are up have applied everything that any of them has. */
  converge(): void {
    const up = () => [...this.nodes.values()].filter((node) => node.isUp);
    this.runUntil(() => {
      const last = Math.max(...up().map((node) => node.core.status().lastIndex));
      return up().every((node) => node.core.status().applied === last);
    }, 'all nodes have applied the same log');
  }

  // --- time ---------------------------------------------------------------------------------------------------------

  now(): number {
    return this.time;
  }

  schedule(after: number, run: () => void): void {
    this.order += 1;
    this.events.push({ at: this.time + after, order: this.order, run });
  }

  private advance(): void {
    this.time += 1;
    const due = this.events.filter((event) => event.at <= this.time).sort((a, b) => a.at - b.at || a.order - b.order);
    this.events = this.events.filter((event) => event.at > this.time);
    for (const event of due) event.run();
    for (const node of this.nodes.values()) {
      if (this.paused.has(node.id)) continue;
      if (node.isUp) node.call((core) => core.tick());
      node.work();
      this.invariants.check(node);
    }
  }

  private within(range: readonly [number, number] | undefined, otherwise: number): number {
    if (!range) return otherwise;
    return range[0] + this.random.below(range[1] - range[0] + 1);
  }

  // --- World: what the nodes ask for --------------------------------------------------------------------------------

  send(m: Message): void {
    this.invariants.sent(m);
    this.sent.push(m);
    const { drop = 0, duplicate = 0, delay } = this.settings;
    if (!this.passes(m) || (drop > 0 && this.random.chance(drop))) return;
    this.schedule(this.within(delay, 1), () => this.deliver(m));
    if (duplicate > 0 && this.random.chance(duplicate)) this.schedule(this.within(delay, 1) * 3, () => this.deliver(m));
  }

  deliver(m: Message): void {
    const node = this.nodes.get(m.to);
    if (!node?.isUp) return;
    if (this.paused.has(m.to)) {
      this.schedule(1, () => this.deliver(m));
      return;
    }
    node.call((core) => core.step(m));
    this.invariants.check(node);
  }

  sendSnapshot(from: SimNode, to: NodeId): void {
    const meta = from.disk.snapshot;
    const { term } = from.core.status();
    const report = (ok: boolean) => {
      if (!from.isUp || this.random.chance(this.settings.lostReports ?? 0)) return;
      from.call((core) => core.snapshotStatus(to, ok, meta.index));
    };
    const m: Message = { type: 'snapshot', from: from.id, to, term, meta };
    const arrives = this.passes(m) && !this.random.chance(this.settings.drop ?? 0);
    if (arrives) this.send(m);
    this.schedule(6, () => report(arrives));
  }

  load(node: SimNode, peer: NodeId, from: number): void {
    this.schedule(1, () => {
      if (!node.isUp || this.random.chance(this.settings.lostReports ?? 0)) return;
      node.call((core) => {
        if (from < node.log.firstIndex || from > node.log.lastIndex) core.entriesLoaded(peer);
        else core.appendFor(peer, node.log.read(from, 256, 64));
      });
      this.invariants.check(node);
    });
  }

  storageDelay(): number {
    return this.within(this.settings.storage, 0);
  }

  applyDelay(): number {
    return this.within(this.settings.apply, 0);
  }

  options(): Pick<CoreOptions, 'random'> & Partial<CoreOptions> {
    return { random: this.random, ...this.settings.options };
  }

  entryAppended(node: SimNode, entry: Entry): void {
    this.invariants.entryStored(node, entry);
  }

  entryApplied(node: SimNode, entry: Entry): void {
    this.invariants.entryApplied(node, entry);
    const [, value = ''] = entry.data.toString('latin1').split(':');
    if (isProposal(entry)) this.applied.get(node.id)?.push(value);
  }

  persisted(node: SimNode): void {
    this.invariants.persisted(node);
  }

  ready(node: SimNode, ready: Ready): void {
    this.readies.push({ node: node.id, ready });
    this.invariants.check(node);
  }
}
