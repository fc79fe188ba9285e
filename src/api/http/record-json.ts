/** A record of the log as an event holds it: names as in the published proto, 64-bit integers and amounts as decimal text. */
import { isUtf8 } from 'node:buffer';
import { type MessageTypeDefinition } from '@grpc/proto-loader';
import { formatMinor, i128FromBytes, u128FromBytes } from '../../ledger/amounts';
import { formatUuid } from '../../ledger/identifiers';
import { resultName } from '../../ledger/result-codes';
import { RecordType } from '../../log/chunk';
import { publishedPackage } from '../../proto/load';
import { type LogRecordView } from '../node-port';

type Plain = string | number | boolean;
type WireMessage = Readonly<Record<string, unknown>>;

const AMOUNTS_OF_OUTCOME: ReadonlySet<string> = new Set(['amount_moved', 'amount_held', 'amount_released']);
const SIGNED_MINOR: ReadonlySet<string> = new Set(['default_min_balance', 'default_max_balance']);
const UUIDS: ReadonlySet<string> = new Set(['id', 'pending_id', 'reverses', 'group_id', 'hold_id']);

export function recordJson({ offset, term, timestamp, type, value }: LogRecordView): object {
  return {
    ...{ offset, term, timestamp, type },
    ...(type === RecordType.Ledger ? ledgerJson(value) : valueJson(value)),
  };
}

function valueJson(value: Buffer): object {
  return isUtf8(value) ? { value: value.toString('utf8') } : { value_base64: value.toString('base64') };
}

function ledgerJson(value: Buffer): object {
  const type = publishedPackage()['ledger.v1.LogRecord'] as unknown as MessageTypeDefinition<object, object>;
  const { outcome, undecodable, ...commands } = type.deserialize(value) as WireMessage;
  const [command, fields] = Object.entries(commands).find(([, message]) => isMessage(message)) ?? ['undecodable', {}];
  const bytes = Buffer.isBuffer(undecodable) ? { bytes: undecodable.toString('base64') } : {};
  return {
    command,
    fields: { ...plain(fields as WireMessage), ...(command === 'undecodable' && bytes) },
    ...(isMessage(outcome) && { outcome: outcomeJson(outcome) }),
  };
}

function isMessage(value: unknown): value is WireMessage {
  return typeof value === 'object' && value !== null && !Buffer.isBuffer(value);
}

function outcomeJson(outcome: WireMessage): Record<string, Plain> {
  const scale = Number(outcome['scale']);
  const amounts = Object.entries(outcome).flatMap(([name, value]) => {
    if (!AMOUNTS_OF_OUTCOME.has(name) || !Buffer.isBuffer(value) || value.length !== 16) return [];
    return [[name, formatMinor(u128FromBytes(value), scale)] as const];
  });
  return { ...plain(outcome), ...Object.fromEntries(amounts), result: resultName(Number(outcome['result'])) };
}

/** Without what is empty. */
function plain(message: WireMessage): Record<string, Plain> {
  const out: Record<string, Plain> = {};
  for (const [name, value] of Object.entries(message)) {
    if (Buffer.isBuffer(value)) {
      if (value.length > 0 && !AMOUNTS_OF_OUTCOME.has(name)) out[name] = bytesText(name, value);
    } else if (value !== '' && (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')) {
      out[name] = value;
    }
  }
  return out;
}

function bytesText(name: string, value: Buffer): string {
  if (value.length === 16) {
    if (UUIDS.has(name)) return formatUuid(value);
    if (name === 'amount_minor') return u128FromBytes(value).toString();
    if (SIGNED_MINOR.has(name)) return i128FromBytes(value).toString();
  }
  return value.toString('base64');
}
