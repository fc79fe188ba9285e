import type { BatchHeader } from './batch';

/** An entry is kept for the first batch that begins so many bytes behind the last kept one. */
const SPACING_BYTES = 64 * 1024;

/**
 * Where some of the batches of one segment begin: rebuilt from the segment whenever the log is opened, never stored. Four
 * numbers for every 64 KiB, about 50 MB for 100 GB of log.
 */
export class SparseIndex {
  private readonly indexes: number[] = [];
  private readonly offsets: number[] = [];
  private readonly times: number[] = [];
  private readonly positions: number[] = [];

  /** Batches are added in the order of the file. */
  add(header: BatchHeader, position: number): void {
    const last = this.positions.at(-1);
    if (last !== undefined && position - last < SPACING_BYTES) return;
    this.indexes.push(header.index);
    this.offsets.push(header.baseOffset);
    this.times.push(header.time);
    this.positions.push(position);
  }

  /** Forgets the entries from `from` on. */
  truncateSuffix(from: number): void {
    const keep = lastAtOrBelow(this.indexes, from - 1) + 1;
    for (const column of [this.indexes, this.offsets, this.times, this.positions]) column.length = keep;
  }

  /** @returns where to begin to look for the entry; undefined where nothing at or before it is known */
  positionOfIndex(index: number): number | undefined {
    return this.positions[lastAtOrBelow(this.indexes, index)];
  }

  /** @returns where to begin to look for the entry that holds the record */
  positionOfOffset(offset: number): number | undefined {
    return this.positions[lastAtOrBelow(this.offsets, offset)];
  }

  /** @returns where to begin to look for the last entry at or before `time`, in microseconds */
  positionOfTime(time: number): number | undefined {
    return this.positions[lastAtOrBelow(this.times, time)];
  }
}

/** Place of the last element that is at most `value` in an ascending column; -1 where there is none. */
function lastAtOrBelow(column: readonly number[], value: number): number {
  let low = -1;
  let high = column.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (column[middle]! <= value) low = middle;
    else high = middle - 1;
  }
  return low;
}
