import { BatchKind } from '../../src/log/batch';
import type { GroupStorage } from '../../src/node/group-storage';
import type { LedgerMachine } from '../../src/node/ledger-machine';
import type { Configuration, Message, NodeId } from '../../src/raft/core';
import type { StateMachine } from '../../src/raft/replica/state-machine';
import { FrameType } from '../../src/raft/transport/frame';
import { decodeMessage } from '../../src/raft/transport/message-decoder';
import { encodeMessage } from '../../src/raft/transport/message-encoder';
import { SeededRandom } from '../support/seeded-random';
import { Calls, type Callee } from './calls';
import { ClientHistory, type RunReport } from './client-history';
import { CommittedHistory } from './committed-history';
import { DamageLedger } from './damage-ledger';
import { FaultCounts } from './fault-counts';
import { FaultPlan, type FaultKind } from './fault-plan';
import { MembershipChecks } from './membership-checks';
import { describeMessage, Network } from './network';
import { RaftChecks } from './raft-checks';
import { Redials } from './redials';
import { Requests } from './requests';
import { Scenario } from './scenario';
import { drawSettings } from './settings';
import { SimNode } from './sim-node';
import type { ConnectionWorld } from './sim-connection';
import type { NodeSettings, SimWorld } from './sim-world';
import { expectBoundedTail } from './tail-checks';
import { Trace } from './trace';
import { VirtualTime } from './virtual-time';
import { violated } from './violation';

export interface SimulationOptions {
  readonly seed: number;
  readonly nodes: number;
  /** Length of the phase with faults, in simulated seconds. */
  readonly seconds: number;
  /** Kinds of faults that are left out. */
  readonly without?: readonly FaultKind[];
  /** Gets every line of the trace. */
  readonly everyLine?: (line: string) => void;
}

export interface SimulationReport {
  readonly seed: number;
  readonly hash: string;
  readonly events: number;
  /** Simulated, to the end of the liveness phase. */
  readonly seconds: number;
  readonly faults: FaultCounts;
  readonly elections: number;
  readonly membershipChanges: number;
  readonly committed: number;
  readonly history: RunReport;
}

/** A run that found something, with all that is needed to look at it. */
export class SimulationFailure extends Error {
  override readonly name = 'SimulationFailure';

  constructor(
    readonly seed: number,
    readonly lastLines: readonly string[],
    /** Simulated, until then. */
    readonly seconds: number,
    cause: unknown,
  ) {
    super(cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause), { cause });
  }
}

const CLUSTER_ID = 'c0ffee00'.repeat(4);
/** Machines that stand by, to join. */
const SPARES = 2;

/** A cluster of the real program on simulated machines, from one seed: the same seed, the same run. */
export class Simulation implements SimWorld {
  readonly time = new VirtualTime();
  readonly trace: Trace;
  readonly counts = new FaultCounts();
  readonly touched = new Set<SimNode>();
  readonly clusterId = CLUSTER_ID;
  readonly settings: NodeSettings;
  /** Machines: those that the cluster begins with, and those that stand by. */
  readonly nodes: readonly SimNode[];
  readonly network: Network;
  readonly calls: Calls;
  readonly requests: Requests;
  private readonly redials: Redials;
  readonly history = new ClientHistory();
  readonly committed = new CommittedHistory();
  readonly faults: FaultPlan;
  readonly damage: DamageLedger;
  private readonly membership = new MembershipChecks();
  private readonly checks = new RaftChecks(this.committed, this.membership, (id) => this.nameOf(id));
  private readonly names = new Map<NodeId, string>();
  private failure: { readonly error: unknown } | undefined;

  constructor(readonly options: SimulationOptions) {
    this.trace = new Trace(() => this.time.now, options.everyLine);
    this.settings = drawSettings(this.random('settings'));
    this.network = new Network(this.time, this.random('network'), this.counts);
    this.nodes = Array.from({ length: options.nodes + SPARES }, (_, at) => {
      return new SimNode(this, `n${at + 1}`, this.random(`node ${at}`).below(0x1_0000_0000));
    });
    this.calls = new Calls(this.time, this.network, machineAt, (address) => this.calleeAt(address));
    const configurations = (): Configuration[] => this.membership.inForceAbove(this.committed.lastIndex);
    this.damage = new DamageLedger({ nodes: this.nodes, configurations });
    this.redials = new Redials(this.time, this.network, this.random('redials'), this.counts);
    this.requests = new Requests(this.time, this.random('requests'), (error) => this.fail(error));
    this.faults = new FaultPlan(this, this.random('faults'), new Set(options.without));
  }

  /** Rejects with SimulationFailure. */
  async run(): Promise<SimulationReport> {
    try {
      await this.format();
      const history = await new Scenario(this).run();
      return {
        seed: this.options.seed,
        hash: this.trace.hash(),
        events: this.time.events,
        seconds: this.time.now / 1_000_000,
        faults: this.counts,
        elections: this.checks.elections,
        membershipChanges: this.membership.changes,
        committed: this.committed.lastIndex,
        history,
      };
    } catch (error) {
      throw new SimulationFailure(this.options.seed, this.trace.lastLines(), this.time.now / 1_000_000, error);
    }
  }

  /** Lets events happen until `done`, or throws where that takes longer than `seconds`. */
  async until(what: string, seconds: number, done: () => boolean): Promise<void> {
    const deadline = this.time.now + seconds * 1_000_000;
    while (!done()) {
      if (this.time.now > deadline) violated('liveness', `in ${seconds} seconds there was no ${what}`);
      await this.step();
    }
  }

  /** Randomness of its own for each purpose, so that more of one changes nothing in the others. */
  random(purpose: string): SeededRandom {
    let state = this.options.seed >>> 0;
    for (const char of purpose) state = (Math.imul(state ^ char.charCodeAt(0), 0x01000193) + 0x9e3779b9) >>> 0;
    return new SeededRandom(state);
  }

  nameOf(id: NodeId): string {
    return this.names.get(id) ?? (id === '' ? 'nobody' : id);
  }

  /** Its first disk goes by its own name, later ones are numbered. */
  named({ id, name }: SimNode): void {
    if (this.names.has(id)) return;
    const before = [...this.names.values()].filter((known) => known === name || known.startsWith(`${name}#`)).length;
    this.names.set(id, before === 0 ? name : `${name}#${before + 1}`);
  }

  isMember({ name }: SimNode): boolean {
    const inForce = this.membership.inForceAbove(this.committed.lastIndex);
    return inForce.some(({ servers }) => servers.some((server) => server.name === name));
  }

  isHurt(node: SimNode): boolean {
    return this.damage.isHurt(node);
  }

  /** How a client reaches the nodes. */
  connections(name: string): ConnectionWorld {
    return {
      time: this.time,
      random: this.random(`connections ${name}`),
      loss: () => this.requests.loss,
      servedAt: (address) => {
        const node = this.nodes.find(({ rpcAddr }) => rpcAddr === address);
        return node?.life && node.running ? { life: node.life, door: node.running.door } : undefined;
      },
    };
  }

  get elections(): number {
    return this.checks.elections;
  }

  send(message: Message, address: string): void {
    const { from, to } = message;
    this.checks.sent(
      message,
      this.nodes.find(({ id }) => id === from),
    );
    const names = `${this.nameOf(from)}>${this.nameOf(to)}`;
    const text = describeMessage(message);
    const body = Buffer.concat(encodeMessage(message).parts);
    this.network.transmit(this.machineOf(from), machineAt(address), () => {
      const node = this.nodes.find(({ rpcAddr }) => rpcAddr === address);
      if (node?.id !== to) return;
      this.trace.add(names, text);
      // Each delivery has bytes of its own, as from a socket.
      const frame = { type: FrameType.message, group: 0, body: Buffer.from(body) };
      node.receive(decodeMessage(frame, from, to));
    });
  }

  observed(node: SimNode, machine: LedgerMachine): StateMachine {
    return {
      prepare: (batch, header) => machine.prepare(batch, header),
      apply: (batch, header) => {
        const outcomes = machine.apply(batch, header);
        this.trace.add(node.name, `applies ${header.index}.${header.term}`);
        const { term } = node.running!.replica.status();
        if (this.committed.take(node.name, term, header, outcomes, machine) && header.kind === BatchKind.Version) {
          this.counts.add('rules switched on');
        }
        return outcomes;
      },
      snapshot: () => machine.snapshot(),
      attachments: () => machine.attachments(),
      restore: (chunks, at) => machine.restore(chunks, at),
      flush: () => machine.flush(),
    };
  }

  started(node: SimNode, { snapshotMeta, log, machine, hardState, mayHaveLost }: GroupStorage): void {
    const { index } = snapshotMeta;
    this.trace.add(node.name, `up: term ${hardState.term}, snapshot ${index}, log to ${log.lastIndex}.${log.lastTerm}`);
    const end = { index: log.lastIndex, term: log.lastTerm };
    this.checks.opened(node, { end, hardState, mayHaveLost }, this.damage.isHurt(node));
    if (index > 0) this.committed.expectState(node.name, index, machine.hash());
    // A crash alone must never look as if it could have taken something acknowledged.
    if (mayHaveLost && !this.damage.isHurt(node))
      violated('durability', `${node.name} believes that it lost entry ${mayHaveLost.index}`);
  }

  processEnded(node: SimNode): void {
    this.redials.processEnded(node, this.nodes);
  }

  fail(error: unknown): void {
    this.failure ??= { error };
  }

  private async step(): Promise<void> {
    if (!(await this.time.step())) violated('liveness', 'nothing will ever happen again');
    if (this.failure) throw this.failure.error;
    for (const node of this.touched) {
      this.checks.look(node);
      expectBoundedTail(node, this.settings.limits.uncommittedBytes);
    }
    this.touched.clear();
  }

  private machineOf(id: NodeId): string {
    return this.nameOf(id).split('#')[0]!;
  }

  private calleeAt(address: string): Callee | undefined {
    const node = this.nodes.find(({ rpcAddr }) => rpcAddr === address);
    return node?.life && { life: node.life, name: node.name, id: node.id, handlers: node.handlers };
  }

  private async format(): Promise<void> {
    const first = this.nodes.slice(0, this.options.nodes);
    for (const node of first) {
      node.id = node.newId();
      this.named(node);
    }
    const servers = first
      .map(({ id, name, rpcAddr }) => ({ id, name, rpcAddr }))
      .sort((a, b) => (a.id < b.id ? -1 : 1));
    const configuration: Configuration = {
      voters: servers.map(({ id }) => id),
      votersOutgoing: [],
      learners: [],
      servers,
    };
    this.membership.note(0, 0, configuration);
    for (const node of first) await node.format(configuration);
    for (const node of first) node.boot();
  }
}

function machineAt(address: string): string {
  return address.split(':')[0]!;
}
