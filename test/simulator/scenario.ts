import { encodeCommand } from '../../src/ledger/command-codec';
import { LedgerError } from '../../src/client/errors';
import { encodeValues } from '../../src/log/chunk';
import { MAX_VOTERS } from '../../src/node/membership-policy';
import type { Configuration } from '../../src/raft/core';
import type { RunReport } from './client-history';
import { BANK } from './draw-transfer';
import { HalfConnected, SETTLING_SECONDS, STEADY_SECONDS } from './half-connected';
import { KINDS_ACCOUNTS, KindsClient } from './kinds-client';
import { LibraryClient } from './library-client';
import { SimClient, type ClientWorld } from './sim-client';
import type { SimNode } from './sim-node';
import type { Simulation } from './simulation';
import { violated } from './violation';

const CLIENTS = 4;
const LIBRARY_CLIENTS = 2;
const FIRST_ACCOUNTS = 5;
const SETUP_SECONDS = 20;
/** An election takes some tenths of a second; a snapshot and a long log have to travel as well. */
const RECOVERY_SECONDS = 60;
/** A client that does not know where the leader is asks nodes that cannot tell. */
const MOST_TRIES = 20;
const PEACE_SECONDS = 2;
const KINDS_CHANCE = 0.4;

/** The course of a run: a calm start, a phase with faults in which nothing may go wrong, a healed one in which all must go right. */
export class Scenario {
  private readonly world: ClientWorld;
  private readonly accounts: string[] = [];
  /** In some runs there is a client that makes holds, groups and reversals, too. */
  private kinds: KindsClient | undefined;

  constructor(private readonly sim: Simulation) {
    const { clusterId, nodes, requests, history, trace } = sim;
    this.world = { clusterId, nodes, requests, history, trace, accounts: this.accounts };
  }

  async run(): Promise<RunReport> {
    const { sim } = this;
    await sim.until('leader', SETUP_SECONDS, () => sim.nodes.some(({ running }) => running?.replica.isLeader));
    await this.prepare();
    sim.faults.start((name) => this.client(name));
    let stopping = false;
    const clients = Array.from({ length: CLIENTS }, (_, at) => this.client(`c${at + 1}`).run(() => stopping));
    const library = Array.from({ length: LIBRARY_CLIENTS }, (_, at) => this.useLibrary(`l${at + 1}`, () => stopping));
    const kinds = this.kinds ? [this.kinds.run(() => stopping)] : [];
    const end = sim.time.now + sim.options.seconds * 1_000_000;
    const working = this.watch(Promise.all([...clients, ...library, ...kinds]));
    await sim.until('end of the faults', sim.options.seconds + 1, () => sim.time.now >= end);
    sim.faults.heal();
    stopping = true;
    await sim.until('end of the clients', RECOVERY_SECONDS, working);
    await sim.until('agreement of all nodes', RECOVERY_SECONDS, () => this.agree());
    await this.serve();
    await sim.until('end of the holds that expire', RECOVERY_SECONDS, () => this.hasNoHoldToExpire());
    const halfConnected = !sim.options.without?.includes('half-connected');
    if (halfConnected && sim.random('half connected').chance(0.5)) await this.bearHalfConnected();
    await sim.until('agreement of all nodes', RECOVERY_SECONDS, () => this.agree());
    await this.expectPeace();
    for (const node of this.serving) {
      const peers = this.serving.filter((other) => other !== node);
      await this.finish('outcome', RECOVERY_SECONDS, sim.committed.expectOutcomes(node, peers, sim.damage));
    }
    // A disk that was hurt may hold a row that cannot be read any more; that it says so is asked elsewhere.
    const judge = this.serving.find((node) => !sim.damage.wasHurt(node)) ?? this.serving[0]!;
    const { reader } = judge.running!.storage.machine;
    const done = this.kinds?.history.check(reader, KINDS_ACCOUNTS) ?? 0;
    return { ...sim.history.check(reader), kinds: done };
  }

  /** A program that cannot connect is started again, as one under a supervisor. */
  private async useLibrary(name: string, stopped: () => boolean): Promise<void> {
    const { sim, world } = this;
    const random = sim.random(`library ${name}`);
    for (;;) {
      try {
        const client = await LibraryClient.connect(world, name, random, sim.connections(name));
        return await client.run(stopped);
      } catch (error) {
        if (!(error instanceof LedgerError) || error.reason !== 'NO_CLUSTER') throw error;
        if (stopped()) return;
      }
    }
  }

  private client(name: string): SimClient {
    return new SimClient(this.world, name, this.sim.random(`client ${name}`));
  }

  /** For the calm phases. Whom it asks may be a machine that stands by, several times in a row: that refuses nothing. */
  private patientClient(name: string): SimClient {
    return new SimClient(this.world, name, this.sim.random(`client ${name}`), 0);
  }

  /** A ledger, and some accounts to begin with. */
  private async prepare(): Promise<void> {
    const { sim } = this;
    await this.finish('first ledger', SETUP_SECONDS, this.createLedger());
    const first = this.patientClient('first');
    await this.finish('bank', SETUP_SECONDS, first.openAccount(BANK, undefined, undefined));
    for (let at = 1; at <= FIRST_ACCOUNTS; at += 1) {
      await this.finish('account', SETUP_SECONDS, first.openAccount(`a${at}`, 0n, at === 1 ? 9_000n : undefined));
    }
    if (sim.random('kinds of transfers').chance(KINDS_CHANCE)) {
      const kinds = new KindsClient(this.client('kinds'), sim.random('client of all kinds'), sim.time);
      await this.finish('account', SETUP_SECONDS, kinds.prepare());
      this.kinds = kinds;
    }
    sim.trace.add('world', 'is prepared');
  }

  private async createLedger(): Promise<boolean> {
    const { requests, nodes } = this.sim;
    const command = encodeCommand({
      kind: 'create_ledger',
      code: 'USD',
      scale: 2,
      autoOpen: false,
      rounding: 0,
      defaultMinBalance: 0n,
      defaultMaxBalance: undefined,
    });
    const request = { type: 1, kind: 'system', chunk: encodeValues(1, [command]), count: 1, subject: '' } as const;
    for (const node of [...nodes, ...nodes, ...nodes]) {
      const attempt = await requests.attempt(node, 1_000, ({ writes }) => writes.submit(request, 1_000));
      if (attempt.kind === 'answer') return true;
    }
    return false;
  }

  /** The healed cluster takes a write, and shows it at every node. */
  private async serve(): Promise<void> {
    const client = this.patientClient('last');
    await this.finish('write', RECOVERY_SECONDS, client.transfer(1));
    for (const node of this.serving) await this.finish('read', RECOVERY_SECONDS, client.readBalance(node));
  }

  /** A majority that hears each other keeps a leader and takes writes, whatever else is cut. */
  private async bearHalfConnected(): Promise<void> {
    const { sim } = this;
    const half = new HalfConnected({ ...sim, nodes: this.voting }, sim.random('half connected nodes'));
    await this.pass(SETTLING_SECONDS);
    half.settled();
    await this.pass(STEADY_SECONDS);
    half.expectSteady();
    const client = this.client('steady');
    const write = async (): Promise<boolean> => {
      for (let tries = 0; tries < MOST_TRIES; tries += 1) if (await client.transfer(1)) return true;
      return false;
    };
    await this.finish('write', RECOVERY_SECONDS, write());
    sim.network.mend();
  }

  private async pass(seconds: number): Promise<void> {
    const end = this.sim.time.now + seconds * 1_000_000;
    await this.sim.until('event', seconds + 1, () => this.sim.time.now >= end);
  }

  /** With nothing broken there is no reason to elect: not for a node that was removed and does not know it, either. */
  private async expectPeace(): Promise<void> {
    const { sim } = this;
    const before = sim.elections;
    await this.pass(PEACE_SECONDS);
    if (sim.elections !== before) violated('stability', 'a leader was elected although nothing was broken');
  }

  private get voting(): readonly SimNode[] {
    const leader = this.serving.find(({ running }) => running?.replica.isLeader);
    const voters = leader?.running?.replica.status().configuration.voters ?? [];
    return this.serving.filter(({ id }) => voters.includes(id));
  }

  private get serving(): readonly SimNode[] {
    return this.sim.nodes.filter(({ duty }) => duty === 'serving');
  }

  /** One leader, everyone who is to be a member is one, and has applied all that it has, with the same state. */
  private agree(): boolean {
    const { nodes, committed } = this.sim;
    if (nodes.some(({ duty }) => duty === 'leaving')) return false;
    const { serving } = this;
    const leaders = nodes.filter(({ running }) => running?.replica.isLeader);
    const status = leaders[0]?.running?.replica.status();
    if (leaders.length !== 1 || !status || !isComplete(status.configuration, serving)) return false;
    if (!serving.every(({ running }) => running?.replica.appliedIndex === status.lastIndex)) return false;
    for (const { name, running } of serving) {
      committed.expectState(name, status.lastIndex, running!.storage.machine.hash());
    }
    return true;
  }

  private hasNoHoldToExpire(): boolean {
    return this.serving.every(({ running }) => running?.storage.machine.reader.nextExpiry() === undefined);
  }

  private async finish(what: string, seconds: number, work: Promise<boolean>): Promise<void> {
    let succeeded = false;
    const done = this.watch(work.then((success) => (succeeded = success)));
    await this.sim.until(what, seconds, done);
    if (!succeeded) violated('liveness', `the ${what} was refused although nothing was broken`);
  }

  private watch(work: Promise<unknown>): () => boolean {
    let done = false;
    work.then(
      () => (done = true),
      (error: unknown) => this.sim.fail(error),
    );
    return () => done;
  }
}

/** Exactly the machines that serve are members, and as many of them vote as may. */
function isComplete({ voters, votersOutgoing, servers }: Configuration, serving: readonly SimNode[]): boolean {
  const named = servers.map(({ name, id }) => `${name} ${id}`).sort();
  const wanted = serving.map(({ name, id }) => `${name} ${id}`).sort();
  const enough = voters.length === Math.min(serving.length, MAX_VOTERS);
  return votersOutgoing.length === 0 && enough && named.join() === wanted.join();
}
