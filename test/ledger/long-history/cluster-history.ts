import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LedgerClient } from '../../../src/client';
import { BatchKind, payloadOf, readHeader } from '../../../src/log/batch';
import { encodeValues, iterateChunks } from '../../../src/log/chunk';
import { type Command, decodeCommand, encodeCommand } from '../../../src/ledger/command-codec';
import { compareRows } from '../../../src/ledger/projection/compare-rows';
import { PostgresDatabase } from '../../../src/ledger/projection/postgres-database';
import { Backoff } from '../../../src/ledger/projection/pause';
import { Projector } from '../../../src/ledger/projection/projector';
import { type FetchedBatch } from '../../../src/ledger/projection/source';
import { decodeRulesVersion, Rules } from '../../../src/ledger/rules-versions';
import { LedgerState } from '../../../src/ledger/state';
import { Tables } from '../../../src/ledger/tables';
import type { GroupRuntime } from '../../../src/node/group-runtime';
import { DamagedCluster, NODES, until } from '../../damage/damaged-cluster';
import { start as startPostgres, type TestPostgres } from '../../support/postgres';
import { Model } from '../model/model';
import { expectEqual, expectFacts, outcomeAt } from './agreement';
import { Operations } from './operations';

/** Milliseconds. A projection may have all of it to catch up with, on a machine that does something else as well. */
const PATIENCE = 900_000;
const SUBMIT_MILLIS = 60_000;
const IN_FLIGHT = 8;
const READ_BYTES = 4 << 20;
const FLAGS = { 'segment-bytes': '8MiB', 'snapshot-bytes': '8MiB' };

export interface ClusterTally {
  readonly operations: number;
  readonly entries: number;
  readonly transfersInPostgres: number;
}

/**
 * The same operations through three real nodes; one is away for a third of it, and leads in the end. Each is projected into a database
 * of its own on a real Postgres. What the log then says is given to the model and to a state from zero: every outcome, the
 * hash of every node and the rows of every database have to be theirs. Throws an Error that says what differs.
 */
export class ClusterHistory {
  private readonly folder = mkdtempSync(join(tmpdir(), 'ledger-history-'));
  private readonly operations: Operations;
  private cluster!: DamagedCluster;
  private client!: LedgerClient;
  private sent = 0;

  private constructor(
    seed: number,
    private readonly postgres: TestPostgres,
  ) {
    this.operations = new Operations(seed);
  }

  static async run(seed: number, operations: number, progress: (text: string) => void): Promise<ClusterTally> {
    const postgres = await startPostgres();
    const history = new ClusterHistory(seed, postgres);
    try {
      await history.startAll();
      await history.submitAll(operations, progress);
      progress(`${history.sent} operations were submitted; the nodes come to agree`);
      const hash = await history.agreed();
      return await history.hold(hash, progress);
    } finally {
      await history.client?.close();
      await history.cluster?.stopAll();
      await postgres.stop();
      rmSync(history.folder, { recursive: true, force: true, maxRetries: 3 });
    }
  }

  private url(n: number): string {
    return this.postgres.url.replace(/[^/]+$/, `node_${n + 1}`);
  }

  private async startAll(): Promise<void> {
    const server = await PostgresDatabase.connect(this.postgres.url);
    for (let n = 0; n < NODES; n++) await server.script(`CREATE DATABASE node_${n + 1}`);
    await server.close();
    this.cluster = await DamagedCluster.at(this.folder, FLAGS);
    for (let n = 0; n < NODES; n++) await this.start(n, n === 0);
    this.client = await this.cluster.client([0, 1]);
    await until('three voters', PATIENCE, async () => {
      const members = await this.client.members();
      return members.filter(({ suffrage }) => suffrage === 'voter').length === NODES;
    });
  }

  private async start(n: number, bootstrap = false): Promise<void> {
    const failed = await this.cluster.start(n, bootstrap);
    if (failed !== undefined) throw new Error(`Node ${n + 1} does not start.`, { cause: failed });
  }

  private group(n: number): GroupRuntime {
    const group = this.cluster.members[n]?.node['group'];
    if (!group) throw new Error(`Node ${n + 1} does not run.`);
    return group;
  }

  private async submitAll(operations: number, progress: (text: string) => void): Promise<void> {
    await this.submit(this.operations.start());
    const away = NODES - 1;
    await this.submitUntil(operations / 3);
    await this.cluster.stop(away);
    progress(`${this.sent} operations; node ${away + 1} is away`);
    await this.submitUntil((operations * 2) / 3);
    await this.start(away);
    progress(`${this.sent} operations; it is back`);
    await this.submitUntil((operations * 5) / 6);
    await until('its leadership', PATIENCE, async () => {
      await this.client.transferLeadership(`node-${away + 1}`);
      return true;
    });
    await this.submitUntil(operations);
  }

  private async submitUntil(operations: number): Promise<void> {
    const worker = async (): Promise<void> => {
      while (this.sent < operations) await this.submit(this.operations.batch());
    };
    await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
  }

  /** Through a node that may have to forward it. */
  private async submit(commands: readonly Command[]): Promise<void> {
    const count = commands.length;
    this.sent += count;
    const chunk = encodeValues(1, commands.map(encodeCommand));
    const { writes } = this.group(this.sent % 2);
    await writes.submit({ type: 1, kind: 'records', chunk, count, subject: '' }, SUBMIT_MILLIS);
  }

  /** @returns the hash of the state that all nodes have come to, with nothing left that expires */
  private async agreed(): Promise<string> {
    let hash = '';
    await until('one state on all nodes', PATIENCE, async () => {
      const answers = await this.client.status({ stateHash: true });
      const groups = answers.flatMap(({ status }) => status?.groups[0] ?? []);
      const states = new Set(groups.map((one) => `${one.appliedIndex} ${one.stateHash}`));
      hash = groups[0]?.stateHash ?? '';
      const expiring = this.group(0).machine.reader.nextExpiry();
      return groups.length === NODES && states.size === 1 && expiring === undefined;
    });
    const [ended] = this.cluster.fatal;
    if (ended) throw new Error(`Node ${ended.n + 1} has ended.`, { cause: ended.error });
    return hash;
  }

  /** Holds the log, the nodes and their databases against what the model says. */
  private async hold(hash: string, progress: (text: string) => void): Promise<ClusterTally> {
    const state = new LedgerState(new Tables(0));
    const model = new Model();
    const last = this.group(0).replica.appliedIndex;
    for (let index = 1; index <= last;) {
      const batches = await this.group(0).projectionFeed.own(index, READ_BYTES);
      for (const fetched of batches) expectEntry(state, model, fetched);
      index += batches.length;
    }
    expectFacts(state.reader, model.facts);
    expectEqual(hash, state.hash(), 'the hash of the nodes, and that of a replay of their log');
    progress(`${last} entries of the log are as the model says, and every node has the state that follows`);
    let transfersInPostgres = 0;
    for (let n = 0; n < NODES; n++) {
      await this.project(n, last);
      const database = await PostgresDatabase.connect(this.url(n));
      const compared = await compareRows(database, state.reader);
      await database.close();
      if (compared.differences.length > 0) throw new Error(`Node ${n + 1}: ${compared.differences.join('\n')}`);
      transfersInPostgres = compared.transfers;
    }
    return { operations: this.sent, entries: last, transfersInPostgres };
  }

  /** What the projection's process does with what a node gives it, in this process. */
  private async project(n: number, last: number): Promise<void> {
    const [answer] = await this.client.status({});
    const clusterId = answer?.status?.clusterId ?? '';
    const done = new AbortController();
    let why = '';
    const projector = new Projector({
      identity: { clusterId, group: 0, projector: `node-${n + 1}` },
      openDatabase: () => PostgresDatabase.connect(this.url(n)),
      source: this.group(n).projectionFeed,
      onStatus: (status) => {
        if (status.state === 'paused') why = status.why;
        if (status.state === 'paused' || status.checkpointIndex >= last) done.abort();
      },
      monotonic: () => performance.now(),
      backoff: new Backoff(1, 1),
    });
    await projector.run(done.signal);
    if (why !== '') throw new Error(`The projection of node ${n + 1} paused: ${why}`);
  }
}

function expectEntry(state: LedgerState, model: Model, { batch, outcomes }: FetchedBatch): void {
  const header = readHeader(batch);
  const { kind, time, baseOffset, count } = header;
  const payload = payloadOf(batch);
  if (kind === BatchKind.Version) state.switchRules(decodeRulesVersion(payload));
  if (kind !== BatchKind.Records && kind !== BatchKind.System) return;
  const isSystem = kind === BatchKind.System;
  const commands = iterateChunks(payload).flatMap((chunk) =>
    Array.from({ length: chunk.count }, (_, i) => decodeCommand(chunk.record(i))),
  );
  if (commands.includes(undefined)) throw new Error(`Entry ${header.index} holds a record that cannot be decoded.`);
  const place = { time, baseOffset } as const;
  new Rules().apply(state, isSystem ? { ...place, kind: 'system' } : { ...place, kind: 'records', count }, payload);
  const said = model.applyAll(commands as Command[], isSystem ? -1 : baseOffset, time);
  if (isSystem) return;
  said.forEach((one, i) => expectEqual(outcomeAt(outcomes, i), one, `the outcome at offset ${baseOffset + i}`));
}
