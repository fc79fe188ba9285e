import { CHAIN_ROWS } from '../../ledger/row-chain';
import { TRANSFER_WORDS } from '../../ledger/transfer-row';
import type { TransferTable } from '../../ledger/transfer-table';
import type { RunSource } from './run-writer';

/** When a run is full. The same rows make the same runs on every node, whenever each of them comes to it. */
export interface RunSize {
  /** Rows; a multiple of CHAIN_ROWS. */
  readonly rows: number;
  /** Bytes of extras: a run with more of them has fewer rows. */
  readonly extras: number;
}

/** Finds out, as rows come, where the next run ends. */
export class RunPlan {
  private first = 0;
  private end = 0;
  private extras = 0;

  constructor(private readonly size: RunSize) {}

  /** How many rows the run has that begins with `first`; 0: it is not full yet. */
  next(table: TransferTable, first: number): number {
    if (first !== this.first || table.count < this.end) this.begin(first);
    while (!this.isFull && this.end + CHAIN_ROWS <= table.count) {
      this.extras += table.extras.bytesOf(this.end, CHAIN_ROWS);
      this.end += CHAIN_ROWS;
    }
    return this.isFull ? this.end - first : 0;
  }

  /** Another state may have other rows, or the same ones elsewhere. */
  begin(first: number): void {
    this.first = this.end = first;
    this.extras = 0;
  }

  private get isFull(): boolean {
    return this.end - this.first >= this.size.rows || this.extras >= this.size.extras;
  }
}

/** Rows as they are in the table, which does not change them. */
export function runSource(table: TransferTable, first: number, count: number, chainBefore: Buffer): RunSource {
  const captured = table.rows.capture();
  const { pageShift } = table.rows;
  const { extras } = table;
  const inPage = (1 << pageShift) - 1;
  return {
    ...{ first, count, chainBefore, lengthsFrom: extras.lengthsFrom },
    unit: (row) => {
      const from = (row & inPage) * TRANSFER_WORDS;
      const words = captured.page(row >>> pageShift).subarray(from, from + CHAIN_ROWS * TRANSFER_WORDS);
      return { words, extras: extras.entriesOf(row, CHAIN_ROWS) };
    },
  };
}
