import { ProjectionProcess } from '../../../src/ledger/projection/process';
import { type Fetched, type ProjectionSource } from '../../../src/ledger/projection/source';
import { compiled } from './compiled';
import { KINDS, makePlace, type TestPlace } from './databases';
import { expectRowsToEqualState } from './expected-rows';
import { RandomHistory, randomFrom } from './random-history';
import { CLUSTER } from './running-projector';
import { until } from './until';

const SEED = Number(process.env['LEDGER_TEST_SEED'] ?? Math.floor(Math.random() * 2 ** 32));
const REPEAT = `LEDGER_TEST_SEED=${SEED} npm test -- test/ledger/projection/process-kill.test.ts`;
const MINUTES = 300_000;
/** After a kill the embedded one makes its folder again, which takes seconds. */
const KILLS = { postgres: 12, embedded: 2 };
/** Histories, each from a seed of its own; `./scripts/projection-faults` makes them nine on a server, which is more than 100 kills. */
const ROUNDS = { postgres: Number(process.env['LEDGER_TEST_ROUNDS'] ?? 1), embedded: 1 };
/** Milliseconds: about what a small transaction takes. */
const LONGEST_DELAY = 6;
/** Batches between two kills. Few, since every check replays all. */
const BETWEEN = 40;

/** Gives away one batch at a time and knows of no more, so that there are many small transactions, and tells when one is being written. */
class Sips implements ProjectionSource {
  private awaited = Infinity;
  private reached: () => void = () => undefined;

  constructor(readonly history: RandomHistory) {}

  async fetch(fromIndex: number): Promise<Fetched> {
    // The batch before is asked for no more: now it is written.
    if (fromIndex > this.awaited) this.reached();
    const fetched = await this.history.fetch(fromIndex, 1);
    const commitIndex = Math.min(fromIndex, fetched.commitIndex);
    return { ...fetched, batches: fetched.batches.slice(0, 1), commitIndex };
  }

  /** Resolves when the batch at `index`, or one behind it, is on its way into the database. */
  writing(index: number): Promise<void> {
    this.awaited = index;
    return new Promise((resolve) => {
      this.reached = resolve;
    });
  }
}

describe.each(KINDS)('a projection into %s whose process is killed', (kind) => {
  let place: TestPlace;
  let projection: ProjectionProcess | undefined;

  beforeAll(async () => {
    place = await makePlace(kind);
  }, MINUTES);

  afterAll(async () => {
    await projection?.stop();
    await place.remove();
  }, MINUTES);

  async function rowsEqualState(history: RandomHistory): Promise<number> {
    const database = await place.open();
    try {
      // The next process may have begun to write: all is looked at as it is at one moment.
      return await database.transaction(async (transaction) => {
        await transaction.script('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ');
        return expectRowsToEqualState(transaction, history);
      });
    } finally {
      await database.close();
    }
  }

  function start(source: Sips): ProjectionProcess {
    projection = new ProjectionProcess({
      config: { clusterId: CLUSTER, group: 0, projector: 'one', target: place.target },
      source,
      entry: compiled('main'),
      stopDeadline: 60_000,
    });
    projection.start();
    return projection;
  }

  async function untilBeyond(running: ProjectionProcess, index: number): Promise<void> {
    await until(
      `the checkpoint is beyond ${index}`,
      () => running.status().state === 'running' && running.status().checkpointIndex > index,
      () => JSON.stringify({ status: running.status(), repeat: REPEAT }),
    );
  }

  afterEach(async () => {
    await projection?.stop();
    await place.empty();
  }, MINUTES);

  test.each(Array.from({ length: ROUNDS[kind] }, (_, round) => round))(
    `neither loses nor doubles a row: rows and position are one transaction (pitfall 29; ${REPEAT}; round %i)`,
    async (round) => {
      const random = randomFrom(SEED + round);
      const history = new RandomHistory(SEED + round);
      const source = new Sips(history);
      const running = start(source);
      let checked = 0;
      let moved = 0;
      for (let kill = 0; kill < KILLS[kind]; kill++) {
        history.grow(BETWEEN);
        await source.writing(checked + 2 + Math.floor(random() * (BETWEEN - 4)));
        await new Promise((resolve) => setTimeout(resolve, LONGEST_DELAY * random()));
        const { pid } = running;
        if (pid === undefined) throw new Error('The process has ended by itself.');
        process.kill(pid, 'SIGKILL');
        await until('the process is gone', () => running.pid !== pid);
        if (kind === 'postgres') {
          const now = await rowsEqualState(history);
          // What it had taken may have been gathered beside a transaction that was not committed: then nothing came of it.
          expect(now).toBeGreaterThanOrEqual(checked);
          expect(now).toBeLessThan(history.lastIndex);
          moved += now > checked ? 1 : 0;
          checked = now;
        }
      }
      if (kind === 'postgres') expect(moved).toBeGreaterThan(0);
      history.grow(BETWEEN);
      await untilBeyond(running, checked);
      await running.stop();
      expect(running.status()).toMatchObject({ state: 'paused', why: 'it was stopped' });
      const last = await rowsEqualState(history);
      expect(last).toBeGreaterThan(checked);
      expect(running.status().checkpointIndex).toBe(last);

      history.grow(BETWEEN);
      const again = start(source);
      await untilBeyond(again, last);
      await again.stop();
      expect(await rowsEqualState(history)).toBeGreaterThan(last);
    },
    MINUTES,
  );
});
