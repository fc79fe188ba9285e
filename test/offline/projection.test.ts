import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { NodeFiles } from '../../src/log/node-files';
import { PostgresDatabase } from '../../src/ledger/projection/postgres-database';
import { checkProjection, rebuildProjection } from '../../src/offline/projection';
import { start, type TestPostgres } from '../support/postgres';
import { WrittenDirectory } from './written-directory';

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
      expect(report).toMatchObject({ index: rebuilt.index, accounts: 2, differences: [] });
      expect(report?.transfers).toBeGreaterThanOrEqual(59);

      const database = await PostgresDatabase.connect(server.url);
      await database.script(`UPDATE ledger.balances SET credits_posted = 0 WHERE account = 2`);
      const wrong = await checkProjection(options(written.dataDir, server.url));
      expect(wrong?.differences).toEqual([expect.stringContaining('Account "Alice" has credits_posted 0')]);
      await database.script(`UPDATE ledger.checkpoint SET cluster_id = 'other'`);
      const foreign = await checkProjection(options(written.dataDir, server.url));
      expect(foreign?.differences[0]).toContain('The rows are of cluster other');
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
