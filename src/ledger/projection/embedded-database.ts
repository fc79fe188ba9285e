import type { PGlite, Results, Transaction as PGliteTransaction } from '@electric-sql/pglite' with {
  'resolution-mode': 'import',
};
import {
  copyStatement,
  type Database,
  DatabaseBrokenError,
  type QueryResult,
  type TableResult,
  type TextRow,
  type Transaction,
} from './database';
import { EmbeddedFolder } from './embedded-folder';

/**
 * Nothing but this process uses the database, a crash of it means that the folder is made again from the log, and no
 * background process writes checkpoints: so little memory for pages, and a log of changes that is as short as can be.
 */
const SETTINGS = {
  shared_buffers: '32MB',
  full_page_writes: 'off',
  wal_level: 'minimal',
  max_wal_senders: '0',
  synchronous_commit: 'off',
  min_wal_size: '32MB',
};

/** The object identifiers of the types that the schema has (pg_type.dat); they go in and come out as text. */
const TEXT_FOR = { bool: 16, bytea: 17, int8: 20, int2: 21, int4: 23, oid: 26, float8: 701, timestamptz: 1184 };
const asText = Object.fromEntries(Object.values(TEXT_FOR).map((oid) => [oid, (value: string) => value]));

/** A {@link Database} in this process (Postgres compiled to WebAssembly), in a folder of its own. */
export class EmbeddedDatabase implements Database {
  readonly persistence = 'UNLOGGED';
  private broken: Error | undefined;
  private everyType: typeof asText | undefined;

  private constructor(
    private readonly pglite: PGlite,
    private readonly folder: EmbeddedFolder,
  ) {}

  /** Rejects when another process has the folder. A folder that was not closed cleanly is emptied first. */
  static async open(dir: string): Promise<EmbeddedDatabase> {
    const folder = await EmbeddedFolder.open(dir);
    try {
      return new EmbeddedDatabase(await start(folder.dataDir), folder);
    } catch (error) {
      await folder.leaveDirty();
      throw new DatabaseBrokenError(`The embedded Postgres did not start: ${String(error)}`, { cause: error });
    }
  }

  async query(sql: string, parameters: readonly (string | null)[] = []): Promise<QueryResult> {
    return resultOf(await this.guarded(() => this.pglite.query<TextRow>(sql, [...parameters])));
  }

  async table(sql: string, parameters: readonly (string | null)[] = []): Promise<TableResult> {
    const options = await this.byColumn(this.pglite);
    return tableOf(await this.guarded(() => this.pglite.query<(string | null)[]>(sql, [...parameters], options)));
  }

  async script(sql: string): Promise<void> {
    await this.guarded(() => this.pglite.exec(sql));
  }

  async transaction<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    return this.pglite.transaction((inner) => work(this.transactionOn(inner)));
  }

  /** Everything as text: whoever writes a statement may ask for types that the schema does not have. */
  private async byColumn(queries: Pick<PGlite, 'query'>): Promise<{ rowMode: 'array'; parsers: typeof asText }> {
    if (!this.everyType) {
      const { rows } = await this.guarded(() => queries.query<{ oid: string }>('SELECT oid FROM pg_type'));
      this.everyType = Object.fromEntries(rows.map(({ oid }) => [oid, (value: string) => value]));
    }
    return { rowMode: 'array', parsers: this.everyType };
  }

  /** What autovacuum and the checkpointer do for a server. */
  async maintain(): Promise<void> {
    await this.script('VACUUM ledger.balances, ledger.checkpoint');
    await this.script('ANALYZE');
    await this.script('CHECKPOINT');
  }

  async close(): Promise<void> {
    if (this.broken) return this.folder.leaveDirty();
    await this.pglite.close();
    await this.folder.closeCleanly();
  }

  private transactionOn(inner: PGliteTransaction): Transaction {
    return {
      query: async (sql, parameters = []) =>
        resultOf(await this.guarded(() => inner.query<TextRow>(sql, [...parameters]))),
      table: async (sql, parameters = []) => {
        const options = await this.byColumn(inner);
        return tableOf(await this.guarded(() => inner.query<(string | null)[]>(sql, [...parameters], options)));
      },
      script: async (sql) => {
        await this.guarded(() => inner.exec(sql));
      },
      copy: async (table, columns, rows, frozen) => {
        const sql = copyStatement(table, columns, `'/dev/blob'`, frozen);
        return resultOf(await this.guarded(() => inner.query(sql, [], { blob: new Blob([...rows]) }))).affected;
      },
    };
  }

  /** An error without an SQLSTATE is not Postgres speaking: the machine that it runs on has failed. */
  private async guarded<T>(statement: () => Promise<T>): Promise<T> {
    if (this.broken) throw this.broken;
    try {
      return await statement();
    } catch (error) {
      if (hasSqlState(error)) throw error;
      this.broken = new DatabaseBrokenError(`The embedded Postgres has failed: ${String(error)}`, { cause: error });
      throw this.broken;
    }
  }
}

function hasSqlState(error: unknown): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && error.code.length === 5;
}

async function start(dataDir: string): Promise<PGlite> {
  // Loaded here, so that a projection into a server does not pay for it.
  const { PGlite } = await import('@electric-sql/pglite');
  const settings = Object.entries(SETTINGS).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  return PGlite.create({
    dataDir,
    startParams: [...PGlite.defaultStartParams, ...settings],
    parsers: asText,
    serializers: asText,
  });
}

function tableOf({ fields, rows }: Results<(string | null)[]>): TableResult {
  return { columns: fields.map(({ name }) => name), rows };
}

function resultOf(result: Results<TextRow> | Results): QueryResult {
  return { rows: result.rows as TextRow[], affected: result.rowCount ?? result.affectedRows ?? 0 };
}
