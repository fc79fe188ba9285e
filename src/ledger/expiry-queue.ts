import { HoldStatus, type HoldTable } from './hold-table';

/** Below this many entries it is not worth clearing away those whose hold is gone. */
const FIRST_CLEARING = 1024;

/**
 * The holds that expire, in the order of expiry and then of creation: a binary heap of hold numbers. A hold that was posted
 * or voided stays in it until it comes to the top, or until as many were added as were there at the last clearing; so it
 * has at most about twice as many entries as there are holds that may expire. Made anew from the table of holds.
 */
export class ExpiryQueue {
  private heap: number[] = [];
  private clearAt = FIRST_CLEARING;

  constructor(private readonly holds: HoldTable) {}

  push(hold: number): void {
    if (this.heap.length >= this.clearAt) this.clear();
    const { heap } = this;
    let at = heap.length;
    heap.push(hold);
    while (at > 0) {
      const parent = (at - 1) >>> 1;
      if (!this.isBefore(hold, heap[parent] as number)) break;
      heap[at] = heap[parent] as number;
      at = parent;
    }
    heap[at] = hold;
  }

  /** The hold that expires first, or 0. */
  first(): number {
    while (this.heap.length > 0) {
      const hold = this.heap[0] as number;
      if (this.holds.status(hold) === HoldStatus.PENDING) return hold;
      this.dropFirst();
    }
    return 0;
  }

  /** How many have expired at `time`, counted up to `limit`. */
  due(time: number, limit: number): number {
    let count = 0;
    const open = [0];
    for (let at = open.pop(); at !== undefined && count < limit; at = open.pop()) {
      const hold = this.heap[at];
      // What is below an entry of a heap is not before it.
      if (hold === undefined || this.holds.expiresAt(hold) > time) continue;
      if (this.holds.status(hold) === HoldStatus.PENDING) count++;
      open.push(2 * at + 2, 2 * at + 1);
    }
    return count;
  }

  /** Makes it anew, from a table that was restored. */
  fill(): void {
    this.heap = [];
    for (let hold = 1; hold <= this.holds.count; hold++) {
      if (this.holds.expiresAt(hold) !== 0 && this.holds.status(hold) === HoldStatus.PENDING) this.heap.push(hold);
    }
    this.order();
  }

  private clear(): void {
    this.heap = this.heap.filter((hold) => this.holds.status(hold) === HoldStatus.PENDING);
    this.order();
  }

  private order(): void {
    // A sorted list is a heap.
    this.heap.sort((a, b) => (this.isBefore(a, b) ? -1 : 1));
    this.clearAt = Math.max(FIRST_CLEARING, 2 * this.heap.length);
  }

  private dropFirst(): void {
    const { heap } = this;
    const last = heap.pop() as number;
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && this.isBefore(heap[child + 1] as number, heap[child] as number)) child++;
      if (!this.isBefore(heap[child] as number, last)) break;
      heap[at] = heap[child] as number;
      at = child;
    }
    heap[at] = last;
  }

  private isBefore(a: number, b: number): boolean {
    const difference = this.holds.expiresAt(a) - this.holds.expiresAt(b);
    return difference < 0 || (difference === 0 && a < b);
  }
}
