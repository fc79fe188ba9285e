import type { DiskReads } from './disk-reads';
import type { LogBoundary } from './log-store';
import { LogScrub } from './log-scrub';
import type { LogWriter } from './log-writer';
import type { NextSegment } from './next-segment';
import type { Segment } from './segment';
import type { SegmentFiles } from './segment-files';
import type { SegmentList } from './segment-list';

export interface LogUpkeepParts {
  readonly segments: SegmentList;
  readonly next: NextSegment;
  readonly files: SegmentFiles;
  readonly writer: LogWriter;
  readonly reads: DiskReads;
  /** Throws where the log is closed. */
  readonly end: () => LogBoundary;
  readonly durableIndex: () => number;
}

/** What a log needs now and then although nobody reads or writes it. */
export class LogUpkeep {
  constructor(private readonly parts: LogUpkeepParts) {}

  /**
   * Begins a new segment where the last one holds an entry from before `time`, in microseconds since the Unix epoch: it may
   * be long before anybody writes again, and the last segment is never dropped.
   */
  async rollBefore(time: number): Promise<void> {
    const { segments, next, files, writer, end } = this.parts;
    const before = end();
    if (!segments.last.holdsBefore(time)) return;
    const segment = next.forAge(before, segments.last);
    segments.push(segment);
    await writer.change(
      async () => writer.adopt(segment, await files.create(segment.file)),
      // What was appended before becomes durable all the same.
      Number.MAX_SAFE_INTEGER,
    );
  }

  /**
   * Verifies what is at rest, at the pace of its `tick`.
   * @param busy whether the disk has more urgent work now
   * @param onFailed is told of reads that fail for another reason than damage
   */
  scrub(busy: () => boolean, onFailed: (error: unknown) => void): LogScrub {
    return new LogScrub({ atRest: () => this.atRest(), reads: this.parts.reads, busy, onFailed });
  }

  private atRest(): Segment[] {
    const { segments, durableIndex } = this.parts;
    const durable = durableIndex();
    return segments
      .all()
      .slice(0, -1)
      .filter(({ lastIndex }) => lastIndex <= durable);
  }
}
