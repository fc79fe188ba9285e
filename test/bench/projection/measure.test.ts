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
    const size = { transfers: 20_000, accounts: 50, ids: 'v7' as const };
    const figures = await measureProjection({
      ...size,
      reads: 20,
      url: server.url,
      signal: new AbortController().signal,
      onStep: (name) => steps.push(name),
    });
    expect(steps).toHaveLength(5);
    const { asTheyComePerSecond, caughtUpPerSecond, rebuiltPerSecond, atOffset, atTime, inSql } = figures;
    const numbers = [asTheyComePerSecond, caughtUpPerSecond, rebuiltPerSecond, atOffset.p99, atTime.p50, inSql.p50];
    for (const number of numbers) {
      expect(number).toBeGreaterThan(0);
    }
    expect(projectionText([figures], size)).toContain('rows as they come');
  }, 120_000);
});
