/**
 * What apply decided about one record: 64 bytes, little-endian, kept beside the log in the order of the records.
 *
 * ```
 *  0 u16 result (ResultCode)   2 u16 flags   4 u32 ledger number (0: unknown)
 *  8 u64 debit handle         16 u64 credit handle (0: no such account)
 * 24 i64 offset                              the record's own, or the first one's when replayed; -1 took none
 * 32 u128 amount moved, minor units
 * 48 u64 timestamp, µs                       of the record's batch, or the first one's when replayed
 * 56 u32 scale of the ledger  60 u32 zero
 * ```
 * OpenAccount: the credit handle is the account's. CreateLedger: the ledger number is the ledger's. A row of zeros belongs
 * to a record that is not the ledger's.
 *
 * A replayed row repeats the first answer, the amount included: nothing moved again. Whoever adds amounts up skips it.
 */
import { u128FromBytes, u128ToBytes } from './amounts';
import { type ResultCode } from './result-codes';

export const OUTCOME_ROW_BYTES = 64;
export const OUTCOME_ROW_WORDS = 16;

export const OutcomeFlag = {
  /** The command had been done or refused before: this is that answer again. */
  REPLAYED: 1,
  /** The transfer opened the debit account (auto_open). */
  OPENED_DEBIT: 2,
  OPENED_CREDIT: 4,
  /** With REPLAYED: the answer that is repeated is a refusal. */
  REFUSED_BEFORE: 8,
  /** Set in every row that was written; tells a row from a gap. */
  ROW_IS_SET: 0x8000,
} as const;

export interface OutcomeRow {
  readonly result: ResultCode;
  readonly replayed: boolean;
  readonly refusedBefore: boolean;
  readonly openedDebit: boolean;
  readonly openedCredit: boolean;
  readonly ledgerNumber: number;
  readonly debitHandle: number;
  readonly creditHandle: number;
  readonly offset: number;
  readonly amountMoved: bigint;
  readonly timestamp: number;
  readonly scale: number;
}

/** Whether the row at `at` was written by the ledger; a gap and a producer's record have zeros. */
export function isOutcomeRowSet(rows: Buffer, at = 0): boolean {
  return (rows.readUInt16LE(at + 2) & OutcomeFlag.ROW_IS_SET) !== 0;
}

export function decodeOutcomeRow(rows: Buffer, at = 0): OutcomeRow {
  const flags = rows.readUInt16LE(at + 2);
  return {
    result: rows.readUInt16LE(at),
    replayed: (flags & OutcomeFlag.REPLAYED) !== 0,
    refusedBefore: (flags & OutcomeFlag.REFUSED_BEFORE) !== 0,
    openedDebit: (flags & OutcomeFlag.OPENED_DEBIT) !== 0,
    openedCredit: (flags & OutcomeFlag.OPENED_CREDIT) !== 0,
    ledgerNumber: rows.readUInt32LE(at + 4),
    debitHandle: Number(rows.readBigUInt64LE(at + 8)),
    creditHandle: Number(rows.readBigUInt64LE(at + 16)),
    offset: Number(rows.readBigInt64LE(at + 24)),
    amountMoved: u128FromBytes(rows, at + 32),
    timestamp: Number(rows.readBigUInt64LE(at + 48)),
    scale: rows.readUInt32LE(at + 56),
  };
}

export function encodeOutcomeRow(row: OutcomeRow): Buffer {
  const bytes = Buffer.alloc(OUTCOME_ROW_BYTES);
  bytes.writeUInt16LE(row.result, 0);
  bytes.writeUInt16LE(
    OutcomeFlag.ROW_IS_SET |
      (row.replayed ? OutcomeFlag.REPLAYED : 0) |
      (row.refusedBefore ? OutcomeFlag.REFUSED_BEFORE : 0) |
      (row.openedDebit ? OutcomeFlag.OPENED_DEBIT : 0) |
      (row.openedCredit ? OutcomeFlag.OPENED_CREDIT : 0),
    2,
  );
  bytes.writeUInt32LE(row.ledgerNumber, 4);
  bytes.writeBigUInt64LE(BigInt(row.debitHandle), 8);
  bytes.writeBigUInt64LE(BigInt(row.creditHandle), 16);
  bytes.writeBigInt64LE(BigInt(row.offset), 24);
  u128ToBytes(row.amountMoved).copy(bytes, 32);
  bytes.writeBigUInt64LE(BigInt(row.timestamp), 48);
  bytes.writeUInt32LE(row.scale, 56);
  return bytes;
}
