import { FencedError } from '../../../src/ledger/projection/checkpoint';
import { type Database } from '../../../src/ledger/projection/database';
import { ProjectionSession } from '../../../src/ledger/projection/session';
import { type ProjectionSource } from '../../../src/ledger/projection/source';
import { KINDS, makePlace, type TestPlace } from './databases';
import { expectRowsToEqualState } from './expected-rows';
import { RandomHistory } from './random-history';
import { CLUSTER, RunningProjector } from './running-projector';

const OTHER_CLUSTER = 'f'.repeat(32);
const MINUTES = 180_000;
const SEED = 7;

describe.each(KINDS)('what a projector into %s refuses', (kind) => {
  let place: TestPlace;
  let history: RandomHistory;
  let running: RunningProjector[] = [];

  function run(source: ProjectionSource, clusterId = CLUSTER, projector = 'one'): RunningProjector {
    const started = new RunningProjector(place, source, clusterId, projector);
    running.push(started);
    return started;
  }

  async function withDatabase<T>(work: (database: Database) => Promise<T>): Promise<T> {
    const database = await place.open();
    try {
      return await work(database);
    } finally {
      await database.close();
    }
  }

  beforeAll(async () => {
    place = await makePlace(kind);
  }, MINUTES);

  beforeEach(async () => {
    history = new RandomHistory(SEED);
    history.grow(20);
    const first = run(history);
    await first.reaches(history.lastIndex);
    await first.stop();
  }, MINUTES);

  afterEach(async () => {
    await Promise.all(running.map((each) => each.stop()));
    running = [];
    await place.empty();
  }, MINUTES);

  afterAll(() => place.remove(), MINUTES);

  test(
    'a database of another cluster, and writes nothing into it',
    async () => {
      const stranger = run(new RandomHistory(8), OTHER_CLUSTER);
      await stranger.says(
        `The database holds the rows of cluster ${CLUSTER}, this node is of cluster ${OTHER_CLUSTER}`,
      );
      expect(stranger.status?.state).toBe('paused');
      await stranger.stop();
      expect(await withDatabase((database) => expectRowsToEqualState(database, history))).toBe(history.lastIndex);
    },
    MINUTES,
  );

  test(
    'another history of the same cluster',
    async () => {
      const other = new RandomHistory(SEED + 1);
      other.grow(40);
      const stranger = run(other);
      await stranger.says("The database holds another history than this node's log");
      await stranger.stop();
      expect(await withDatabase((database) => expectRowsToEqualState(database, history))).toBe(history.lastIndex);
    },
    MINUTES,
  );

  test(
    'to go on while the log is behind the rows; it does when the log is there again',
    async () => {
      const all = history.lastIndex;
      history.commit(all - 5);
      const early = run(history);
      await early.says(`the database is at Raft index ${all}, this node's log is committed up to ${all - 5} only`);
      expect(early.status).toMatchObject({ state: 'paused', checkpointIndex: all });
      history.grow(3);
      await early.reaches(history.lastIndex);
      expect(early.status?.state).toBe('running');
      await early.stop();
      expect(await withDatabase((database) => expectRowsToEqualState(database, history))).toBe(all + 3);
    },
    MINUTES,
  );

  test(
    'a schema that a newer program has made, and one that is not ours',
    async () => {
      await withDatabase((database) => database.script("INSERT INTO ledger.migrations VALUES (99, 'from the future')"));
      await run(history).says('is at version 99, this program knows');
      await running.at(-1)?.stop();
      await place.empty();
      await withDatabase((database) => database.script('CREATE SCHEMA ledger; CREATE TABLE ledger.entries (n int)'));
      await run(history).says('a schema "ledger" that is not this program\'s (tables: entries)');
    },
    MINUTES,
  );

  test(
    'to write once another one has claimed the database, also when it has not noticed',
    async () => {
      const { signal } = new AbortController();
      const identity = { clusterId: CLUSTER, group: 0, projector: 'first' };
      await withDatabase(async (database) => {
        const standby = () => undefined;
        const first = await ProjectionSession.open(database, identity, signal, standby);
        const second = await ProjectionSession.open(database, { ...identity, projector: 'second' }, signal, standby);
        if (!first || !second) throw new Error('Neither was to stand by: both are in one database session.');
        history.grow(1);
        const next = async (session: ProjectionSession) => {
          const fold = session.begin();
          await session.add(fold, history.batches.slice(-1));
          return fold;
        };
        await expect(first.write(await next(first))).rejects.toThrow(FencedError);
        expect(await expectRowsToEqualState(database, history)).toBe(history.lastIndex - 1);
        await second.write(await next(second));
        expect(await expectRowsToEqualState(database, history)).toBe(history.lastIndex);
      });
    },
    MINUTES,
  );

  test(
    'to be the second one in the same database; it takes over when the first one stops',
    async () => {
      const first = run(history, CLUSTER, 'first');
      await first.reaches(history.lastIndex);
      const second = run(history, CLUSTER, 'second');
      await second.says(kind === 'postgres' ? 'another node projects into this database' : 'is in use by process');
      expect(second.status?.state).toBe('paused');
      history.grow(3);
      await first.reaches(history.lastIndex);
      await first.stop();
      history.grow(3);
      await second.reaches(history.lastIndex);
      await second.stop();
      expect(await withDatabase((database) => expectRowsToEqualState(database, history))).toBe(history.lastIndex);
      const { rows } = await withDatabase((database) => database.query('SELECT projector FROM ledger.checkpoint'));
      expect(rows).toEqual([{ projector: 'second' }]);
    },
    MINUTES,
  );
});
