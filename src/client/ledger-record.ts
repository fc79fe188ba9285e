/**
 * Records of type 1, the ledger's own, as plain objects that JSON can hold: 64-bit integers and amounts are decimal strings,
 * bytes are base64. Source: proto/ledger/v1/record.proto.
 */
import { type MessageTypeDefinition } from '@grpc/proto-loader';
import { formatMinor, u128FromBytes } from '../ledger/amounts';
import { formatUuid } from '../ledger/identifiers';
import { resultName } from '../ledger/result-codes';
import { publishedPackage } from '../proto/load';

interface WireRecord {
  readonly create_ledger?: Readonly<Record<string, unknown>> | null;
  readonly open_account?: Readonly<Record<string, unknown>> | null;
  readonly transfer?: Readonly<Record<string, unknown>> | null;
  readonly undecodable?: Buffer | null;
  readonly outcome: WireOutcome | null;
}

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
}

/** Names are those of the published proto. */
export interface LedgerRecord {
  readonly command: 'create_ledger' | 'open_account' | 'transfer' | 'undecodable';
  /** What was asked for. */
  readonly fields: Readonly<Record<string, string | number | boolean>>;
  /** What the ledger decided. Undefined where the record holds no outcome. */
  readonly outcome: Readonly<Record<string, string | number | boolean>> | undefined;
}

const COMMANDS = ['create_ledger', 'open_account', 'transfer'] as const;

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

function plainFields(fields: Readonly<Record<string, unknown>>): Record<string, string | number | boolean> {
  const plain: Record<string, string | number | boolean> = {};
  for (const [name, value] of Object.entries(fields)) {
    if (Buffer.isBuffer(value)) plain[name] = bytesText(name, value);
    else if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') plain[name] = value;
  }
  return plain;
}

/** An id is a UUID, an amount an integer in minor units; other bytes mean something to their owner only. */
function bytesText(name: string, value: Buffer): string {
  if (name === 'id' && value.length === 16) return formatUuid(value);
  if (name === 'amount_minor' && value.length === 16) return u128FromBytes(value).toString();
  return value.toString('base64');
}

function outcomeFields(outcome: WireOutcome): Record<string, string | number | boolean> {
  const { amount_moved, result, ...rest } = outcome;
  const moved = amount_moved.length === 16 ? u128FromBytes(amount_moved) : 0n;
  return { ...rest, result: resultName(result), amount_moved: formatMinor(moved, outcome.scale) };
}
