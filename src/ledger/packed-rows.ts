/**
 * Packed transfers: 64 bytes a row, little-endian. The published layout is docs/packed-rows.md.
 *
 * ```
 *  0 id, 16 bytes (a UUID in the order of its text)   16 u64 debit handle   24 u64 credit handle
 * 32 u128 amount, minor units                         48 u64 user data      56 u32 code   60 u32 flags
 * ```
 */
import { MAX_MINOR, u128FromBytes } from './amounts';
import { carriesTime } from './id-time';
import { type ShapeError } from './result-codes';
import { TransferFlag } from './transfer-fields';
import { toBigInt128, word, wordsOf } from './words';

export const PACKED_ROW_BYTES = 64;
export const PACKED_ROW_WORDS = 16;
/** Most rows of one batch. */
export const MAX_ROWS = 8190;

/** The flags that a row can have: what posts or voids names another transfer, and for that a row has no room. */
export const PACKED_FLAGS = TransferFlag.PENDING | TransferFlag.BALANCING;

const MAX_U64 = 0xffff_ffff_ffff_ffffn;
const ALL_ONES = 0xffff_ffff;

export interface PackedTransfer {
  /** 16 bytes; neither all zeros nor all ones. */
  readonly id: Uint8Array;
  readonly debitHandle: number;
  readonly creditHandle: number;
  /** Minor units, 1 … 10^38 - 1. */
  readonly amount: bigint;
  readonly userData: bigint;
  readonly code: number;
  readonly flags: number;
}

/** A fault of shape and the first row that has it; `row` is undefined where the batch as a whole is to blame. */
export interface RowFault {
  readonly row: number | undefined;
  readonly error: ShapeError;
}

/** Writes one row at `at`; throws a RangeError where a number does not fit its field. */
export function writePackedRow(rows: Buffer, at: number, transfer: PackedTransfer): void {
  if (transfer.id.length !== 16) throw new RangeError(`A packed id has 16 bytes, not ${transfer.id.length}.`);
  if (transfer.userData < 0n || transfer.userData > MAX_U64)
    throw new RangeError('User data is 64 bits without a sign.');
  rows.set(transfer.id, at);
  rows.writeBigUInt64LE(BigInt(transfer.debitHandle), at + 16);
  rows.writeBigUInt64LE(BigInt(transfer.creditHandle), at + 24);
  rows.writeBigUInt64LE(transfer.amount & MAX_U64, at + 32);
  rows.writeBigUInt64LE(transfer.amount >> 64n, at + 40);
  rows.writeBigUInt64LE(transfer.userData, at + 48);
  rows.writeUInt32LE(transfer.code, at + 56);
  rows.writeUInt32LE(transfer.flags, at + 60);
}

export function encodePackedRows(transfers: readonly PackedTransfer[]): Buffer {
  const rows = Buffer.alloc(transfers.length * PACKED_ROW_BYTES);
  transfers.forEach((transfer, i) => writePackedRow(rows, i * PACKED_ROW_BYTES, transfer));
  return rows;
}

/** Handles beyond 2^53 name no account; they come back as the nearest double. */
export function readPackedRow(rows: Buffer, at = 0): PackedTransfer {
  return {
    id: Buffer.from(rows.subarray(at, at + 16)),
    debitHandle: Number(rows.readBigUInt64LE(at + 16)),
    creditHandle: Number(rows.readBigUInt64LE(at + 24)),
    amount: u128FromBytes(rows, at + 32),
    userData: rows.readBigUInt64LE(at + 48),
    code: rows.readUInt32LE(at + 56),
    flags: rows.readUInt32LE(at + 60),
  };
}

/**
 * Everything about a packed batch that needs no state, to be asked before the log. In each row, in the order of the rules
 * of money: id, handles, amount (zero, too large), flags, the two accounts. Reads words, allocates nothing.
 */
export function validateRows(rows: Buffer): RowFault | undefined {
  if (rows.length === 0 || rows.length % PACKED_ROW_BYTES !== 0)
    return { row: undefined, error: 'rows_length_invalid' };
  const count = rows.length / PACKED_ROW_BYTES;
  if (count > MAX_ROWS) return { row: undefined, error: 'batch_too_large' };
  const words = wordsOf(rows, rows.length);
  for (let row = 0; row < count; row++) {
    const error = rowFault(words, row * PACKED_ROW_WORDS);
    if (error !== undefined) return { row, error };
  }
  return undefined;
}

function rowFault(words: Uint32Array, at: number): ShapeError | undefined {
  const id0 = word(words, at);
  if ((id0 === 0 || id0 === ALL_ONES) && words[at + 1] === id0 && words[at + 2] === id0 && words[at + 3] === id0) {
    return 'id_invalid';
  }
  const debitLow = word(words, at + 4);
  const debitHigh = word(words, at + 5);
  const creditLow = word(words, at + 6);
  const creditHigh = word(words, at + 7);
  if ((debitLow | debitHigh) === 0) return 'debit_account_required';
  if ((creditLow | creditHigh) === 0) return 'credit_account_required';
  const amountTop = word(words, at + 11);
  if ((word(words, at + 8) | word(words, at + 9) | word(words, at + 10) | amountTop) === 0)
    return 'amount_must_not_be_zero';
  if (amountTop !== 0 && toBigInt128(words, at + 8) > MAX_MINOR) return 'amount_too_large';
  if ((word(words, at + 15) & ~PACKED_FLAGS) !== 0) return 'flags_invalid';
  return debitLow === creditLow && debitHigh === creditHigh ? 'accounts_must_be_different' : undefined;
}

/** The first row whose id does not say when it was made: a fault of shape where ids are remembered for a bounded time. */
export function rowWithoutTime(rows: Buffer): RowFault | undefined {
  for (let at = 0, row = 0; at < rows.length; at += PACKED_ROW_BYTES, row++) {
    const bytes = rows.subarray(at, at + 16);
    if (!carriesTime({ kind: 'uuid', bytes })) return { row, error: 'id_must_carry_time' };
  }
  return undefined;
}
