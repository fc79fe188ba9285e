/**
 * The newest batches, as the buffers that were appended, up to a bound of bytes. What is not written yet stays whatever the
 * bound, because nothing else holds it; how much that may be is bounded by whoever appends.
 */
export class TailCache {
  /** A queue: `batches[head]` is the oldest held; what is before it is gone and cut off now and then. */
  private batches: (Buffer | undefined)[] = [];
  private head = 0;
  private bytes = 0;

  /** @param firstIndex of the first batch that will be appended */
  constructor(
    private readonly maxBytes: number,
    private firstIndex: number,
  ) {}

  /** Index of the oldest batch held; where none is held, of the next one appended. */
  get oldestIndex(): number {
    return this.firstIndex;
  }

  get heldBytes(): number {
    return this.bytes;
  }

  /** @param writtenTo entries up to here are on the disk, so that they may be let go */
  append(batch: Buffer, writtenTo: number): void {
    this.batches.push(batch);
    this.bytes += batch.length;
    this.shrink(writtenTo);
  }

  /** Lets go of the oldest batches that are written, down to the bound. */
  shrink(writtenTo: number): void {
    while (this.bytes > this.maxBytes && this.firstIndex <= writtenTo && this.head < this.batches.length)
      this.dropOldest();
  }

  /** Without this, entries in memory would outlive their truncation on the disk. */
  truncateSuffix(from: number): void {
    if (from <= this.firstIndex) {
      this.restart(from);
      return;
    }
    const keep = this.head + (from - this.firstIndex);
    for (let i = keep; i < this.batches.length; i++) this.bytes -= this.batches[i]!.length;
    this.batches.length = Math.min(this.batches.length, keep);
  }

  truncatePrefix(firstIndex: number): void {
    while (this.firstIndex < firstIndex && this.head < this.batches.length) this.dropOldest();
    if (this.firstIndex < firstIndex) this.restart(firstIndex);
  }

  restart(firstIndex: number): void {
    this.batches = [];
    this.head = 0;
    this.bytes = 0;
    this.firstIndex = firstIndex;
  }

  /** @returns undefined where the batch is not held */
  get(index: number): Buffer | undefined {
    return index < this.firstIndex ? undefined : this.batches[this.head + (index - this.firstIndex)];
  }

  /** At least the batch at `from`, then while they take no more than `maxBytes`; undefined where it is not held. */
  range(from: number, maxBytes: number): Buffer[] | undefined {
    const first = this.get(from);
    if (!first) return undefined;
    const found = [first];
    let bytes = first.length;
    for (let index = from + 1; ; index++) {
      const next = this.get(index);
      if (!next || bytes + next.length > maxBytes) return found;
      bytes += next.length;
      found.push(next);
    }
  }

  /**
   * Binary search.
   * @param test false of some oldest batches, true of all others
   * @returns index of the first held batch of which it is true; of the next one appended where there is none
   */
  firstWhere(test: (batch: Buffer) => boolean): number {
    let low = this.head;
    let high = this.batches.length;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if (test(this.batches[middle]!)) high = middle;
      else low = middle + 1;
    }
    return this.firstIndex + (low - this.head);
  }

  private dropOldest(): void {
    this.bytes -= this.batches[this.head]!.length;
    this.batches[this.head] = undefined;
    this.head += 1;
    this.firstIndex += 1;
    // Half the array at a time, so that dropping stays constant time per batch.
    if (this.head > 1024 && this.head * 2 > this.batches.length) {
      this.batches = this.batches.slice(this.head);
      this.head = 0;
    }
  }
}
