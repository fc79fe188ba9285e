import { BatchKind, payloadOf, readHeader } from '../../../src/log/batch';
import { type Command, type UpdateAccountCommand } from '../../../src/ledger/command-codec';
import { compareCheckpoint } from '../../../src/ledger/projection/compare-checkpoint';
import { compareDatedTotals } from '../../../src/ledger/projection/compare-dated-totals';
import { LogComparison } from '../../../src/ledger/projection/compare-log';
import { compareState } from '../../../src/ledger/projection/compare-rows';
import { COMPARING, PRINTED } from '../../../src/ledger/projection/compare-text';
import { type Database, type Transaction } from '../../../src/ledger/projection/database';
import { Differences } from '../../../src/ledger/projection/differences';
import { type LedgerState } from '../../../src/ledger/state';
import { KINDS, makePlace, type TestPlace } from './databases';
import { eventsOf } from './expected-transfers';
import { DatedHistory } from './past/dated-history';
import { account, uuid } from './random-history';
import { RunningProjector } from './running-projector';

const MINUTES = 240_000;
const SEED = Number(process.env['LEDGER_TEST_SEED'] ?? Math.floor(Math.random() * 2 ** 32));
const REPEAT = `LEDGER_TEST_SEED=${SEED} npm test -- test/ledger/projection/compare-log.test.ts`;
const BATCHES = 40;

interface Table {
  readonly name: string;
  /** A column that tells its rows apart, at least those that are looked at. */
  readonly key: string;
  /** Columns that make it another row, or are not of the log. */
  readonly leftOut: readonly string[];
  /** What has to be out of the way, so that it can be changed at all. */
  readonly loose?: string;
  /** How a sentence begins about the row with a key. */
  readonly at: (key: string) => string;
}

const OFFSET = { key: 'log_offset', leftOut: ['log_offset', 'partition'] };
const NO_TIMES = 'DROP INDEX ledger.batches_time;';
const NO_LEDGER_KEY = 'ALTER TABLE ledger.accounts DROP CONSTRAINT accounts_ledger_fkey;';
const NO_ACCOUNT_KEY = 'ALTER TABLE ledger.balances DROP CONSTRAINT balances_account_fkey;';
const TABLES: readonly Table[] = [
  { name: 'transfers', ...OFFSET, at: (key) => `The transfer at offset ${key} ` },
  { name: 'account_changes', ...OFFSET, at: (key) => `The change of an account at offset ${key} ` },
  { name: 'malformed_records', ...OFFSET, at: (key) => `The malformed record at offset ${key} ` },
  {
    ...{ name: 'batches', key: 'last_offset', leftOut: ['last_offset', 'partition'], loose: NO_TIMES },
    at: (key) => `The batch at offset ${key} `,
  },
  { name: 'holds', key: 'number', leftOut: ['number', 'partition'], at: () => '' },
  { name: 'accounts', key: 'handle', leftOut: ['handle'], loose: NO_LEDGER_KEY, at: () => 'Account "' },
  { name: 'balances', key: 'account', leftOut: ['account', 'posted'], loose: NO_ACCOUNT_KEY, at: () => 'Account "' },
  { name: 'ledgers', key: 'number', leftOut: [], loose: NO_LEDGER_KEY, at: () => '' },
  {
    name: 'dated_totals',
    key: 'account',
    leftOut: ['account', 'by_effective', 'level', 'at'],
    at: () => 'The dated totals',
  },
  {
    ...{ name: 'checkpoint', key: 'partition', at: () => 'The checkpoint at entry ' },
    leftOut: ['partition', 'cluster_id', 'raft_index', 'epoch', 'projector', 'updated_at'],
  },
];

/** Another value than there is, by type. */
const OTHER: Record<string, string> = {
  ...{ bigint: 'coalesce(%, 0) + 1000', integer: 'coalesce(%, 0) + 1000', boolean: 'NOT coalesce(%, false)' },
  ...{ numeric: 'coalesce(%, 0) + 1', text: `coalesce(%, '') || 'x'`, bytea: `coalesce(%, '') || '\\x07'::bytea` },
  'timestamp with time zone': `coalesce(%, timestamptz '2020-01-01') + interval '1 microsecond'`,
};

describe.each(KINDS)(`rows in %s against the log (${REPEAT})`, (kind) => {
  let place: TestPlace;
  let database: Database;
  const history = new DatedHistory(SEED);

  beforeAll(async () => {
    place = await makePlace(kind);
    do history.grow(BATCHES);
    while (!hasAllKinds(history));
    openAndChange(history);
    history.grow(1);
    const projector = new RunningProjector(place, history);
    await projector.reaches(history.lastIndex);
    await projector.stop();
    database = await place.open();
  }, MINUTES);

  afterAll(async () => {
    await database.close();
    await place.remove();
  }, MINUTES);

  /** Name and type of each. */
  const columnsOf = async ({ name }: Table): Promise<(readonly [string, string])[]> => {
    const { rows } = await database.query(
      `SELECT attname AS name, format_type(atttypid, NULL) AS type FROM pg_attribute
        WHERE attrelid = 'ledger.${name}'::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = '' ORDER BY attnum`,
    );
    return rows.map((row) => [row['name'] ?? '', row['type'] ?? '']);
  };

  /** What a comparison says of a change, which is taken back afterwards. */
  const told = async (change: (queries: Transaction) => Promise<unknown>): Promise<readonly string[]> => {
    const taken: string[] = [];
    const done = database.transaction(async (queries) => {
      await change(queries);
      await queries.script(PRINTED);
      taken.push(...(await compared(queries, history)));
      throw new TakenBack();
    });
    await expect(done).rejects.toThrow(TakenBack);
    return taken;
  };

  test(
    'are equal where nothing was changed, from the first record on and from a later one on',
    async () => {
      for (const begin of [0, Math.floor(history.lastIndex / 2), history.lastIndex]) {
        const found = await database.transaction(async (queries) => {
          await queries.script(COMPARING);
          return compared(queries, history, begin);
        });
        expect(found).toEqual([]);
      }
    },
    MINUTES,
  );

  test.each(TABLES)(
    'every column of $name is compared: a value that was changed is named, and one where there was none',
    async (table) => {
      const { at, key, leftOut, loose = '', name } = table;
      for (const [column, type] of await columnsOf(table)) {
        if (leftOut.includes(column)) continue;
        const keys: string[] = [];
        const found = await told(async (queries) => {
          await queries.script(loose);
          const { rows } = await queries.query(
            `SELECT DISTINCT ON (${column} IS NULL) ${key} AS key FROM ledger.${name}
              ORDER BY ${column} IS NULL, md5(${key}::text || '${SEED}')`,
          );
          keys.push(...rows.map((row) => row['key'] ?? ''));
          const value = OTHER[type]?.replaceAll('%', column);
          const changed = `UPDATE ledger.${name} SET ${column} = ${value} WHERE ${key} = ANY ('{${keys.join(',')}}')`;
          expect((await queries.query(changed)).affected).toBeGreaterThan(0);
        });
        for (const one of keys) {
          const named = found.filter((text) => text.startsWith(at(one)) && says(text, column));
          expect({ column, one, named }).not.toEqual({ column, one, named: [] });
        }
        // Not every sentence says which row it is about: there is one for each at least.
        expect(found.filter((text) => says(text, column)).length).toBeGreaterThanOrEqual(keys.length);
      }
    },
    MINUTES,
  );

  const PLAIN = TABLES.filter(({ name }) => !['accounts', 'ledgers', 'checkpoint'].includes(name));
  test.each(PLAIN)(
    'a row of $name that is missing is named, and one that is too much',
    async (table) => {
      const { at, key, loose = '', name } = table;
      const { rows } = await database.query(
        `SELECT ${key} AS key FROM ledger.${name} ORDER BY md5(${key}::text || '${SEED}') LIMIT 1`,
      );
      const one = rows[0]?.['key'] ?? '';
      const missing = await told((queries) => queries.query(`DELETE FROM ledger.${name} WHERE ${key} = ${one}`));
      expect(missing.some((text) => text.startsWith(at(one)) && text.includes('missing'))).toBe(true);
      const columns = (await columnsOf(table)).map(([column]) => column);
      const tooMuch = await told(async (queries) => {
        await queries.script(loose);
        if (name === 'transfers') await queries.script(ROOM_BEYOND);
        await queries.query(
          `INSERT INTO ledger.${name} (${columns.join(', ')})
           SELECT ${columns.map((column) => (column === key ? '9000000' : column)).join(', ')}
             FROM ledger.${name} WHERE ${key} = ${one}`,
        );
      });
      expect(tooMuch.some((text) => /^The rows have a .*9000000/.test(text))).toBe(true);
    },
    MINUTES,
  );

  test(
    'a ledger and an account that there are not are named, and so are rows of another partition',
    async () => {
      const found = await told((queries) =>
        queries.script(
          `INSERT INTO ledger.ledgers (code, number, scale, auto_open, rounding, created_at, created_offset)
           SELECT 'NONE', 77, scale, auto_open, rounding, created_at, created_offset FROM ledger.ledgers LIMIT 1;
           INSERT INTO ledger.accounts (handle, name, ledger, closed, user_data, metadata, opened_at, opened_offset)
           SELECT 9000000, 'nobody', ledger, closed, user_data, metadata, opened_at, opened_offset FROM ledger.accounts LIMIT 1;
           UPDATE ledger.malformed_records SET partition = 1`,
        ),
      );
      const malformed = eventsOf(history, history.lastIndex).filter((event) => event.kind === 'malformed').length;
      expect(found).toEqual(
        expect.arrayContaining([
          'The rows have a ledger with code "NONE", the state has none.',
          'The rows have a row of accounts with handle 9000000, the state has no such account.',
          `The rows have ${malformed} rows of malformed_records of partition 1; the log is of 0.`,
        ]),
      );
    },
    MINUTES,
  );

  test(
    'a transfer at the offset of a repeat is named, and many differences are counted',
    async () => {
      const columns = (await columnsOf(TABLES[0]!)).map(([column]) => column);
      const { rows } = await database.query(
        `SELECT g AS gap FROM generate_series(0, (SELECT max(log_offset) FROM ledger.transfers)) g
          WHERE NOT EXISTS (SELECT FROM ledger.transfers t WHERE t.log_offset = g) ORDER BY md5(g::text || '${SEED}') LIMIT 1`,
      );
      const gap = rows[0]?.['gap'] ?? '';
      const copy = columns.map((name) => (name === 'log_offset' ? gap : name)).join(', ');
      const found = await told((queries) =>
        queries.query(
          `INSERT INTO ledger.transfers (${columns.join(', ')}) SELECT ${copy} FROM ledger.transfers WHERE result = 'ok' LIMIT 1`,
        ),
      );
      expect(found).toContain(`The rows have a transfer at offset ${gap}; the log has none there.`);
      const many = await told((queries) => queries.query('UPDATE ledger.transfers SET code = code + 1'));
      const counted = await database.query('SELECT count(*) FROM ledger.transfers');
      expect(many).toHaveLength(101);
      expect(many.at(-1)).toBe(`There are ${Number(counted.rows[0]?.['count']) - 100} more differences.`);
    },
    MINUTES,
  );
});

class TakenBack extends Error {}

const ROOM_BEYOND = `
  CREATE TABLE ledger.beyond (LIKE ledger.transfers INCLUDING DEFAULTS);
  ALTER TABLE ledger.transfers ATTACH PARTITION ledger.beyond FOR VALUES FROM (8388608) TO (10485760);`;

/** Whether a sentence is about a column. */
function says(text: string, column: string): boolean {
  return [`has ${column} `, `has holds.${column} `, `are ${column} `, `, ${column} `, `with ${column} `].some((part) =>
    text.includes(part),
  );
}

/** In one batch, so that the state before it has nothing of them. */
function openAndChange(history: DatedHistory): void {
  const change = (name: string, terms: Partial<UpdateAccountCommand>): Command => ({
    ...{ kind: 'update_account', account: { name }, min: undefined, max: undefined, closed: undefined },
    ...terms,
  });
  history.appendCommands(
    account('opened here', 'USD', 'given'),
    change('opened here', { closed: true }),
    change('opened here', { max: { kind: 'none' } }),
    change('opened here', { min: { kind: 'default' }, closed: false }),
    {
      ...{ kind: 'transfer', id: { kind: 'uuid', bytes: uuid(3_000_000) }, amount: { minor: 3n }, ledger: 'POINTS' },
      ...{ debit: { name: 'opened by paying' }, credit: { name: 'opened by being paid' } },
      ...{ code: 0, userData: 0n, metadata: Buffer.alloc(0), flags: 0 },
    },
    change('opened by paying', { max: { kind: 'given', text: '7' } }),
    change('opened by being paid', { closed: true }),
  );
  for (const name of ['opened here', 'opened by paying', 'opened by being paid']) {
    expect(history.state.reader.account(name)).toMatchObject({ closed: name === 'opened by being paid' });
  }
}

function hasAllKinds(history: DatedHistory): boolean {
  const kinds = new Set(eventsOf(history, history.lastIndex).map(({ kind }) => kind));
  const ended = [1, 2, 3].some((number) => (history.state.reader.hold(number)?.status ?? 'pending') !== 'pending');
  return ended && kinds.has('malformed') && kinds.has('update_account');
}

/** @param begin the entry whose state is taken as given */
async function compared(queries: Transaction, history: DatedHistory, begin = 0): Promise<readonly string[]> {
  const differences = new Differences();
  const state = history.stateAt(begin);
  const log = await LogComparison.open(queries, 0, state.nextOffset, differences);
  for (const { batch } of history.batches.slice(begin)) {
    const header = readHeader(batch);
    const pending = log.before(batch, header, state.reader);
    await log.after(pending, applied(state, batch), state.reader);
  }
  await compareCheckpoint(queries, 0, await log.end(), differences);
  await compareState(queries, 0, state.reader, differences, (handle) => log.lastChangeOf(handle));
  await compareDatedTotals(queries, state.reader, differences);
  return differences.list();
}

function applied(state: LedgerState, batch: Buffer): Buffer {
  const { baseOffset, count, kind, time } = readHeader(batch);
  if (kind === BatchKind.Records) {
    return state.apply({ kind: 'records', time, baseOffset, count }, payloadOf(batch));
  }
  if (kind === BatchKind.System) state.apply({ kind: 'system', time, baseOffset }, payloadOf(batch));
  return Buffer.alloc(0);
}
