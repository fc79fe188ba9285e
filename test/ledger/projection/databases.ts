import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Database, type ProjectionTarget } from '../../../src/ledger/projection/database';
import { EmbeddedDatabase } from '../../../src/ledger/projection/embedded-database';
import { PostgresDatabase } from '../../../src/ledger/projection/postgres-database';
import { start, type TestPostgres } from '../../support/postgres';

/** Both kinds of database that the projection writes to, for suites that each must pass. */
export const KINDS: readonly ProjectionTarget['kind'][] = ['postgres', 'embedded'];

/** A place for a projection, of one test file's own. */
export interface TestPlace {
  readonly target: ProjectionTarget;
  /** The server, where there is one. */
  readonly server: TestPostgres | undefined;
  open(): Promise<Database>;
  /** Everything in it is gone. */
  empty(): Promise<void>;
  remove(): Promise<void>;
}

export async function makePlace(kind: ProjectionTarget['kind']): Promise<TestPlace> {
  return kind === 'postgres' ? postgresPlace() : embeddedPlace();
}

async function postgresPlace(): Promise<TestPlace> {
  const server = await start();
  const open = () => PostgresDatabase.connect(server.url);
  return {
    target: { kind: 'postgres', url: server.url },
    server,
    open,
    empty: async () => {
      const database = await open();
      await database.script('DROP SCHEMA IF EXISTS ledger CASCADE');
      await database.close();
    },
    remove: () => server.stop(),
  };
}

function embeddedPlace(): TestPlace {
  const root = mkdtempSync(join(tmpdir(), 'ledger-projection-'));
  const dir = join(root, 'projection');
  return {
    target: { kind: 'embedded', dir },
    server: undefined,
    open: () => EmbeddedDatabase.open(dir),
    empty: async () => {
      const database = await EmbeddedDatabase.open(dir);
      await database.script('DROP SCHEMA IF EXISTS ledger CASCADE');
      await database.close();
    },
    remove: async () => rmSync(root, { recursive: true, force: true }),
  };
}
