import { formatMinor } from '../../../../src/ledger/amounts';
import { type Command } from '../../../../src/ledger/command-codec';
import { type AccountView } from '../../../../src/ledger/reader';
import { AFTER_ALL, balanceByEffect } from '../../../../src/ledger/projection/past/balance-then';
import { type PastDatabase } from '../../../../src/ledger/projection/past/past-database';
import { PastEmbedded } from '../../../../src/ledger/projection/past/past-embedded';
import { PastServer } from '../../../../src/ledger/projection/past/past-server';
import { readHeader } from '../../../../src/log/batch';
import { KINDS, makePlace, type TestPlace } from '../databases';
import { randomFrom, uuid } from '../random-history';
import { RunningProjector } from '../running-projector';
import { DatedHistory } from './dated-history';
import { inOrder, SlowPast } from './slow-past';

const SEED = Number(process.env['LEDGER_TEST_SEED'] ?? Math.floor(Math.random() * 2 ** 32));
const REPEAT = `LEDGER_TEST_SEED=${SEED} npm test -- test/ledger/projection/past/balance-by-effect.test.ts`;
const MINUTES = 240_000;
const BATCHES = 60;
/** Places that each account is asked about. */
const ASKED = 150;
/** From it on a question is about all there is; a record that says it is malformed. */
const NO_TIME_AFTER = 2 ** 53;
/** The last time that a transfer can say. */
const LAST_TIME = NO_TIME_AFTER - 1;
const HOUR = 3_600_000_000;
/** Of the first batch of a history. */
const START = 1_700_000_000_000_000;

/** Many transfers that count at one moment: of a day or an hour, as imported books have them, and at the last of all times. */
class CrowdedHistory extends DatedHistory {
  private readonly draw: () => number;
  private nextCrowded = 2_000_000;

  constructor(seed: number) {
    super(seed);
    this.draw = randomFrom(seed + 2);
  }

  override grow(batches: number): void {
    for (let i = 0; i < batches; i++) {
      super.grow(1);
      if (this.draw() < 0.5) this.appendCommands(...Array.from({ length: 6 }, () => this.crowded()));
    }
  }

  oneOf<T>(values: readonly T[]): T {
    return values[Math.floor(this.draw() * values.length)]!;
  }

  private crowded(): Command {
    const hour = Math.floor(START / HOUR) * HOUR;
    const moment = this.oneOf([hour, hour - 24 * HOUR, hour + HOUR, hour - 400 * 24 * HOUR, LAST_TIME]);
    return {
      kind: 'transfer',
      id: { kind: 'uuid', bytes: uuid(this.nextCrowded++) },
      ...{ debit: { name: 'bank' }, credit: { name: this.oneOf(['alice', 'bob']) } },
      ...{ amount: { minor: BigInt(1 + Math.floor(this.draw() * 999)) }, ledger: 'USD', code: 0, userData: 0n },
      ...{ metadata: Buffer.alloc(0), flags: 0, effectiveTime: moment },
    };
  }
}

describe.each(KINDS)(`a balance by effective time in %s (${REPEAT})`, (kind) => {
  let place: TestPlace;
  let projector: RunningProjector;
  let database: PastDatabase;
  const history = new CrowdedHistory(SEED);

  beforeAll(async () => {
    place = await makePlace(kind);
    history.grow(BATCHES);
    const embedded = new PastEmbedded();
    database = place.target.kind === 'postgres' ? new PastServer(place.target.url) : embedded;
    const opened = async (): ReturnType<TestPlace['open']> => {
      const own = await place.open();
      embedded.use(own);
      return own;
    };
    projector = new RunningProjector({ ...place, open: opened }, history);
    await projector.reaches(history.lastIndex);
  }, MINUTES);

  afterAll(async () => {
    await database.close();
    await projector.stop();
    await place.remove();
  }, MINUTES);

  /** Ends of batches: all that a projection has ever reflected. */
  const ends = (): number[] =>
    history.batches.map(({ batch }) => readHeader(batch)).map(({ baseOffset, count }) => baseOffset + count - 1);

  test.each(['alice', 'bank', 'bob'])(
    'of %s is the sum of what counts up to a place, of what was reflected, wherever both are',
    async (name) => {
      const past = new SlowPast(history);
      const account = history.state.reader.account(name) as AccountView;
      const entries = inOrder(past.of(account.handle, 'effective'), 'effective');
      expect(entries.some(({ counts }) => counts === LAST_TIME)).toBe(true);
      const last = ends().at(-1)!;
      for (let i = 0; i < ASKED; i++) {
        const entry = history.oneOf(entries);
        const near = history.oneOf([entry.counts, entry.time, entry.counts - 1, entry.counts + 1, NO_TIME_AFTER, 1]);
        const time = Math.min(near, NO_TIME_AFTER);
        const offset = history.oneOf([-1, -1, entry.offset, entry.offset - 1, history.oneOf(entries).offset]);
        const at = time === NO_TIME_AFTER && i % 2 === 0 ? { time, offset: AFTER_ALL } : { time, offset };
        const reflected = history.oneOf([last, history.oneOf(ends())]);
        const found = await balanceByEffect(database, 0, account.handle, at, reflected);
        const sums = past.balance(
          account,
          ({ counts, offset: own }) =>
            own <= reflected && (counts < at.time || (counts === at.time && own <= at.offset)),
        );
        const text = (minor: bigint): string => formatMinor(minor, account.ledger.scale);
        expect({ at, reflected, balance: found?.balance, offset: found?.offset }).toEqual({
          ...{ at, reflected, offset: reflected },
          balance: {
            ...{ debitsPosted: text(sums.debits), creditsPosted: text(sums.credits), posted: text(sums.posted) },
            ...{ debitsPending: null, creditsPending: null, available: null },
          },
        });
      }
    },
    MINUTES,
  );
});
