import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { type ClusterProcess } from '../../src/bench/cluster-process';
import { LedgerClient } from '../../src/client';
import { Connection } from '../../src/client/connection';
import { type CreateTransfersResponse, type TransferOut, type TransferView } from '../../src/proto/ledger-v1';
import { clientDefinition } from '../../src/proto/load';

const LEDGER = clientDefinition('ledger.v1.Ledger');
const PATIENCE = 60_000;

export interface Outcome {
  readonly result: string;
  readonly replayed: boolean;
  readonly offset: string;
  readonly timestamp: string;
  readonly moved: string;
}

/** Each node of a cluster asked by itself: what it is asked it answers, whoever leads. */
export class NodeDoors {
  private readonly connections = new Map<string, Connection>();

  constructor(readonly cluster: ClusterProcess) {}

  /** Transfers, at one node. */
  async create(node: number, ...transfers: TransferOut[]): Promise<Outcome[]> {
    return outcomesOf(await this.at(node).unary(LEDGER.CreateTransfers, { transfers }, PATIENCE));
  }

  async lookUp(node: number, id: string): Promise<TransferView> {
    const { transfer } = await this.at(node).unary(LEDGER.GetTransfer, { id }, PATIENCE);
    if (!transfer) throw new Error(`Node ${node} answered no transfer.`);
    return transfer;
  }

  async posted(node: number, account: string): Promise<string> {
    const { balance } = await this.at(node).unary(LEDGER.GetBalance, { account }, PATIENCE);
    return balance?.posted ?? '';
  }

  /** What is held of an account's money, as each running node says it. */
  async pending(account: string): Promise<string[]> {
    return this.everywhere(async (connection) => {
      const { balance } = await connection.unary(LEDGER.GetBalance, { account }, PATIENCE);
      return balance?.debits_pending ?? '';
    });
  }

  everywhere<T>(question: (connection: Connection, node: number) => Promise<T>): Promise<T[]> {
    const running = this.cluster.nodes.flatMap((node, i) => (node.isRunning ? [i] : []));
    return Promise.all(running.map((node) => question(this.at(node), node)));
  }

  /** The hashes of the state of all nodes, once all have applied the same. */
  async stateHashes(): Promise<string[]> {
    const client = await LedgerClient.connect({ addresses: this.cluster.addresses });
    try {
      for (let tries = 0; tries < 100; tries++) {
        const groups = (await client.status({ stateHash: true })).map(({ status }) => status?.groups[0]);
        const isEven = groups.every((group) => group !== undefined && group.appliedIndex === groups[0]?.appliedIndex);
        if (isEven) return groups.map((group) => group?.stateHash ?? '');
      }
      throw new Error('The nodes did not come to one applied index.');
    } finally {
      await client.close();
    }
  }

  at(node: number): Connection {
    const address = this.cluster.node(node).addresses.rpc;
    const known = this.connections.get(address) ?? new Connection(address, { leaderNamed: () => undefined });
    this.connections.set(address, known);
    return known;
  }

  close(): void {
    for (const connection of this.connections.values()) connection.close();
  }
}

export function outcomesOf(response: CreateTransfersResponse): Outcome[] {
  return response.results.map(({ result, amount_moved }) => {
    if (!result) throw new Error('A transfer was answered without a result.');
    return {
      ...{ result: result.result, replayed: result.replayed, offset: result.offset, timestamp: result.timestamp },
      moved: amount_moved,
    };
  });
}

/** A door in front of a node that passes on what it is asked, and may keep the answers to itself. */
export class ForgetfulDoor {
  /** From here on nothing that the node says reaches its callers. */
  keepsAnswers = false;
  readonly connection: Connection;
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    port: number,
  ) {
    this.connection = new Connection(`127.0.0.1:${port}`, { leaderNamed: () => undefined });
  }

  static async before(address: string): Promise<ForgetfulDoor> {
    const target = Number(address.split(':')[1]);
    const server = createServer((near) => door.pass(near, connect({ port: target, host: '127.0.0.1' })));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const door = new ForgetfulDoor(server, (server.address() as AddressInfo).port);
    return door;
  }

  private pass(near: Socket, far: Socket): void {
    for (const socket of [near, far]) {
      this.sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.once('close', () => this.sockets.delete(socket));
    }
    near.on('data', (bytes: Buffer) => far.write(bytes));
    far.on('data', (bytes: Buffer) => {
      if (!this.keepsAnswers) near.write(bytes);
    });
  }

  async close(): Promise<void> {
    this.connection.close();
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
