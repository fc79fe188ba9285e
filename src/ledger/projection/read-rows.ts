/** Reading the rows for somebody outside: one statement, read only, bounded in rows, bytes and time. */
import { type Database, DatabaseBrokenError, type TableResult, type Transaction } from './database';

export interface ReadRequest {
  /** One statement; `$1` … stand for the parameters. */
  readonly sql: string;
  readonly parameters: readonly (string | null)[];
  /** Rows of the answer at most. */
  readonly maxRows: number;
  /** Milliseconds. */
  readonly timeoutMs: number;
}

/** Values as Postgres prints them. */
export interface ReadAnswer extends TableResult {
  /** There is more than the bounds allow. */
  readonly isCut: boolean;
  /** The last record and the last entry of the log that the rows reflect; -1 and 0: none. */
  readonly offset: number;
  readonly index: number;
}

/** `refused`: what was asked for is to blame. `late`: it took too long. `busy`: too many are being answered. */
export type ReadFailure = 'refused' | 'late' | 'busy' | 'unavailable';

export class ReadRefusedError extends Error {
  override readonly name = 'ReadRefusedError';

  constructor(
    readonly reason: ReadFailure,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** Characters of the values of an answer: with their frame they fit a message of 4 MiB, whatever they are. */
const MAX_CHARACTERS = 1024 * 1024;
/** Planner's units, of which a slow machine does some hundred thousand a second in WebAssembly. */
const MOST_COST = 2_000_000;
const QUERY_CANCELED = '57014';
/** Statements that give few rows and cannot stand behind a cursor. */
const DIRECT = /^\s*(explain|show)\b/i;

/**
 * @param interruptible whether a statement that takes too long can be ended; else one that is expected to take too long is refused
 * @throws ReadRefusedError
 */
export async function readRows(database: Database, request: ReadRequest, interruptible: boolean): Promise<ReadAnswer> {
  try {
    await database.transaction(async (transaction) => {
      throw new Answered(await answer(transaction, request, interruptible));
    });
  } catch (error) {
    if (error instanceof Answered) return error.rows;
    if (error instanceof ReadRefusedError || error instanceof DatabaseBrokenError) throw error;
    const state = error instanceof Error && 'code' in error ? error.code : undefined;
    if (typeof state !== 'string') throw error;
    const message = error instanceof Error ? error.message : String(error);
    throw new ReadRefusedError(state === QUERY_CANCELED ? 'late' : 'refused', message, { cause: error });
  }
  throw new Error('A transaction that throws its answer has returned.');
}

/** Thrown out of the transaction, so that it is rolled back: nothing that a statement has set outlives it. */
class Answered extends Error {
  constructor(readonly rows: ReadAnswer) {
    super('answered');
  }
}

async function answer(transaction: Transaction, request: ReadRequest, interruptible: boolean): Promise<ReadAnswer> {
  const { sql, parameters, maxRows, timeoutMs } = request;
  // One snapshot: the checkpoint is that of the rows.
  await transaction.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY');
  if (interruptible) await transaction.query(`SET LOCAL statement_timeout = ${Math.max(1, Math.ceil(timeoutMs))}`);
  await transaction.query('SET LOCAL search_path = ledger, pg_catalog');
  const place = await placeOf(transaction);
  if (DIRECT.test(sql)) return { ...bounded(await transaction.table(sql, parameters), maxRows), ...place };
  if (!interruptible) await refuseLongOnes(transaction, sql, parameters);
  await transaction.query(`DECLARE asked NO SCROLL CURSOR FOR ${sql}`, parameters);
  return { ...bounded(await transaction.table(`FETCH FORWARD ${maxRows + 1} FROM asked`), maxRows), ...place };
}

async function placeOf(transaction: Transaction): Promise<{ offset: number; index: number }> {
  const { rows } = await transaction.query(`SELECT to_regclass('ledger.checkpoint')::text AS there`);
  if (typeof rows[0]?.['there'] !== 'string') {
    throw new ReadRefusedError('unavailable', 'The tables of the projection are not there yet; try again soon.');
  }
  const found = await transaction.query(
    'SELECT log_offset, raft_index FROM ledger.checkpoint ORDER BY partition LIMIT 1',
  );
  const { log_offset: offset = '-1', raft_index: index = '0' } = found.rows[0] ?? {};
  return { offset: Number(offset), index: Number(index) };
}

async function refuseLongOnes(transaction: Transaction, sql: string, parameters: ReadRequest['parameters']) {
  const { rows } = await transaction.table(`EXPLAIN (FORMAT JSON) ${sql}`, parameters);
  const plans = JSON.parse(rows[0]?.[0] ?? '[]') as { Plan?: { 'Total Cost'?: number } }[];
  const cost = plans[0]?.Plan?.['Total Cost'] ?? Infinity;
  if (cost > MOST_COST) {
    throw new ReadRefusedError(
      'refused',
      `The embedded Postgres cannot be interrupted, and this statement may take it too long (a cost of ${Math.round(cost)}, ` +
        `${MOST_COST} at most). Ask for less, or give the node a Postgres of its own (--database-url).`,
    );
  }
}

function bounded({ columns, rows }: TableResult, maxRows: number): Omit<ReadAnswer, 'offset' | 'index'> {
  let characters = 0;
  let kept = 0;
  while (kept < Math.min(rows.length, maxRows)) {
    for (const value of rows[kept] ?? []) characters += value?.length ?? 0;
    if (characters > MAX_CHARACTERS) break;
    kept++;
  }
  if (kept === 0 && rows.length > 0 && maxRows > 0) {
    throw new ReadRefusedError('refused', `A row of the answer has more than ${MAX_CHARACTERS} characters.`);
  }
  return { columns, rows: rows.slice(0, kept), isCut: kept < rows.length };
}
