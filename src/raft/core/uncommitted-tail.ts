/**
 * The payload bytes that a leader has taken and not committed yet, so that a leader cut off from its majority refuses
 * instead of growing without bound.
 */
export class UncommittedTail {
  /** Sizes of the entries after `base`, in order of their indexes. */
  private sizes: number[] = [];
  private released = 0;
  private base = 0;
  private total = 0;

  constructor(private readonly maxBytes: number) {}

  get bytes(): number {
    return this.total;
  }

  /** A single proposal larger than the bound passes when nothing else waits, or it could never be made. */
  hasRoomFor(bytes: number): boolean {
    return this.total === 0 || this.total + bytes <= this.maxBytes;
  }

  /** The entries of this leadership begin after `index`. */
  reset(index: number): void {
    this.sizes = [];
    this.released = 0;
    this.base = index;
    this.total = 0;
  }

  /** The next entry, whatever its kind: what is no proposal has no bytes. */
  add(bytes: number): void {
    this.sizes.push(bytes);
    this.total += bytes;
  }

  committedTo(index: number): void {
    const upTo = Math.min(index - this.base, this.sizes.length);
    while (this.released < upTo) {
      this.total -= this.sizes[this.released] ?? 0;
      this.released += 1;
    }
    if (this.released > 0 && (this.released === this.sizes.length || this.released >= 1024)) {
      this.sizes.splice(0, this.released);
      this.base += this.released;
      this.released = 0;
    }
  }
}
