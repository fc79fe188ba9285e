/**
 * What a consumer of the log gets for a record of the ledger: `ledger.v1.LogRecord` with the command as it was written and
 * the outcome beside it, so that balances can be rebuilt from the stream without knowing a rule.
 */
import { u128FromBytes, u128ToBytes } from './amounts';
import { LogRecordField, decodeCommand, encodeCommand, type Command } from './command-codec';
import { formatUuid, parseUuid } from './identifiers';
import { invariant } from './invariant';
import { decodeOutcomeRow, isOutcomeRowSet, type OutcomeRow } from './outcome-row';
import { PACKED_ROW_BYTES, readPackedRow } from './packed-rows';
import { ResultCode } from './result-codes';
import { WireReader, WireType, WireWriter } from './wire';

/** The code of a ledger by its number, e.g. from `LedgerReader.ledgerByNumber`. */
export type LedgerCodes = (number: number) => string | undefined;

/** A hold by its number, e.g. from `LedgerReader.hold`. What is asked for of it never changes, so any later state will do. */
export type Holds = (number: number) => { readonly amount: bigint; readonly transferId: string } | undefined;

/** Field numbers of ledger.v1.Outcome. */
const Field = {
  RESULT: 1,
  REPLAYED: 2,
  DEBIT_HANDLE: 3,
  CREDIT_HANDLE: 4,
  AMOUNT_MOVED: 5,
  LEDGER: 6,
  SCALE: 7,
  OFFSET: 8,
  TIMESTAMP: 9,
  OPENED_DEBIT: 10,
  OPENED_CREDIT: 11,
  AMOUNT_HELD: 12,
  AMOUNT_RELEASED: 13,
  HOLD: 14,
  HOLD_ID: 15,
  HOLD_TEXT_ID: 16,
} as const;

/**
 * The value of a record as Consume returns it.
 * @param type of the chunk: of type 0 the bytes are the value
 * @param width of the chunk: 64 packed transfers, 0 messages
 * @param bytes the record as it is in the log
 * @param outcomes outcome rows, and `at` where the record's row begins; not read for type 0
 * @param holds left out by who has no state at hand: then the outcome does not tell the id of a hold, nor what a part of it let go of
 */
export function recordValue(
  type: number,
  width: number,
  bytes: Buffer,
  outcomes: Buffer,
  at: number,
  ledgerCodes: LedgerCodes,
  holds?: Holds,
): Buffer {
  if (type === 0) return bytes;
  invariant(isOutcomeRowSet(outcomes, at), 'The outcome of a record must be known before the record is shown.');
  const row = decodeOutcomeRow(outcomes, at);
  const record = new WireWriter();
  // Such bytes may be no message at all, so they are shown as bytes.
  if (row.result === ResultCode.MALFORMED_RECORD) record.message(LogRecordField.UNDECODABLE, bytes);
  else if (width === PACKED_ROW_BYTES) record.raw(encodePackedCommand(bytes));
  else record.raw(bytes);
  record.message(LogRecordField.OUTCOME, encodeOutcome(row, ledgerCodes(row.ledgerNumber) ?? '', holds));
  return record.finish();
}

/** As {@link recordValue} for a record of the ledger whose outcome is not known: the command alone. */
export function commandValue(width: number, bytes: Buffer): Buffer {
  return width === PACKED_ROW_BYTES ? encodePackedCommand(bytes) : bytes;
}

function encodePackedCommand(bytes: Buffer): Buffer {
  const row = readPackedRow(bytes);
  return encodeCommand({
    kind: 'transfer',
    id: { kind: 'uuid', bytes: Buffer.from(row.id) },
    debit: { handle: row.debitHandle },
    credit: { handle: row.creditHandle },
    amount: { minor: row.amount },
    ledger: '',
    code: row.code,
    userData: row.userData,
    metadata: Buffer.alloc(0),
    flags: row.flags,
  });
}

function encodeOutcome(row: OutcomeRow, ledger: string, holds: Holds | undefined): Buffer {
  const out = new WireWriter();
  out.uint(Field.RESULT, row.result);
  out.bool(Field.REPLAYED, row.replayed);
  out.uint(Field.DEBIT_HANDLE, row.debitHandle);
  out.uint(Field.CREDIT_HANDLE, row.creditHandle);
  // A repeat moved nothing: whoever adds up what the records of a stream say must not count the first answer twice.
  out.bytes(Field.AMOUNT_MOVED, u128ToBytes(row.replayed ? 0n : row.amountMoved));
  out.string(Field.LEDGER, ledger);
  out.uint(Field.SCALE, row.scale);
  out.uint(Field.OFFSET, BigInt.asUintN(64, BigInt(row.offset)));
  out.uint(Field.TIMESTAMP, row.timestamp);
  out.bool(Field.OPENED_DEBIT, row.openedDebit);
  out.bool(Field.OPENED_CREDIT, row.openedCredit);
  if (row.hold !== 0) encodeHold(out, row, holds);
  return out.finish();
}

function encodeHold(out: WireWriter, row: OutcomeRow, holds: Holds | undefined): void {
  const hold = holds?.(row.hold);
  invariant(
    holds === undefined || hold !== undefined,
    'The hold of an outcome must be known to the state that is asked.',
  );
  // Only of a hold that was posted in part the row says less than all of it.
  const amount = row.effect === 'posted_part' ? hold?.amount : row.amount;
  if (!row.replayed && amount !== undefined) {
    out.bytes(row.effect === 'held' ? Field.AMOUNT_HELD : Field.AMOUNT_RELEASED, u128ToBytes(amount));
  }
  out.uint(Field.HOLD, row.hold);
  if (hold === undefined) return;
  const uuid = parseUuid(hold.transferId);
  if (uuid === undefined) out.string(Field.HOLD_TEXT_ID, hold.transferId);
  else out.bytes(Field.HOLD_ID, uuid);
}

/** An outcome as a consumer of the log reads it. */
export interface Outcome {
  readonly result: ResultCode;
  /** The first answer again; this record moved nothing. */
  readonly replayed: boolean;
  readonly debitHandle: number;
  readonly creditHandle: number;
  /** Minor units that this record moved: 0 when it was refused, and when it repeats an earlier one. */
  readonly amountMoved: bigint;
  readonly ledger: string;
  readonly scale: number;
  readonly offset: number;
  readonly timestamp: number;
  readonly openedDebit: boolean;
  readonly openedCredit: boolean;
  /** Minor units that this record put on hold, and that it let go of. */
  readonly amountHeld: bigint;
  readonly amountReleased: bigint;
  /** Number of the hold that it has to do with; 0: none. */
  readonly hold: number;
  /** Canonical text of the id of the pending transfer that made that hold; empty: none. */
  readonly holdId: string;
}

export interface LogRecord {
  /** Undefined where the record does not decode. */
  readonly command: Command | undefined;
  readonly undecodable: Buffer | undefined;
  readonly outcome: Outcome | undefined;
}

/** Reads what `recordValue` gives; undefined where the bytes are no LogRecord. For clients. */
export function decodeLogRecord(value: Buffer): LogRecord | undefined {
  const reader = new WireReader();
  reader.reset(value, 0, value.length);
  const command = new WireWriter();
  let undecodable: Buffer | undefined;
  let outcome: Outcome | undefined;
  while (reader.next()) {
    const bytes = value.subarray(reader.start, reader.start + reader.length);
    if (reader.type !== WireType.BYTES) continue;
    if (reader.field === LogRecordField.UNDECODABLE) undecodable = Buffer.from(bytes);
    else if (reader.field === LogRecordField.OUTCOME) {
      outcome = decodeOutcome(bytes);
      if (outcome === undefined) return undefined;
    } else command.message(reader.field, bytes);
  }
  if (reader.malformed) return undefined;
  return { command: decodeCommand(command.finish()), undecodable, outcome };
}

function decodeOutcome(bytes: Buffer): Outcome | undefined {
  const reader = new WireReader();
  reader.reset(bytes, 0, bytes.length);
  const numbers = new Map<number, number>();
  const bytesOf = new Map<number, Buffer>();
  while (reader.next()) {
    if (reader.type === WireType.VARINT) numbers.set(reader.field, reader.value);
    else if (reader.type === WireType.BYTES) {
      bytesOf.set(reader.field, bytes.subarray(reader.start, reader.start + reader.length));
    }
  }
  if (reader.malformed) return undefined;
  const number = (field: number): number => numbers.get(field) ?? 0;
  const text = (field: number): string => bytesOf.get(field)?.toString('utf8') ?? '';
  const amount = (field: number): bigint => {
    const found = bytesOf.get(field);
    return found?.length === 16 ? u128FromBytes(found) : 0n;
  };
  const offset = number(Field.OFFSET);
  const holdId = bytesOf.get(Field.HOLD_ID);
  return {
    result: number(Field.RESULT),
    replayed: number(Field.REPLAYED) !== 0,
    debitHandle: number(Field.DEBIT_HANDLE),
    creditHandle: number(Field.CREDIT_HANDLE),
    amountMoved: amount(Field.AMOUNT_MOVED),
    ledger: text(Field.LEDGER),
    scale: number(Field.SCALE),
    // -1, as the two's complement that a 64-bit field without a sign holds.
    offset: offset > Number.MAX_SAFE_INTEGER ? -1 : offset,
    timestamp: number(Field.TIMESTAMP),
    openedDebit: number(Field.OPENED_DEBIT) !== 0,
    openedCredit: number(Field.OPENED_CREDIT) !== 0,
    amountHeld: amount(Field.AMOUNT_HELD),
    amountReleased: amount(Field.AMOUNT_RELEASED),
    hold: number(Field.HOLD),
    holdId: holdId?.length === 16 ? formatUuid(holdId) : text(Field.HOLD_TEXT_ID),
  };
}
