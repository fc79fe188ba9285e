import { cpSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { credentials, makeClientConstructor, type Client } from '@grpc/grpc-js';
import { freePorts } from '../../src/bench/free-ports';
import { LedgerClient } from '../../src/client';
import { nodeConfig } from '../../src/node/config/node-config';
import { mergeSources } from '../../src/node/config/sources';
import { LedgerNode } from '../../src/node/ledger-node';
import { clientDefinition } from '../../src/proto/load';
import { recordedEvents, type RecordedEvents } from '../node/recorded-events';

export const NODES = 3;
const PORTS_PER_NODE = 2;
/** Runs of ids begin with far more transfers than a case can wait for. */
const FEW_IDS = { runRows: 64, keptRows: 64 };
const READ_MILLIS = 30_000;
const LogClient = makeClientConstructor(clientDefinition('log.v1.Log'), 'log.v1.Log');

interface Member {
  node: LedgerNode;
  readonly events: RecordedEvents;
  /** Resolves to why the node did not start, or to nothing when it serves. */
  readonly started: Promise<unknown>;
}

/** Three nodes of the real program in this process, on real folders and loopback ports, that can be stopped and started. */
export class DamagedCluster {
  readonly members: (Member | undefined)[] = Array.from({ length: NODES }, () => undefined);
  /** What ended a node that had started. */
  readonly fatal: { readonly n: number; readonly error: unknown }[] = [];

  private constructor(
    private readonly ports: readonly number[],
    readonly folder: string,
    private readonly flags: Readonly<Record<string, string>>,
  ) {}

  static async at(folder: string, flags: Readonly<Record<string, string>> = {}): Promise<DamagedCluster> {
    mkdirSync(folder, { recursive: true });
    return new DamagedCluster(await freePorts(NODES * PORTS_PER_NODE), folder, flags);
  }

  /** The same addresses, other folders: what a node remembers of the others stays true. */
  movedTo(folder: string): DamagedCluster {
    return new DamagedCluster(this.ports, folder, this.flags);
  }

  dataDir(n: number): string {
    return join(this.folder, `node-${n + 1}`);
  }

  rpcAddress(n: number): string {
    return `127.0.0.1:${this.ports[n * PORTS_PER_NODE]}`;
  }

  /** @param bootstrap begins a new cluster. Every other start is given the gossip addresses of the others */
  start(n: number, bootstrap = false): Promise<unknown> {
    const gossip = (of: number): string => `127.0.0.1:${this.ports[of * PORTS_PER_NODE + 1]}`;
    const others = Array.from({ length: NODES }, (_, of) => of).filter((of) => of !== n);
    const events = recordedEvents();
    const flags = {
      'node-name': `node-${n + 1}`,
      'data-dir': this.dataDir(n),
      'rpc-addr': this.rpcAddress(n),
      'bind-addr': gossip(n),
      'http-addr': 'off',
      'database-url': 'off',
      'log-level': 'fatal',
      ...(bootstrap ? { bootstrap: true } : { 'start-join-addrs': others.map(gossip).join(',') }),
      ...this.flags,
    };
    const config = nodeConfig(mergeSources(flags, {}, undefined), false);
    const node = new LedgerNode(config, events, (error) => this.fatal.push({ n, error }), { ids: FEW_IDS });
    const started = node.start().then(
      () => undefined,
      (error: unknown) => error,
    );
    this.members[n] = { node, events, started };
    return started;
  }

  async stop(n: number): Promise<void> {
    const member = this.members[n];
    this.members[n] = undefined;
    await member?.node.stop();
  }

  async stopAll(): Promise<void> {
    await Promise.all(this.members.map((_, n) => this.stop(n)));
  }

  client(nodes: readonly number[]): Promise<LedgerClient> {
    return LedgerClient.connect({ addresses: nodes.map((n) => this.rpcAddress(n)) });
  }

  copyTo(folder: string): void {
    cpSync(this.folder, folder, { recursive: true });
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 3 });
  }

  /** The records from an offset on up to another, as this node gives them; from a later one on where none has the first any more. */
  async recordsOf(n: number, from: number, to: number): Promise<{ readonly from: number; readonly values: Buffer[] }> {
    const client = new LogClient(this.rpcAddress(n), credentials.createInsecure(), {
      'grpc.enable_http_proxy': 0,
      'grpc.use_local_subchannel_pool': 1,
    });
    try {
      for (let begin = from; ;) {
        try {
          return { from: begin, values: await readRecords(client, begin, to) };
        } catch (error) {
          const moved = /the log now begins at offset (\d+)/.exec(String(error))?.[1];
          // The oldest may be dropped again meanwhile.
          if (moved === undefined || Number(moved) <= begin) throw error;
          begin = Number(moved);
          if (begin >= to) return { from: to, values: [] };
        }
      }
    } finally {
      client.close();
    }
  }
}

async function readRecords(client: Client, from: number, to: number): Promise<Buffer[]> {
  const { path, requestSerialize, responseDeserialize } = clientDefinition('log.v1.Log').ConsumeStream;
  const deadline = Date.now() + READ_MILLIS;
  const request = { offset: from };
  const call = client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, request, { deadline });
  const values: Buffer[] = [];
  try {
    for await (const { record } of call as AsyncIterable<{ record?: { value: Uint8Array } | null }>) {
      values.push(Buffer.from(record?.value ?? []));
      if (values.length === to - from) return values;
    }
    throw new Error(`A node gave ${values.length} records from ${from} on, not ${to - from}.`);
  } finally {
    call.cancel();
  }
}

/** Polls until the condition holds; it may throw meanwhile. Rejects with the last reason when the time is up. */
export async function until(what: string, millis: number, condition: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + millis;
  let reason: unknown;
  for (;;) {
    try {
      if (await condition()) return;
      reason = undefined;
    } catch (error) {
      reason = error;
    }
    if (performance.now() > deadline) throw new Error(`Waited ${millis} ms in vain for ${what}.`, { cause: reason });
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
