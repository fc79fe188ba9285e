/**
 * What the projection needs of a Postgres, whichever it is: a server behind a URL or one embedded in this process.
 * Values cross this boundary as Postgres prints them, so that a number of 38 digits is never a float on its way.
 */

/** One row, column name to what Postgres prints for its value; NULL is null. */
export type TextRow = Record<string, string | null>;

export interface QueryResult {
  readonly rows: TextRow[];
  /** Rows that the statement returned or changed. */
  readonly affected: number;
}

/** Columns in their order, of which two may have one name. */
export interface TableResult {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | null)[])[];
}

export interface Queries {
  /** One statement; `$1` … stand for the parameters, as text. Rejects with the database's own message. */
  query(sql: string, parameters?: readonly (string | null)[]): Promise<QueryResult>;
  /** As `query`, for a statement that somebody else wrote. */
  table(sql: string, parameters?: readonly (string | null)[]): Promise<TableResult>;
  /**
   * Several statements without parameters, in order.
   * @param patience milliseconds that they may take, where that is more than any other statement may
   */
  script(sql: string, patience?: number): Promise<void>;
}

export interface Transaction extends Queries {
  /**
   * COPY … FROM in Postgres' binary format.
   * @param rows the bytes of a whole binary copy, header and trailer included, in pieces ({@link CopyRows})
   * @param frozen nobody has to go over the rows later; only into a table that this transaction has made
   * @returns how many rows were written
   */
  copy(table: string, columns: readonly string[], rows: readonly Buffer[], frozen?: boolean): Promise<number>;
}

/** One session: whoever holds it is the only user of it, and what it locked is free again when it ends. */
export interface Database extends Queries {
  /** `UNLOGGED`: after a crash all of it is made again from the log, so its tables need no write-ahead log of their own. */
  readonly persistence: 'LOGGED' | 'UNLOGGED';
  /** Commits when `work` resolves, rolls back when it rejects. One at a time. */
  transaction<T>(work: (transaction: Transaction) => Promise<T>): Promise<T>;
  /** Housekeeping that no server in the background does; called now and then between transactions. */
  maintain(): Promise<void>;
  close(): Promise<void>;
}

/** Where the rows go. */
export type ProjectionTarget =
  | { readonly kind: 'postgres'; readonly url: string }
  /** `dir`: a folder of the projection's own; whatever is in it may be deleted and made again from the log. */
  | { readonly kind: 'embedded'; readonly dir: string };

/** The database cannot be gone on with in this process (its memory is not to be trusted any more). */
export class DatabaseBrokenError extends Error {
  override readonly name = 'DatabaseBrokenError';
}

/** The database cannot be reached any more, or does not answer; what was not committed is lost. */
export class DatabaseLostError extends Error {
  override readonly name = 'DatabaseLostError';
}

export function copyStatement(table: string, columns: readonly string[], from: string, frozen = false): string {
  return `COPY ${table} (${columns.join(', ')}) FROM ${from} WITH (FORMAT binary${frozen ? ', FREEZE' : ''})`;
}
