import { type ByteArena } from './byte-arena';
import { HashIndex, hashWords } from './hash-index';
import { invariant } from './invariant';
import { PagedRows } from './paged-rows';
import { RecalledRows, type RowArchive } from './row-archive';
import { RowChain } from './row-chain';
import { RowExtras } from './row-extras';
import { TransferExtras } from './transfer-extras';
import { IdKind, type IdFields, KIND_FLAGS, type TransferFields, TransferFlag } from './transfer-fields';
import { Row, RowFlag, ROW_TRANSFER_FLAGS_SHIFT, TRANSFER_PAGE_SHIFT, TRANSFER_WORDS } from './transfer-row';
import { highWord, joinSigned, joinWords, lowWord, toBigInt128, word } from './words';

/** Rows whose slots are read ahead when an index is made. */
const INDEX_BLOCK = 64;

/**
 * Transfers that were done and refusals that burned their id, in the order of the log, found by id. The oldest rows may be in
 * an archive only (docs/internals/ids.md): `recalled` then has those that are needed for what is applied.
 */
export class TransferTable {
  /** In memory; those before `rows.first` are in the archive. */
  readonly rows = new PagedRows(TRANSFER_WORDS, TRANSFER_PAGE_SHIFT);
  readonly recalled: RecalledRows;
  readonly extras: RowExtras;
  readonly chain: RowChain;
  /** While a batch is applied, nothing is read from the archive. */
  isApplying = false;
  private readonly ids = new HashIndex();
  private readonly scratch = new TransferExtras();
  private readonly touch = new Int32Array(INDEX_BLOCK);
  /** Keeps the loads of `indexBlock` from being optimised away. */
  touched = 0;

  constructor(
    arena: ByteArena,
    private readonly seed: number,
    private readonly archive?: RowArchive,
  ) {
    this.recalled = new RecalledRows(archive);
    this.extras = new RowExtras(arena, this.rows, this.recalled);
    this.chain = new RowChain(this.rows, (row, rows) => this.extras.entriesOf(row, rows));
  }

  get count(): number {
    return this.rows.rows;
  }

  /** How many of the first rows are in the archive, whether or not they are in memory as well. */
  get archived(): number {
    return this.archive?.rows ?? 0;
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
      if (number === 0) return this.rows.first === 0 ? -1 : this.findArchivedUuid(hash, words, from);
      if (slots[slot * 2] === hash && number > this.rows.first && this.hasUuid(number - 1, words, from)) {
        return number - 1;
      }
    }
  }

  private findArchivedUuid(hash: number, words: Uint32Array, from: number): number {
    for (const row of this.candidates(hash, words, from)) if (this.hasUuid(row, words, from)) return row;
    return -1;
  }

  /** Rows of the archive that may have this id. While a batch is applied, only what was handed in: all that it names was asked for. */
  private candidates(hash: number, words: Uint32Array, from: number): readonly number[] {
    return this.isApplying ? this.recalled.withHash(hash) : this.recalled.find(words, from);
  }

  private hasUuid(row: number, words: Uint32Array, from: number): boolean {
    const page = this.pageOf(row);
    const at = this.startOf(row);
    return (
      page[at] === words[from] &&
      page[at + 1] === words[from + 1] &&
      page[at + 2] === words[from + 2] &&
      page[at + 3] === words[from + 3] &&
      ((word(page, at + Row.OFFSET_HIGH_RESULT_FLAGS) >>> 24) & RowFlag.TEXT_ID) === 0
    );
  }

  /** The row of an id in a command, or -1. A text id is compared as a text too: nothing rests on its hash. */
  find(hash: number, source: Uint8Array, id: IdFields): number {
    if (id.kind === IdKind.UUID) return this.findUuid(hash, id.words, 0);
    const slots = this.ids.slotsOf(hash);
    const mask = (slots.length >>> 1) - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const number = (slots[slot * 2 + 1] as number) >>> 0;
      if (number === 0) break;
      if (slots[slot * 2] !== hash || number <= this.rows.first) continue;
      if (this.hasText(number - 1, source, id)) return number - 1;
    }
    if (this.rows.first === 0) return -1;
    for (const row of this.candidates(hash, id.words, 0)) if (this.hasText(row, source, id)) return row;
    return -1;
  }

  private hasText(row: number, source: Uint8Array, id: IdFields): boolean {
    if ((this.flags(row) & RowFlag.TEXT_ID) === 0) return false;
    return this.readExtras(row, this.scratch).isTextId(source, id.textStart, id.textLength);
  }

  /** The page that holds a row: of the table, or one of the row alone where it is in the archive. Not to be written to. */
  pageOf(row: number): Uint32Array {
    if (row >= this.rows.first) return this.rows.pageOf(row);
    const words = this.recalled.row(row, !this.isApplying);
    invariant(
      words !== undefined,
      'A row of the archive that a batch needs must have been handed in before it is applied.',
    );
    return words;
  }

  /** Index of the row's first word in `pageOf`. */
  startOf(row: number): number {
    return row >= this.rows.first ? this.rows.startOf(row) : 0;
  }

  /** Adds a row under a hash and fills its id, amount, code and user data from the command. */
  append(hash: number, fields: TransferFields): number {
    const row = this.rows.append();
    const page = this.rows.pageOf(row);
    const at = this.rows.startOf(row);
    for (let i = 0; i < 4; i++) page[at + Row.ID + i] = word(fields.id.words, i);
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
    return toBigInt128(this.pageOf(row), this.startOf(row) + Row.AMOUNT);
  }

  result(row: number): number {
    return (this.wordOf(row, Row.OFFSET_HIGH_RESULT_FLAGS) >>> 16) & 0xff;
  }

  flags(row: number): number {
    return this.wordOf(row, Row.OFFSET_HIGH_RESULT_FLAGS) >>> 24;
  }

  /** The transfer's own flags, see `TransferFlag`. */
  transferFlags(row: number): number {
    return this.flags(row) >>> ROW_TRANSFER_FLAGS_SHIFT;
  }

  /** Minor units that it moved, from its debit to its credit account; 0 of a refusal, of a hold and of a void. */
  moved(row: number): bigint {
    const flags = this.transferFlags(row);
    if (this.result(row) !== 0 || (flags & (TransferFlag.PENDING | TransferFlag.VOID)) !== 0) return 0n;
    if ((flags & TransferFlag.BALANCING) === 0) return this.amount(row);
    return this.readExtras(row, this.scratch).moved;
  }

  /** Number of the hold that it made, posted or voided; 0: none. */
  hold(row: number): number {
    if (this.result(row) !== 0 || (this.transferFlags(row) & KIND_FLAGS) === 0) return 0;
    return this.readExtras(row, this.scratch).hold;
  }

  offset(row: number): number {
    // The sign of 48 bits, for the -1 of a record without an offset.
    const high = (this.wordOf(row, Row.OFFSET_HIGH_RESULT_FLAGS) << 16) >> 16;
    return joinSigned(this.wordOf(row, Row.OFFSET), high);
  }

  timestamp(row: number): number {
    return joinWords(this.wordOf(row, Row.TIMESTAMP), this.wordOf(row, Row.TIMESTAMP + 1));
  }

  /** What it has beyond its row. */
  readExtras(row: number, into: TransferExtras): TransferExtras {
    return this.extras.read(row, this.wordOf(row, Row.EXTRAS), into, !this.isApplying);
  }

  wordOf(row: number, at: number): number {
    return word(this.pageOf(row), this.startOf(row) + at);
  }

  /**
   * Lets go of rows that are in the archive, the oldest first, as long as more than `kept` newer ones are there, or more than
   * about `keptBytes` of extras.
   */
  retire(kept: number, keptBytes: number): void {
    const end = Math.min(this.archived, Math.max(this.count - kept, this.extras.table.rowBehind(keptBytes)));
    if (!this.archive || end <= this.rows.first) return;
    // What is let go is in the hash of the state by way of the archive.
    this.chain.adopt(this.archive.rows, this.archive.chain);
    this.ids.forget(end);
    this.rows.dropBefore(end);
    this.extras.table.dropBefore(end);
  }

  /** Drops the rows from `count` on: those of a group of transfers that failed. */
  truncate(count: number): void {
    for (let row = this.count - 1; row >= count; row--) {
      this.ids.remove(this.hashOf(this.rows.pageOf(row), this.rows.startOf(row)), row + 1);
    }
    this.extras.table.truncate(count);
    this.rows.truncate(count);
  }

  /** An empty table goes on behind the rows of the archive. */
  beginBehindArchive(): void {
    if (!this.archive || this.archive.rows === 0) return;
    this.rows.beginAt(this.archive.rows);
    this.chain.adopt(this.archive.rows, this.archive.chain);
  }

  /** Makes the index anew over rows that were restored. */
  indexAll(): void {
    this.ids.reserve(this.count - this.rows.first);
    for (let row = this.rows.first; row < this.count; row += INDEX_BLOCK)
      this.indexBlock(row, Math.min(INDEX_BLOCK, this.count - row));
  }

  private indexBlock(first: number, count: number): void {
    this.touchSlots(first, count);
    for (let i = 0; i < count; i++) this.ids.insert(this.touch[i] as number, first + i + 1);
  }

  /**
   * Leaves the hashes of some rows in `touch`. Slots lie all over the memory: one word of each is read, in a loop so small that
   * the processor overlaps its misses.
   */
  private touchSlots(first: number, count: number): void {
    const { ids, rows, touch } = this;
    for (let i = 0; i < count; i++) touch[i] = this.hashOf(rows.pageOf(first + i), rows.startOf(first + i));
    let touched = 0;
    for (let i = 0; i < count; i++) {
      const hash = touch[i] as number;
      const slots = ids.slotsOf(hash);
      touched ^= slots[(hash & ((slots.length >>> 1) - 1)) * 2] as number;
    }
    this.touched = touched;
  }
}
