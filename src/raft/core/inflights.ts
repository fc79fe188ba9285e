import { invariant } from './errors';

interface Inflight {
  readonly lastIndex: number;
  readonly bytes: number;
}

/** The sliding window of appends to one peer that are not answered yet, bounded by their number and their bytes. */
export class Inflights {
  private window: Inflight[] = [];
  /** How many at the front of `window` are answered; they are cut off now and then, not one by one. */
  private freed = 0;
  private pendingBytes = 0;

  constructor(
    private readonly maxMessages: number,
    private readonly maxBytes: number,
  ) {}

  get messages(): number {
    return this.window.length - this.freed;
  }

  get bytes(): number {
    return this.pendingBytes;
  }

  /** The bound of bytes is crossed by at most one message: otherwise a large entry could never be sent. */
  get full(): boolean {
    return this.messages >= this.maxMessages || this.pendingBytes >= this.maxBytes;
  }

  add(lastIndex: number, bytes: number): void {
    invariant(!this.full, () => `An append up to index ${lastIndex} was added to a window of appends that is full.`);
    this.window.push({ lastIndex, bytes });
    this.pendingBytes += bytes;
  }

  /** An answer for `index` answers every append that ends at or before it, whatever became of their own answers. */
  freeUpTo(index: number): void {
    let oldest = this.window[this.freed];
    while (oldest !== undefined && oldest.lastIndex <= index) {
      this.pendingBytes -= oldest.bytes;
      this.freed += 1;
      oldest = this.window[this.freed];
    }
    if (this.freed === this.window.length || this.freed > this.maxMessages) {
      this.window.splice(0, this.freed);
      this.freed = 0;
    }
  }

  reset(): void {
    this.window = [];
    this.freed = 0;
    this.pendingBytes = 0;
  }
}
