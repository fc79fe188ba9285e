import { compareRows } from '../../../src/ledger/projection/compare-rows';
import { type Database } from '../../../src/ledger/projection/database';
import { rebuild, type Rebuilt } from '../../../src/ledger/projection/rebuild';
import { KINDS, makePlace, type TestPlace } from './databases';
import { expectRowsToEqualState } from './expected-rows';
import { RandomHistory } from './random-history';
import { CLUSTER, RunningProjector } from './running-projector';

const MINUTES = 180_000;
const SEED = Number(process.env['LEDGER_TEST_SEED'] ?? Math.floor(Math.random() * 2 ** 32));
const REPEAT = `LEDGER_TEST_SEED=${SEED} npm test -- test/ledger/projection/rebuild.test.ts`;

describe.each(KINDS)('a projection into %s', (kind) => {
  let place: TestPlace;
  let history: RandomHistory;

  async function withDatabase<T>(work: (database: Database) => Promise<T>): Promise<T> {
    const database = await place.open();
    try {
      return await work(database);
    } finally {
      await database.close();
    }
  }

  async function catchUp(): Promise<void> {
    const projector = new RunningProjector(place, history);
    await projector.reaches(history.commitIndex);
    await projector.stop();
  }

  const rebuildIt = (clusterId = CLUSTER): Promise<Rebuilt> =>
    rebuild({
      identity: { clusterId, group: 0, projector: 'rebuilder' },
      target: place.target,
      source: history,
      onProgress: () => undefined,
    });

  const differences = () =>
    withDatabase(async (rows) => [...(await compareRows(rows, history.state.reader)).differences]);

  beforeAll(async () => {
    place = await makePlace(kind);
  }, MINUTES);

  beforeEach(async () => {
    history = new RandomHistory(SEED);
    history.grow(40);
    await catchUp();
  }, MINUTES);

  afterEach(() => place.empty(), MINUTES);

  afterAll(() => place.remove(), MINUTES);

  test(
    `is compared with the state, and every wrong row is named (${REPEAT})`,
    async () => {
      expect(await differences()).toEqual([]);
      await withDatabase(async (database) => {
        await database.script(`UPDATE ledger.balances SET credits_pending = credits_pending + 1 WHERE account = 3`);
        await database.script(`UPDATE ledger.accounts SET closed = NOT closed WHERE handle = 4`);
        await database.script(
          `DELETE FROM ledger.transfers WHERE log_offset = (SELECT min(log_offset) FROM ledger.transfers)`,
        );
        await database.script(`UPDATE ledger.holds SET amount = amount + 1 WHERE number = 1`);
      });
      const found = await differences();
      const { name } = history.state.reader.accountByHandle(3) ?? { name: '' };
      expect(found.some((text) => text.startsWith(`Account "${name}" has credits_pending`))).toBe(true);
      expect(found.some((text) => text.includes('has closed'))).toBe(true);
      expect(found.some((text) => text.includes('transfers, the state has'))).toBe(true);
      expect(found.some((text) => text.startsWith('Hold 1 has amount'))).toBe(
        history.state.reader.hold(1) !== undefined,
      );
    },
    MINUTES,
  );

  test(
    `has every sum of its transfers compared, and a wrong one is named (${REPEAT})`,
    async () => {
      const damaged = async (sql: string): Promise<string[]> => {
        await withDatabase(async (database) => expect((await database.query(sql)).affected).toBe(1));
        return differences();
      };
      const [offset, column] = await withDatabase(async (database) => {
        const { rows } = await database.query(
          `SELECT log_offset FROM ledger.transfers WHERE amount_moved > 0 ORDER BY log_offset OFFSET 20 LIMIT 1`,
        );
        return [String(rows[0]?.['log_offset']), ['debits', 'credits']] as const;
      });
      const at = `WHERE log_offset = ${offset}`;
      const told = [
        expect.stringContaining(`The transfer at offset ${offset} has payer_${column[0]} `) as string,
        expect.stringContaining(`The transfer at offset ${offset} has payee_${column[1]} `) as string,
      ];
      // What it moved: of both accounts. The row itself is the only one that is named, by its sums; by its time, where it has one, more.
      const moved = await damaged(`UPDATE ledger.transfers SET amount_moved = amount_moved * 2 ${at}`);
      expect(moved.slice(0, 2)).toEqual(told);
      expect(moved.slice(2).every((text) => text.startsWith('The dated totals of'))).toBe(true);
      await withDatabase((rows) => rows.query(`UPDATE ledger.transfers SET amount_moved = amount_moved / 2 ${at}`));
      // A running total: of one account, and of its next row, or of the state where there is none.
      const total = await damaged(`UPDATE ledger.transfers SET payer_debits = payer_debits * 2 ${at}`);
      expect(total).toHaveLength(2);
      expect(total[0]).toEqual(told[0]);
      await withDatabase((rows) => rows.query(`UPDATE ledger.transfers SET payer_debits = payer_debits / 2 ${at}`));
      expect(await differences()).toEqual([]);
      const last = `WHERE log_offset = (SELECT max(log_offset) FROM ledger.transfers WHERE payee_credits > 0)`;
      const end = await damaged(`UPDATE ledger.transfers SET payee_credits = payee_credits * 2 ${last}`);
      expect(end[0]).toMatch(/^The transfer at offset \d+ has payee_credits/);
      expect(end).toHaveLength(2);
      // A history of this length may have no transfer that says when it counts.
      const dated = () => withDatabase((rows) => rows.query('SELECT 1 FROM ledger.dated_totals LIMIT 1'));
      await withDatabase((rows) => rows.query(`UPDATE ledger.transfers SET payee_credits = payee_credits / 2 ${last}`));
      for (let more = 0; (await dated()).affected === 0 && more < 20; more++) {
        history.grow(20);
        await catchUp();
      }
      const key = '(account, by_effective, level, at)';
      const one = `WHERE ${key} = (SELECT ${key.slice(1, -1)} FROM ledger.dated_totals ORDER BY ${key} LIMIT 1)`;
      expect(await damaged(`UPDATE ledger.dated_totals SET debits = debits + 1 ${one}`)).toEqual([
        expect.stringMatching(/^The dated totals of account ".*" by .* are debits .*; the transfers come to/),
      ]);
      expect(await damaged(`DELETE FROM ledger.dated_totals ${one}`)).toEqual([
        expect.stringContaining('are debits missing, credits missing; the transfers come to'),
      ]);
    },
    MINUTES,
  );

  test(
    `is made anew with the same rows, indexes and functions, and gone on with (${REPEAT})`,
    async () => {
      const indexes = () =>
        withDatabase((database) =>
          database.query(`SELECT indexdef FROM pg_indexes WHERE schemaname = 'ledger' ORDER BY indexname`),
        );
      const before = await indexes();
      await withDatabase((database) => database.script('UPDATE ledger.balances SET debits_posted = 7'));
      const { index, records, offset } = await rebuildIt();
      expect({ index, records, offset }).toEqual({
        index: history.lastIndex,
        records: history.state.nextOffset,
        offset: history.state.nextOffset - 1,
      });
      expect(await withDatabase((database) => expectRowsToEqualState(database, history))).toBe(history.lastIndex);
      expect(await indexes()).toEqual(before);
      history.grow(10);
      await catchUp();
      expect(await withDatabase((database) => expectRowsToEqualState(database, history))).toBe(history.lastIndex);
    },
    MINUTES,
  );

  if (kind === 'postgres') {
    test(
      'is kept while a rebuild fails, while it is projected into, and where others depend on it',
      async () => {
        await expect(rebuildIt('f'.repeat(32))).rejects.toThrow(`The database holds the rows of cluster ${CLUSTER}`);
        const projecting = new RunningProjector(place, history);
        await projecting.reaches(history.lastIndex);
        await expect(rebuildIt()).rejects.toThrow('A node projects into this database: stop it first.');
        await projecting.stop();
        await withDatabase((database) =>
          database.script('CREATE VIEW public.mine AS SELECT posted FROM ledger.account_balances'),
        );
        await expect(rebuildIt()).rejects.toThrow('These depend on tables that would be replaced: public.mine.');
        await withDatabase((database) => database.script('DROP VIEW public.mine'));
        const whole = history.fetch.bind(history);
        history.fetch = async (from) => {
          if (from > 20) throw new Error('the log cannot be read');
          return whole(from, 1_000);
        };
        await expect(rebuildIt()).rejects.toThrow('the log cannot be read');
        history.fetch = whole;
        expect(await withDatabase((database) => expectRowsToEqualState(database, history))).toBe(history.lastIndex);
        await rebuildIt();
        expect(await differences()).toEqual([]);
      },
      MINUTES,
    );
  }
});
