import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '../../src/bench/free-ports';
import { LedgerClient, type MemberView } from '../../src/client';
import { NodeProcess, type NodeAddresses } from '../../src/bench/node-process';
import { NodeCommand } from '../cli/node-command';

const PATIENCE = 30_000;

export interface MemberOptions {
  readonly flags?: readonly string[];
  /** How it begins where it has no data yet; joins the others where nothing is said. */
  readonly first?: readonly string[];
  /** How it comes back; joins the others where nothing is said. */
  readonly again?: readonly string[];
}

/** Nodes that come, go, move and come back, each in a process of its own. */
export class ChangingCluster {
  readonly folder = mkdtempSync(join(tmpdir(), 'ledger-members-'));
  private readonly nodes = new Map<string, NodeProcess>();

  /** Starts a node, under a new name or, after its process has ended, at new addresses under its old one. */
  async start(name: string, { flags = [], first, again }: MemberOptions = {}): Promise<NodeProcess> {
    const addresses = await this.newAddresses();
    const others = [...this.nodes.values()].filter((node) => node.name !== name).map((node) => node.addresses.gossip);
    const joining = others.length > 0 ? ['--start-join-addrs', others.join(',')] : [];
    const all = ['--database-url', 'off', ...flags];
    const node = new NodeProcess(name, addresses, this.folder, all, {
      first: first ?? joining,
      again: again ?? joining,
    });
    this.nodes.set(name, node);
    node.start();
    return node;
  }

  node(name: string): NodeProcess {
    const node = this.nodes.get(name);
    if (!node) throw new Error(`No node was named ${name}.`);
    return node;
  }

  /** A node that is expected to end by itself. */
  async startAlone(name: string, folder: string, flags: readonly string[]): Promise<NodeCommand> {
    const { rpc, gossip, http } = await this.newAddresses();
    const addresses = ['--rpc-addr', rpc, '--bind-addr', gossip, '--http-addr', http, '--database-url', 'off'];
    return new NodeCommand(['--node-name', name, '--data-dir', join(this.folder, folder), ...addresses, ...flags]);
  }

  /** What one node says, and no other. */
  async ask<T>(name: string, question: (client: LedgerClient) => Promise<T>): Promise<T> {
    const client = await LedgerClient.connect({ addresses: [this.node(name).addresses.rpc] });
    try {
      return await question(client);
    } finally {
      await client.close();
    }
  }

  /** The members as node `asked` sees them, by name. */
  async members(asked = 'node-1'): Promise<Map<string, MemberView>> {
    const members = await this.ask(asked, (client) => client.members());
    return new Map(members.filter(({ suffrage }) => suffrage !== 'none').map((member) => [member.name, member]));
  }

  async voters(asked = 'node-1'): Promise<string[]> {
    const members = await this.members(asked);
    return [...members.values()].filter(({ suffrage }) => suffrage === 'voter').map(({ name }) => name);
  }

  /** Waits for what the members look like from one node; fails with how they look. */
  async until(
    what: string,
    condition: (members: Map<string, MemberView>) => boolean,
    asked = 'node-1',
  ): Promise<Map<string, MemberView>> {
    let members = new Map<string, MemberView>();
    await this.node(asked).until(what, PATIENCE, async () => {
      members = await this.members(asked);
      return condition(members);
    });
    return members;
  }

  untilVoter(name: string, asked?: string): Promise<Map<string, MemberView>> {
    return this.until(`${name} to vote`, (members) => members.get(name)?.suffrage === 'voter', asked);
  }

  async leader(asked = 'node-1'): Promise<string> {
    const members = await this.until('a leader', (found) => [...found.values()].some((one) => one.isLeader), asked);
    return [...members.values()].find((one) => one.isLeader)?.name as string;
  }

  /** Everything that a node has logged, as documents. */
  lines(name: string): Record<string, unknown>[] {
    const text = this.node(name).log(1 << 22);
    const whole = text.split('\n').filter((line) => line.startsWith('{') && line.endsWith('}'));
    return whole.map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  /** Changes of the membership that leaders made, over all nodes, oldest first: `addLearner node-2`. */
  changes(): string[] {
    const all = [...this.nodes.keys()].flatMap((name) => this.lines(name));
    return all
      .filter((line) => line['msg'] === 'changing the membership')
      .sort((a, b) => String(a['time']).localeCompare(String(b['time'])))
      .map((line) => `${String(line['change'])} ${String(line['node'])}`);
  }

  /** Ends all processes, so that nothing holds a file of theirs any more. */
  async stopAll(): Promise<void> {
    await Promise.all([...this.nodes.values()].map((node) => node.kill9()));
  }

  async close(): Promise<void> {
    await this.stopAll();
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 3 });
  }

  private async newAddresses(): Promise<NodeAddresses> {
    const [rpc, gossip, http] = (await freePorts(3)).map((port) => `127.0.0.1:${port}`) as [string, string, string];
    return { rpc, gossip, http };
  }
}
