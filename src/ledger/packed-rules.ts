import { HOT_PAGE_SHIFT, HOT_WORDS } from './account-table';
import { type ApplyContext } from './apply-context';
import { OutcomeFlag } from './outcome-row';
import { PACKED_ROW_WORDS } from './packed-rows';
import { type Posting } from './posting';
import { ResultCode } from './result-codes';
import { type Tables } from './tables';
import { TransferFields } from './transfer-fields';
import { type TransferRules } from './transfer-rules';
import { Row, TRANSFER_PAGE_SHIFT, TRANSFER_WORDS } from './transfer-row';
import { word } from './words';

/** Rows whose memory is touched ahead: enough for the processor to overlap its misses, few enough to stay in its caches. */
const BLOCK = 64;
const HOT_MASK = (1 << HOT_PAGE_SHIFT) - 1;
const TRANSFER_MASK = (1 << TRANSFER_PAGE_SHIFT) - 1;
/** An amount is small when it is below 2^52. */
const SMALL_HIGH = 1 << 20;
const ROW_IS_SET = OutcomeFlag.ROW_IS_SET << 16;
const IS_REPLAYED = (OutcomeFlag.ROW_IS_SET | OutcomeFlag.REPLAYED) << 16;

/**
 * Packed transfers. A row that is new, between two accounts that exist, of small numbers and with nothing against it is
 * done here, in a straight line, and one that was done before in just these words is answered here; every other row is decided
 * by `TransferRules`, which knows all the rules. Nothing is done to the state before the straight way is sure, so the two cannot
 * disagree.
 */
export class PackedRules {
  private readonly hashes = new Int32Array(BLOCK);
  private readonly fields = new TransferFields();
  /** Keeps the loads of `touch` from being optimised away. */
  touched = 0;

  constructor(
    private readonly tables: Tables,
    private readonly posting: Posting,
    private readonly rules: TransferRules,
  ) {}

  apply(words: Uint32Array, rows: number, context: ApplyContext): void {
    for (let first = 0; first < rows; first += BLOCK) {
      const count = Math.min(BLOCK, rows - first);
      this.touch(words, first * PACKED_ROW_WORDS, count);
      for (let i = 0; i < count; i++) {
        const at = (first + i) * PACKED_ROW_WORDS;
        if (!this.applySmall(words, at, this.hashes[i] as number, context)) {
          this.fields.readRow(words, at);
          this.rules.apply(this.fields, context);
        }
        context.nextRecord();
      }
    }
  }

  /**
   * Hashes the ids of a block, and reads one word of everything that applying it will need. In loops of little work each,
   * because the processor overlaps as many reads as fit its window.
   */
  private touch(words: Uint32Array, start: number, count: number): void {
    const { accounts, transfers } = this.tables;
    const hashes = this.hashes;
    let touched = 0;
    for (let i = 0; i < count; i++) hashes[i] = transfers.hashOf(words, start + i * PACKED_ROW_WORDS);
    for (let i = 0; i < count; i++) {
      const hash = hashes[i] as number;
      const slots = transfers.slotsOf(hash);
      touched ^= slots[(hash & ((slots.length >>> 1) - 1)) * 2] as number;
    }
    const pages = accounts.hot.pages;
    const last = accounts.count;
    for (let i = 0; i < count; i++) {
      const at = start + i * PACKED_ROW_WORDS;
      const debit = word(words, at + 4);
      const credit = word(words, at + 6);
      if (debit <= last) touched ^= hotWord(pages, debit);
      if (credit <= last) touched ^= hotWord(pages, credit);
    }
    this.touched = touched;
  }

  private applySmall(words: Uint32Array, at: number, hash: number, context: ApplyContext): boolean {
    const { accounts, transfers } = this.tables;
    const id0 = word(words, at);
    const debit = word(words, at + 4);
    const credit = word(words, at + 6);
    const amountLow = word(words, at + 8);
    const amountHigh = word(words, at + 9);
    const last = accounts.count;
    if (
      // Upper halves of the handles and of the amount, and the flags.
      (word(words, at + 5) |
        word(words, at + 7) |
        word(words, at + 10) |
        word(words, at + 11) |
        word(words, at + 15)) !==
        0 ||
      // Zeros and ones at the front may be a reserved id.
      id0 === 0 ||
      id0 === 0xffff_ffff ||
      (amountLow | amountHigh) === 0 ||
      amountHigh >= SMALL_HIGH ||
      debit === credit ||
      debit === 0 ||
      credit === 0 ||
      debit > last ||
      credit > last ||
      // Where ids are remembered for a bounded time their age is asked first.
      this.tables.dedupAge !== 0
    ) {
      return false;
    }
    const first = transfers.findUuid(hash, words, at);
    if (first >= 0) return this.answerSame(first, words, at, context);
    if (!this.posting.postSmall(debit, credit, amountHigh * 0x1_0000_0000 + amountLow)) return false;
    this.remember(words, at, hash, context);
    this.tables.transfersByResult[ResultCode.OK] = (this.tables.transfersByResult[ResultCode.OK] as number) + 1;
    const { rows, at: out, offset } = context;
    rows[out] = ROW_IS_SET;
    this.writeParties(words, at, context);
    rows[out + 6] = offset >>> 0;
    rows[out + 7] = Math.floor(offset / 0x1_0000_0000);
    rows[out + 12] = context.timeLow;
    rows[out + 13] = context.timeHigh;
    return true;
  }

  /** What of an outcome follows from the row: accounts, their ledger, and what was moved. */
  private writeParties(words: Uint32Array, at: number, { rows, at: out }: ApplyContext): void {
    const debit = word(words, at + 4);
    const ledger = this.tables.ledgers.byNumber(this.tables.accounts.ledgerOf(debit));
    rows[out + 1] = ledger === undefined ? 0 : ledger.number;
    rows[out + 2] = debit;
    rows[out + 4] = word(words, at + 6);
    rows[out + 8] = word(words, at + 8);
    rows[out + 9] = word(words, at + 9);
    rows[out + 14] = ledger === undefined ? 0 : ledger.scale;
  }

  /** Gives the first answer again where the first transfer with this id was done, plain, and the same in every word. */
  private answerSame(first: number, words: Uint32Array, at: number, context: ApplyContext): boolean {
    const { transfers } = this.tables;
    const page = transfers.pageOf(first);
    const from = transfers.startOf(first);
    const place = word(page, from + Row.OFFSET_HIGH_RESULT_FLAGS);
    const isSame =
      // It was done, at an offset that is no -1, has no flags, and nothing of it stands elsewhere.
      ((place >>> 15) | word(page, from + Row.EXTRAS)) === 0 &&
      page[from + Row.DEBIT] === words[at + 4] &&
      page[from + Row.CREDIT] === words[at + 6] &&
      page[from + Row.AMOUNT] === words[at + 8] &&
      page[from + Row.AMOUNT + 1] === words[at + 9] &&
      (word(page, from + Row.AMOUNT + 2) | word(page, from + Row.AMOUNT + 3)) === 0 &&
      page[from + Row.USER_DATA] === words[at + 12] &&
      page[from + Row.USER_DATA + 1] === words[at + 13] &&
      page[from + Row.CODE] === words[at + 14];
    if (!isSame) return false;
    const { rows, at: out } = context;
    rows[out] = IS_REPLAYED;
    this.writeParties(words, at, context);
    rows[out + 6] = word(page, from + Row.OFFSET);
    rows[out + 7] = place;
    rows[out + 12] = word(page, from + Row.TIMESTAMP);
    rows[out + 13] = word(page, from + Row.TIMESTAMP + 1);
    this.tables.replayed++;
    return true;
  }

  private remember(words: Uint32Array, at: number, hash: number, context: ApplyContext): void {
    const { transfers } = this.tables;
    const row = transfers.appendEmpty(hash);
    const page = transfers.rows.pages[row >>> TRANSFER_PAGE_SHIFT] as Uint32Array;
    const to = (row & TRANSFER_MASK) * TRANSFER_WORDS;
    page[to] = word(words, at);
    page[to + 1] = word(words, at + 1);
    page[to + 2] = word(words, at + 2);
    page[to + 3] = word(words, at + 3);
    page[to + Row.DEBIT] = word(words, at + 4);
    page[to + Row.CREDIT] = word(words, at + 6);
    page[to + Row.AMOUNT] = word(words, at + 8);
    page[to + Row.AMOUNT + 1] = word(words, at + 9);
    page[to + Row.USER_DATA] = word(words, at + 12);
    page[to + Row.USER_DATA + 1] = word(words, at + 13);
    page[to + Row.CODE] = word(words, at + 14);
    const { offset } = context;
    page[to + Row.OFFSET] = offset >>> 0;
    page[to + Row.OFFSET_HIGH_RESULT_FLAGS] = Math.floor(offset / 0x1_0000_0000) & 0xffff;
    page[to + Row.TIMESTAMP] = context.timeLow;
    page[to + Row.TIMESTAMP + 1] = context.timeHigh;
  }
}

function hotWord(pages: readonly Uint32Array[], handle: number): number {
  return word(pages[handle >>> HOT_PAGE_SHIFT] as Uint32Array, (handle & HOT_MASK) * HOT_WORDS);
}
