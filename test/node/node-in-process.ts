import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '../../src/bench/free-ports';
import { LedgerClient, type GroupStatus } from '../../src/client';
import type { Rules } from '../../src/ledger/rules-versions';
import { nodeConfig } from '../../src/node/config/node-config';
import { mergeSources } from '../../src/node/config/sources';
import type { ProgramParts } from '../../src/node/group-options';
import { LedgerNode } from '../../src/node/ledger-node';
import { recordedEvents, type RecordedEvents } from './recorded-events';

const POLL_MILLIS = 25;

/** Whole nodes in this process, with real sockets and disks, so that each can be built as a program of another age. */
export class NodesInProcess {
  readonly folder = mkdtempSync(join(tmpdir(), 'ledger-nodes-'));
  private readonly running = new Map<string, LedgerNode>();
  private readonly addresses = new Map<string, readonly [string, string]>();
  readonly failures: unknown[] = [];

  /** Starts a node under this name: the first begins the cluster, the others join it. Rejects as the program's start does. */
  async start(name: string, rules: Rules, parts: Omit<ProgramParts, 'rules'> = {}): Promise<RecordedEvents> {
    const [rpc, gossip] = this.addresses.get(name) ?? (await this.newAddresses(name));
    const others = [...this.addresses].filter(([other]) => other !== name).map(([, [, address]]) => address);
    const joining = others.length > 0 ? { 'start-join-addrs': others.join(',') } : { bootstrap: true };
    const raw = {
      ...{ 'node-name': name, 'data-dir': join(this.folder, name), 'rpc-addr': rpc, 'bind-addr': gossip },
      ...{ 'http-addr': 'off', 'database-url': 'off', 'log-level': 'fatal', ...joining },
    };
    const events = recordedEvents();
    const fatal = (error: unknown): void => void this.failures.push(error);
    const node = new LedgerNode(nodeConfig(mergeSources(raw, {}, undefined), false), events, fatal, {
      ...{ rules, ...parts },
    });
    this.running.set(name, node);
    try {
      await node.start();
    } catch (error) {
      await this.stop(name);
      throw error;
    }
    return events;
  }

  async stop(name: string): Promise<void> {
    await this.running.get(name)?.stop();
    this.running.delete(name);
  }

  /** The node itself, for a test that does to it what no door would. */
  node(name: string): LedgerNode {
    return this.running.get(name) as LedgerNode;
  }

  address(name: string): string {
    return (this.addresses.get(name) as readonly [string, string])[0];
  }

  client(name: string): Promise<LedgerClient> {
    return LedgerClient.connect({ addresses: [this.address(name)] });
  }

  async status(name: string): Promise<GroupStatus> {
    const client = await this.client(name);
    try {
      const [server] = await client.status({ stateHash: true });
      if (!server?.status) throw new Error(`${name} does not answer: ${server?.error.message ?? ''}`);
      return server.status.groups[0] as GroupStatus;
    } finally {
      await client.close();
    }
  }

  /** Waits until every running node says so of itself. */
  async untilAll(what: string, condition: (status: GroupStatus) => boolean, patienceMillis = 30_000): Promise<void> {
    const deadline = performance.now() + patienceMillis;
    for (const name of this.running.keys()) {
      for (let status = await this.status(name); !condition(status); status = await this.status(name)) {
        if (performance.now() > deadline)
          throw new Error(`Waited in vain for ${what}: ${name} is ${JSON.stringify(status)}`);
        await new Promise((resolve) => setTimeout(resolve, POLL_MILLIS));
      }
    }
  }

  async untilVoters(asked: string, count: number, patienceMillis = 30_000): Promise<void> {
    const client = await this.client(asked);
    const deadline = performance.now() + patienceMillis;
    try {
      while ((await client.members()).filter(({ suffrage }) => suffrage === 'voter').length !== count) {
        if (performance.now() > deadline) throw new Error(`Waited in vain for ${count} voters.`);
        await new Promise((resolve) => setTimeout(resolve, POLL_MILLIS));
      }
    } finally {
      await client.close();
    }
  }

  async close(): Promise<void> {
    for (const name of [...this.running.keys()]) await this.stop(name);
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 3 });
    if (this.failures.length > 0) throw this.failures[0];
  }

  private async newAddresses(name: string): Promise<readonly [string, string]> {
    const addresses = (await freePorts(2)).map((port) => `127.0.0.1:${port}`) as [string, string];
    this.addresses.set(name, addresses);
    return addresses;
  }
}
