import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { EmbeddedFolder } from '../../../src/ledger/projection/embedded-folder';
import { ProjectionProcess } from '../../../src/ledger/projection/process';
import { type Fetched, type ProjectionSource } from '../../../src/ledger/projection/source';
import { compiled } from './compiled';
import { makePlace, type TestPlace } from './databases';
import { expectRowsToEqualState } from './expected-rows';
import { RandomHistory } from './random-history';
import { CLUSTER } from './running-projector';
import { until } from './until';

const MINUTES = 180_000;
const IDENTITY = { clusterId: CLUSTER, group: 0, projector: 'one' };

describe('the process of the projection', () => {
  let place: TestPlace;
  let started: ProjectionProcess | undefined;

  function start(source: ProjectionSource, entry = compiled('main')): ProjectionProcess {
    started = new ProjectionProcess({
      config: { ...IDENTITY, target: place.target },
      source,
      entry,
      stopDeadline: 60_000,
    });
    started.start();
    return started;
  }

  const untilSaid = (running: ProjectionProcess, text: string) =>
    until(
      `it says "${text}"`,
      () => running.status().why.includes(text),
      () => JSON.stringify(running.status()),
    );

  async function killed(running: ProjectionProcess): Promise<void> {
    const { pid } = running;
    if (pid === undefined) throw new Error('There is no process to kill.');
    process.kill(pid, 'SIGKILL');
    await until('the process is gone', () => running.pid !== pid);
  }

  const untilAt = (running: ProjectionProcess, index: number) =>
    until(
      `it is at ${index}`,
      () => running.status().checkpointIndex === index,
      () => JSON.stringify(running.status()),
    );

  beforeAll(async () => {
    place = await makePlace('postgres');
  }, MINUTES);

  afterEach(async () => {
    await started?.stop();
    await place.empty();
  }, MINUTES);

  afterAll(() => place.remove(), MINUTES);

  test(
    'pulls, at low priority, and tells how far it has come; may be started again',
    async () => {
      const history = new RandomHistory(1);
      history.grow(30);
      const running = start(history);
      expect(running.status()).toMatchObject({ state: 'starting', checkpointIndex: 0, checkpointOffset: -1 });
      await untilAt(running, history.lastIndex);
      expect(running.status()).toMatchObject({
        state: 'running',
        why: '',
        checkpointOffset: history.state.nextOffset - 1,
      });
      expect(getPriority(running.pid)).toBe(10);
      await running.stop();
      expect(running.pid).toBeUndefined();
      history.grow(10);
      running.start();
      await untilAt(running, history.lastIndex);
      await running.stop();
      const database = await place.open();
      expect(await expectRowsToEqualState(database, history)).toBe(history.lastIndex);
      await database.close();
    },
    MINUTES,
  );

  test(
    'answers reads, of rows that reflect what the reader has seen',
    async () => {
      const history = new RandomHistory(4);
      const running = start(history);
      const count = () =>
        running.read({ sql: 'SELECT count(*) FROM accounts', parameters: [], maxRows: 1, timeoutMs: 60_000 });
      await running.reached(history.lastIndex, MINUTES);
      const { index, rows } = await count();
      expect(rows).toEqual([[String(history.state.reader.counts().accounts)]]);
      expect(index).toBe(history.lastIndex);
      const next = running.reached(history.lastIndex + 1, MINUTES);
      history.grow(1);
      await next;
      expect((await count()).index).toBeGreaterThan(index);
      await expect(running.reached(history.lastIndex + 1, 10)).rejects.toMatchObject({ reason: 'unavailable' });
      const hanging = running.read({ sql: 'SELECT pg_sleep(60)', parameters: [], maxRows: 1, timeoutMs: 120_000 });
      await Promise.all([expect(hanging).rejects.toMatchObject({ reason: 'unavailable' }), killed(running)]);
      await running.stop();
      await expect(count()).rejects.toThrow('The projection does not run: it was stopped');
    },
    MINUTES,
  );

  test(
    'asks for one answer at a time and never for more than it said',
    async () => {
      const history = new RandomHistory(2);
      history.grow(200);
      const source = new (class implements ProjectionSource {
        outstanding = 0;
        most = 0;
        async fetch(fromIndex: number, maxBytes: number): Promise<Fetched> {
          this.most = Math.max(this.most, ++this.outstanding);
          expect(maxBytes).toBeLessThanOrEqual(1024 * 1024);
          const fetched = await history.fetch(fromIndex, 4096);
          this.outstanding--;
          return fetched;
        }
      })();
      await untilAt(start(source), history.lastIndex);
      expect(source.most).toBe(1);
    },
    MINUTES,
  );

  test(
    'shows why it is paused: the node lacks the range, a source that fails, a program that ends',
    async () => {
      const history = new RandomHistory(3);
      let missing = true;
      const running = start({
        fetch: (from, bytes) => (missing ? Promise.reject(new Error('trimmed up to 40')) : history.fetch(from, bytes)),
      });
      await untilSaid(running, 'the node has not got the batches: Error: trimmed up to 40');
      expect(running.status().state).toBe('paused');
      missing = false;
      await untilAt(running, history.lastIndex);
      await running.stop();

      const dir = mkdtempSync(join(tmpdir(), 'ledger-entry-'));
      const entry = join(dir, 'main.js');
      writeFileSync(entry, 'throw new Error("no such library");');
      const failing = start(history, entry);
      await untilSaid(failing, 'no such library');
      expect(failing.status().why).toMatch(/^its process ended \(code 1\) and is started again in \d+ ms/);
      const { pid } = failing;
      await until('it was started again', () => failing.pid !== undefined && failing.pid !== pid);
      await failing.stop();
      rmSync(dir, { recursive: true });
    },
    MINUTES,
  );

  test(
    'stops at once while the node owes it an answer',
    async () => {
      const history = new RandomHistory(4);
      const running = start({
        fetch: (from, bytes) => (from > history.lastIndex ? new Promise(() => undefined) : history.fetch(from, bytes)),
      });
      await untilAt(running, history.lastIndex);
      const { pid } = running;
      await running.stop();
      expect(() => process.kill(pid ?? 0, 0)).toThrow('ESRCH');
    },
    MINUTES,
  );

  test(
    'is killed when it does not stop in time',
    async () => {
      const dir = mkdtempSync(join(tmpdir(), 'ledger-entry-'));
      const entry = join(dir, 'main.js');
      writeFileSync(entry, 'setInterval(() => undefined, 1000);');
      const deaf = new ProjectionProcess({
        config: { ...IDENTITY, target: place.target },
        source: new RandomHistory(5),
        entry,
        stopDeadline: 50,
      });
      deaf.start();
      const { pid } = deaf;
      await deaf.stop();
      expect(() => process.kill(pid ?? 0, 0)).toThrow('ESRCH');
      rmSync(dir, { recursive: true });
    },
    MINUTES,
  );
});

describe('a projection whose node dies', () => {
  test(
    'closes its database and ends',
    async () => {
      const dir = mkdtempSync(join(tmpdir(), 'ledger-orphan-'));
      const node = spawn(process.execPath, ['-e', NODE, compiled('process'), join(dir, 'projection')], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const lines = createInterface({ input: node.stdout });
      const [line] = (await once(lines, 'line')) as [string];
      node.kill('SIGKILL');
      await once(node, 'close');
      await until('the projection has ended', () => !isAlive(Number(line)));
      expect(await EmbeddedFolder.isClean(join(dir, 'projection'))).toBe(true);
      rmSync(dir, { recursive: true });
    },
    MINUTES,
  );
});

/** A node that has nothing to project; prints the id of the projection's process once that runs. */
const NODE = `
  const { ProjectionProcess } = require(process.argv[1]);
  const projection = new ProjectionProcess({
    config: { clusterId: '${CLUSTER}', group: 0, projector: 'one', target: { kind: 'embedded', dir: process.argv[2] } },
    source: { fetch: () => new Promise((resolve) => setTimeout(resolve, 20, { batches: [], commitIndex: 0, nextOffset: 0 })) },
    onStatus: ({ state }) => { if (state === 'running') console.log(projection.pid); },
  });
  projection.start();
`;

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
