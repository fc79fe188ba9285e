import { randomUUID } from 'node:crypto';
import { Client as Postgres } from 'pg';
import { ClusterProcess } from '../support/cluster-process';
import { start as startPostgres, type TestPostgres } from '../support/postgres';
import { LedgerClient, decodeLedgerRecord, type RecordView } from '../../src/client';

const TRANSFERS = 10_000;
const KILLS = 3;
const IN_FLIGHT = 64;

/** A node of its own database each, all in one server. */
async function databases(postgres: TestPostgres, names: readonly string[]): Promise<string[]> {
  const admin = new Postgres({ connectionString: postgres.url });
  await admin.connect();
  for (const name of names) await admin.query(`CREATE DATABASE ${name}`);
  await admin.end();
  return names.map((name) => {
    const url = new URL(postgres.url);
    url.pathname = `/${name}`;
    return url.toString();
  });
}

describe('10,000 transfers while the leader is killed three times', () => {
  let postgres: TestPostgres;
  let cluster: ClusterProcess;
  let client: LedgerClient;
  let urls: string[];
  const acknowledged = new Map<string, string>();

  beforeAll(async () => {
    postgres = await startPostgres();
    urls = await databases(postgres, ['node_1', 'node_2', 'node_3']);
    cluster = await ClusterProcess.start({ nodes: 3, databases: urls });
    client = await LedgerClient.connect({ addresses: cluster.addresses, timeoutMs: 60_000 });
  }, 120_000);

  afterAll(async () => {
    await client?.close();
    await cluster?.close();
    await postgres?.stop();
  });

  test('every acknowledged transfer is there once on every node and in every database, and nothing else', async () => {
    await client.openAccounts([
      { name: 'funding', ledger: 'USD', minBalance: null },
      ...Array.from({ length: 20 }, (_, at) => ({ name: `wallet-${at}`, ledger: 'USD' })),
    ]);
    await Promise.all([transferAll(), killLeaders()]);
    expect(acknowledged.size).toBe(TRANSFERS);
    await cluster.untilVoters(3);
    await checkNodes();
    await checkDatabases();
  }, 240_000);

  async function transferAll(): Promise<void> {
    let next = 0;
    const worker = async (): Promise<void> => {
      while (next < TRANSFERS) {
        const number = next++;
        const id = randomUUID();
        const outcome = await client.transfer({
          id,
          debitAccount: 'funding',
          creditAccount: `wallet-${number % 20}`,
          amount: '0.01',
        });
        if (outcome.result !== 'ok') throw new Error(`Transfer ${number} was refused: ${outcome.result}.`);
        acknowledged.set(id, `wallet-${number % 20}`);
      }
    };
    await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
  }

  /** Kills whoever leads after each quarter of the transfers, and starts it again. */
  async function killLeaders(): Promise<void> {
    for (let kill = 1; kill <= KILLS; kill += 1) {
      await waitUntil(`${(kill * TRANSFERS) / (KILLS + 1)} acknowledged transfers`, () =>
        Promise.resolve(acknowledged.size >= (kill * TRANSFERS) / (KILLS + 1)),
      );
      const leader = await cluster.leader();
      await cluster.kill9(leader);
      await cluster.restart(leader);
    }
  }

  async function checkNodes(): Promise<void> {
    const records = await recordsOf(cluster.addresses[0] as string);
    for (const address of cluster.addresses.slice(1)) expect(await recordsOf(address)).toEqual(records);
    const ids = records.filter((record) => record.kind === 'transfer' && !record.replayed).map((record) => record.id);
    expect(new Set(ids)).toEqual(new Set(acknowledged.keys()));
    expect(ids).toHaveLength(TRANSFERS);
    for (const address of cluster.addresses) {
      const one = await LedgerClient.connect({ addresses: [address] });
      const { accounts } = await one.listAccounts({ pageSize: 1_000 });
      const total = accounts.reduce((sum, { balance }) => sum + cents(balance.posted), 0);
      expect(total).toBe(0);
      const funding = accounts.find(({ account }) => account.name === 'funding');
      expect(funding?.balance.posted).toBe('-100.00');
      await one.close();
    }
  }

  async function checkDatabases(): Promise<void> {
    for (const url of urls) {
      const database = new Postgres({ connectionString: url });
      await database.connect();
      await waitUntil(`the rows of ${new URL(url).pathname}`, async () => {
        const { rows } = await database.query<{ count: string }>('SELECT count(*) FROM ledger.transfers');
        return Number(rows[0]?.count) >= TRANSFERS;
      });
      const transfers = await database.query<{ id: string; result: string }>('SELECT id, result FROM ledger.transfers');
      expect(new Set(transfers.rows.map((row) => row.id))).toEqual(new Set(acknowledged.keys()));
      expect(transfers.rows).toHaveLength(TRANSFERS);
      const sum = await database.query<{ sum: string }>('SELECT sum(posted)::text AS sum FROM ledger.balances');
      expect(Number(sum.rows[0]?.sum)).toBe(0);
      await database.end();
    }
  }
});

interface SeenRecord {
  readonly offset: number;
  readonly kind: string;
  readonly id: string;
  readonly replayed: boolean;
}

/** The whole log as one node gives it. */
async function recordsOf(address: string): Promise<SeenRecord[]> {
  const client = await LedgerClient.connect({ addresses: [address] });
  const { nextOffset } = await client.logRange();
  const seen: SeenRecord[] = [];
  const stream: AsyncIterable<RecordView> = client.consumeStream(0);
  for await (const record of stream) {
    const { command, fields, outcome } = decodeLedgerRecord(record.value);
    seen.push({
      offset: record.offset,
      kind: command,
      id: command === 'transfer' ? String(fields['id']) : '',
      replayed: outcome?.['replayed'] === true,
    });
    if (record.offset >= nextOffset - 1) break;
  }
  await client.close();
  expect(seen.map((record) => record.offset)).toEqual(seen.map((_, at) => at));
  return seen;
}

function cents(text: string): number {
  return Number(text.replace('.', ''));
}

async function waitUntil(what: string, condition: () => Promise<boolean>, deadlineMs = 90_000): Promise<void> {
  const end = Date.now() + deadlineMs;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`Waited ${deadlineMs} ms in vain for ${what}.`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
