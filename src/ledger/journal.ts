import { type PagedRows } from './paged-rows';

/**
 * Rows as they were before something changed them that may have to be undone: a linked group, or a rehearsal with linked
 * groups in it. Only rows that existed before are kept here: what was appended is cut off (`Tables.rollBack`).
 */
export class Journal {
  /** How many of those that may be undone are under way, one inside the other. */
  private depth = 0;
  private readonly kept: { readonly table: PagedRows; readonly row: number; readonly words: Uint32Array }[] = [];

  /** @returns the place that `undo` goes back to */
  begin(): number {
    this.depth++;
    return this.kept.length;
  }

  /** To be called before a row is written to that may be older than what may be undone. */
  keep(table: PagedRows, row: number): void {
    if (this.depth === 0) return;
    const start = table.startOf(row);
    this.kept.push({ table, row, words: table.pageOf(row).slice(start, start + table.wordsPerRow) });
  }

  /** Puts back every row that was kept from that place on, the newest first, so that the oldest one of a row is what stays. */
  undo(from: number): void {
    for (const { table, row, words } of this.kept.splice(from).reverse()) {
      if (row < table.rows) table.writablePageOf(row).set(words, table.startOf(row));
    }
    this.end();
  }

  /** What was changed stays; where it is inside of something that may be undone, its rows are kept for that. */
  end(): void {
    this.depth--;
    if (this.depth === 0) this.kept.length = 0;
  }
}
