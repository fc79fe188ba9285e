import { formatMinor } from '../../../src/ledger/amounts';
import { encodePackedRows } from '../../../src/ledger/packed-rows';
import { KINDS, makePlace, type TestPlace } from './databases';
import { expectEffectiveBalances } from './expected-balances';
import { expectRowsToEqualState } from './expected-rows';
import { History } from './history';
import { account, ledger, RandomHistory, randomFrom, uuid } from './random-history';
import { RunningProjector } from './running-projector';

const SEED = Number(process.env['LEDGER_TEST_SEED'] ?? Math.floor(Math.random() * 2 ** 32));
const REPEAT = `LEDGER_TEST_SEED=${SEED} npm test -- test/ledger/projection/projector.test.ts`;
const MINUTES = 180_000;
/** Of histories, and an hour, in microseconds. */
const BEGUN = 1_700_000_000_000_000;
const HOUR = 3_600_000_000;

describe.each(KINDS)('the projection into %s', (kind) => {
  let place: TestPlace;
  let running: RunningProjector[] = [];

  function run(history: History): RunningProjector {
    const started = new RunningProjector(place, history);
    running.push(started);
    return started;
  }

  async function catchUp(history: History): Promise<void> {
    const projector = run(history);
    await projector.reaches(history.commitIndex);
    await projector.stop();
  }

  async function withDatabase<T>(work: (database: Awaited<ReturnType<TestPlace['open']>>) => Promise<T>): Promise<T> {
    const database = await place.open();
    try {
      return await work(database);
    } finally {
      await database.close();
    }
  }

  const expectState = (history: History) => withDatabase((database) => expectRowsToEqualState(database, history));

  beforeAll(async () => {
    place = await makePlace(kind);
  }, MINUTES);

  afterEach(async () => {
    await Promise.all(running.map((each) => each.stop()));
    running = [];
    await place.empty();
  }, MINUTES);

  afterAll(() => place.remove(), MINUTES);

  test(
    `equals the state, also when stopped and started on the way (${REPEAT})`,
    async () => {
      const history = new RandomHistory(SEED);
      history.grow(120);
      for (const part of [4, Math.floor(history.lastIndex / 2)]) {
        history.commit(part);
        await catchUp(history);
        expect(await expectState(history)).toBe(part);
      }
      history.commit(history.lastIndex);
      const following = run(history);
      await following.reaches(history.lastIndex);
      history.grow(5);
      await following.reaches(history.lastIndex);
      expect(following.status).toMatchObject({ state: 'running', why: '' });
      await following.stop();
      expect(await expectState(history)).toBe(history.lastIndex);
    },
    MINUTES,
  );

  test(
    'is exact to 38 digits, in the sums of a transaction and over transactions',
    async () => {
      const history = new History();
      history.appendCommands(ledger('DEEP', 18, {}), account('from', 'DEEP', 'none'), account('to', 'DEEP', 'none'));
      const amounts = [10n ** 38n / 3n, 1n, 2n ** 53n, 10n ** 37n * 5n, 2n ** 52n - 1n, 2n ** 52n];
      amounts.forEach((amount, i) => {
        const row = { debitHandle: 1, creditHandle: 2, amount, userData: 0n, code: 0, flags: 0 };
        history.appendRows(encodePackedRows([{ ...row, id: uuid(i) }]));
      });
      const total = amounts.reduce((sum, amount) => sum + amount, 0n);
      history.commit(4);
      await catchUp(history);
      history.commit(history.lastIndex);
      await catchUp(history);
      await expectState(history);
      const { rows } = await withDatabase((database) =>
        database.query('SELECT posted FROM ledger.balances ORDER BY 1'),
      );
      expect(rows.map((row) => row['posted'])).toEqual([formatMinor(-total, 18), formatMinor(total, 18)]);
    },
    MINUTES,
  );

  test(
    `finds the balance of all that counts up to a moment, whenever it was posted (${REPEAT})`,
    async () => {
      const history = new History();
      const names = ['from', 'to', 'other'];
      history.appendCommands(ledger('USD', 2, {}), ...names.map((name) => account(name, 'USD', 'none')));
      const random = randomFrom(SEED);
      const moment = () => BEGUN + Math.floor((random() - 0.5) * 60 * 24 * HOUR);
      const moments: number[] = [];
      for (let i = 0; i < 200; i++) {
        const effectiveTime = i % 4 === 0 ? undefined : moment();
        if (effectiveTime !== undefined) moments.push(effectiveTime, effectiveTime - 1);
        const [debitHandle, creditHandle] = i % 3 === 0 ? [1, 3] : [1 + (i % 2), 2 - (i % 2)];
        const id = { kind: 'text', text: `dated ${i}` } as const;
        const sides = {
          debit: { handle: debitHandle ?? 0 },
          credit: { handle: creditHandle ?? 0 },
          amount: { minor: 7n },
        };
        const rest = { ledger: '', code: 0, userData: 0n, metadata: Buffer.alloc(0), flags: 0 };
        history.appendCommands({ kind: 'transfer', id, ...sides, ...rest, effectiveTime });
      }
      await catchUp(history);
      await expectState(history);
      await withDatabase(async (database) => {
        for (const asked of [...moments.slice(0, 60), moment(), moment(), BEGUN]) {
          await expectEffectiveBalances(database, asked);
        }
      });
    },
    MINUTES,
  );

  test(
    'a row that cannot be written pauses it with the reason; nothing is skipped, and it goes on when it can',
    async () => {
      const history = new RandomHistory(SEED);
      history.grow(10);
      await catchUp(history);
      const before = history.lastIndex;
      await withDatabase((database) =>
        database.script('ALTER TABLE ledger.transfers ADD CONSTRAINT poison CHECK (code <> 666)'),
      );
      const row = { debitHandle: 1, creditHandle: 2, amount: 1n, userData: 0n, flags: 0 };
      history.appendRows(
        encodePackedRows([
          { ...row, id: uuid(-1), code: 1 },
          { ...row, id: uuid(-2), code: 666 },
        ]),
      );
      const stuck = run(history);
      await stuck.says('violates check constraint "poison"');
      history.grow(10);
      await stuck.says('violates check constraint "poison"');
      expect(stuck.status).toMatchObject({ state: 'paused', checkpointIndex: before });
      await stuck.stop();
      expect(await expectState(history)).toBe(before);
      await withDatabase((database) => database.script('ALTER TABLE ledger.transfers DROP CONSTRAINT poison'));
      await catchUp(history);
      expect(await expectState(history)).toBe(history.lastIndex);
    },
    MINUTES,
  );
});
