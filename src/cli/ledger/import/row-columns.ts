/** What the columns of an import are, and how their values are read. The names are those of the HTTP interface. */
import { timeMicros } from '../arguments';

/** A row that cannot be read; the message says why. */
export class RowFault extends Error {
  override readonly name = 'RowFault';
}

/** Gives the value for the client. CSV brings texts, JSON also numbers and booleans. Throws RowFault. */
type ValueReader = (value: unknown) => unknown;

/** By the name of the column: which field of the client's input it is, and how it is read. */
export type Columns = ReadonlyMap<string, readonly [field: string, read: ValueReader]>;

const KINDS: readonly unknown[] = ['plain', 'pending', 'post', 'void'];
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const MAX_U64 = 2n ** 64n - 1n;

const LONE_SURROGATE = /\p{Surrogate}/u;

function text(value: unknown): string {
  // JSON can say what UTF-8 cannot; on the wire it would become another text.
  if (typeof value === 'string' && !LONE_SURROGATE.test(value)) return value;
  throw new RowFault('must be a text');
}

function integer(value: unknown): number {
  const number = typeof value === 'string' && /^\d{1,16}$/.test(value) ? Number(value) : value;
  if (typeof number === 'number' && Number.isSafeInteger(number) && number >= 0) return number;
  throw new RowFault('must be a whole number');
}

function code(value: unknown): number {
  const number = integer(value);
  if (number < 2 ** 32) return number;
  throw new RowFault('must be below 2^32');
}

function uint64(value: unknown): bigint {
  const number = typeof value === 'string' && /^\d{1,20}$/.test(value) ? BigInt(value) : BigInt(integer(value));
  if (number <= MAX_U64) return number;
  throw new RowFault('must be below 2^64');
}

function base64(value: unknown): Buffer {
  if (typeof value === 'string' && BASE64.test(value)) return Buffer.from(value, 'base64');
  throw new RowFault('must be base64');
}

function flag(value: unknown): boolean {
  if (value === true || value === 'true') return true;
  if (value === false || value === 'false') return false;
  throw new RowFault('must be true or false');
}

function time(value: unknown): number {
  if (typeof value === 'number') return integer(value);
  try {
    return timeMicros('time')(text(value));
  } catch {
    throw new RowFault('must be a time: 2024-05-31, 2024-05-31T12:00:00Z, or microseconds');
  }
}

function kind(value: unknown): string {
  if (KINDS.includes(value)) return value as string;
  throw new RowFault(`must be ${KINDS.join(', ')}`);
}

function limit(value: unknown): string | null {
  return value === 'none' ? null : text(value);
}

const OWN_DATA = [
  ['user_data', ['userData', uint64]],
  ['metadata', ['metadata', base64]],
  ['metadata_text', ['metadata', (value: unknown) => Buffer.from(text(value), 'utf8')]],
  ['imported_time', ['importedTime', time]],
] as const;

export const TRANSFER_COLUMNS: Columns = new Map<string, readonly [string, ValueReader]>([
  ['id', ['id', text]],
  ['request_id', ['id', text]],
  ['from', ['debitAccount', text]],
  ['to', ['creditAccount', text]],
  // A number of JSON is a floating-point number: never money.
  ['amount', ['amount', text]],
  ['ledger', ['ledger', text]],
  ['kind', ['kind', kind]],
  ['pending_id', ['pendingId', text]],
  ['timeout_ms', ['timeoutMs', integer]],
  ['balancing', ['balancing', flag]],
  ['reverses', ['reverses', text]],
  ['transaction', ['transaction', text]],
  ['code', ['code', code]],
  ['effective_time', ['effectiveTime', time]],
  ...OWN_DATA,
]);

export const ACCOUNT_COLUMNS: Columns = new Map<string, readonly [string, ValueReader]>([
  ['name', ['name', text]],
  ['ledger', ['ledger', text]],
  ['min_balance', ['minBalance', limit]],
  // No upper limit is what nothing means.
  ['max_balance', ['maxBalance', text]],
  ...OWN_DATA,
]);

/** Reads the named values; empty and absent ones are left out. Throws RowFault. */
export function readValues(columns: Columns, entries: Iterable<readonly [string, unknown]>): Record<string, unknown> {
  const input: Record<string, unknown> = {};
  for (const [name, value] of entries) {
    if (value === '' || value === null || value === undefined) continue;
    const column = columns.get(name);
    if (!column) throw new RowFault(`${JSON.stringify(name)} is no column of this import`);
    const [field, read] = column;
    if (field in input) throw new RowFault(`${name}: the same was said by another column`);
    try {
      input[field] = read(value);
    } catch (error) {
      throw error instanceof RowFault ? new RowFault(`${name} ${error.message}`) : error;
    }
  }
  return input;
}
