import { ClusterProcess } from '../../src/bench/cluster-process';
import { type TestPostgres, start } from '../support/postgres';
import { DoorsHistory } from './doors-and-model/history';
import { expectEverywhere } from './doors-and-model/read-back';

/** Calls of one history; more of them by hand: see below. */
const CALLS = Number(process.env['DOORS_CALLS'] ?? 250);
const SEED = Number(process.env['DOORS_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const REPEAT = `To repeat: DOORS_SEED=${SEED} DOORS_CALLS=${CALLS} npm test -- test/integration/doors-and-model`;

let postgres: TestPostgres;
let cluster: ClusterProcess;

beforeAll(async () => {
  postgres = await start();
  cluster = await ClusterProcess.start({ nodes: 3, databases: [postgres.url, 'off', 'off'], startTimeoutMs: 120_000 });
}, 240_000);

afterAll(async () => {
  await cluster?.close();
  await postgres?.stop();
});

test('random transfers through every door of three nodes are decided, and shown, as the model says', async () => {
  const history = new DoorsHistory(cluster, SEED);
  try {
    await history.run(CALLS);
    await expectEverywhere(history);
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.message : String(error)}\n${REPEAT}`, { cause: error });
  } finally {
    history.doors.close();
  }
  const doors = ['call', 'batch', 'rows', 'payment', 'transaction', 'command', 'account'];
  const results = ['ok', 'replayed', 'insufficient_funds', 'linked_transfer_failed'];
  expect([...doors, ...results].filter((what) => !history.tally.has(what))).toEqual([]);
}, 600_000);
