/**
 * A transaction as people write it down: one JSON document `{"id", "transfers": […]}` as the HTTP interface takes it, or one
 * transfer a line (NDJSON). The names of the fields are those of docs/api-http.md.
 */
import { type TransactionInput, type TransferInput } from '../../client';
import { UsageError } from './terminal';

type JsonObject = Readonly<Record<string, unknown>>;

/** How a field of JSON is called in the client, and what it is there. */
const TEXTS = {
  request_id: 'id',
  from: 'debitAccount',
  to: 'creditAccount',
  amount: 'amount',
  ledger: 'ledger',
  pending_id: 'pendingId',
  reverses: 'reverses',
} as const;
const NUMBERS = {
  code: 'code',
  timeout_ms: 'timeoutMs',
  effective_time: 'effectiveTime',
  imported_time: 'importedTime',
} as const;
const KINDS: readonly string[] = ['plain', 'pending', 'post', 'void'];
const OF_THE_WHOLE: readonly string[] = ['id', 'transfers', 'dry_run'];
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** A transaction, and whether it asks itself to be tried only. */
export interface WrittenTransaction extends TransactionInput {
  readonly dryRun: boolean;
}

/** @param id of the transaction, instead of the one that the text gives */
export function readTransaction(text: string, id: string | undefined): WrittenTransaction {
  const whole = parsed(text);
  if (isObject(whole) && Array.isArray(whole['transfers'])) return documentOf(whole, whole['transfers'], id);
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const transfers = lines.map((line, i) => transferOf(parsed(line), `line ${i + 1}`));
  if (transfers.length === 0) throw new UsageError('transaction: there is no transfer in it');
  return { ...(id === undefined ? {} : { id }), transfers, dryRun: false };
}

/** What the document says of itself counts as it does over HTTP: to pass over `dry_run` would be to move the money. */
function documentOf(whole: JsonObject, transfers: readonly unknown[], id: string | undefined): WrittenTransaction {
  const strange = Object.keys(whole).find((name) => !OF_THE_WHOLE.includes(name));
  if (strange !== undefined) {
    throw new UsageError(`transaction: "${strange}" is no field of it; it has ${OF_THE_WHOLE.join(', ')}`);
  }
  const { id: own, dry_run: dryRun = false } = whole;
  if (own !== undefined && typeof own !== 'string') throw new UsageError('transaction: its "id" is not a text');
  if (own === '') throw new UsageError('transaction: its "id" is empty; an id has 1 to 64 bytes');
  if (typeof dryRun !== 'boolean') throw new UsageError('transaction: its "dry_run" is not true or false');
  const known = id ?? own;
  return {
    ...(known === undefined ? {} : { id: known }),
    transfers: transfers.map((transfer, i) => transferOf(transfer, `transfer ${i + 1}`)),
    dryRun,
  };
}

/** Undefined where it is no JSON: whether that is a fault, the caller knows. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A field that is not known is a fault: without it another transfer would be made. */
function transferOf(value: unknown, where: string): TransferInput {
  if (!isObject(value)) throw new UsageError(`transaction: ${where} is no JSON object`);
  return Object.assign(
    {},
    ...Object.entries(value).map(([name, field]) => fieldOf(name, field, where)),
  ) as TransferInput;
}

function fieldOf(name: string, value: unknown, where: string): Partial<TransferInput> {
  const fault = (what: string): UsageError => new UsageError(`transaction: ${where}: "${name}" is ${what}`);
  if (value === null) return {};
  if (Object.hasOwn(TEXTS, name)) {
    if (typeof value !== 'string') throw fault('not a text');
    // Without the transfer that it is about it would be a payment of its own.
    if (value === '' && (name === 'reverses' || name === 'pending_id')) throw fault('empty: it names a transfer');
    return { [TEXTS[name as keyof typeof TEXTS]]: value };
  }
  if (Object.hasOwn(NUMBERS, name)) {
    if (typeof value !== 'number') throw fault('not a number');
    return { [NUMBERS[name as keyof typeof NUMBERS]]: value };
  }
  if (typeof value === 'boolean' && name === 'balancing') return { balancing: value };
  if (typeof value !== 'string') throw fault('no field that is known, or of another type');
  if (name === 'kind' && KINDS.includes(value)) return { kind: value as NonNullable<TransferInput['kind']> };
  if (name === 'user_data' && /^\d{1,20}$/.test(value)) return { userData: BigInt(value) };
  if (name === 'metadata' && BASE64.test(value)) return { metadata: Buffer.from(value, 'base64') };
  throw fault('no field that is known, or not a value it can have');
}
