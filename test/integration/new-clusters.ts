import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type LedgerClient } from '../../src/client';
import { runCommand, type Ended } from '../cli/node-command';
import { type ChangingCluster } from './changing-cluster';

export const READY = 60_000;
export const FIRST_ID = 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11';

/** Starts `names`, the first one with `first`, and waits until all of them vote. */
export async function startAll(
  cluster: ChangingCluster,
  names: readonly string[],
  first: readonly string[],
  flags: readonly string[] = [],
): Promise<void> {
  const [leader, ...others] = names as [string, ...string[]];
  await (await cluster.start(leader, { first, flags })).untilReady(READY);
  for (const name of others) {
    await (await cluster.start(name, { flags })).untilReady(READY);
    await cluster.untilVoter(name, leader);
  }
}

/** Accounts, values of 4 KiB and transfers: so many acknowledged rounds. */
export async function write(client: LedgerClient, rounds: number): Promise<void> {
  await client.openAccounts([
    { name: 'funding', ledger: 'USD', minBalance: null },
    { name: 'Alice', ledger: 'USD' },
  ]);
  for (let round = 0; round < rounds; round += 1) {
    const values = Array.from({ length: 20 }, (_, i) => Buffer.alloc(4_096, `${round}-${i} `));
    for await (const offset of client.produceStream(values)) expect(offset).toBeGreaterThan(0);
    const id = round === 0 ? { id: FIRST_ID } : {};
    const paid = await client.transfer({ debitAccount: 'funding', creditAccount: 'Alice', amount: '0.25', ...id });
    expect(paid).toMatchObject({ result: 'ok', replayed: false });
  }
}

export interface Holdings {
  readonly alice: string;
  readonly funding: string;
  readonly firstOffset: number;
  readonly nextOffset: number;
  /** Of every record that is kept: offset, term, time, type, and what it holds. */
  readonly records: string[];
}

/** All that a client can see of a ledger, as one node answers it. */
export async function holdings(cluster: ChangingCluster, name: string): Promise<Holdings> {
  return cluster.ask(name, async (client) => {
    const { firstOffset, nextOffset } = await client.logRange();
    const records: string[] = [];
    for await (const { offset, term, timestamp, type, value } of client.consumeStream(firstOffset)) {
      records.push(`${offset} ${term} ${timestamp} ${type} ${value.toString('base64')}`);
      if (offset + 1 === nextOffset) break;
    }
    const [alice, funding] = [(await client.balance('Alice')).posted, (await client.balance('funding')).posted];
    return { alice, funding, firstOffset, nextOffset, records };
  });
}

/** The same id again, on any node: the first answer, and nothing moves. */
export async function repeatFirst(cluster: ChangingCluster, name: string): Promise<void> {
  const again = { id: FIRST_ID, debitAccount: 'funding', creditAccount: 'Alice', amount: '0.25' };
  const outcome = await cluster.ask(name, (client) => client.transfer(again));
  expect(outcome).toMatchObject({ result: 'ok', replayed: true, amountMoved: '0.25' });
}

/** Runs `ledger-node`, which has to end with status 0; what it said, as documents. */
export async function documents(args: readonly string[]): Promise<Record<string, unknown>[]> {
  const ended = await runCommand([...args, '--json']);
  if (ended.code !== 0) throw new Error(`ledger-node ${args.join(' ')} ended with ${ended.code}: ${ended.stderr}`);
  return parsed(ended);
}

export function parsed({ stdout }: Ended): Record<string, unknown>[] {
  const lines = stdout.split('\n').filter((line) => line !== '');
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

export function segmentsOf(dataDir: string): string[] {
  return readdirSync(join(dataDir, 'groups', '0', 'log')).filter((name) => name.endsWith('.log'));
}
