import { type Database, DatabaseLostError } from '../../../src/ledger/projection/database';
import { ProjectionSession } from '../../../src/ledger/projection/session';
import { makeMissingIndexes, partsWithoutIndexes } from '../../../src/ledger/projection/transfer-parts';
import { makePlace, type TestPlace } from './databases';
import { expectRowsToEqualState } from './expected-rows';
import { PartFeed } from './part-feed';
import { RandomHistory } from './random-history';
import { CLUSTER } from './running-projector';
import { until } from './until';

const MINUTES = 180_000;
const SEED = Number(process.env['LEDGER_TEST_SEED'] ?? Math.floor(Math.random() * 2 ** 32));
const REPEAT = `LEDGER_TEST_SEED=${SEED} npm test -- test/ledger/projection/part-indexer.test.ts`;
const IDENTITY = { clusterId: CLUSTER, group: 0, projector: 'parts' };
const PART = 128;

describe('indexes that are made beside the rows of the next part', () => {
  let place: TestPlace;
  let history: RandomHistory;

  beforeAll(async () => {
    place = await makePlace('postgres');
  }, MINUTES);

  beforeEach(() => {
    history = new RandomHistory(SEED);
    history.patience = 1;
    history.grow(50);
  });

  afterEach(() => place.empty(), MINUTES);

  afterAll(() => place.remove(), MINUTES);

  async function project(openBeside: (() => Promise<Database>) | undefined): Promise<void> {
    const { signal } = new AbortController();
    const options = { partOffsets: PART, openBeside };
    const session = await ProjectionSession.open(await place.open(), IDENTITY, signal, () => undefined, options);
    if (!session) throw new Error('The session was not opened.');
    try {
      const feed = new PartFeed(session, history, true);
      const first = await feed.next();
      if (first) await session.write(first, feed);
    } finally {
      await session.close();
    }
  }

  /** So many connections beside the first one are there to be had. */
  function refusedAfter(connections: number): () => Promise<Database> {
    let left = connections;
    return () =>
      left-- > 0
        ? place.open()
        : Promise.reject(new DatabaseLostError('Postgres cannot be reached: too many connections'));
  }

  async function look(): Promise<{ without: string[]; reached: number }> {
    const database = await place.open();
    try {
      return {
        without: await partsWithoutIndexes(database),
        reached: await expectRowsToEqualState(database, history),
      };
    } finally {
      await database.close();
    }
  }

  test.each([
    ['beside its own', true],
    ['before its own', false],
  ])(
    `where they cannot be made the projector says so, no row is lost, and the next one makes them %s (${REPEAT})`,
    async (_, isBeside) => {
      await expect(project(refusedAfter(1))).rejects.toThrow(
        /^The indexes of ledger.transfers_\d+ could not be made: Postgres cannot be reached: too many connections$/,
      );
      const { without, reached } = await look();
      expect(without).not.toEqual([]);
      expect(reached).toBeGreaterThan(0);
      await project(isBeside ? () => place.open() : undefined);
      expect(await look()).toEqual({ without: [], reached: history.lastIndex });
    },
    MINUTES,
  );

  test(
    `where there is no second connection, they are made on the first one (${REPEAT})`,
    async () => {
      await project(refusedAfter(0));
      expect(await look()).toEqual({ without: [], reached: history.lastIndex });
    },
    MINUTES,
  );

  test(
    `two who make those of one part do not trip over each other (${REPEAT})`,
    async () => {
      await expect(project(refusedAfter(1))).rejects.toThrow('too many connections');
      const { without } = await look();
      const sessions = [await place.open(), await place.open(), await place.open()];
      try {
        for (const part of without) {
          await Promise.all(sessions.map((database) => makeMissingIndexes(database, part)));
        }
      } finally {
        for (const database of sessions) await database.close();
      }
      expect((await look()).without).toEqual([]);
    },
    MINUTES,
  );

  test(
    `somebody who reads a part for long holds nobody up: its key is declared later (${REPEAT})`,
    async () => {
      await expect(project(refusedAfter(1))).rejects.toThrow('too many connections');
      const [part] = (await look()).without;
      const reader = await place.open();
      const database = await place.open();
      try {
        await reader.script(`BEGIN; SELECT count(*) FROM ledger.${part}`);
        await makeMissingIndexes(database, String(part));
        const { rows } = await database.query(
          `SELECT count(*)::text AS n FROM pg_index WHERE indrelid = 'ledger.${part}'::regclass AND indisunique AND NOT indisprimary`,
        );
        expect(rows).toEqual([{ n: '1' }]);
        expect((await look()).without).toContain(part);
        await reader.script('ROLLBACK');
        await makeMissingIndexes(database, String(part));
        expect((await look()).without).not.toContain(part);
      } finally {
        await reader.close();
        await database.close();
      }
    },
    MINUTES,
  );

  test(
    `a session that is closed meanwhile waits for nothing (${REPEAT})`,
    async () => {
      let opened = 0;
      const database = await place.open();
      await expect(project(refusedAfter(1))).rejects.toThrow('too many connections');
      const { without } = await look();
      // Somebody writes to the part and does not come to an end: its indexes have to wait for that.
      await database.script(`BEGIN; LOCK TABLE ledger.${without[0]} IN ROW EXCLUSIVE MODE`);
      const open = async () => {
        opened++;
        return place.open();
      };
      const session = await ProjectionSession.open(
        await place.open(),
        IDENTITY,
        new AbortController().signal,
        () => undefined,
        { partOffsets: PART, openBeside: open },
      );
      await until('its other session was opened', () => opened === 2);
      await session?.close();
      await database.script('ROLLBACK');
      await database.close();
      await project(() => place.open());
      expect((await look()).without).toEqual([]);
    },
    MINUTES,
  );
});
