import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '../../src/bench/free-ports';
import { NodeProcess } from '../../src/bench/node-process';
import { LedgerClient } from '../../src/client';
import type { SeededRandom } from '../support/seeded-random';
import type { Findings } from './findings';
import { Links } from './links';
import { TcpProxy } from './tcp-proxy';
import { UdpProxy } from './udp-proxy';

const PORTS_PER_NODE = 5;
const START_MILLIS = 120_000;
/** Small, so that segments roll and snapshots are taken all the time; the log is kept long enough for its follower. */
const FLAGS = [
  ...['--database-url', 'off', '--log-level', 'info'],
  ...['--segment-bytes', '1MiB', '--snapshot-bytes', '1MiB', '--retention-bytes', '16MiB'],
];

/** What a node is doing as far as this process made it. */
export type Condition = 'up' | 'starting' | 'down' | 'suspended';

/** One process, and what stands between it and the others. */
export class SoakNode {
  condition: Condition = 'down';
  /** Of all its processes, in MiB. */
  mostMemory = 0;

  constructor(
    readonly name: string,
    readonly address: string,
    readonly process: NodeProcess,
    private readonly proxy: TcpProxy,
    private readonly findings: Findings,
  ) {}

  /** Resolves when it serves. */
  async start(): Promise<void> {
    this.condition = 'starting';
    await this.proxy.listen();
    this.process.start();
    await this.process.untilReady(START_MILLIS).catch((error: Error) => this.findings.add('start', error.message));
    // It may have been stopped or killed meanwhile.
    if (this.condition === 'starting') this.condition = 'up';
  }

  async kill(): Promise<void> {
    this.condition = 'down';
    await this.process.kill9();
    this.proxy.refuse();
  }

  async stop(): Promise<void> {
    this.condition = 'down';
    const { code, signal } = await this.process.stop().catch((error: Error) => {
      this.findings.add('stop', error.message);
      return { code: 0, signal: null };
    });
    this.proxy.refuse();
    if (code !== 0)
      this.findings.add('stop', `${this.name} ended with status ${code}, signal ${signal} when it was stopped`);
  }

  suspend(): void {
    this.condition = 'suspended';
    this.process.suspend();
  }

  resume(): void {
    this.condition = 'up';
    this.process.resume();
  }

  /** Reads its memory, and whether it still lives. */
  look(): void {
    const { condition } = this;
    if (condition === 'down') return;
    if (!this.process.isRunning) {
      this.condition = 'down';
      this.findings.add('process', `${this.name} ended by itself. The end of its log:\n${this.process.log()}`);
      return;
    }
    this.mostMemory = Math.max(this.mostMemory, residentMebibytes(this.process.pid));
  }

  close(): void {
    this.proxy.refuse();
  }
}

/** Real processes whose every connection and datagram to each other, and to their clients, passes through this one. */
export class SoakCluster {
  private constructor(
    readonly nodes: readonly SoakNode[],
    readonly links: Links,
    readonly gossip: UdpProxy,
    private readonly folder: string,
  ) {}

  static async start(count: number, random: SeededRandom, findings: Findings): Promise<SoakCluster> {
    const folder = mkdtempSync(join(tmpdir(), 'ledger-soak-'));
    const links = new Links();
    const ports = await freePorts(count * PORTS_PER_NODE);
    const plans = Array.from({ length: count }, (_, at) => {
      const [rpc, gossip, http, toldRpc, toldGossip] = ports.slice(at * PORTS_PER_NODE);
      return {
        name: `node-${at + 1}`,
        rpc: rpc!,
        gossip: gossip!,
        http: http!,
        toldRpc: toldRpc!,
        toldGossip: toldGossip!,
      };
    });
    const ends = plans.map(({ name, gossip, toldGossip }) => ({ name, port: gossip, toldPort: toldGossip }));
    const gossip = new UdpProxy(ends, links, random);
    await gossip.listen();
    const told = plans.map(({ toldGossip }) => loopback(toldGossip));
    const nodes = plans.map((plan, at) => {
      const others = ['--start-join-addrs', told.filter((_, other) => other !== at).join(',')];
      const own = { rpc: loopback(plan.rpc), gossip: loopback(plan.gossip), http: loopback(plan.http) };
      const advertised = [
        '--advertise-rpc-addr',
        loopback(plan.toldRpc),
        '--advertise-addr',
        loopback(plan.toldGossip),
      ];
      const joining = { first: at === 0 ? ['--bootstrap'] : others, again: others };
      const process = new NodeProcess(plan.name, own, folder, [...FLAGS, ...advertised], joining);
      const proxy = new TcpProxy(plan.name, plan.toldRpc, plan.rpc, links);
      return new SoakNode(plan.name, loopback(plan.toldRpc), process, proxy, findings);
    });
    const cluster = new SoakCluster(nodes, links, gossip, folder);
    await nodes[0]!.start();
    await Promise.all(nodes.slice(1).map((node) => node.start()));
    await cluster.untilAllVote();
    return cluster;
  }

  /** A node that serves may be a learner yet, and a cluster with fewer voters survives fewer faults than it seems to. */
  private async untilAllVote(): Promise<void> {
    const client = await LedgerClient.connect({ addresses: this.addresses, timeoutMs: START_MILLIS });
    try {
      await this.nodes[0]!.process.until('all nodes to be voters', START_MILLIS, async () => {
        const voters = (await client.members()).filter(({ suffrage }) => suffrage === 'voter');
        return voters.length === this.nodes.length;
      });
    } finally {
      await client.close();
    }
  }

  /** What clients are told. */
  get addresses(): string[] {
    return this.nodes.map((node) => node.address);
  }

  node(name: string): SoakNode | undefined {
    return this.nodes.find((node) => node.name === name);
  }

  logs(): string {
    return this.nodes.map((node) => `--- ${node.name}\n${node.process.log(4_096)}`).join('\n');
  }

  async close(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.process.kill9()));
    for (const node of this.nodes) node.close();
    this.gossip.close();
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

function loopback(port: number): string {
  return `127.0.0.1:${port}`;
}

/** 0 where the process is gone, or the system does not say. */
function residentMebibytes(pid: number | undefined): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return Math.round(Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) / 1024);
  } catch {
    return 0;
  }
}
