import { readHeader } from './batch';
import type { DiskReads } from './disk-reads';
import type { SegmentList } from './segment-list';
import type { TailCache } from './tail-cache';

/** Finds entries by what is in them: among those in memory, else in the segments. */
export class LogSearch {
  constructor(
    private readonly segments: SegmentList,
    private readonly cache: TailCache,
    private readonly reads: DiskReads,
  ) {}

  /** @param offset of a record that the log holds. @returns index of the entry that holds it */
  async indexOfOffset(offset: number): Promise<number> {
    const oldest = this.cache.get(this.cache.oldestIndex);
    if (oldest && readHeader(oldest).baseOffset <= offset) {
      return this.cache.firstWhere((batch) => {
        const { baseOffset, count } = readHeader(batch);
        return baseOffset + count > offset;
      });
    }
    return this.reads.find(this.segments.ofOffset(offset)!, (reader) => reader.indexOfOffset(offset));
  }

  /** @param time at or before that of the last entry. @returns index of the first entry at or after it */
  async indexOfTime(time: number): Promise<number> {
    const { oldestIndex } = this.cache;
    const oldest = this.cache.get(oldestIndex);
    if (oldest && readHeader(oldest).time < time) {
      return this.cache.firstWhere((batch) => readHeader(batch).time >= time);
    }
    const segment = this.segments.ofTime(time);
    const upTo = Math.min(segment.lastIndex, oldestIndex - 1);
    // Where nothing that is only on the disk is in question, the oldest entry in memory is the first.
    if (upTo < segment.firstIndex) return oldestIndex;
    return this.reads.find(segment, (reader) => reader.indexOfTime(time, upTo));
  }
}
