import { type Database } from '../../../src/ledger/projection/database';
import { CopyRows } from '../../../src/ledger/projection/copy-rows';
import { KINDS, makePlace, type TestPlace } from './databases';

const LARGEST = 10n ** 38n - 1n;
/** Minor units and scale, and what Postgres is to print. */
const NUMBERS: [bigint | number, number, string][] = [
  [0, 0, '0'],
  [0n, 2, '0.00'],
  [5, 2, '0.05'],
  [50, 2, '0.50'],
  [-1234567, 2, '-12345.67'],
  [10_000, 0, '10000'],
  [100_000_000, 4, '10000.0000'],
  [1, 18, '0.000000000000000001'],
  [LARGEST, 0, '9'.repeat(38)],
  [LARGEST, 18, `${'9'.repeat(20)}.${'9'.repeat(18)}`],
  [-LARGEST, 7, `-${'9'.repeat(31)}.${'9'.repeat(7)}`],
  [10n ** 37n, 1, `1${'0'.repeat(36)}.0`],
  [2n ** 53n, 3, '9007199254740.992'],
  [Number.MAX_SAFE_INTEGER, 3, '9007199254740.991'],
  [9_007_199_254_740n, 1, '900719925474.0'],
  [9_007_199_254_741n, 1, '900719925474.1'],
];

describe.each(KINDS)('a database (%s)', (kind) => {
  let place: TestPlace;
  let database: Database;

  beforeAll(async () => {
    place = await makePlace(kind);
    database = await place.open();
    await database.script(`
      CREATE SCHEMA probe;
      CREATE TABLE probe.kinds (a boolean, b integer, c bigint, d numeric, e text, f bytea, g timestamptz);
      CREATE TABLE probe.numbers (at integer PRIMARY KEY, value numeric NOT NULL);
    `);
  }, 120_000);

  afterAll(async () => {
    await database.close();
    await place.remove();
  }, 60_000);

  test('takes and gives every type as text', async () => {
    const values = [
      'true',
      '-7',
      '9007199254740993',
      '-1.50',
      'Zoë "x", {y}',
      '\\x00ff',
      '2024-02-29 12:00:00.123456+00',
    ];
    const casts = ['boolean', 'integer', 'bigint', 'numeric', 'text', 'bytea', 'timestamptz'];
    await database.query("SELECT set_config('TimeZone', 'UTC', false)");
    const { rows, affected } = await database.query(
      `SELECT ${casts.map((cast, i) => `$${i + 1}::${cast} AS c${i}`).join(', ')}, NULL::bigint AS nothing`,
      values,
    );
    const read = casts.map((_, i) => rows[0]?.[`c${i}`]);
    expect(read).toEqual(['t', ...values.slice(1)]);
    expect(rows[0]?.['nothing']).toBeNull();
    expect(affected).toBe(1);
  });

  test('copies every type, and nulls', async () => {
    const rows = new CopyRows(7);
    rows.row();
    rows.bool(true);
    rows.int4(-7);
    rows.int8(-9_007_199_254_740_991);
    rows.numeric(-150n, 2);
    rows.text('Zoë "x", {y}');
    rows.bytes(Buffer.from([0, 255]));
    rows.timestamptz(1_709_208_000_123_456);
    rows.row();
    for (let i = 0; i < 7; i++) rows.null();
    const columns = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
    expect(await database.transaction((t) => t.copy('probe.kinds', columns, rows.finish()))).toBe(2);
    const read = await database.query(
      `SELECT a::text, b, c, d, e, f, (extract(epoch FROM g) * 1000000)::bigint::text AS g FROM probe.kinds ORDER BY b`,
    );
    expect(read.rows).toEqual([
      {
        a: 'true',
        b: '-7',
        c: '-9007199254740991',
        d: '-1.50',
        e: 'Zoë "x", {y}',
        f: '\\x00ff',
        g: '1709208000123456',
      },
      { a: null, b: null, c: null, d: null, e: null, f: null, g: null },
    ]);
  });

  test('keeps numbers of 38 digits exact, whatever the scale', async () => {
    const rows = new CopyRows(2);
    NUMBERS.forEach(([minor, scale], i) => {
      rows.row();
      rows.int4(i);
      rows.numeric(minor, scale);
    });
    await database.transaction((t) => t.copy('probe.numbers', ['at', 'value'], rows.finish()));
    const read = await database.query('SELECT value FROM probe.numbers ORDER BY at');
    expect(read.rows.map((row) => row['value'])).toEqual(NUMBERS.map(([, , text]) => text));
    const sum = await database.query(
      'UPDATE probe.numbers n SET value = n.value + d.v FROM unnest($1::text::int[], $2::text::numeric[]) d (i, v) WHERE n.at = d.i',
      ['{8,9}', `{1,0.${'0'.repeat(17)}1}`],
    );
    expect(sum.affected).toBe(2);
    const grown = await database.query('SELECT value FROM probe.numbers WHERE at IN (8, 9) ORDER BY at');
    expect(grown.rows.map((row) => row['value'])).toEqual([
      `1${'0'.repeat(38)}`,
      `1${'0'.repeat(20)}.${'0'.repeat(18)}`,
    ]);
  });

  test('copies more than fits one piece', async () => {
    const rows = new CopyRows(2);
    const long = 'x'.repeat(300_000);
    for (let i = 0; i < 5_000; i++) {
      rows.row();
      rows.text(i === 2_500 ? long : `${i} ${'y'.repeat(200)}`);
      rows.int4(i);
    }
    expect(rows.byteLength).toBeGreaterThan(1_300_000);
    expect(await database.transaction((t) => t.copy('probe.kinds', ['e', 'b'], rows.finish()))).toBe(5_000);
    const read = await database.query('SELECT sum(length(e)) AS length, sum(b) AS sum FROM probe.kinds WHERE b >= 0');
    expect(read.rows[0]?.['sum']).toBe('12497500');
    expect(Number(read.rows[0]?.['length'])).toBeGreaterThan(1_300_000);
  });

  test('rolls back what rejects, and goes on', async () => {
    const failing = database.transaction(async (t) => {
      await t.query('INSERT INTO probe.numbers VALUES (1000, 1)');
      throw new Error('changed my mind');
    });
    await expect(failing).rejects.toThrow('changed my mind');
    const duplicate = new CopyRows(2);
    for (const at of [1001, 0]) {
      duplicate.row();
      duplicate.int4(at);
      duplicate.numeric(1, 0);
    }
    const refused = database.transaction((t) => t.copy('probe.numbers', ['at', 'value'], duplicate.finish()));
    await expect(refused).rejects.toThrow('duplicate key value violates unique constraint');
    await expect(database.query('SELECT nonsense')).rejects.toThrow('column "nonsense" does not exist');
    const { rows } = await database.query('SELECT count(*) FROM probe.numbers WHERE at >= 1000');
    expect(rows).toEqual([{ count: '0' }]);
  });

  test('keeps house, and is usable afterwards', async () => {
    await database.script(`
      CREATE SCHEMA ledger;
      CREATE TABLE ledger.balances AS SELECT n FROM generate_series(1, 1000) n;
      CREATE TABLE ledger.checkpoint AS SELECT 1 AS n;
      UPDATE ledger.balances SET n = n + 1;
    `);
    await database.maintain();
    const { rows } = await database.query('SELECT sum(n) AS sum FROM ledger.balances');
    expect(rows).toEqual([{ sum: '501500' }]);
  });
});
