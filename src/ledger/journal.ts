import { type PagedRows } from './paged-rows';

/**
 * Rows as they were before a linked group changed them, so that a group that fails leaves nothing behind. Only rows that
 * existed before the group are kept here: what the group appended is cut off (`Tables.rollBack`).
 */
export class Journal {
  private active = false;
  private readonly kept: { readonly table: PagedRows; readonly row: number; readonly words: Uint32Array }[] = [];

  begin(): void {
    this.active = true;
  }

  /** To be called before a row is written to that may be older than the group. */
  keep(table: PagedRows, row: number): void {
    if (!this.active) return;
    const start = table.startOf(row);
    this.kept.push({ table, row, words: table.pageOf(row).slice(start, start + table.wordsPerRow) });
  }

  /** Puts every row back, the newest entry first, so that the oldest one of a row is what stays. */
  undo(): void {
    for (const { table, row, words } of this.kept.reverse()) {
      if (row < table.rows) table.writablePageOf(row).set(words, table.startOf(row));
    }
    this.end();
  }

  end(): void {
    this.active = false;
    this.kept.length = 0;
  }
}
