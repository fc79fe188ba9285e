import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Client } from 'pg';
import { start, type TestPostgres } from './postgres';
import { findPostgres, type PostgresSource } from './postgres-binaries';

/** The machine need not have one; the embedded one is there after `npm ci`. */
const sources: PostgresSource[] = findPostgres('system').length > 0 ? ['system', 'embedded'] : ['embedded'];

async function query<Row extends object>(url: string, sql: string): Promise<Row[]> {
  const client = new Client({ connectionString: url });
  // A server that is killed ends the connection; the query's own rejection is what the test looks at.
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<Row>(sql)).rows;
  } finally {
    await client.end();
  }
}

describe.each(sources)('a real Postgres for tests (%s)', (source) => {
  let postgres: TestPostgres;

  beforeAll(async () => {
    postgres = await start({ source });
  }, 60_000);

  afterAll(() => postgres.stop());

  test('answers on loopback, with UTF-8 and a plain collation', async () => {
    expect(new URL(postgres.url).hostname).toBe('127.0.0.1');
    expect(postgres.source).toBe(source);
    const [row] = await query<{ encoding: string; collation: string }>(
      postgres.url,
      `select pg_encoding_to_char(encoding) as encoding, datcollate as collation from pg_database where datname = 'postgres'`,
    );
    expect(row).toEqual({ encoding: 'UTF8', collation: 'C' });
  });

  test('keeps what was committed over a restart and over kill -9, at the same address', async () => {
    await query(postgres.url, 'create table kept (n int); insert into kept values (1)');
    await postgres.restart();
    await query(postgres.url, 'insert into kept values (2)');
    await postgres.kill9();
    await expect(query(postgres.url, 'select 1')).rejects.toThrow('ECONNREFUSED');
    await postgres.restart();
    expect(await query(postgres.url, 'select n from kept order by n')).toEqual([{ n: 1 }, { n: 2 }]);
  }, 60_000);

  test('ends open sessions when it is killed', async () => {
    const client = new Client({ connectionString: postgres.url });
    client.on('error', () => undefined);
    await client.connect();
    const asleep = client.query('select pg_sleep(60)');
    const [killed] = await Promise.allSettled([asleep, postgres.kill9()]);
    expect(killed.status).toBe('rejected');
    await postgres.restart();
  }, 60_000);
});

describe('starting and stopping', () => {
  test('stop removes the folder and may be called twice', async () => {
    const postgres = await start();
    const [folder] = await query<{ data_directory: string }>(postgres.url, 'show data_directory');
    await postgres.stop();
    await postgres.stop();
    expect(existsSync(dirname(folder?.data_directory ?? '/'))).toBe(false);
    await expect(query(postgres.url, 'select 1')).rejects.toThrow('ECONNREFUSED');
  }, 60_000);

  test('an unknown choice is refused with what was expected', async () => {
    const wrong = 'docker' as PostgresSource;
    await expect(start({ source: wrong })).rejects.toThrow('LEDGER_TEST_POSTGRES is "docker"; expected');
  });

  test('the libraries of the embedded one have the names that its programs look for', () => {
    for (const { relocatable } of findPostgres('embedded')) {
      const native = relocatable ?? '';
      const list = JSON.parse(readFileSync(join(native, 'pg-symlinks.json'), 'utf8')) as { target: string }[];
      expect(list.filter(({ target }) => !existsSync(join(dirname(native), target)))).toEqual([]);
    }
  });
});
