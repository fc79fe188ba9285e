import { Client } from 'pg';
import { type Database, type TextRow } from '../../../src/ledger/projection/database';
import { encodePackedRows } from '../../../src/ledger/packed-rows';
import { encodeToken } from '../../../src/node/token';
import { type TestPostgres } from '../../support/postgres';
import { makePlace, type TestPlace } from './databases';
import { expectRowsToEqualState } from './expected-rows';
import { account, ledger, RandomHistory, uuid } from './random-history';
import { CLUSTER, RunningProjector } from './running-projector';

const MINUTES = 180_000;

describe('a projection into a Postgres server', () => {
  let place: TestPlace;
  let server: TestPostgres;
  let history: RandomHistory;
  let running: RunningProjector;

  beforeAll(async () => {
    place = await makePlace('postgres');
    if (!place.server) throw new Error('A place of this kind has a server.');
    server = place.server;
  }, MINUTES);

  beforeEach(async () => {
    history = new RandomHistory(11);
    running = new RunningProjector(place, history);
    await running.reaches(history.lastIndex);
  }, MINUTES);

  afterEach(async () => {
    await running.stop();
    await place.empty();
  }, MINUTES);

  afterAll(() => place.remove(), MINUTES);

  async function withDatabase<T>(work: (database: Database) => Promise<T>): Promise<T> {
    const database = await place.open();
    try {
      return await work(database);
    } finally {
      await database.close();
    }
  }

  test(
    'outlives a restart and a crash of the server, and catches up',
    async () => {
      for (const fail of [() => server.kill9(), () => server.restart()]) {
        history.grow(20);
        await fail();
        history.grow(20);
        await running.says('Postgres');
        await server.restart();
        await running.reaches(history.lastIndex);
        expect(running.status?.state).toBe('running');
        expect(await withDatabase((database) => expectRowsToEqualState(database, history))).toBe(history.lastIndex);
        running.said.length = 0;
      }
    },
    MINUTES,
  );

  test(
    'outlives an administrator who ends its session',
    async () => {
      await withDatabase((database) =>
        database.query(
          `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE application_name = 'ledger-node projection' AND pid <> pg_backend_pid()`,
        ),
      );
      history.grow(20);
      await running.reaches(history.lastIndex);
      expect(await withDatabase((database) => expectRowsToEqualState(database, history))).toBe(history.lastIndex);
    },
    MINUTES,
  );

  test(
    'shows a statement with the running balance',
    async () => {
      history.appendCommands(ledger('CHF', 2, {}), account('left', 'CHF', 'none'), account('right', 'CHF', 'none'));
      const [left, right] = ['left', 'right'].map((name) => history.state.reader.account(name)?.handle ?? 0);
      const row = { userData: 0n, code: 0, flags: 0, debitHandle: left ?? 0, creditHandle: right ?? 0 };
      history.appendRows(
        encodePackedRows([
          { ...row, id: uuid(-1), amount: 1000n },
          { ...row, id: uuid(-2), amount: 50n, debitHandle: right ?? 0, creditHandle: left ?? 0 },
          { ...row, id: uuid(-1), amount: 1000n },
        ]),
      );
      await running.reaches(history.lastIndex);
      const statement = await withDatabase((database) =>
        database.query(
          `SELECT side, other_account, change, balance_after FROM ledger.account_statement
            WHERE account = 'left' ORDER BY log_offset`,
        ),
      );
      expect(statement.rows).toEqual<TextRow[]>([
        { side: 'debit', other_account: 'right', change: '-10.00', balance_after: '-10.00' },
        { side: 'credit', other_account: 'right', change: '0.50', balance_after: '-9.50' },
      ]);
      const plan = await withDatabase(async (database) => {
        await database.script('SET enable_seqscan = off');
        return database.query(`EXPLAIN SELECT * FROM ledger.account_statement WHERE account = 'left'`);
      });
      const steps = plan.rows.map((line) => line['QUERY PLAN']).join('\n');
      expect(steps).toContain('accounts_name_key');
      expect(steps).toContain('transfers_0_debit');
      expect(steps).toContain('transfers_0_credit');
    },
    MINUTES,
  );

  test(
    'makes a reader wait for what a token names',
    async () => {
      const client = new Client({ connectionString: server.url });
      await client.connect();
      const wait = (token: string, timeout = '30 seconds') =>
        client.query(`CALL ledger.wait_for_offset('${token}', interval '${timeout}')`);
      const next = history.lastIndex + 1;
      await wait(encodeToken(CLUSTER, { group: 0, index: next - 1 }), '0 seconds');
      const waiting = wait(encodeToken(CLUSTER, { group: 0, index: next }));
      history.grow(1);
      await waiting;
      const { rows } = await client.query<{ raft_index: string }>('SELECT raft_index FROM ledger.checkpoint');
      expect(Number(rows[0]?.raft_index)).toBeGreaterThanOrEqual(next);
      const far = { group: 0, index: 2 ** 48 + 7 };
      await expect(wait(encodeToken(CLUSTER, far), '10 milliseconds')).rejects.toMatchObject({
        code: '57014',
        message: `the projection has come to Raft index ${next}, the token needs ${far.index}`,
      });
      await expect(wait(encodeToken('e'.repeat(32), far))).rejects.toThrow('given by another cluster');
      await expect(wait('nonsense')).rejects.toThrow('not one that a node of this software gave');
      const byOffset = client.query(`CALL ledger.wait_for_offset(${history.state.nextOffset}, '30 seconds')`);
      history.appendCommands(account('waited for', 'USD', 'none'));
      await byOffset;
      const there = await client.query(`SELECT 1 FROM ledger.accounts WHERE name = 'waited for'`);
      expect(there.rowCount).toBe(1);
      await expect(client.query(`CALL ledger.wait_for_offset(1000000, '10 milliseconds')`)).rejects.toThrow(
        /the projection has come to offset \d+, 1000000 was asked for/,
      );
      await client.end();
    },
    MINUTES,
  );
});
