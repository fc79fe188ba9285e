import { Backoff } from '../../../src/ledger/projection/pause';
import { Projector } from '../../../src/ledger/projection/projector';
import { type ProjectionStatus, type ProjectionSource } from '../../../src/ledger/projection/source';
import { KINDS, makePlace, type TestPlace } from './databases';
import { expectRowsToEqualState } from './expected-rows';
import { type History } from './history';
import { RandomHistory } from './random-history';
import { until } from './until';

const CLUSTER = '0123456789abcdef0123456789abcdef';
const SEED = Number(process.env['LEDGER_TEST_SEED'] ?? Math.floor(Math.random() * 2 ** 32));
const REPEAT = `LEDGER_TEST_SEED=${SEED} npm test -- test/ledger/projection/projector.test.ts`;

/** A projector in this process, and what it says. */
class Running {
  status: ProjectionStatus | undefined;
  readonly said: string[] = [];
  private readonly stop_ = new AbortController();
  private readonly done: Promise<void>;

  constructor(place: TestPlace, source: ProjectionSource, clusterId = CLUSTER, projector = 'one') {
    const running = new Projector({
      identity: { clusterId, group: 0, projector },
      openDatabase: () => place.open(),
      source,
      onStatus: (status) => {
        if (status.why !== this.status?.why) this.said.push(status.why);
        this.status = status;
      },
      monotonic: () => performance.now(),
      backoff: new Backoff(10, 100),
    });
    this.done = running.run(this.stop_.signal);
  }

  reaches(index: number): Promise<void> {
    return until(`the checkpoint is at ${index}`, () => this.status?.checkpointIndex === index, this.describe);
  }

  says(text: string): Promise<void> {
    return until(`it says "${text}"`, () => this.said.some((why) => why.includes(text)), this.describe);
  }

  async stop(): Promise<void> {
    this.stop_.abort();
    await this.done;
  }

  private readonly describe = () => JSON.stringify({ status: this.status, said: this.said, repeat: REPEAT });
}

describe.each(KINDS)('the projection into %s', (kind) => {
  let place: TestPlace;
  let running: Running[] = [];

  function run(...args: ConstructorParameters<typeof Running> extends [TestPlace, ...infer Rest] ? Rest : never) {
    const started = new Running(place, ...args);
    running.push(started);
    return started;
  }

  async function expectState(history: History): Promise<number> {
    const database = await place.open();
    try {
      return await expectRowsToEqualState(database, history);
    } finally {
      await database.close();
    }
  }

  beforeAll(async () => {
    place = await makePlace(kind);
  }, 120_000);

  afterEach(async () => {
    await Promise.all(running.map((each) => each.stop()));
    running = [];
    await place.empty();
  }, 60_000);

  afterAll(() => place.remove(), 60_000);

  test(`equals the state, also when stopped and started on the way (${REPEAT})`, async () => {
    const history = new RandomHistory(SEED);
    history.grow(120);
    const total = history.lastIndex;
    for (const part of [3, 4, Math.floor(total / 2), total]) {
      history.commit(part);
      const projector = run(history);
      await projector.reaches(part);
      await projector.stop();
      expect(await expectState(history)).toBe(part);
    }
    history.grow(20);
    const following = run(history);
    await following.reaches(history.lastIndex);
    history.grow(5);
    await following.reaches(history.lastIndex);
    await following.stop();
    expect(await expectState(history)).toBe(history.lastIndex);
  }, 120_000);
});
