import { type Database } from '../../../src/ledger/projection/database';
import { BASE, schemaSteps } from '../../../src/ledger/projection/schema';
import { KINDS, makePlace, type TestPlace } from './databases';
import { expectRowsToEqualState } from './expected-rows';
import { RandomHistory } from './random-history';
import { RunningProjector } from './running-projector';

const SEED = Number(process.env['LEDGER_TEST_SEED'] ?? Math.floor(Math.random() * 2 ** 32));
const REPEAT = `LEDGER_TEST_SEED=${SEED} npm test -- test/ledger/projection/migrate.test.ts`;
const MINUTES = 180_000;
/** Steps of the schema when it knew plain transfers alone. */
const STEPS_OF_OLD = 2;
/** When all transfers were in one table. */
const STEPS_OF_WHOLE = 6;
const OLD_COLUMNS = {
  checkpoint: 'partition, cluster_id, raft_index, log_offset, batch_hash, batch_time, epoch, projector',
  ledgers:
    'code, number, scale, auto_open, rounding, default_min_balance, default_max_balance, created_at, created_offset',
  accounts: 'handle, name, ledger, min_balance, max_balance, closed, user_data, metadata, opened_at, opened_offset',
  balances: 'account, debits_posted, credits_posted, debits_pending, credits_pending, version, as_of_offset',
  transfers:
    'partition, log_offset, time, id, debit_account, credit_account, unknown_debit, unknown_credit, ledger, amount, ' +
    'unscaled_amount, amount_moved, code, user_data, metadata, result, spends_id',
  malformed_records: 'partition, log_offset, time, bytes',
};

describe.each(KINDS)('a database of an earlier schema (%s)', (kind) => {
  let place: TestPlace;

  beforeAll(async () => {
    place = await makePlace(kind);
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

  async function catchUp(history: RandomHistory): Promise<void> {
    const projector = new RunningProjector(place, history);
    await projector.reaches(history.commitIndex);
    await projector.stop();
  }

  afterEach(() => place.empty(), MINUTES);

  test(
    `with all transfers in one table goes on with them as the first part (${REPEAT})`,
    async () => {
      const history = new RandomHistory(SEED);
      history.grow(40);
      await catchUp(history);
      await withDatabase(async (database) => {
        await makeWhole(database);
        await database.script('GRANT SELECT ON ledger.transfers TO PUBLIC');
        await database.script('CREATE VIEW public.mine AS SELECT id FROM ledger.transfers');
      });
      history.grow(10);
      const refused = new RunningProjector(place, history);
      await refused.says('these depend on it: ');
      await refused.stop();
      await withDatabase((database) => database.script('DROP VIEW public.mine'));
      await catchUp(history);
      expect(await withDatabase((database) => expectRowsToEqualState(database, history))).toBe(history.lastIndex);
      const { rows } = await withDatabase((database) =>
        database.query(
          `SELECT inhrelid::regclass::text AS part, pg_get_expr(c.relpartbound, c.oid) AS bounds,
                  (SELECT count(*) FROM pg_index x WHERE x.indrelid = i.inhrelid)::text AS indexes,
                  has_table_privilege('public', 'ledger.transfers', 'SELECT')::text AS readable
             FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE inhparent = 'ledger.transfers'::regclass`,
        ),
      );
      expect(rows).toEqual([
        {
          part: 'ledger.transfers_0',
          bounds: `FOR VALUES FROM (MINVALUE) TO ('2097152')`,
          indexes: '10',
          readable: 'true',
        },
      ]);
    },
    MINUTES,
  );

  test(
    `of plain transfers alone is brought up to this one with its rows, and gone on with (${REPEAT})`,
    async () => {
      const history = new RandomHistory(SEED, 'plain');
      history.grow(40);
      await catchUp(history);
      await withDatabase(makeOld);
      const rows = await withDatabase((database) => database.query('SELECT count(*) AS n FROM ledger.transfers'));
      expect(Number(rows.rows[0]?.['n'])).toBeGreaterThan(100);
      history.grow(10);
      await catchUp(history);
      expect(await withDatabase((database) => expectRowsToEqualState(database, history))).toBe(history.lastIndex);
      const steps = await withDatabase((database) => database.query('SELECT max(version) AS n FROM ledger.migrations'));
      expect(Number(steps.rows[0]?.['n'])).toBe(schemaSteps('LOGGED').length);
    },
    MINUTES,
  );
});

/** The same rows, as the program of then had written them. */
async function makeOld(database: Database): Promise<void> {
  await beginOld(database, STEPS_OF_OLD);
  for (const [table, columns] of Object.entries(OLD_COLUMNS)) {
    await database.script(`INSERT INTO ledger.${table} (${columns}) SELECT ${columns} FROM newer.${table}`);
  }
  await database.script('DROP SCHEMA newer CASCADE');
}

/** The same rows in one table, as before there were parts. */
async function makeWhole(database: Database): Promise<void> {
  await beginOld(database, STEPS_OF_WHOLE);
  await database.script(
    'ALTER TABLE newer.dated_totals ADD COLUMN net numeric; UPDATE newer.dated_totals SET net = credits - debits',
  );
  const { rows } = await database.query(
    `SELECT table_name, string_agg(column_name, ', ') AS columns FROM information_schema.columns
      WHERE table_schema = 'ledger' AND is_generated = 'NEVER' AND table_name <> 'migrations' AND table_name IN (
            SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'ledger'::regnamespace)
      GROUP BY table_name ORDER BY array_position(ARRAY['ledgers', 'accounts'], table_name::text)`,
  );
  for (const { table_name: table, columns } of rows) {
    await database.script(`INSERT INTO ledger.${table} (${columns}) SELECT ${columns} FROM newer.${table}`);
  }
  await database.script('DROP SCHEMA newer CASCADE');
}

async function beginOld(database: Database, steps: number): Promise<void> {
  await database.script('ALTER SCHEMA ledger RENAME TO newer');
  await database.script(BASE);
  for (const [i, { name, sql }] of schemaSteps(database.persistence).slice(0, steps).entries()) {
    await database.script(sql);
    await database.query('INSERT INTO ledger.migrations (version, name) VALUES ($1::text::integer, $2)', [
      String(i + 1),
      name,
    ]);
  }
}
