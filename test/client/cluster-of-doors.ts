/**
 * Several real gRPC servers over one state in memory: to a client it is a cluster whose nodes are always of one mind. Tests
 * make one the leader, cut one off, or make it refuse, and see what the client does.
 */
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createGrpcServer, type GrpcServer } from '../../src/api/grpc/server';
import { NodeError, type NodePort, type ServerView } from '../../src/api/node-port';
import { SingleNodePort } from '../support/single-node-port';

/** One of the doors: its own name and its own moods, everything else from the shared state. */
export class DoorOfMany {
  /** Asked before a write is taken: throw to refuse, wait to hold it up. */
  beforeWrite: () => Promise<void> | void = () => undefined;
  /** Asked when a write is in the log and before it is answered. */
  beforeAnswer: () => Promise<void> | void = () => undefined;
  beforeRead: () => Promise<void> | void = () => undefined;
  writes = 0;
  reads = 0;
  address = '';
  private grpc: GrpcServer | undefined;
  private listener: Server | undefined;
  private readonly sockets = new Set<Socket>();

  constructor(
    readonly name: string,
    private readonly cluster: ClusterOfDoors,
  ) {}

  async listen(): Promise<void> {
    this.grpc = createGrpcServer(this.port(), { onUnforeseen: (error) => this.cluster.unforeseen.push(error) });
    const listener = createServer((socket) => {
      this.sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.once('close', () => this.sockets.delete(socket));
      this.grpc?.injectConnection(socket);
    });
    const port = this.address === '' ? 0 : Number(this.address.split(':')[1]);
    await new Promise<void>((resolve) => listener.listen(port, '127.0.0.1', resolve));
    this.listener = listener;
    this.address = `127.0.0.1:${(listener.address() as AddressInfo).port}`;
    this.grpc.setServing(true);
  }

  /** As a crash: connections break without a word; `listen` brings it back at the same address. */
  async die(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.listener?.close(resolve));
    await this.grpc?.close(0);
  }

  /** As a clean stop. */
  async stop(): Promise<void> {
    await this.grpc?.close(1_000);
    await this.die();
  }

  private port(): NodePort {
    const { shared } = this.cluster;
    return {
      info: { ...shared.info, nodeName: this.name },
      ledger: shared.ledger,
      submit: async (request, deadlineMs) => {
        this.writes += 1;
        await this.beforeWrite();
        const committed = await shared.submit(request, deadlineMs);
        await this.beforeAnswer();
        return committed;
      },
      rehearse: (chunk, look) => {
        this.reads += 1;
        return shared.rehearse(chunk, look);
      },
      beginRehearsal: (request) => shared.beginRehearsal(request),
      barrier: async (consistency, deadlineMs) => {
        this.reads += 1;
        await this.beforeRead();
        await shared.barrier(consistency, deadlineMs);
      },
      position: () => shared.position(),
      tokenFor: (index) => shared.tokenFor(index),
      readRecords: async (from, maxBytes, deadlineMs) => {
        this.reads += 1;
        await this.beforeRead();
        return shared.readRecords(from, maxBytes, deadlineMs);
      },
      waitForOffset: (offset, signal) => shared.waitForOffset(offset, signal),
      leaderOffset: (deadlineMs) => shared.leaderOffset(deadlineMs),
      servers: () => this.cluster.servers(),
      members: () => shared.members(),
      status: (options) => shared.status(options),
      transferLeadership: async (name) => {
        this.cluster.leader = name === '' ? 'node-2' : name;
        return this.cluster.leader;
      },
      readiness: () => ({ ready: true, why: '' }),
      leaderName: () => this.cluster.leader,
      metricsText: () => shared.metricsText(),
    };
  }
}

export class ClusterOfDoors {
  readonly shared = new SingleNodePort();
  readonly doors: DoorOfMany[] = [];
  readonly unforeseen: unknown[] = [];
  leader: string | undefined = 'node-1';
  /** What the cluster tells clients that a door's address is, where that is not the one it listens on. */
  readonly advertised = new Map<string, string>();
  /** Names of doors that the cluster does not name to clients. */
  readonly hidden = new Set<string>();

  static async start(count: number): Promise<ClusterOfDoors> {
    const cluster = new ClusterOfDoors();
    cluster.shared.createUsd({ autoOpen: true, noMinimum: true });
    for (let i = 1; i <= count; i++) {
      const door = new DoorOfMany(`node-${i}`, cluster);
      cluster.doors.push(door);
      await door.listen();
    }
    return cluster;
  }

  get addresses(): string[] {
    return this.doors.map((door) => door.address);
  }

  door(i: number): DoorOfMany {
    return this.doors[i]!;
  }

  servers(): ServerView[] {
    return this.doors
      .filter((door) => !this.hidden.has(door.name))
      .map((door) => ({
        id: door.name,
        rpcAddr: this.advertised.get(door.name) ?? door.address,
        isLeader: door.name === this.leader,
      }));
  }

  async close(): Promise<void> {
    await Promise.all(this.doors.map((door) => door.die()));
  }
}

export function noLeader(): NodeError {
  return new NodeError('UNAVAILABLE', 'NO_LEADER', 'No leader is known.', { retryAfterMs: 1_000 });
}

/** Polls until `condition` holds; fails when the time is up. */
export async function eventually(what: string, condition: () => boolean, timeoutMs = 10_000): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`Waited ${timeoutMs} ms in vain for ${what}.`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
