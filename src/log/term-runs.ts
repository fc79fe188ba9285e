interface Run {
  readonly from: number;
  readonly term: number;
}

/** The term of every entry, as runs of entries with the same term: as many as there were elections, not entries. */
export class TermRuns {
  private readonly runs: Run[];

  /** @param boundary the entry before the first, whose term is known too */
  constructor(
    boundary: number,
    term: number,
    private last = boundary,
  ) {
    this.runs = [{ from: boundary, term }];
  }

  /** Index of the oldest entry whose term is known. */
  get boundary(): number {
    return this.runs[0]!.from;
  }

  append(index: number, term: number): void {
    if (this.runs.at(-1)!.term !== term) this.runs.push({ from: index, term });
    this.last = index;
  }

  termAt(index: number): number | undefined {
    if (index < this.boundary || index > this.last) return undefined;
    return this.runs[this.runAt(index)]!.term;
  }

  /** Forgets the entries from `from` on; at least the boundary stays. */
  truncateSuffix(from: number): void {
    if (from > this.last) return;
    this.last = from - 1;
    this.runs.length = this.runAt(this.last) + 1;
  }

  /** Knows only the entry at `boundary` from now on. */
  restart(boundary: number, term: number): void {
    this.runs.splice(0, this.runs.length, { from: boundary, term });
    this.last = boundary;
  }

  /** Makes `boundary` the oldest entry. */
  truncatePrefix(boundary: number): void {
    const at = this.runAt(boundary);
    const { term } = this.runs[at]!;
    this.runs.splice(0, at + 1, { from: boundary, term });
  }

  /** The last run that begins at or before `index`. */
  private runAt(index: number): number {
    let low = 0;
    let high = this.runs.length - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (this.runs[middle]!.from <= index) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
