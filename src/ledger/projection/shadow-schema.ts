import { type Database, type Queries, type TableResult, type Transaction } from './database';

/** Where the tables are while they are built beside the live ones. */
export const SHADOW = 'ledger_rebuild';
/** Bodies of functions and procedures: they are kept as text, and name the schema that will be the live one. */
const BODIES = /(\$(?:procedure|function)\$[\s\S]*?\$(?:procedure|function)\$)/;
/** The schema where it is named: before a dot, where it is created, and where it is looked for in the catalogue. */
const NAMED = /\bledger(?=\.)|(?<=SCHEMA IF NOT EXISTS )ledger\b|'ledger'/g;

/** The same statements on a schema beside the live one. */
export class ShadowSchema implements Database {
  constructor(private readonly inner: Database) {}

  get persistence(): Database['persistence'] {
    return this.inner.persistence;
  }

  query(...[sql, parameters]: Parameters<Queries['query']>): ReturnType<Queries['query']> {
    return this.inner.query(shadowed(sql), parameters);
  }

  table(...[sql, parameters]: Parameters<Queries['table']>): Promise<TableResult> {
    return this.inner.table(shadowed(sql), parameters);
  }

  script(...[sql, patience]: Parameters<Queries['script']>): Promise<void> {
    return this.inner.script(shadowed(sql), patience);
  }

  transaction<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    return this.inner.transaction((transaction) =>
      work({
        query: (sql, parameters) => transaction.query(shadowed(sql), parameters),
        table: (sql, parameters) => transaction.table(shadowed(sql), parameters),
        script: (sql, patience) => transaction.script(shadowed(sql), patience),
        copy: (table, columns, rows, frozen) => transaction.copy(shadowed(table), columns, rows, frozen),
      }),
    );
  }

  /** Nothing is read before it is whole. */
  async maintain(): Promise<void> {}

  close(): Promise<void> {
    return this.inner.close();
  }
}

export function shadowed(sql: string): string {
  return sql
    .split(BODIES)
    .map((part, i) => (i % 2 === 1 ? part : part.replace(NAMED, (found) => found.replace('ledger', SHADOW))))
    .join('');
}
