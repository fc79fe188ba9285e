import type { BatchHeader } from './batch';
import { FLUSH_MARK_BYTES, nextMarkPosition } from './flush-mark';
import type { LogBoundary } from './log-store';
import { SEGMENT_HEADER_BYTES, type SegmentHeader } from './segment-header';
import { SparseIndex } from './sparse-index';

export interface SegmentFile {
  readonly path: string;
  readonly header: SegmentHeader;
  /** Bytes of the file, all of them allocated: where the segment is full. */
  readonly capacity: number;
}

/**
 * One segment as the log knows it in memory. Which segment a batch goes to is decided when it is appended, long before it
 * is written, so room is set aside as if each batch were flushed alone; flushes of several batches then need a little less.
 */
export class Segment {
  readonly path: string;
  readonly header: SegmentHeader;
  readonly index = new SparseIndex();
  /** Index and end offset of the last batch appended to it. */
  lastIndex: number;
  nextOffset: number;
  lastTime: number;
  /** Where the next flush mark goes. */
  position = SEGMENT_HEADER_BYTES;
  /** Set aside behind `position` for what is appended and not written yet. */
  private reserved = 0;
  private firstTime: number | undefined;
  private closed = false;
  /** Whether a mark, or the header, is the last thing in the file: then everything before it is known to be durable. */
  marked = true;

  constructor(readonly file: SegmentFile) {
    this.path = file.path;
    this.header = file.header;
    this.lastIndex = this.before.index;
    this.nextOffset = this.before.nextOffset;
    this.lastTime = this.before.time;
  }

  get before(): LogBoundary {
    return this.header.before;
  }

  get firstIndex(): number {
    return this.before.index + 1;
  }

  /** Of the file, taken by what is written and by what is set aside for. */
  get usedBytes(): number {
    return this.position + this.reserved;
  }

  /** Whether it holds an entry from before `time`, in microseconds. */
  holdsBefore(time: number): boolean {
    return this.firstTime !== undefined && this.firstTime < time;
  }

  /** Whether it takes no more batches. */
  get isClosed(): boolean {
    return this.closed;
  }

  get isEmpty(): boolean {
    return this.lastIndex < this.firstIndex;
  }

  /** What a batch takes if it is flushed alone. */
  static roomFor(batchBytes: number): number {
    return FLUSH_MARK_BYTES + nextMarkPosition(batchBytes);
  }

  /** The smallest file that takes such a batch and the mark of a clean stop. */
  static smallestFor(batchBytes: number): number {
    return SEGMENT_HEADER_BYTES + Segment.roomFor(batchBytes) + FLUSH_MARK_BYTES;
  }

  /** @param maxAge microseconds between the first batch of a segment and any other */
  takes(batch: BatchHeader, maxAge: number): boolean {
    if (this.closed) return false;
    if (this.firstTime !== undefined && batch.time - this.firstTime >= maxAge) return false;
    return this.usedBytes + Segment.roomFor(batch.length) + FLUSH_MARK_BYTES <= this.file.capacity;
  }

  get wantsMark(): boolean {
    return !this.marked && !this.closed && this.position + FLUSH_MARK_BYTES <= this.file.capacity;
  }

  /** Sets room aside for a batch that was appended. */
  reserve(batch: BatchHeader): void {
    this.reserved += Segment.roomFor(batch.length);
    this.hold(batch);
  }

  /** Takes note of a batch that the file holds. */
  hold(batch: BatchHeader): void {
    this.lastIndex = batch.index;
    this.nextOffset = batch.baseOffset + batch.count;
    this.lastTime = batch.time;
    this.firstTime ??= batch.time;
  }

  /** @param end behind the last byte of a flush of batches that had so much room set aside */
  written(end: number, room: number): void {
    this.position = nextMarkPosition(end);
    this.reserved -= room;
    this.marked = false;
  }

  /** Nothing more is written to it: its file ends, or will end, with its last batch. */
  close(): void {
    this.closed = true;
  }

  /** Takes the entries behind `end` out of sight; the file follows later, and the segment takes no more. */
  truncateSuffix(end: LogBoundary): void {
    this.lastIndex = end.index;
    this.nextOffset = end.nextOffset;
    this.lastTime = end.time;
    this.close();
  }

  /** The file now ends with the entry `lastIndex`, at `end`; what was written behind it since then is gone, too. */
  cutFile(lastIndex: number, end: number): void {
    this.index.truncateSuffix(lastIndex + 1);
    this.position = nextMarkPosition(end);
  }
}
