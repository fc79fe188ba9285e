import { measureProjection, projectionText } from '../../../src/bench/projection/measure';
import { start, type TestPostgres } from '../../support/postgres';

describe('the benchmark of the projection', () => {
  let server: TestPostgres;

  beforeAll(async () => {
    server = await start();
  }, 120_000);

  afterAll(() => server.stop(), 60_000);

  test('writes, reads and makes anew what it says', async () => {
    const steps: string[] = [];
    const size = { transfers: 20_000, accounts: 50 };
    const figures = await measureProjection({
      ...size,
      reads: 20,
      url: server.url,
      signal: new AbortController().signal,
      onStep: (name) => steps.push(name),
    });
    expect(steps).toHaveLength(3);
    for (const number of [figures.rowsPerSecond, figures.rebuiltPerSecond, figures.atOffset.p99, figures.atTime.p50]) {
      expect(number).toBeGreaterThan(0);
    }
    expect(projectionText([figures], size)).toContain('rows as they come');
  }, 120_000);
});
