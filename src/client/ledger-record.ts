/**
 * Records of type 1, the ledger's own, as plain objects that JSON can hold: 64-bit integers and amounts are decimal strings,
 * bytes are base64. Source: proto/ledger/v1/record.proto.
 */
import { type MessageTypeDefinition } from '@grpc/proto-loader';
import { formatMinor, u128FromBytes } from '../ledger/amounts';
import { formatUuid } from '../ledger/identifiers';
import { resultName } from '../ledger/result-codes';
import { publishedPackage } from '../proto/load';

type WireFields = Readonly<Record<string, unknown>>;

const COMMANDS = [
  'create_ledger',
  'open_account',
  'update_account',
  'transfer',
  'expire_hold',
  'set_dedup_age',
] as const;

type WireRecord = { readonly [Name in (typeof COMMANDS)[number]]?: WireFields | null } & {
  readonly undecodable?: Buffer | null;
  readonly outcome: WireOutcome | null;
};

interface WireOutcome {
  readonly result: number;
  readonly replayed: boolean;
  readonly debit_handle: string;
  readonly credit_handle: string;
  readonly amount_moved: Buffer;
  readonly ledger: string;
  readonly scale: number;
  readonly offset: string;
  readonly timestamp: string;
  readonly opened_debit: boolean;
  readonly opened_credit: boolean;
  readonly amount_held: Buffer;
  readonly amount_released: Buffer;
  readonly hold: string;
  readonly hold_id: Buffer;
  readonly hold_text_id: string;
}

type PlainFields = Record<string, string | number | boolean>;

/** Names are those of the published proto; fields that only some commands have are left out where they say nothing. */
export interface LedgerRecord {
  readonly command: (typeof COMMANDS)[number] | 'undecodable';
  /** What was asked for. */
  readonly fields: Readonly<PlainFields>;
  /** What the ledger decided. Undefined where the record holds no outcome. */
  readonly outcome: Readonly<PlainFields> | undefined;
}

/** Of a transfer that is done at once, on its own and now, these say nothing. */
const SELDOM = new Set([
  ...['timeout_ms', 'pending_id', 'pending_text_id', 'reverses', 'reverses_text_id', 'effective_time', 'imported_time'],
  ...['group_id', 'group_text_id', 'group_index', 'group_size'],
]);
const IDS = new Set(['id', 'pending_id', 'reverses', 'group_id']);

/** Throws where the bytes are no ledger.v1.LogRecord. */
export function decodeLedgerRecord(value: Buffer): LedgerRecord {
  const type = publishedPackage()['ledger.v1.LogRecord'] as unknown as MessageTypeDefinition<object, object>;
  const record = type.deserialize(value) as WireRecord;
  const outcome = record.outcome ? outcomeFields(record.outcome) : undefined;
  for (const command of COMMANDS) {
    const fields = record[command];
    if (fields) return { command, fields: plainFields(fields), outcome };
  }
  const bytes = record.undecodable ?? Buffer.alloc(0);
  return { command: 'undecodable', fields: { bytes: bytes.toString('base64') }, outcome };
}

function plainFields(fields: WireFields): PlainFields {
  const plain: PlainFields = {};
  const isGrouped = Number(fields['group_size'] ?? 0) > 0;
  for (const [name, value] of Object.entries(fields)) {
    const says = Buffer.isBuffer(value) ? bytesText(name, value) : value;
    if (typeof says !== 'string' && typeof says !== 'number' && typeof says !== 'boolean') continue;
    // The first place in a group is 0, and says something all the same.
    const isSaid = says !== '' && says !== '0' && (says !== 0 || isGrouped);
    if (isSaid || !SELDOM.has(name)) plain[name] = says;
  }
  return plain;
}

/** An id is a UUID, an amount an integer in minor units; other bytes mean something to their owner only. */
function bytesText(name: string, value: Buffer): string {
  if (IDS.has(name) && value.length === 16) return formatUuid(value);
  if (name === 'amount_minor' && value.length === 16) return u128FromBytes(value).toString();
  return value.toString('base64');
}

function outcomeFields(outcome: WireOutcome): PlainFields {
  const { amount_moved, amount_held, amount_released, hold, hold_id, hold_text_id, result, ...rest } = outcome;
  const amount = (bytes: Buffer): string => formatMinor(bytes.length === 16 ? u128FromBytes(bytes) : 0n, outcome.scale);
  return {
    ...rest,
    ...{ result: resultName(result), amount_moved: amount(amount_moved) },
    ...(amount_held.length === 0 ? {} : { amount_held: amount(amount_held) }),
    ...(amount_released.length === 0 ? {} : { amount_released: amount(amount_released) }),
    ...(hold === '0' ? {} : { hold }),
    ...(hold_id.length === 16 ? { hold_id: formatUuid(hold_id) } : {}),
    ...(hold_text_id === '' ? {} : { hold_text_id }),
  };
}
