/**
 * Commands as `ledger.v1.LogRecord` (proto/ledger/v1/record.proto), the way they stand in the log: with the command and
 * without an outcome. A field that this version does not know makes a command malformed; of a field that stands twice the
 * last one counts.
 */
import { isUtf8 } from 'node:buffer';
import { i128FromBytes, i128ToBytes } from './amounts';
import {
  type AccountRef,
  type Command,
  type CreateLedgerCommand,
  type LimitSpec,
  type OpenAccountCommand,
  type SetDedupAgeCommand,
  type UpdateAccountCommand,
} from './commands';
import { decodeTransferCommand, transferBytes } from './transfer-command';
import { WireReader, WireType, WireWriter } from './wire';

export type * from './commands';

/** Field numbers of LogRecord. */
export const LogRecordField = {
  CREATE_LEDGER: 1,
  OPEN_ACCOUNT: 2,
  TRANSFER: 3,
  UNDECODABLE: 4,
  EXPIRE_HOLD: 5,
  UPDATE_ACCOUNT: 6,
  SET_DEDUP_AGE: 7,
  OUTCOME: 15,
} as const;

/** The bytes of a LogRecord, as they are to stand in a chunk of type 1 and width 0. */
export function encodeCommand(command: Command): Buffer {
  const record = new WireWriter();
  switch (command.kind) {
    case 'create_ledger':
      record.message(LogRecordField.CREATE_LEDGER, createLedgerBytes(command));
      break;
    case 'open_account':
      record.message(LogRecordField.OPEN_ACCOUNT, openAccountBytes(command));
      break;
    case 'update_account':
      record.message(LogRecordField.UPDATE_ACCOUNT, updateAccountBytes(command));
      break;
    case 'transfer':
    case 'refer':
      record.message(LogRecordField.TRANSFER, transferBytes(command));
      break;
    case 'expire_hold':
      record.message(LogRecordField.EXPIRE_HOLD, EMPTY);
      break;
    case 'set_dedup_age':
      record.message(LogRecordField.SET_DEDUP_AGE, dedupAgeBytes(command));
      break;
  }
  return record.finish();
}

function createLedgerBytes(command: CreateLedgerCommand): Buffer {
  const out = new WireWriter();
  out.string(1, command.code);
  out.uint(2, command.scale);
  out.bool(3, command.autoOpen);
  out.uint(4, command.rounding);
  if (command.defaultMinBalance !== undefined) out.bytes(5, i128ToBytes(command.defaultMinBalance));
  if (command.defaultMaxBalance !== undefined) out.bytes(6, i128ToBytes(command.defaultMaxBalance));
  return out.finish();
}

const LIMIT_KINDS = ['default', 'none', 'given'] as const;
/** Of a change, which may also leave a limit as it is. */
const CHANGE_KINDS = ['keep', 'none', 'given', 'default'] as const;

function openAccountBytes(command: OpenAccountCommand): Buffer {
  const out = new WireWriter();
  out.string(1, command.name);
  out.string(2, command.ledger);
  out.uint(3, LIMIT_KINDS.indexOf(command.min.kind));
  out.uint(4, LIMIT_KINDS.indexOf(command.max.kind));
  if (command.min.kind === 'given') out.string(5, command.min.text);
  if (command.max.kind === 'given') out.string(6, command.max.text);
  out.uint(7, command.userData);
  out.bytes(8, command.metadata);
  out.uint(9, command.importedTime ?? 0);
  return out.finish();
}

const CLOSES = 1;
const REOPENS = 2;

function updateAccountBytes({ account, min, max, closed }: UpdateAccountCommand): Buffer {
  const out = new WireWriter();
  if ('name' in account) out.string(1, account.name);
  else out.uint(2, account.handle);
  out.uint(3, CHANGE_KINDS.indexOf(min?.kind ?? 'keep'));
  out.uint(4, CHANGE_KINDS.indexOf(max?.kind ?? 'keep'));
  if (min?.kind === 'given') out.string(5, min.text);
  if (max?.kind === 'given') out.string(6, max.text);
  if (closed !== undefined) out.uint(7, closed ? CLOSES : REOPENS);
  return out.finish();
}

function dedupAgeBytes(command: SetDedupAgeCommand): Buffer {
  const out = new WireWriter();
  out.uint(1, command.ageMs);
  return out.finish();
}

/** Which command a LogRecord holds and where its bytes are. `field` is 0 where it holds none that can be decoded. */
export class CommandRange {
  field = 0;
  start = 0;
  end = 0;
  private readonly reader = new WireReader();

  /** A record with no command, with two, with an outcome, or with anything that is not known, holds none. */
  find(bytes: Uint8Array, start: number, end: number): void {
    const reader = this.reader;
    reader.reset(bytes, start, end);
    this.field = 0;
    let fields = 0;
    while (reader.next()) {
      fields++;
      this.field = reader.type === WireType.BYTES ? reader.field : 0;
      this.start = reader.start;
      this.end = reader.start + reader.length;
    }
    const isCommand = this.field <= LogRecordField.SET_DEDUP_AGE && this.field !== LogRecordField.UNDECODABLE;
    if (reader.malformed || fields !== 1 || !isCommand) this.field = 0;
  }
}

/** The command in a LogRecord without an outcome; undefined where there is none that can be decoded. */
export function decodeCommand(bytes: Uint8Array): Command | undefined {
  const range = new CommandRange();
  range.find(bytes, 0, bytes.length);
  const { field, start, end } = range;
  switch (field) {
    case LogRecordField.TRANSFER:
      return decodeTransferCommand(bytes, start, end);
    case 0:
      return undefined;
    default:
      return decodeOther(field, bytes, start, end);
  }
}

/** The command of a field that `CommandRange` found, of all kinds but transfers; undefined where it is malformed. */
export function decodeOther(
  field: number,
  bytes: Uint8Array,
  start: number,
  end: number,
): Exclude<Command, { kind: 'transfer' | 'refer' }> | undefined {
  const message = new MessageFields();
  switch (field) {
    case LogRecordField.CREATE_LEDGER:
      return message.read(bytes, start, end, 'bnnnbb') ? createLedger(message) : undefined;
    case LogRecordField.OPEN_ACCOUNT:
      return message.read(bytes, start, end, 'bbnnbbnbn') ? openAccount(message) : undefined;
    case LogRecordField.UPDATE_ACCOUNT:
      return message.read(bytes, start, end, 'bnnnbbn') ? updateAccount(message) : undefined;
    case LogRecordField.SET_DEDUP_AGE:
      return message.read(bytes, start, end, 'n') ? dedupAge(message) : undefined;
    default:
      return message.read(bytes, start, end, '') ? { kind: 'expire_hold' } : undefined;
  }
}

const EMPTY: Buffer = Buffer.alloc(0);

/** The fields of a message that is not read often enough to be read without allocating. */
class MessageFields {
  private readonly numbers = new Map<number, bigint>();
  private readonly texts = new Map<number, Buffer>();

  /** @param types of the fields from 1 on: `b` bytes, `n` a number. False where it has another type or another field. */
  read(bytes: Uint8Array, start: number, end: number, types: string): boolean {
    const reader = new WireReader();
    reader.reset(bytes, start, end);
    while (reader.next()) {
      const { field, type } = reader;
      const expected = types[field - 1];
      if (expected === 'b' && type === WireType.BYTES) {
        this.texts.set(field, Buffer.from(bytes.subarray(reader.start, reader.start + reader.length)));
      } else if (expected === 'n' && type === WireType.VARINT) {
        this.numbers.set(field, (BigInt(reader.high) << 32n) | BigInt(reader.low));
      } else return false;
    }
    return !reader.malformed;
  }

  bytes(field: number): Buffer {
    return this.texts.get(field) ?? EMPTY;
  }

  /** A string of proto3 is UTF-8: bytes that are not make the message malformed, as they do for other readers. */
  isText(...fields: number[]): boolean {
    return fields.every((field) => isUtf8(this.bytes(field)));
  }

  text(field: number): string {
    return this.bytes(field).toString('utf8');
  }

  long(field: number): bigint {
    return this.numbers.get(field) ?? 0n;
  }

  number(field: number): number {
    return Number(this.long(field));
  }
}

function createLedger(message: MessageFields): CreateLedgerCommand | undefined {
  const [min, max] = [message.bytes(5), message.bytes(6)];
  if (!message.isText(1) || ![0, 16].includes(min.length) || ![0, 16].includes(max.length)) return undefined;
  return {
    kind: 'create_ledger',
    code: message.text(1),
    scale: message.number(2),
    autoOpen: message.number(3) !== 0,
    rounding: message.number(4),
    defaultMinBalance: min.length === 0 ? undefined : i128FromBytes(min),
    defaultMaxBalance: max.length === 0 ? undefined : i128FromBytes(max),
  };
}

function openAccount(message: MessageFields): OpenAccountCommand | undefined {
  const min = limitSpec(LIMIT_KINDS[message.number(3)], message.text(5));
  const max = limitSpec(LIMIT_KINDS[message.number(4)], message.text(6));
  const importedTime = message.number(9);
  if (!message.isText(1, 2, 5, 6) || min === undefined || max === undefined) return undefined;
  if (min.kind === 'keep' || max.kind === 'keep' || !Number.isSafeInteger(importedTime)) return undefined;
  return {
    kind: 'open_account',
    name: message.text(1),
    ledger: message.text(2),
    min,
    max,
    userData: message.long(7),
    metadata: message.bytes(8),
    ...(importedTime === 0 ? {} : { importedTime }),
  };
}

function updateAccount(message: MessageFields): UpdateAccountCommand | undefined {
  const min = limitSpec(CHANGE_KINDS[message.number(3)], message.text(5));
  const max = limitSpec(CHANGE_KINDS[message.number(4)], message.text(6));
  const closing = message.number(7);
  const [name, handle] = [message.text(1), message.number(2)];
  if (!message.isText(1, 5, 6) || min === undefined || max === undefined || closing > REOPENS) return undefined;
  if ((name === '') === (handle === 0)) return undefined;
  const account: AccountRef = name === '' ? { handle } : { name };
  return {
    kind: 'update_account',
    account,
    min: min.kind === 'keep' ? undefined : min,
    max: max.kind === 'keep' ? undefined : max,
    closed: closing === 0 ? undefined : closing === CLOSES,
  };
}

function dedupAge(message: MessageFields): SetDedupAgeCommand | undefined {
  const ageMs = message.number(1);
  return Number.isSafeInteger(ageMs * 1000) ? { kind: 'set_dedup_age', ageMs } : undefined;
}

function limitSpec(
  kind: LimitSpec['kind'] | 'keep' | undefined,
  text: string,
): LimitSpec | { readonly kind: 'keep' } | undefined {
  if (kind === undefined || (kind === 'given') !== (text !== '')) return undefined;
  return kind === 'given' ? { kind, text } : { kind };
}
