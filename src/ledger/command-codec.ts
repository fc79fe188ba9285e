/**
 * Commands as `ledger.v1.LogRecord` (proto/ledger/v1/record.proto), the way they stand in the log: with the command and
 * without an outcome. Unknown fields are skipped; of a field that stands twice the last one counts.
 */
import { isUtf8 } from 'node:buffer';
import { i128FromBytes, i128ToBytes, u128FromBytes, u128ToBytes } from './amounts';
import { type TransferId } from './identifiers';
import { decodeTransfer } from './transfer-codec';
import { AmountForm, IdKind, TransferFields, type AccountFields } from './transfer-fields';
import { WireReader, WireType, WireWriter } from './wire';

/** Field numbers of LogRecord. */
export const LogRecordField = { CREATE_LEDGER: 1, OPEN_ACCOUNT: 2, TRANSFER: 3, UNDECODABLE: 4, OUTCOME: 15 } as const;

export interface CreateLedgerCommand {
  readonly kind: 'create_ledger';
  readonly code: string;
  readonly scale: number;
  readonly autoOpen: boolean;
  /** 0 reject, 1 half up; the state machine refuses any other. */
  readonly rounding: number;
  /** Minor units; undefined: no limit. The ledger's own default minimum of 0 is given, not left out. */
  readonly defaultMinBalance: bigint | undefined;
  readonly defaultMaxBalance: bigint | undefined;
}

/** `default`: the ledger's. `given`: decimal text at most at the ledger's scale. */
export type LimitSpec =
  { readonly kind: 'default' } | { readonly kind: 'none' } | { readonly kind: 'given'; readonly text: string };

export interface OpenAccountCommand {
  readonly kind: 'open_account';
  readonly name: string;
  readonly ledger: string;
  readonly min: LimitSpec;
  readonly max: LimitSpec;
  readonly userData: bigint;
  readonly metadata: Buffer;
}

export type AccountRef = { readonly name: string } | { readonly handle: number };

export interface TransferCommand {
  readonly kind: 'transfer';
  readonly id: TransferId;
  readonly debit: AccountRef;
  readonly credit: AccountRef;
  /** Normalised decimal text, or minor units. */
  readonly amount: { readonly text: string } | { readonly minor: bigint };
  /** Code; empty: the ledger of the accounts. */
  readonly ledger: string;
  readonly code: number;
  readonly userData: bigint;
  readonly metadata: Buffer;
  readonly flags: number;
}

export type Command = CreateLedgerCommand | OpenAccountCommand | TransferCommand;

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
    case 'transfer':
      record.message(LogRecordField.TRANSFER, transferBytes(command));
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
  return out.finish();
}

function transferBytes(command: TransferCommand): Buffer {
  const out = new WireWriter();
  if (command.id.kind === 'uuid') out.bytes(1, command.id.bytes);
  else out.string(2, command.id.text);
  if ('name' in command.debit) out.string(3, command.debit.name);
  if ('name' in command.credit) out.string(4, command.credit.name);
  if ('handle' in command.debit) out.uint(5, command.debit.handle);
  if ('handle' in command.credit) out.uint(6, command.credit.handle);
  if ('text' in command.amount) out.string(7, command.amount.text);
  else out.bytes(8, u128ToBytes(command.amount.minor));
  out.string(9, command.ledger);
  out.uint(10, command.code);
  out.uint(11, command.userData);
  out.bytes(12, command.metadata);
  out.uint(13, command.flags);
  return out.finish();
}

/** Which command a LogRecord holds and where its bytes are. `field` is 0 where it holds none that can be decoded. */
export class CommandRange {
  field = 0;
  start = 0;
  end = 0;
  private readonly reader = new WireReader();

  /** A record with no command, with two, with an outcome, or with bytes that are no message, holds none. */
  find(bytes: Uint8Array, start: number, end: number): void {
    const reader = this.reader;
    reader.reset(bytes, start, end);
    this.field = 0;
    let commands = 0;
    while (reader.next()) {
      const known = reader.field <= LogRecordField.UNDECODABLE || reader.field === LogRecordField.OUTCOME;
      if (!known) continue;
      commands++;
      this.field = reader.type === WireType.BYTES ? reader.field : 0;
      this.start = reader.start;
      this.end = reader.start + reader.length;
    }
    if (reader.malformed || commands !== 1 || this.field > LogRecordField.TRANSFER) this.field = 0;
  }
}

/** The command in a LogRecord without an outcome; undefined where there is none that can be decoded. */
export function decodeCommand(bytes: Uint8Array): Command | undefined {
  const range = new CommandRange();
  range.find(bytes, 0, bytes.length);
  switch (range.field) {
    case LogRecordField.CREATE_LEDGER:
      return decodeCreateLedger(bytes, range.start, range.end);
    case LogRecordField.OPEN_ACCOUNT:
      return decodeOpenAccount(bytes, range.start, range.end);
    case LogRecordField.TRANSFER:
      return decodeTransferCommand(bytes, range.start, range.end);
    default:
      return undefined;
  }
}

/** Of the fields that a message may have: which wire type each has, by field number. */
const CREATE_LEDGER_TYPES = [-1, WireType.BYTES, 0, 0, 0, WireType.BYTES, WireType.BYTES];
const OPEN_ACCOUNT_TYPES = [
  -1,
  WireType.BYTES,
  WireType.BYTES,
  0,
  0,
  WireType.BYTES,
  WireType.BYTES,
  0,
  WireType.BYTES,
];

export function decodeCreateLedger(bytes: Uint8Array, start: number, end: number): CreateLedgerCommand | undefined {
  const reader = new WireReader();
  reader.reset(bytes, start, end);
  const found = { code: '', scale: 0, autoOpen: false, rounding: 0, min: EMPTY, max: EMPTY };
  while (reader.next()) {
    const type = CREATE_LEDGER_TYPES[reader.field];
    if (type === undefined) continue;
    if (type !== reader.type) return undefined;
    if (reader.field === 1) found.code = textOf(reader);
    else if (reader.field === 2) found.scale = reader.value;
    else if (reader.field === 3) found.autoOpen = reader.value !== 0;
    else if (reader.field === 4) found.rounding = reader.value;
    else if (reader.field === 5) found.min = bytesOf(reader);
    else found.max = bytesOf(reader);
  }
  if (reader.malformed || ![0, 16].includes(found.min.length) || ![0, 16].includes(found.max.length)) return undefined;
  return {
    kind: 'create_ledger',
    code: found.code,
    scale: found.scale,
    autoOpen: found.autoOpen,
    rounding: found.rounding,
    defaultMinBalance: found.min.length === 0 ? undefined : i128FromBytes(found.min),
    defaultMaxBalance: found.max.length === 0 ? undefined : i128FromBytes(found.max),
  };
}

export function decodeOpenAccount(bytes: Uint8Array, start: number, end: number): OpenAccountCommand | undefined {
  const reader = new WireReader();
  reader.reset(bytes, start, end);
  const found = { name: '', ledger: '', minKind: 0, maxKind: 0, min: '', max: '', userData: 0n, metadata: EMPTY };
  while (reader.next()) {
    const type = OPEN_ACCOUNT_TYPES[reader.field];
    if (type === undefined) continue;
    if (type !== reader.type) return undefined;
    if (reader.field === 1) found.name = textOf(reader);
    else if (reader.field === 2) found.ledger = textOf(reader);
    else if (reader.field === 3) found.minKind = reader.value;
    else if (reader.field === 4) found.maxKind = reader.value;
    else if (reader.field === 5) found.min = textOf(reader);
    else if (reader.field === 6) found.max = textOf(reader);
    else if (reader.field === 7) found.userData = (BigInt(reader.high) << 32n) | BigInt(reader.low);
    else found.metadata = bytesOf(reader);
  }
  const min = limitSpec(found.minKind, found.min);
  const max = limitSpec(found.maxKind, found.max);
  if (reader.malformed || min === undefined || max === undefined) return undefined;
  const { name, ledger, userData, metadata } = found;
  return { kind: 'open_account', name, ledger, min, max, userData, metadata };
}

const EMPTY: Buffer = Buffer.alloc(0);

function limitSpec(kind: number, text: string): LimitSpec | undefined {
  const name = LIMIT_KINDS[kind];
  if (name === undefined || (name === 'given') !== (text !== '')) return undefined;
  return name === 'given' ? { kind: name, text } : { kind: name };
}

function bytesOf(reader: WireReader): Buffer {
  return Buffer.from(reader.bytes.subarray(reader.start, reader.start + reader.length));
}

/** A string of proto3 is UTF-8: bytes that are not make the message malformed, as they do for other readers. */
function textOf(reader: WireReader): string {
  const bytes = bytesOf(reader);
  if (!isUtf8(bytes)) reader.malformed = true;
  return bytes.toString('utf8');
}

function decodeTransferCommand(bytes: Uint8Array, start: number, end: number): TransferCommand | undefined {
  const fields = new TransferFields();
  if (!decodeTransfer(new WireReader(), fields, bytes, start, end)) return undefined;
  const { code, flags } = fields;
  const amount =
    fields.amountForm === AmountForm.TEXT
      ? { text: fields.text(fields.amountStart, fields.amountLength) }
      : { minor: u128FromBytes(Buffer.from(fields.amount.buffer)) };
  const id: TransferId =
    fields.idKind === IdKind.TEXT
      ? { kind: 'text', text: fields.text(fields.textIdStart, fields.textIdLength) }
      : { kind: 'uuid', bytes: Buffer.from(fields.id.slice().buffer) };
  return {
    kind: 'transfer',
    id,
    debit: accountRef(fields, fields.debit),
    credit: accountRef(fields, fields.credit),
    amount,
    ledger: fields.text(fields.ledgerStart, fields.ledgerLength),
    code,
    userData: (BigInt(fields.userDataHigh) << 32n) | BigInt(fields.userDataLow),
    metadata: Buffer.from(fields.source.subarray(fields.metadataStart, fields.metadataStart + fields.metadataLength)),
    flags,
  };
}

function accountRef(fields: TransferFields, account: AccountFields): AccountRef {
  if (account.hasName) return { name: fields.text(account.nameStart, account.nameLength) };
  return { handle: Number(account.handle) };
}
