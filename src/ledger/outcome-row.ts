/**
 * What apply decided about one record: 64 bytes, little-endian, kept beside the log in the order of the records.
 *
 * ```
 *  0 u8 result (ResultCode)   1 u8 number of the hold, upper bits   2 u16 flags   4 u32 ledger number (0: unknown)
 *  8 u64 debit handle         16 u64 credit handle (0: no such account)
 * 24 i64 offset                              the record's own, or the first one's when replayed; -1 took none
 * 32 u128 amount, minor units                moved, held or let go: see the flags
 * 48 u64 timestamp, µs                       of the record's batch, or the first one's when replayed
 * 56 u8 scale of the ledger  57 u24 number of the hold, lower bits (0: none)
 * 60 u32 check word over the row and the record's own offset, see sealOutcomes
 * ```
 * OpenAccount: the credit handle is the account's. CreateLedger: the ledger number is the ledger's. A row of zeros belongs
 * to a record that is not the ledger's.
 *
 * Without a flag of holds the amount was moved. With HOLDS it was put into the hold of that number. With POSTS it was moved
 * and all of the hold was let go: the same amount, unless POSTS_PART says that the hold was of more. With RELEASES nothing
 * was moved, and the amount is the whole hold, which was let go: a void, or an expiry.
 *
 * A replayed row repeats the first answer, the amount included: nothing moved again. Whoever adds amounts up skips it.
 */
import { u128FromBytes, u128ToBytes } from './amounts';
import { invariant } from './invariant';
import { ResultCode } from './result-codes';
import { highWord, lowWord } from './words';

export const OUTCOME_ROW_BYTES = 64;
export const OUTCOME_ROW_WORDS = 16;
/** The number of a hold has 32 bits, of which 24 stand beside the scale. */
const HOLD_UPPER = 1 << 24;

export const OutcomeFlag = {
  /** The command had been done or refused before: this is that answer again. */
  REPLAYED: 1,
  /** The transfer opened the debit account (auto_open). */
  OPENED_DEBIT: 2,
  OPENED_CREDIT: 4,
  /** With REPLAYED: the answer that is repeated is a refusal. */
  REFUSED_BEFORE: 8,
  /** The amount was put on hold. */
  HOLDS: 0x10,
  /** The amount was posted out of a hold, all of which was let go. */
  POSTS: 0x20,
  /** With POSTS: the hold was of more than the amount. */
  POSTS_PART: 0x40,
  /** The amount, all of a hold, was let go and not moved. */
  RELEASES: 0x80,
  /** Set in every row that was written; tells a row from a gap. */
  ROW_IS_SET: 0x8000,
} as const;

/**
 * The first 32 bits of a row where nothing is to be said of the record but that it was done: no hold, no account opened, no
 * repeat. Most rows have it, so that whoever looks for the others reads one word of each.
 */
export const DONE_WORD = ((OutcomeFlag.ROW_IS_SET << 16) | ResultCode.OK) >>> 0;

/** What a record did with a hold. `posted_part`: the hold was of more than what was posted. */
export type HoldEffect = 'none' | 'held' | 'posted' | 'posted_part' | 'released';

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
  /** What was moved, held or let go, as `effect` says. */
  readonly amount: bigint;
  /** What was moved: `amount`, unless it was held or let go. */
  readonly amountMoved: bigint;
  readonly timestamp: number;
  readonly scale: number;
  readonly effect: HoldEffect;
  /** Number of the hold that was made, posted or let go; 0: none. */
  readonly hold: number;
}

/** Whether the row at `at` was written by the ledger; a gap and a producer's record have zeros. */
export function isOutcomeRowSet(rows: Buffer, at = 0): boolean {
  return (rows.readUInt16LE(at + 2) & OutcomeFlag.ROW_IS_SET) !== 0;
}

export function decodeOutcomeRow(rows: Buffer, at = 0): OutcomeRow {
  const flags = rows.readUInt16LE(at + 2);
  const effect = effectOf(flags);
  const amount = u128FromBytes(rows, at + 32);
  return {
    result: rows.readUInt8(at),
    replayed: (flags & OutcomeFlag.REPLAYED) !== 0,
    refusedBefore: (flags & OutcomeFlag.REFUSED_BEFORE) !== 0,
    openedDebit: (flags & OutcomeFlag.OPENED_DEBIT) !== 0,
    openedCredit: (flags & OutcomeFlag.OPENED_CREDIT) !== 0,
    ledgerNumber: rows.readUInt32LE(at + 4),
    debitHandle: Number(rows.readBigUInt64LE(at + 8)),
    creditHandle: Number(rows.readBigUInt64LE(at + 16)),
    offset: Number(rows.readBigInt64LE(at + 24)),
    amount,
    amountMoved: effect === 'held' || effect === 'released' ? 0n : amount,
    timestamp: Number(rows.readBigUInt64LE(at + 48)),
    scale: rows.readUInt8(at + 56),
    effect,
    hold: rows.readUInt8(at + 1) * HOLD_UPPER + rows.readUIntLE(at + 57, 3),
  };
}

function effectOf(flags: number): HoldEffect {
  if ((flags & OutcomeFlag.HOLDS) !== 0) return 'held';
  if ((flags & OutcomeFlag.RELEASES) !== 0) return 'released';
  if ((flags & OutcomeFlag.POSTS) === 0) return 'none';
  return (flags & OutcomeFlag.POSTS_PART) === 0 ? 'posted' : 'posted_part';
}

const EFFECT_FLAGS: Record<HoldEffect, number> = {
  none: 0,
  held: OutcomeFlag.HOLDS,
  posted: OutcomeFlag.POSTS,
  posted_part: OutcomeFlag.POSTS | OutcomeFlag.POSTS_PART,
  released: OutcomeFlag.RELEASES,
};

export function encodeOutcomeRow(row: OutcomeRow): Buffer {
  const bytes = Buffer.alloc(OUTCOME_ROW_BYTES);
  bytes.writeUInt8(row.result, 0);
  bytes.writeUInt8(Math.floor(row.hold / HOLD_UPPER), 1);
  bytes.writeUInt16LE(
    OutcomeFlag.ROW_IS_SET |
      (row.replayed ? OutcomeFlag.REPLAYED : 0) |
      (row.refusedBefore ? OutcomeFlag.REFUSED_BEFORE : 0) |
      (row.openedDebit ? OutcomeFlag.OPENED_DEBIT : 0) |
      (row.openedCredit ? OutcomeFlag.OPENED_CREDIT : 0) |
      EFFECT_FLAGS[row.effect],
    2,
  );
  bytes.writeUInt32LE(row.ledgerNumber, 4);
  bytes.writeBigUInt64LE(BigInt(row.debitHandle), 8);
  bytes.writeBigUInt64LE(BigInt(row.creditHandle), 16);
  bytes.writeBigInt64LE(BigInt(row.offset), 24);
  u128ToBytes(row.amount).copy(bytes, 32);
  bytes.writeBigUInt64LE(BigInt(row.timestamp), 48);
  bytes.writeUInt8(row.scale, 56);
  bytes.writeUIntLE(row.hold % HOLD_UPPER, 57, 3);
  return bytes;
}

const SEAL_AT = OUTCOME_ROW_WORDS - 1;

/**
 * Writes the check word of every row that is set; what the rows say must not change any more.
 * @param rows of records of dense offsets, `firstOffset` being the first one's
 */
export function sealOutcomes(rows: Buffer, firstOffset: number): void {
  invariant(isAligned(rows), 'Outcomes are sealed where they lie, so they must lie at a multiple of four bytes.');
  const words = wordsOf(rows);
  for (let at = 0, offset = firstOffset; at < words.length; at += OUTCOME_ROW_WORDS, offset++) {
    if (words[at] !== 0) words[at + SEAL_AT] = checkWord(words, at, offset);
  }
}

/** @returns the place of the first row that is not as `sealOutcomes` left it, for this offset; -1 where all are. Zeros are a gap */
export function firstUnsoundOutcome(rows: Buffer, firstOffset: number): number {
  const words = wordsOf(rows);
  for (let at = 0, offset = firstOffset; at < words.length; at += OUTCOME_ROW_WORDS, offset++) {
    if (words[at + SEAL_AT] === checkWord(words, at, offset)) continue;
    for (let word = at; word < at + OUTCOME_ROW_WORDS; word++) {
      if (words[word] !== 0) return at / OUTCOME_ROW_WORDS;
    }
  }
  return -1;
}

/**
 * Each step is a bijection of what is mixed so far, so a change within one word always shows; any other one in all but one of
 * four thousand million cases. A CRC over so few bytes costs ten times as much, on the path of every write.
 */
function checkWord(words: Uint32Array, at: number, offset: number): number {
  let mixed = 0x9e3779b9 ^ lowWord(offset) ^ Math.imul(highWord(offset), 0xc2b2ae35);
  for (let word = at; word < at + SEAL_AT; word++) {
    mixed = Math.imul(mixed ^ words[word]!, 0x85ebca6b);
    mixed ^= mixed >>> 15;
  }
  return mixed >>> 0;
}

/** A view, except of rows that another buffer holds at an odd place. */
function wordsOf(rows: Buffer): Uint32Array {
  const { buffer, byteOffset, length } = isAligned(rows) ? rows : Uint8Array.from(rows);
  return new Uint32Array(buffer, byteOffset, length / Uint32Array.BYTES_PER_ELEMENT);
}

function isAligned(rows: Buffer): boolean {
  return rows.byteOffset % Uint32Array.BYTES_PER_ELEMENT === 0;
}
