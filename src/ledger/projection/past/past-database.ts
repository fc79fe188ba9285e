/** How the past is read: statements whose text never changes, each prepared once a session, with values beside them. */
import { type TextRow } from '../database';

export interface PastStatement {
  /** Unique: a session knows its prepared statements by it. */
  readonly name: string;
  readonly sql: string;
}

export interface PastDatabase {
  /** Statements that may run at once; more than these would wait for each other anyway. */
  readonly lanes: number;
  /** Rejects with {@link PastNotReadyError} where it may be different in a moment, else with the database's own message. */
  rows(statement: PastStatement, parameters: readonly (string | null)[]): Promise<readonly TextRow[]>;
  close(): Promise<void>;
}

/** There is no database yet, or no schema in it: both come by themselves. */
export class PastNotReadyError extends Error {
  override readonly name = 'PastNotReadyError';
}

/** undefined_table, undefined_function, invalid_schema_name, undefined_column: the projector has not been here yet. */
const NOT_THERE_YET = new Set(['42P01', '42883', '3F000', '42703']);

/** What a failed statement is to whoever waits for it. */
export function failureOf(error: unknown): Error {
  if (!(error instanceof Error)) return new Error(String(error));
  if ('code' in error && typeof error.code === 'string' && NOT_THERE_YET.has(error.code)) {
    return new PastNotReadyError('the schema is not there yet, or not as this version needs it', { cause: error });
  }
  return error;
}
