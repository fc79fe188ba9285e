import { type Database } from '../../../src/ledger/projection/database';
import { ProjectionSession } from '../../../src/ledger/projection/session';
import { TransferParts } from '../../../src/ledger/projection/transfer-parts';
import { KINDS, makePlace, type TestPlace } from './databases';
import { expectRowsToEqualState } from './expected-rows';
import { PartFeed } from './part-feed';
import { RandomHistory } from './random-history';
import { CLUSTER } from './running-projector';

const MINUTES = 180_000;
const SEED = Number(process.env['LEDGER_TEST_SEED'] ?? Math.floor(Math.random() * 2 ** 32));
const REPEAT = `LEDGER_TEST_SEED=${SEED} npm test -- test/ledger/projection/transfer-parts.test.ts`;
const IDENTITY = { clusterId: CLUSTER, group: 0, projector: 'parts' };
const PART = 128;
const INDEXES = 10;

describe.each(KINDS)('transfers in parts (%s)', (kind) => {
  let place: TestPlace;
  let history: RandomHistory;

  beforeAll(async () => {
    place = await makePlace(kind);
  }, MINUTES);

  beforeEach(() => {
    history = new RandomHistory(SEED);
    history.patience = 1;
    history.grow(50);
  });

  afterEach(() => place.empty(), MINUTES);

  afterAll(() => place.remove(), MINUTES);

  /** The embedded database has one session. */
  const beside = kind === 'embedded' ? undefined : () => place.open();

  async function withDatabase<T>(work: (database: Database) => Promise<T>): Promise<T> {
    const database = await place.open();
    try {
      return await work(database);
    } finally {
      await database.close();
    }
  }

  /** @returns how many transactions it took */
  async function project(isBehind: boolean, openBeside = beside): Promise<number> {
    const session = await ProjectionSession.open(
      await place.open(),
      IDENTITY,
      new AbortController().signal,
      () => undefined,
      { partOffsets: PART, openBeside },
    );
    if (!session) throw new Error('The session was not opened.');
    try {
      const feed = new PartFeed(session, history, isBehind);
      const first = await feed.next();
      if (first) await session.write(first, feed);
      return feed.commits;
    } finally {
      await session.close();
    }
  }

  const parts = () =>
    withDatabase(async (database) => {
      const { rows } = await database.query(
        `SELECT inhrelid::regclass::text AS name, pg_get_expr(c.relpartbound, c.oid) AS bounds,
                (SELECT count(*) FROM pg_index x WHERE x.indrelid = i.inhrelid)::text AS indexes
           FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
          WHERE inhparent = 'ledger.transfers'::regclass ORDER BY c.oid`,
      );
      return rows;
    });

  /** How many transactions wrote the rows of each part. */
  const writers = () =>
    withDatabase(async (database) => {
      const { rows } = await database.query(
        `SELECT count(DISTINCT xmin::text)::text AS n FROM ledger.transfers GROUP BY tableoid ORDER BY tableoid`,
      );
      return rows.map((row) => Number(row['n']));
    });

  test.each([
    ['far behind', true],
    ['as they come', false],
  ])(
    `%s, the rows equal the state, and each part has its indexes (${REPEAT})`,
    async (_, isBehind) => {
      const commits = await project(isBehind);
      const made = await parts();
      expect(made.length).toBeGreaterThan(3);
      let end = 0;
      for (const { name, bounds, indexes } of made) {
        const first = end;
        end = Number(/TO \('(\d+)'\)$/.exec(bounds ?? '')?.[1]);
        expect(name).toBe(`ledger.transfers_${first}`);
        expect(bounds).toBe(`FOR VALUES FROM ('${first}') TO ('${end}')`);
        // One that is filled has the whole of the batch that reaches its end.
        if (!isBehind) expect(end).toBe(first + PART);
        else expect(Math.floor(end / PART)).toBeGreaterThan(Math.floor(first / PART));
        expect(Number(indexes)).toBe(INDEXES);
      }
      if (isBehind) for (const count of await writers()) expect(count).toBe(1);
      else expect(Math.max(...(await writers()))).toBeGreaterThan(2);
      // A few before there are transfers.
      if (isBehind) expect(commits).toBeLessThan(2 * made.length);
      else expect(commits).toBeGreaterThan(2 * made.length);
      expect(await withDatabase((database) => expectRowsToEqualState(database, history))).toBe(history.lastIndex);
    },
    MINUTES,
  );

  test(
    `far behind, then as they come, then far behind again, in one database (${REPEAT})`,
    async () => {
      for (const isBehind of [true, false, true]) {
        await project(isBehind);
        expect(await withDatabase((database) => expectRowsToEqualState(database, history))).toBe(history.lastIndex);
        history.grow(20);
      }
    },
    MINUTES,
  );

  test(
    `a transaction that fails while a part is filled leaves nothing of it, and the next session fills it (${REPEAT})`,
    async () => {
      await project(true);
      const before = await parts();
      const at = history.lastIndex;
      history.grow(30);
      const whole = history.fetch.bind(history);
      history.fetch = async (from, bytes) => {
        if (from > at + 20) throw new Error('the log cannot be read');
        return whole(from, bytes);
      };
      const commits = await project(true).catch((error: unknown) => String(error));
      expect(commits).toBe('Error: the log cannot be read');
      const reached = await withDatabase((database) => expectRowsToEqualState(database, history));
      expect(reached).toBeLessThan(at + 20);
      const left = await parts();
      expect(left.slice(0, before.length)).toEqual(before);
      history.fetch = whole;
      await project(true);
      expect(await withDatabase((database) => expectRowsToEqualState(database, history))).toBe(history.lastIndex);
    },
    MINUTES,
  );
});

describe('parts that are not there', () => {
  test('are made for the offsets of the rows alone, next to each other or with a gap', () => {
    const parts = new TransferParts(0, 100);
    const bounds = (first: number, last: number) => [...parts.open(first, last)].map((part) => [part.first, part.end]);
    expect(bounds(0, 0)).toEqual([[0, 100]]);
    expect(bounds(1, 99)).toEqual([]);
    expect(bounds(95, 205)).toEqual([
      [100, 200],
      [200, 300],
    ]);
    expect(bounds(777, 779)).toEqual([[700, 800]]);
    const others = new TransferParts(130, 100);
    expect([...others.open(0, 130)].map((part) => [part.first, part.end])).toEqual([[130, 200]]);
  });
});
