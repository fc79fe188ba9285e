import { type LedgerEntry } from './ledger-table';
import { OUTCOME_ROW_WORDS, OutcomeFlag } from './outcome-row';
import { type ResultCode } from './result-codes';
import { highWord, lowWord } from './words';

/** The batch that is being applied, the place in it, and the outcome rows that are written for it. */
export class ApplyContext {
  time = 0;
  timeLow = 0;
  timeHigh = 0;
  /** Of the record that is being applied; -1 in a batch of the system's, whose records take none. */
  offset = -1;
  /** Words of the outcome rows, one row a record. */
  rows: Uint32Array = new Uint32Array(0);
  /** Index of the first word of the row of the record that is being applied. */
  at = 0;
  private step = 0;

  begin(time: number, firstOffset: number, takesOffsets: boolean, records: number): void {
    this.time = time;
    this.timeLow = lowWord(time);
    this.timeHigh = highWord(time);
    this.offset = takesOffsets ? firstOffset : -1;
    this.step = takesOffsets ? 1 : 0;
    this.rows = new Uint32Array(records * OUTCOME_ROW_WORDS);
    this.at = 0;
  }

  nextRecord(): void {
    this.offset += this.step;
    this.at += OUTCOME_ROW_WORDS;
  }

  /** Passes over a record that is not the ledger's: its row stays zero. */
  skip(records: number): void {
    this.offset += this.step * records;
    this.at += OUTCOME_ROW_WORDS * records;
  }

  get recordsLeft(): number {
    return (this.rows.length - this.at) / OUTCOME_ROW_WORDS;
  }

  /** Writes the row of this record: its own offset and time, nothing moved. */
  write(result: ResultCode, flags: number, debit: number, credit: number, ledger: LedgerEntry | undefined): void {
    const { rows, at } = this;
    rows[at] = result | ((flags | OutcomeFlag.ROW_IS_SET) << 16);
    rows[at + 2] = debit;
    rows[at + 4] = credit;
    if (ledger !== undefined) {
      rows[at + 1] = ledger.number;
      rows[at + 14] = ledger.scale;
    }
    this.setPlace(this.offset, this.time);
  }

  /** What was moved, held or let go: the flags say which. */
  setAmount(words: Uint32Array, from: number): void {
    for (let i = 0; i < 4; i++) this.rows[this.at + 8 + i] = words[from + i] as number;
  }

  /** After `write`: it stands where the layout of the row leaves room, see outcome-row.ts. */
  setHold(hold: number): void {
    const { at, rows } = this;
    rows[at] = (rows[at] as number) | ((hold >>> 24) << 8);
    rows[at + 14] = (rows[at + 14] as number) | (hold << 8);
  }

  /** Goes back to the record that was applied `records` ago, to answer it anew. */
  goBack(records: number): void {
    this.offset -= this.step * records;
    this.at -= OUTCOME_ROW_WORDS * records;
    this.rows.fill(0, this.at, this.at + OUTCOME_ROW_WORDS * records);
  }

  setPlace(offset: number, time: number): void {
    this.rows[this.at + 6] = lowWord(offset);
    this.rows[this.at + 7] = highWord(offset);
    this.rows[this.at + 12] = lowWord(time);
    this.rows[this.at + 13] = highWord(time);
  }
}
