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

  const differences = () => withDatabase(async (rows) => (await compareRows(rows, history.state.reader)).differences);

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
      expect(found.some((text) => text.startsWith('Hold 1 is'))).toBe(history.state.reader.hold(1) !== undefined);
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
