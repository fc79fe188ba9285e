import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { credentials, makeClientConstructor } from '@grpc/grpc-js';
import { type MembersResponse } from '../proto/cluster-v1';
import { clientDefinition } from '../proto/load';
import { freePorts } from './free-ports';
import { NodeProcess, type ExitStatus } from './node-process';

const START_DEADLINE = 60_000;
const MEMBERS_DEADLINE = 2_000;
const PORTS_PER_NODE = 3;
const MAX_NODES = 9;
const REMOVE_ATTEMPTS = 100;
const REMOVE_PAUSE = 200;

export interface ClusterOptions {
  /** How many nodes; the first one bootstraps, the others join it. */
  readonly nodes: number;
  /** Flags for every node, such as `['--snapshot-bytes', '1MiB']`. */
  readonly flags?: readonly string[];
  /** Value of --database-url; `off` where nothing is said. `embedded` leaves the flag out. */
  readonly database?: string;
  /** A database for each node, in their order; instead of `database`. */
  readonly databases?: readonly string[];
  /** Milliseconds until the cluster must be up, all nodes voting; 60 s where nothing is said. */
  readonly startTimeoutMs?: number;
}

/**
 * A cluster of real `ledger-node` processes on free loopback ports and a temporary folder. Ends only processes that it
 * started, by their ids. Nodes are numbered from 0.
 */
export class ClusterProcess {
  private constructor(
    readonly folder: string,
    readonly nodes: readonly NodeProcess[],
    private readonly startTimeoutMs: number,
  ) {}

  /** Starts all nodes and resolves when each of them is ready and votes. */
  static async start(options: ClusterOptions): Promise<ClusterProcess> {
    if (!Number.isInteger(options.nodes) || options.nodes < 1 || options.nodes > MAX_NODES) {
      throw new RangeError(`A cluster of 1 to ${MAX_NODES} nodes can be started, not of ${options.nodes}.`);
    }
    const folder = mkdtempSync(join(tmpdir(), 'ledger-cluster-'));
    const nodes = await layOut(folder, options);
    const cluster = new ClusterProcess(folder, nodes, options.startTimeoutMs ?? START_DEADLINE);
    try {
      // The first alone: what joins before there is a cluster only waits for a retry.
      nodes[0]!.start();
      await nodes[0]!.untilReady(cluster.startTimeoutMs);
      for (const node of nodes.slice(1)) node.start();
      await Promise.all(nodes.map((node) => node.untilReady(cluster.startTimeoutMs)));
      await cluster.untilVoters(nodes.length);
      return cluster;
    } catch (error) {
      await cluster.close();
      throw error;
    }
  }

  /** gRPC addresses, of running and of stopped nodes. */
  get addresses(): string[] {
    return this.nodes.map((node) => node.addresses.rpc);
  }

  node(i: number): NodeProcess {
    const node = this.nodes[i];
    if (!node) throw new RangeError(`There is no node ${i}; the cluster has ${this.nodes.length}, numbered from 0.`);
    return node;
  }

  /** SIGKILL, and waits until the process is gone. */
  kill9(i: number): Promise<void> {
    return this.node(i).kill9();
  }

  /** SIGTERM, and waits until the process is gone. */
  stop(i: number): Promise<ExitStatus> {
    return this.node(i).stop();
  }

  /** Starts a node that was stopped or killed, on its old data and addresses, and waits until it is ready. */
  async restart(i: number): Promise<void> {
    this.node(i).start();
    await this.node(i).untilReady(this.startTimeoutMs);
  }

  /** Resolves to the number of the node that leads, as soon as a running node names one that is running. */
  async leader(): Promise<number> {
    let leader = -1;
    await this.anyRunning().until('a leader that is running', this.startTimeoutMs, async () => {
      const members = await this.members();
      leader = members.findIndex((member) => member.is_leader && this.byName(member.name)?.isRunning === true);
      if (leader >= 0) leader = this.nodes.findIndex((node) => node.name === members[leader]!.name);
      return leader >= 0;
    });
    return leader;
  }

  /** Resolves when the members that a running node names hold so many voters, and one of them leads. */
  async untilVoters(count: number): Promise<void> {
    await this.anyRunning().until(`${count} voters`, this.startTimeoutMs, async () => {
      const members = await this.members();
      const voters = members.filter((member) => member.suffrage === 'voter');
      return voters.length === count && voters.some((member) => member.is_leader);
    });
  }

  /** What the first running node that answers says of the members; none where nobody answers. */
  private async members(): Promise<MembersResponse['members']> {
    for (const node of this.nodes.filter((one) => one.isRunning)) {
      const members = await membersOf(node.addresses.rpc);
      if (members) return members;
    }
    return [];
  }

  private anyRunning(): NodeProcess {
    const node = this.nodes.find((one) => one.isRunning);
    if (!node) throw new Error('No node of this cluster is running.');
    return node;
  }

  private byName(name: string): NodeProcess | undefined {
    return this.nodes.find((node) => node.name === name);
  }

  /** The logs of all nodes, for the message of a test that failed. */
  logs(): string {
    return this.nodes.map((node) => `--- ${node.name}\n${node.log()}`).join('\n');
  }

  /** Kills what is still running (a clean stop is `stop`) and removes the folder. */
  async close(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.kill9()));
    await removeFolder(this.folder);
  }
}

/**
 * The process of an embedded Postgres outlives its node that was killed until it has closed its files, and a file that it
 * makes meanwhile keeps its folder from being removed.
 */
async function removeFolder(folder: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      rmSync(folder, { recursive: true, force: true });
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOTEMPTY' || attempt === REMOVE_ATTEMPTS) throw error;
    }
    await setTimeout(REMOVE_PAUSE);
  }
}

async function layOut(folder: string, options: ClusterOptions): Promise<NodeProcess[]> {
  const ports = await freePorts(options.nodes * PORTS_PER_NODE);
  const addresses = Array.from({ length: options.nodes }, (_, i) => {
    const [rpc, gossip, http] = ports.slice(i * PORTS_PER_NODE).map((port) => `127.0.0.1:${port}`);
    return { rpc: rpc!, gossip: gossip!, http: http! };
  });
  const database = options.database ?? 'off';
  return addresses.map((own, i) => {
    const url = options.databases?.[i] ?? database;
    const flags = [...(url === 'embedded' ? [] : ['--database-url', url]), ...(options.flags ?? [])];
    const others = addresses.filter((one) => one !== own).map((one) => one.gossip);
    const join = ['--start-join-addrs', others.join(',')];
    const first = i === 0 ? ['--bootstrap'] : ['--start-join-addrs', addresses[0]!.gossip];
    return new NodeProcess(`node-${i + 1}`, own, folder, flags, { first, again: others.length > 0 ? join : [] });
  });
}

const ClusterClient = makeClientConstructor(clientDefinition('cluster.v1.Cluster'), 'cluster.v1.Cluster');

/** Undefined where the node does not answer. */
function membersOf(address: string): Promise<MembersResponse['members'] | undefined> {
  const definition = clientDefinition('cluster.v1.Cluster').Members;
  const client = new ClusterClient(address, credentials.createInsecure(), {
    'grpc.enable_http_proxy': 0,
    'grpc.use_local_subchannel_pool': 1,
  });
  return new Promise((resolve) => {
    client.makeUnaryRequest(
      definition.path,
      definition.requestSerialize,
      definition.responseDeserialize,
      {},
      { deadline: Date.now() + MEMBERS_DEADLINE },
      (error, response) => {
        client.close();
        resolve(error ? undefined : response?.members);
      },
    );
  });
}
