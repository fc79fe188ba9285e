import { Client, DatabaseError } from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import {
  copyStatement,
  type Database,
  DatabaseLostError,
  type QueryResult,
  type TableResult,
  type TextRow,
  type Transaction,
} from './database';

/** Milliseconds. Nothing that the projection asks for takes as long (but a step of the schema over many rows), unless the server or the way to it is gone. */
const ANSWER_DEADLINE = 120_000;
const CONNECT_DEADLINE = 10_000;
const CLOSE_DEADLINE = 2_000;

/**
 * The advisory lock of a projector that vanished without a word is free only when the server notices: so it is asked to
 * look after 15 s of silence, three times, 5 s apart. What is lost in a crash of the server is written again from the
 * log, together with the checkpoint, so a commit need not wait for the server's disk.
 */
const SESSION_SETTINGS = `
  SET tcp_keepalives_idle = 15;
  SET tcp_keepalives_interval = 5;
  SET tcp_keepalives_count = 3;
  SET idle_in_transaction_session_timeout = '60s';
  SET synchronous_commit = off;
  SET search_path = pg_catalog;
`;

/** Everything as Postgres prints it. */
const asText = () => (value: string) => value;

/** A {@link Database} on a Postgres server, through one connection. */
export class PostgresDatabase implements Database {
  readonly persistence = 'LOGGED';
  private lost: Error | undefined;

  private constructor(private readonly client: Client) {
    client.on('error', (error) => (this.lost ??= error));
    client.on('end', () => (this.lost ??= new Error('the server ended the connection')));
  }

  /**
   * @param url `postgres://…`. Rejects with {@link DatabaseLostError} when nothing answers there
   * @param name what the server shows of the connection
   */
  static async connect(url: string, name = 'ledger-node projection'): Promise<PostgresDatabase> {
    const client = new Client({
      connectionString: url,
      application_name: name,
      connectionTimeoutMillis: CONNECT_DEADLINE,
      keepAlive: true,
      types: { getTypeParser: asText as never },
    });
    const database = new PostgresDatabase(client);
    try {
      await client.connect();
    } catch (error) {
      throw new DatabaseLostError(`Postgres cannot be reached: ${reason(error)}.`, { cause: error });
    }
    await database.script(SESSION_SETTINGS);
    return database;
  }

  async query(sql: string, parameters: readonly (string | null)[] = []): Promise<QueryResult> {
    const result = await this.answered(this.client.query<TextRow>(oneStatement(sql, parameters)));
    return { rows: result.rows, affected: result.rowCount ?? 0 };
  }

  async table(sql: string, parameters: readonly (string | null)[] = []): Promise<TableResult> {
    const query = { ...oneStatement(sql, parameters), rowMode: 'array' as const };
    const { fields, rows } = await this.answered(this.client.query<(string | null)[]>(query));
    return { columns: fields.map(({ name }) => name), rows };
  }

  async script(sql: string, patience = ANSWER_DEADLINE): Promise<void> {
    await this.answered(this.client.query(sql), patience);
  }

  async transaction<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    const transaction: Transaction = {
      query: (sql, parameters) => this.query(sql, parameters),
      table: (sql, parameters) => this.table(sql, parameters),
      script: (sql, patience) => this.script(sql, patience),
      copy: (table, columns, rows, frozen) =>
        this.answered(this.copy(copyStatement(table, columns, 'STDIN', frozen), rows)),
    };
    await this.script('BEGIN');
    let result: T;
    try {
      result = await work(transaction);
    } catch (error) {
      // A connection that is gone has rolled back by itself.
      if (this.lost === undefined) await this.script('ROLLBACK');
      throw error;
    }
    await this.script('COMMIT');
    return result;
  }

  /** A server has a background of its own for this. */
  async maintain(): Promise<void> {}

  async close(): Promise<void> {
    if (this.lost) return;
    const late = setTimeout(() => this.cut('the server did not say good-bye in time'), CLOSE_DEADLINE);
    try {
      await this.client.end();
    } finally {
      clearTimeout(late);
    }
  }

  private copy(sql: string, rows: readonly Buffer[]): Promise<number> {
    const stream = this.client.query(copyFrom(sql));
    return new Promise((resolve, reject) => {
      stream.once('error', reject);
      stream.once('finish', () => resolve(stream.rowCount));
      // The pieces are in memory anyway: waiting for the socket between them would save none.
      for (const piece of rows) stream.write(piece);
      stream.end();
    });
  }

  /** Passes the answer on; makes a lost or silent connection a {@link DatabaseLostError}. */
  private async answered<T>(answer: Promise<T>, patience = ANSWER_DEADLINE): Promise<T> {
    const late = setTimeout(() => this.cut(`it has not answered for ${patience / 1000} s`), patience);
    try {
      return await answer;
    } catch (error) {
      // The server's own words leave the connection usable, except where they are its last ones.
      if (error instanceof DatabaseError && error.severity === 'ERROR') throw error;
      this.lost ??= error instanceof Error ? error : new Error(String(error));
      throw new DatabaseLostError(`The connection to Postgres is lost: ${reason(error)}.`, { cause: error });
    } finally {
      clearTimeout(late);
    }
  }

  private cut(why: string): void {
    this.lost ??= new Error(why);
    this.client.connection.stream.destroy(new Error(why));
  }
}

/**
 * By the protocol that takes one statement: without parameters the driver would use the other one, where `SELECT 1; COMMIT;
 * DROP …` is three.
 */
function oneStatement(text: string, parameters: readonly (string | null)[]) {
  return { text, values: [...parameters], queryMode: 'extended' };
}

/** A refused connection to a name with several addresses is an AggregateError, which has no message of its own. */
function reason(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(reason).join('; ');
  return error instanceof Error ? error.message : String(error);
}
