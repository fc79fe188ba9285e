import { EmbeddedDesk, type ReadingDesk, ServerDesk } from '../../../src/ledger/projection/reading-desk';
import { type ReadRequest } from '../../../src/ledger/projection/read-rows';
import { type Database } from '../../../src/ledger/projection/database';
import { KINDS, makePlace, type TestPlace } from './databases';
import { RandomHistory } from './random-history';
import { RunningProjector } from './running-projector';

const MINUTES = 180_000;
const SEED = 11;

describe.each(KINDS)('reading the rows of a projection into %s', (kind) => {
  let place: TestPlace;
  let desk: ReadingDesk;
  let database: Database | undefined;
  let history: RandomHistory;

  const read = (sql: string, options: Partial<ReadRequest> = {}) =>
    desk.read({ sql, parameters: [], maxRows: 10, timeoutMs: 60_000, ...options });

  beforeAll(async () => {
    place = await makePlace(kind);
    history = new RandomHistory(SEED);
    history.grow(20);
    const projector = new RunningProjector(place, history);
    await projector.reaches(history.lastIndex);
    await projector.stop();
    database = await place.open();
    desk = place.target.kind === 'postgres' ? new ServerDesk(place.target.url) : new EmbeddedDesk(() => database);
  }, MINUTES);

  afterAll(async () => {
    await desk.close();
    await database?.close();
    await place.remove();
  }, MINUTES);

  test('answers with columns, values and the place that they reflect', async () => {
    const answer = await read('SELECT name, ledger, max_balance, NULL AS x, 1 AS x FROM accounts WHERE name = $1', {
      parameters: ['bank'],
    });
    expect(answer).toEqual({
      columns: ['name', 'ledger', 'max_balance', 'x', 'x'],
      rows: [['bank', 'USD', null, null, '1']],
      isCut: false,
      offset: history.state.nextOffset - 1,
      index: history.lastIndex,
    });
    expect((await read('EXPLAIN SELECT 1')).columns).toEqual(['QUERY PLAN']);
    expect((await read('SELECT 1 WHERE false')).rows).toEqual([]);
  });

  test('gives as many rows as were asked for, and says that there are more', async () => {
    const { rows, isCut } = await read('SELECT n FROM generate_series(1, 50) n', { maxRows: 7 });
    expect(rows.flat()).toEqual(['1', '2', '3', '4', '5', '6', '7']);
    expect(isCut).toBe(true);
    expect((await read('SELECT n FROM generate_series(1, 7) n', { maxRows: 7 })).isCut).toBe(false);
    const wide = await read(`SELECT repeat('x', 400000) FROM generate_series(1, 5)`);
    expect({ rows: wide.rows.length, isCut: wide.isCut }).toEqual({ rows: 2, isCut: true });
    await expect(read(`SELECT repeat('x', 1200000)`)).rejects.toMatchObject({ reason: 'refused' });
  });

  test.each([
    ['DELETE FROM ledger.transfers', 'refused'],
    ['WITH d AS (DELETE FROM ledger.transfers RETURNING 1) SELECT * FROM d', 'refused'],
    ['EXPLAIN ANALYZE DELETE FROM ledger.transfers', 'refused'],
    ['SELECT 1; DELETE FROM ledger.transfers', 'refused'],
    ['SELECT 1; COMMIT; DELETE FROM ledger.transfers', 'refused'],
    ['EXPLAIN SELECT 1; COMMIT', 'refused'],
    ['SHOW search_path; COMMIT; DELETE FROM ledger.transfers', 'refused'],
    ['COMMIT', 'refused'],
    ['SELECT * FROM nothing', 'refused'],
    ['SELECT 1 / 0', 'refused'],
  ])('refuses "%s", and goes on', async (sql, reason) => {
    const before = (await read('SELECT count(*) FROM ledger.transfers')).rows;
    await expect(read(sql)).rejects.toMatchObject({ reason });
    expect((await read('SELECT count(*) FROM ledger.transfers')).rows).toEqual(before);
  });

  test('leaves nothing behind of what a statement sets', async () => {
    await read(
      `SELECT set_config('default_transaction_read_only', 'on', false), set_config('search_path', 'x', false)`,
    );
    const { rows } = await read(`SELECT current_setting('default_transaction_read_only')`);
    expect(rows).toEqual([['off']]);
    expect((await read('SELECT count(*) FROM accounts')).rows).toHaveLength(1);
  });

  if (kind === 'postgres') {
    test('ends what takes too long, and answers several at a time', async () => {
      const slow = Array.from({ length: 6 }, () => read('SELECT pg_sleep(60)', { timeoutMs: 200 }));
      for (const one of slow) await expect(one).rejects.toMatchObject({ reason: 'late' });
      expect((await read('SELECT 1')).rows).toEqual([['1']]);
    });
  } else {
    test('refuses what cannot be interrupted and is expected to take too long', async () => {
      const cross = 'SELECT count(*) FROM generate_series(1, 100000) a, generate_series(1, 100000) b';
      await expect(read(cross)).rejects.toMatchObject({ reason: 'refused' });
    });

    test('says that the database is not open, while it is not', async () => {
      const closed = new EmbeddedDesk(() => undefined);
      const asked = closed.read({ sql: 'SELECT 1', parameters: [], maxRows: 1, timeoutMs: 1_000 });
      await expect(asked).rejects.toMatchObject({ reason: 'unavailable' });
    });
  }
});
