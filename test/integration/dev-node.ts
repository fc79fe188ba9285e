import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, credentials, type MethodDefinition } from '@grpc/grpc-js';
import { freePorts } from '../../src/bench/free-ports';
import { NodeCommand } from '../cli/node-command';
import { call } from '../support/doors';

/** `ledger-node --dev` in a process of its own, as whoever attacks it sees it: three ports of loopback. */
export class DevNode {
  private paid = 0;

  private constructor(
    readonly rpcPort: number,
    readonly gossipPort: number,
    readonly httpPort: number,
    private readonly process: NodeCommand,
    private readonly folder: string,
    readonly grpc: Client,
  ) {}

  static async start(): Promise<DevNode> {
    const [rpc, gossip, http] = (await freePorts(3)) as [number, number, number];
    const folder = mkdtempSync(join(tmpdir(), 'ledger-dev-'));
    const addresses = { 'rpc-addr': rpc, 'bind-addr': gossip, 'http-addr': http };
    const flags = Object.entries(addresses).flatMap(([flag, port]) => [`--${flag}`, `127.0.0.1:${port}`]);
    const process = new NodeCommand(['--dev', '--database-url', 'off', ...flags], { env: { TMPDIR: folder } });
    const grpc = new Client(`127.0.0.1:${rpc}`, credentials.createInsecure(), { 'grpc.max_send_message_length': -1 });
    const node = new DevNode(rpc, gossip, http, process, folder, grpc);
    await process.saying('serving');
    return node;
  }

  /** The whole answer of an HTTP request. */
  async http(method: string, path: string, body?: string): Promise<{ status: number; body: string }> {
    const init = body === undefined ? { method } : { method, body };
    const response = await fetch(`http://127.0.0.1:${this.httpPort}${path}`, init);
    return { status: response.status, body: await response.text() };
  }

  async ask<Request, Response>(method: MethodDefinition<Request, Response>, request: Request): Promise<Response> {
    return (await call(this.grpc, method, request)).response;
  }

  /** The offset that the next record will take. */
  async nextOffset(): Promise<number> {
    const { body } = await this.http('GET', '/metrics');
    const found = /^ledger_log_next_offset\{group="0"\} (\d+)$/m.exec(body);
    if (!found) throw new Error(`The metrics do not say how far the log is:\n${body}`);
    return Number(found[1]);
  }

  /** A normal transfer of one cent from Alice to Bob, and a look at whether it arrived. */
  async pay(): Promise<void> {
    const id = randomUUID();
    const body = JSON.stringify({ from: 'Alice', to: 'Bob', amount: '0.01', request_id: id });
    const { status } = await this.http('POST', '/api/v1/transfers', body);
    if (status !== 201) throw new Error(`A normal transfer was answered with ${status}.`);
    this.paid += 1;
    const balance = JSON.parse((await this.http('GET', '/api/v1/accounts/Bob/balance')).body) as { posted: string };
    const expected = (this.paid / 100).toFixed(2);
    if (balance.posted !== expected) throw new Error(`Bob has ${balance.posted}, but was paid ${expected}.`);
  }

  /** Lines of the log that say that something went wrong which nobody foresaw. */
  complaints(): unknown[] {
    return this.process.lines().filter((line) => Number(line['level']) >= 50);
  }

  /** Ends the node; its exit status. */
  async stop(): Promise<number | null> {
    this.grpc.close();
    this.process.signal('SIGTERM');
    const { code } = await this.process.ended;
    rmSync(this.folder, { recursive: true, force: true });
    return code;
  }
}

/**
 * A node for all tests of a file. After each of them it is alive, its log is as long as it was, and a normal transfer
 * works; at the end nothing unforeseen is in its log, and it stops cleanly.
 */
export function attackedNode(): { readonly node: DevNode; logged(records: number): void } {
  let node: DevNode | undefined;
  let expected = 0;
  const theNode = (): DevNode => {
    if (!node) throw new Error('The node was not started.');
    return node;
  };
  beforeAll(async () => {
    node = await DevNode.start();
    await node.pay();
    expected = 1;
  });
  afterEach(async () => {
    const [was, is] = [expected, await theNode().nextOffset()];
    // Each test answers for itself only.
    expected = is + 1;
    await theNode().pay();
    expect(is).toBe(was);
  });
  afterAll(async () => {
    const complaints = theNode().complaints();
    expect(await theNode().stop()).toBe(0);
    expect(complaints).toEqual([]);
  });
  return {
    get node() {
      return theNode();
    },
    /** The contract has so many records logged by what the test did: refusals that burn their ids. */
    logged: (records) => (expected += records),
  };
}
