import { ClusterProcess } from '../support/cluster-process';
import { start as startPostgres, type TestPostgres } from '../support/postgres';
import { LedgerClient } from '../../src/client';
import { NodeFiles } from '../../src/log/node-files';
import { checkProjection } from '../../src/offline/projection';
import { until } from '../ledger/projection/until';

/** Seconds that Postgres is away; `./scripts/projection-faults` makes it a minute. */
const OUTAGE = Number(process.env['LEDGER_TEST_OUTAGE'] ?? 4);
const IN_FLIGHT = 16;
const WALLETS = 50;
const MINUTES = 300_000 + 2_000 * OUTAGE;

describe(`Postgres is stopped for ${OUTAGE} s under load, started, and killed`, () => {
  let postgres: TestPostgres;
  let cluster: ClusterProcess;
  let client: LedgerClient;
  let isOver = false;
  let acknowledged = 0;

  beforeAll(async () => {
    postgres = await startPostgres();
    cluster = await ClusterProcess.start({ nodes: 3, databases: [postgres.url, 'off', 'off'] });
    client = await LedgerClient.connect({ addresses: cluster.addresses, timeoutMs: 60_000 });
  }, MINUTES);

  afterAll(async () => {
    isOver = true;
    await client?.close();
    await cluster?.close();
    await postgres?.stop();
  }, MINUTES);

  async function load(): Promise<void> {
    for (let number = 0; !isOver; number++) {
      const creditAccount = `wallet-${number % WALLETS}`;
      const { result } = await client.transfer({ debitAccount: 'funding', creditAccount, amount: '0.01' });
      if (result !== 'ok') throw new Error(`A transfer was refused: ${result}.`);
      acknowledged++;
    }
  }

  const projection = async (): Promise<string> => {
    const servers = await client.status();
    const one = servers.find(({ address }) => address === cluster.addresses[0]);
    return one?.status?.projection ?? `no answer: ${one?.error?.message}`;
  };

  const untilProjection = async (says: (text: string) => boolean, what: string): Promise<void> => {
    const deadline = performance.now() + 120_000;
    for (let text = await projection(); !says(text); text = await projection()) {
      if (performance.now() > deadline) throw new Error(`The projection is "${text}"; awaited was that it ${what}.`);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  };

  /** So many more transfers are acknowledged while nobody can write a row. */
  const goesOn = (more: number): Promise<void> => {
    const from = acknowledged;
    return until('the cluster takes transfers', () => acknowledged > from + more);
  };

  test(
    'the cluster does not notice, the projection catches up, nothing is lost or doubled',
    async () => {
      await client.openAccounts([
        { name: 'funding', ledger: 'USD', minBalance: null },
        ...Array.from({ length: WALLETS }, (_, at) => ({ name: `wallet-${at}`, ledger: 'USD' })),
      ]);
      const working = Promise.all(Array.from({ length: IN_FLIGHT }, load));
      await goesOn(200);
      await untilProjection((text) => text === 'running', 'runs');
      const { term } = (await client.status())[0]?.status?.groups[0] ?? {};

      await postgres.shutDown();
      await untilProjection((text) => text.startsWith('paused'), 'pauses');
      const before = acknowledged;
      const back = performance.now() + OUTAGE * 1_000;
      while (performance.now() < back) await goesOn(20);
      expect(acknowledged).toBeGreaterThan(before);
      await postgres.restart();
      await untilProjection((text) => text === 'running', 'runs again');
      await goesOn(100);
      await postgres.kill9();
      await goesOn(100);
      await postgres.restart();
      await untilProjection((text) => text === 'running', 'runs again');

      isOver = true;
      await working;
      expect((await client.status())[0]?.status?.groups[0]?.term).toBe(term);
      const { token } = (await client.balance('funding')).position;
      const counted = await client.sql(`SELECT count(*), count(DISTINCT id) FROM transfers WHERE result = 'ok'`, {
        server: cluster.addresses[0] ?? '',
        token,
        timeoutMs: 120_000,
      });
      expect(counted.rows[0]).toEqual([String(acknowledged), String(acknowledged)]);
      expect((await cluster.stop(0)).code).toBe(0);
      const report = await checkProjection({
        dataDir: cluster.node(0).dataDir,
        files: new NodeFiles(),
        database: { kind: 'postgres', url: postgres.url },
        onProgress: () => undefined,
      });
      expect(report).toMatchObject({ accounts: WALLETS + 1, differences: [] });
    },
    MINUTES,
  );
});
