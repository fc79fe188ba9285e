import { readHeader } from './batch';
import { endAfter } from './continuity';
import type { DiskReads } from './disk-reads';
import type { FileSystem } from './files';
import type { EntryAtTime, LogBoundary } from './log-store';
import { readBoundarySync } from './segment-reader';
import type { SegmentList } from './segment-list';
import type { TailCache } from './tail-cache';

/** Finds entries by what is in them: among those in memory, else in the segments. */
export class LogSearch {
  constructor(
    private readonly files: FileSystem,
    private readonly segments: SegmentList,
    private readonly cache: TailCache,
    private readonly reads: DiskReads,
  ) {}

  /** The end of the log if `index` were its last entry. At once, because a truncation has to be visible at once. */
  boundaryAt(index: number): LogBoundary {
    const { before } = this.segments.first;
    if (index === before.index) return before;
    const held = this.cache.get(index);
    return held ? endAfter(readHeader(held)) : readBoundarySync(this.files, this.segments.ofIndex(index)!, index);
  }

  /** @param offset of a record that the log holds. @returns index of the entry that holds it */
  async indexOfOffset(offset: number): Promise<number> {
    const oldest = this.cache.get(this.cache.oldestIndex);
    if (oldest && readHeader(oldest).baseOffset <= offset) {
      return this.cache.firstWhere((batch) => {
        const { baseOffset, count } = readHeader(batch);
        return baseOffset + count > offset;
      });
    }
    const { index } = await this.reads.find(this.segments.ofOffset(offset)!, (reader) => reader.atOffset(offset));
    return index;
  }

  /** @param time at or before that of the last entry */
  async entryAtTime(time: number): Promise<EntryAtTime> {
    const { oldestIndex } = this.cache;
    const oldest = this.cache.get(oldestIndex);
    if (oldest && readHeader(oldest).time < time) {
      return this.cachedEntry(this.cache.firstWhere((batch) => readHeader(batch).time >= time));
    }
    const segment = this.segments.ofTime(time);
    const upTo = Math.min(segment.lastIndex, oldestIndex - 1);
    // Where nothing that is only on the disk is in question, the oldest entry in memory is the first.
    if (upTo < segment.firstIndex) return this.cachedEntry(oldestIndex);
    const found = await this.reads.find(segment, (reader) => reader.atTime(time, upTo));
    if (found.time >= time) return { index: found.index, offset: found.baseOffset };
    return { index: upTo + 1, offset: found.baseOffset + found.count };
  }

  private cachedEntry(index: number): EntryAtTime {
    return { index, offset: readHeader(this.cache.get(index)!).baseOffset };
  }
}
