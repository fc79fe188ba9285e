import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { NodeFiles } from '../../src/log/node-files';
import { PostgresDatabase } from '../../src/ledger/projection/postgres-database';
import { checkProjection, rebuildProjection } from '../../src/offline/projection';
import { start, type TestPostgres } from '../support/postgres';
import { filesBelow, flipBit, WrittenDirectory } from './written-directory';

const MINUTES = 180_000;

describe('the rows of a stopped node', () => {
  let written: WrittenDirectory;
  let server: TestPostgres;

  beforeAll(async () => {
    written = await WrittenDirectory.make();
    server = await start();
  }, MINUTES);

  afterAll(async () => {
    await server.stop();
    written.remove();
  }, MINUTES);

  const options = (dataDir: string, url?: string) => ({
    dataDir,
    files: new NodeFiles(),
    database: url === undefined ? ({ kind: 'embedded' } as const) : ({ kind: 'postgres', url } as const),
    onProgress: () => undefined,
  });

  test(
    'are made from its log in a server, and held against it',
    async () => {
      const progress: number[] = [];
      const rebuilt = await rebuildProjection({
        ...options(written.dataDir, server.url),
        onProgress: (done, total) => progress.push(done / total),
      });
      expect(rebuilt.offset).toBeGreaterThan(1_000);
      expect(progress.length).toBeGreaterThan(10);
      const report = await checkProjection(options(written.dataDir, server.url));
      expect(report).toMatchObject({ index: rebuilt.index, accounts: 2, differences: [], found: 0, comparedFrom: 0 });
      expect(report?.transfers).toBeGreaterThanOrEqual(59);

      const database = await PostgresDatabase.connect(server.url);
      await database.script(`UPDATE ledger.balances SET credits_posted = 0 WHERE account = 2`);
      const wrong = await checkProjection(options(written.dataDir, server.url));
      expect(wrong?.differences).toEqual([
        expect.stringContaining('Account "Alice" has credits_posted 0'),
        expect.stringContaining('Account "Alice" has posted 0'),
      ]);
      await database.script(`UPDATE ledger.checkpoint SET cluster_id = 'other'`);
      const foreign = await checkProjection(options(written.dataDir, server.url));
      expect(foreign?.differences[0]).toContain('The rows are of cluster other');
      await database.script('DROP SCHEMA ledger CASCADE');
      await database.close();
    },
    MINUTES,
  );

  test(
    'are held against the log as far back as it goes, and by their sums before that',
    async () => {
      await rebuildProjection(options(written.dataDir, server.url));
      const log = (dataDir: string): string[] =>
        filesBelow(dataDir)
          .filter((name) => /^groups\/0\/log\/\d+\.log$/.test(name))
          .map((name) => join(dataDir, name));
      const shortened = written.copy();
      rmSync(log(shortened)[0]!);
      const torn = written.copy();
      flipBit(log(torn)[1]!, 10_000);
      const database = await PostgresDatabase.connect(server.url);
      const begins: number[] = [];
      for (const dataDir of [shortened, torn]) {
        const whole = await checkProjection(options(dataDir, server.url));
        expect(whole).toMatchObject({ differences: [], found: 0 });
        const from = whole?.comparedFrom ?? 0;
        expect(from).toBeGreaterThan(0);
        begins.push(from);
        const ends = await database.query(
          'SELECT min(log_offset) AS first, max(log_offset) AS last FROM ledger.transfers',
        );
        const { first, last } = ends.rows[0] ?? {};
        expect([Number(first) < from, Number(last) > from]).toEqual([true, true]);
        await database.script(
          `UPDATE ledger.transfers SET code = 7, amount_moved = 7 WHERE log_offset IN (${first}, ${last})`,
        );
        const wrong = await checkProjection(options(dataDir, server.url));
        expect(wrong?.differences).toEqual([
          expect.stringContaining(`The transfer at offset ${first} has payer_debits 1.00`),
          expect.stringContaining(`The transfer at offset ${first} has payee_credits 1.00`),
          `The transfer at offset ${last} has amount_moved 7 in the rows; the log has 1.00.`,
          `The transfer at offset ${last} has code 7 in the rows; the log has 0.`,
        ]);
        await database.script(`UPDATE ledger.transfers SET code = 0, amount_moved = 1.00 WHERE code = 7`);
      }
      // From the older one of two snapshots where the log goes on from it, from the newer one where there is a gap between them.
      expect(begins[0]).toBeLessThan(begins[1]!);
      await database.close();
    },
    MINUTES,
  );

  test(
    'are made from its log in the embedded Postgres, and held against it',
    async () => {
      const dataDir = written.copy();
      expect(await checkProjection(options(dataDir))).toBeUndefined();
      const { index } = await rebuildProjection(options(dataDir));
      expect(existsSync(join(dataDir, 'projection.rebuild'))).toBe(false);
      expect(await checkProjection(options(dataDir))).toMatchObject({ index, differences: [] });
    },
    MINUTES,
  );
});
