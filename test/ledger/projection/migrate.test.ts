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

describe.each(KINDS)('a database of the schema before transfers of every kind (%s)', (kind) => {
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

  test(
    `is brought up to this one with its rows, and gone on with (${REPEAT})`,
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
  await database.script('ALTER SCHEMA ledger RENAME TO newer');
  await database.script(BASE);
  for (const [i, { name, sql }] of schemaSteps(database.persistence).slice(0, STEPS_OF_OLD).entries()) {
    await database.script(sql);
    await database.query('INSERT INTO ledger.migrations (version, name) VALUES ($1::text::integer, $2)', [
      String(i + 1),
      name,
    ]);
  }
  for (const [table, columns] of Object.entries(OLD_COLUMNS)) {
    await database.script(`INSERT INTO ledger.${table} (${columns}) SELECT ${columns} FROM newer.${table}`);
  }
  await database.script('DROP SCHEMA newer CASCADE');
}
