/**
 * SubmitBatchRequest and SubmitBatchResponse of proto/ledger/v1/ledger.proto, encoded and decoded by hand: one of them
 * carries thousands of transfers, and an object for each field of each would cost more than the ledger itself.
 */
import { invalidArgument } from './errors';
import { ProtobufFormatError, ProtobufReader } from './protobuf-reader';
import { ProtobufWriter, UnpairedSurrogateError } from './protobuf-writer';
import { u128FromBytes } from '../ledger/amounts';
import { TransferKind } from '../proto/ledger-v1';
import { type RowAmount, type RowNote, type TransferInput, type TransferKindName, type UInt64 } from './types';

/** Most bytes of one encoded transfer; names, id and metadata have far smaller limits of their own. */
const MAX_TRANSFER_BYTES = 4_096;
const MAX_U64 = 0xffff_ffff_ffff_ffffn;
const MAX_U32 = 0xffff_ffff;

/** `TransferKind` of the published proto. */
const KIND_NUMBERS: Readonly<Record<TransferKindName, number>> = {
  plain: TransferKind.PLAIN,
  pending: TransferKind.PENDING,
  post: TransferKind.POST,
  void: TransferKind.VOID,
};

/** Result of one item of a batch of messages. */
export interface BatchItem {
  result: string;
  message: string;
  offset: number;
  timestamp: number;
  replayed: boolean;
  amountMoved: string;
  amountHeld: string;
}

export interface BatchFailure {
  /** Number of the canonical gRPC code. */
  readonly code: number;
  readonly reason: string;
  readonly message: string;
  /** 0: waiting alone does not help. */
  readonly retryAfterMs: number;
}

/** A decoded SubmitBatchResponse. */
export interface BatchAnswer {
  sequence: number;
  count: number;
  baseOffset: number;
  timestamp: number;
  token: string;
  refused: RowNote[];
  repeats: RowNote[];
  amounts: RowAmount[];
  items: BatchItem[];
  error: BatchFailure | undefined;
}

/** A SubmitBatchRequest of packed rows. */
export function encodeRowsBatch(sequence: number, rows: Uint8Array): Buffer {
  const writer = new ProtobufWriter(rows.length + 32);
  writer.uintField(1, sequence);
  writer.bytesField(2, rows);
  return writer.view();
}

/** Starts a SubmitBatchRequest of messages; `appendTransfer` adds to it. */
export function beginTransferBatch(writer: ProtobufWriter, sequence: number): void {
  writer.rewind();
  writer.uintField(1, sequence);
}

/** Adds one transfer, or throws an `INVALID_ARGUMENT` and adds nothing. What the ledger refuses is not looked at here. */
export function appendTransfer(writer: ProtobufWriter, id: string, transfer: TransferInput): void {
  const before = writer.length;
  try {
    const start = writer.beginMessage(3);
    writer.textField(1, id);
    writer.textField(2, transfer.debitAccount ?? '');
    writer.textField(3, transfer.creditAccount ?? '');
    writer.textField(4, transfer.amount ?? '');
    writer.textField(5, transfer.ledger ?? '');
    writer.uintField(6, checkedUInt32(transfer.code ?? 0, 'code'));
    writer.uintField(7, checkedUInt64(transfer.userData ?? 0, 'userData'));
    if (transfer.metadata !== undefined) writer.bytesField(8, transfer.metadata);
    writer.uintField(9, checkedUInt64(transfer.debitHandle ?? 0, 'debitHandle'));
    writer.uintField(10, checkedUInt64(transfer.creditHandle ?? 0, 'creditHandle'));
    appendKind(writer, transfer);
    writer.endMessage(start);
    if (writer.length - before > MAX_TRANSFER_BYTES) {
      throw invalidArgument(`A transfer takes at most ${MAX_TRANSFER_BYTES} bytes; this one has more.`);
    }
  } catch (error) {
    writer.rewind(before);
    throw error instanceof UnpairedSurrogateError ? invalidArgument(error.message) : error;
  }
}

/** What makes it another transfer than one that is done at once: nothing for most. */
function appendKind(writer: ProtobufWriter, transfer: TransferInput): void {
  if (transfer.kind !== undefined) writer.uintField(11, kindNumber(transfer.kind));
  writer.textField(12, transfer.pendingId ?? '');
  writer.uintField(13, checkedUInt64(transfer.timeoutMs ?? 0, 'timeoutMs'));
  writer.uintField(14, transfer.balancing === true ? 1 : 0);
  writer.textField(15, transfer.reverses ?? '');
  writer.uintField(16, checkedUInt64(transfer.effectiveTime ?? 0, 'effectiveTime'));
  writer.uintField(17, checkedUInt64(transfer.importedTime ?? 0, 'importedTime'));
}

/** A name that is none, from a program without types, must not pass for `plain`: that would move at once what was to be held. */
export function kindNumber(kind: TransferKindName): number {
  if (Object.hasOwn(KIND_NUMBERS, kind)) return KIND_NUMBERS[kind];
  throw invalidArgument(`The kind of a transfer is plain, pending, post or void, not "${String(kind)}".`);
}

export function checkedUInt64(value: UInt64, name: string): UInt64 {
  const fits = typeof value === 'bigint' ? value >= 0n && value <= MAX_U64 : Number.isSafeInteger(value) && value >= 0;
  if (fits) return value;
  throw invalidArgument(
    `${name} must be a whole number from 0 to 2^64 - 1 (beyond 2^53 as a bigint), not ${String(value)}.`,
  );
}

export function checkedUInt32(value: number, name: string): number {
  if (Number.isInteger(value) && value >= 0 && value <= MAX_U32) return value;
  throw invalidArgument(`${name} must be a whole number from 0 to 2^32 - 1, not ${value}.`);
}

/** Throws a ProtobufFormatError where the bytes are no SubmitBatchResponse. */
export function decodeBatchAnswer(bytes: Buffer): BatchAnswer {
  const reader = new ProtobufReader(bytes);
  const answer: BatchAnswer = {
    sequence: 0,
    count: 0,
    baseOffset: 0,
    timestamp: 0,
    token: '',
    refused: [],
    repeats: [],
    amounts: [],
    items: [],
    error: undefined,
  };
  while (reader.next()) {
    if (reader.field === 1) answer.sequence = reader.uint();
    else if (reader.field === 2) answer.refused.push(readRow(reader));
    else if (reader.field === 3) answer.count = reader.uint();
    else if (reader.field === 4) answer.baseOffset = reader.int();
    else if (reader.field === 5) answer.timestamp = reader.uint();
    else if (reader.field === 6) answer.items.push(readTransferResult(reader));
    else if (reader.field === 7) answer.token = reader.ascii();
    else if (reader.field === 8) answer.error = readFailure(reader);
    else if (reader.field === 9) answer.repeats.push(readRow(reader));
    else if (reader.field === 10) answer.amounts.push(readAmount(reader));
    else reader.skip();
  }
  return answer;
}

function readRow(reader: ProtobufReader): RowNote {
  const row = { row: 0, result: 0, replayed: false, offset: 0 };
  const outer = reader.enter();
  while (reader.next()) {
    if (reader.field === 1) row.row = reader.uint();
    else if (reader.field === 2) row.result = reader.uint();
    else if (reader.field === 3) row.replayed = reader.bool();
    else if (reader.field === 4) row.offset = reader.int();
    else reader.skip();
  }
  reader.leave(outer);
  return row;
}

function readAmount(reader: ProtobufReader): RowAmount {
  const amount = { row: 0, amountMinor: 0n };
  const outer = reader.enter();
  while (reader.next()) {
    if (reader.field === 1) amount.row = reader.uint();
    else if (reader.field === 2) amount.amountMinor = minorFrom(reader.blob());
    else reader.skip();
  }
  reader.leave(outer);
  return amount;
}

function minorFrom(bytes: Buffer): bigint {
  if (bytes.length !== 16) throw new ProtobufFormatError(`an amount has 16 bytes, not ${bytes.length}`);
  return u128FromBytes(bytes);
}

function readTransferResult(reader: ProtobufReader): BatchItem {
  const item: BatchItem = {
    result: '',
    message: '',
    offset: 0,
    timestamp: 0,
    replayed: false,
    amountMoved: '',
    amountHeld: '',
  };
  const outer = reader.enter();
  while (reader.next()) {
    if (reader.field === 1) readItemResult(reader, item);
    else if (reader.field === 2) item.amountMoved = reader.ascii();
    else if (reader.field === 3) item.amountHeld = reader.ascii();
    else reader.skip();
  }
  reader.leave(outer);
  return item;
}

function readItemResult(reader: ProtobufReader, item: BatchItem): void {
  const outer = reader.enter();
  while (reader.next()) {
    if (reader.field === 1) item.result = reader.isOk() ? 'ok' : reader.ascii();
    else if (reader.field === 2) item.message = reader.text();
    else if (reader.field === 3) item.offset = reader.int();
    else if (reader.field === 4) item.timestamp = reader.uint();
    else if (reader.field === 5) item.replayed = reader.bool();
    else reader.skip();
  }
  reader.leave(outer);
}

function readFailure(reader: ProtobufReader): BatchFailure {
  const failure = { code: 0, reason: '', message: '', retryAfterMs: 0 };
  const outer = reader.enter();
  while (reader.next()) {
    if (reader.field === 1) failure.code = reader.uint();
    else if (reader.field === 2) failure.reason = reader.text();
    else if (reader.field === 3) failure.message = reader.text();
    else if (reader.field === 4) failure.retryAfterMs = reader.uint();
    else reader.skip();
  }
  reader.leave(outer);
  return failure;
}
