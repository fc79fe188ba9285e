import { type ByteArena } from './byte-arena';
import { HashIndex, hashWords } from './hash-index';
import { PagedRows } from './paged-rows';
import { TransferExtras } from './transfer-extras';
import { IdKind, type TransferFields } from './transfer-fields';
import { highWord, joinSigned, joinWords, lowWord, toBigInt128, word } from './words';

/**
 * A remembered id: 72 bytes that hold everything that a repeat and a look-up need, so that neither needs the log. A row is
 * written once and never changes.
 */
export const TRANSFER_WORDS = 18;
export const TRANSFER_PAGE_SHIFT = 14;
export const Row = {
  ID: 0,
  /** Handles; 0: named in the extras. */
  DEBIT: 4,
  CREDIT: 5,
  /** Minor units, or a decimal's coefficient where the flag says so. */
  AMOUNT: 6,
  USER_DATA: 10,
  CODE: 12,
  OFFSET: 13,
  /** Bits 0-15 the upper part of the offset, 16-23 the result, 24-31 flags. */
  OFFSET_HIGH_RESULT_FLAGS: 14,
  TIMESTAMP: 15,
  EXTRAS: 17,
} as const;

export const RowFlag = { TEXT_ID: 1, DECIMAL_AMOUNT: 2 } as const;

/** Transfers that were done and refusals that burned their id, in the order of the log, found by id. */
export class TransferTable {
  readonly rows = new PagedRows(TRANSFER_WORDS, TRANSFER_PAGE_SHIFT);
  private readonly ids = new HashIndex();
  private readonly scratch = new TransferExtras();

  constructor(
    private readonly arena: ByteArena,
    private readonly seed: number,
  ) {}

  get count(): number {
    return this.rows.rows;
  }

  /** The hash of the id that stands in four words, from `at` on. */
  hashOf(words: Uint32Array, at: number): number {
    return hashWords(word(words, at), word(words, at + 1), word(words, at + 2), word(words, at + 3), this.seed);
  }

  /** Where the walk for a hash starts; for touching memory ahead of use. */
  slotsOf(hash: number): Int32Array {
    return this.ids.slotsOf(hash);
  }

  /** The row of a UUID, given as four words from `from` on, or -1. */
  findUuid(hash: number, words: Uint32Array, from: number): number {
    const slots = this.ids.slotsOf(hash);
    const mask = (slots.length >>> 1) - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const number = (slots[slot * 2 + 1] as number) >>> 0;
      if (number === 0) return -1;
      if (slots[slot * 2] === hash && this.hasUuid(number - 1, words, from)) return number - 1;
    }
  }

  private hasUuid(row: number, words: Uint32Array, from: number): boolean {
    const page = this.rows.pageOf(row);
    const at = this.rows.startOf(row);
    return (
      page[at] === words[from] &&
      page[at + 1] === words[from + 1] &&
      page[at + 2] === words[from + 2] &&
      page[at + 3] === words[from + 3] &&
      ((word(page, at + Row.OFFSET_HIGH_RESULT_FLAGS) >>> 24) & RowFlag.TEXT_ID) === 0
    );
  }

  /** The row of a command's id, or -1. A text id is compared as a text too: nothing rests on its hash. */
  find(hash: number, fields: TransferFields): number {
    if (fields.idKind === IdKind.UUID) return this.findUuid(hash, fields.id, 0);
    const slots = this.ids.slotsOf(hash);
    const mask = (slots.length >>> 1) - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const number = (slots[slot * 2 + 1] as number) >>> 0;
      if (number === 0) return -1;
      const row = number - 1;
      if (slots[slot * 2] !== hash || (this.flags(row) & RowFlag.TEXT_ID) === 0) continue;
      const extras = this.scratch.read(this.arena, this.extrasRef(row));
      if (extras.isTextId(fields.source, fields.textIdStart, fields.textIdLength)) return row;
    }
  }

  /** Adds a row under a hash and fills its id, amount, code and user data from the command. */
  append(hash: number, fields: TransferFields): number {
    const row = this.rows.append();
    const page = this.rows.pageOf(row);
    const at = this.rows.startOf(row);
    for (let i = 0; i < 4; i++) page[at + Row.ID + i] = word(fields.id, i);
    page[at + Row.USER_DATA] = fields.userDataLow;
    page[at + Row.USER_DATA + 1] = fields.userDataHigh;
    page[at + Row.CODE] = fields.code;
    this.ids.insert(hash, row + 1);
    return row;
  }

  /** Adds an empty row under a hash, for the packed path, which fills it itself. */
  appendEmpty(hash: number): number {
    const row = this.rows.append();
    this.ids.insert(hash, row + 1);
    return row;
  }

  setOutcome(row: number, result: number, flags: number, offset: number, time: number): void {
    const page = this.rows.pageOf(row);
    const at = this.rows.startOf(row);
    page[at + Row.OFFSET] = lowWord(offset);
    page[at + Row.OFFSET_HIGH_RESULT_FLAGS] = (highWord(offset) & 0xffff) | (result << 16) | (flags << 24);
    page[at + Row.TIMESTAMP] = lowWord(time);
    page[at + Row.TIMESTAMP + 1] = highWord(time);
  }

  debit(row: number): number {
    return this.wordOf(row, Row.DEBIT);
  }

  credit(row: number): number {
    return this.wordOf(row, Row.CREDIT);
  }

  /** Minor units, or a decimal's coefficient where the flag says so. */
  amount(row: number): bigint {
    return toBigInt128(this.rows.pageOf(row), this.rows.startOf(row) + Row.AMOUNT);
  }

  result(row: number): number {
    return (this.wordOf(row, Row.OFFSET_HIGH_RESULT_FLAGS) >>> 16) & 0xff;
  }

  flags(row: number): number {
    return this.wordOf(row, Row.OFFSET_HIGH_RESULT_FLAGS) >>> 24;
  }

  offset(row: number): number {
    // The sign of 48 bits, for the -1 of a record without an offset.
    const high = (this.wordOf(row, Row.OFFSET_HIGH_RESULT_FLAGS) << 16) >> 16;
    return joinSigned(this.wordOf(row, Row.OFFSET), high);
  }

  timestamp(row: number): number {
    return joinWords(this.wordOf(row, Row.TIMESTAMP), this.wordOf(row, Row.TIMESTAMP + 1));
  }

  extrasRef(row: number): number {
    return this.wordOf(row, Row.EXTRAS);
  }

  wordOf(row: number, at: number): number {
    return word(this.rows.pageOf(row), this.rows.startOf(row) + at);
  }

  /** Makes the index anew over rows that were restored. */
  indexAll(): void {
    for (let row = 0; row < this.count; row++) {
      const page = this.rows.pageOf(row);
      const at = this.rows.startOf(row);
      this.ids.insert(this.hashOf(page, at), row + 1);
    }
  }
}
