import type { Segment } from './segment';

/** The segments that the log consists of, oldest first; there is always one. They may be in the making, or on their way out. */
export class SegmentList {
  private readonly segments: Segment[];

  constructor(segments: readonly Segment[]) {
    if (segments.length === 0) throw new Error('A log consists of at least one segment, but none was given.');
    this.segments = [...segments];
  }

  get first(): Segment {
    return this.segments[0]!;
  }

  get last(): Segment {
    return this.segments.at(-1)!;
  }

  get count(): number {
    return this.segments.length;
  }

  all(): readonly Segment[] {
    return this.segments;
  }

  has(segment: Segment): boolean {
    return this.segments[this.lastWhere((s) => s.firstIndex <= segment.firstIndex)] === segment;
  }

  /** An empty segment at the end gives way to the one that continues in its place. */
  push(segment: Segment): void {
    if (this.last.isEmpty) this.segments.pop();
    this.segments.push(segment);
  }

  /** The segment that holds the entry. */
  ofIndex(index: number): Segment | undefined {
    const segment = this.segments[this.lastWhere((s) => s.firstIndex <= index)];
    return segment && index <= segment.lastIndex ? segment : undefined;
  }

  /** The last segment that begins at or before the offset, also for the offset that the next record takes. */
  ofOffset(offset: number): Segment | undefined {
    return this.segments[this.lastWhere((s) => s.before.nextOffset <= offset)];
  }

  /** The last segment that begins before `time`, in microseconds; else the first. */
  ofTime(time: number): Segment {
    return this.segments[this.lastWhere((s) => s.before.time < time)] ?? this.first;
  }

  /** Takes out the segments that begin at or behind `from`, but never the first. @returns them, newest first */
  takeSuffix(from: number): Segment[] {
    const keep = Math.max(1, this.lastWhere((s) => s.firstIndex < from) + 1);
    return this.segments.splice(keep).reverse();
  }

  /** Takes out the segments that hold only entries up to `upTo`, but never the last. @returns them, oldest first */
  takePrefix(upTo: number): Segment[] {
    let drop = 0;
    while (drop < this.segments.length - 1 && this.segments[drop]!.lastIndex <= upTo) drop += 1;
    return this.segments.splice(0, drop);
  }

  /** @returns all that were there */
  replaceAll(segment: Segment): Segment[] {
    return this.segments.splice(0, this.segments.length, segment);
  }

  /** Place of the last segment of which `test`, true for a prefix of them, is true; -1 where there is none. */
  private lastWhere(test: (segment: Segment) => boolean): number {
    let low = -1;
    let high = this.segments.length - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (test(this.segments[middle]!)) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
