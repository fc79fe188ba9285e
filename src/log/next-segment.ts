import type { BatchHeader } from './batch';
import type { LogBoundary } from './log-store';
import { Segment } from './segment';
import type { SegmentFiles } from './segment-files';

export interface SegmentSizes {
  readonly firstSegmentBytes: number;
  readonly segmentBytes: number;
}

/** Which segment follows another, and how large it is. */
export class NextSegment {
  constructor(
    private readonly files: SegmentFiles,
    private readonly sizes: SegmentSizes,
  ) {}

  /** What will probably follow the segment: segments double up to their bound. */
  capacityAfter({ file }: Segment): number {
    const { firstSegmentBytes, segmentBytes } = this.sizes;
    return Math.min(segmentBytes, Math.max(firstSegmentBytes, 2 * file.capacity));
  }

  /** The one for a batch that the last does not take. */
  forBatch(end: LogBoundary, last: Segment, batch: BatchHeader): Segment {
    const capacity = last.isClosed ? this.capacityAfter(last) : this.fitting(last);
    return new Segment(this.files.plan(end, Math.max(capacity, Segment.smallestFor(batch.length))));
  }

  /** The one that begins because of the last one's age, before there is a batch for it. */
  forAge(end: LogBoundary, last: Segment): Segment {
    return new Segment(this.files.plan(end, this.fitting(last)));
  }

  /** The only one of a log that begins anew. */
  first(before: LogBoundary): Segment {
    return new Segment(this.files.plan(before, this.sizes.firstSegmentBytes));
  }

  /** A segment that was left half empty because of its age is followed by one that would have been filled. */
  private fitting(last: Segment): number {
    const { firstSegmentBytes } = this.sizes;
    const used = last.usedBytes;
    if (2 * used >= last.file.capacity) return this.capacityAfter(last);
    return Math.max(firstSegmentBytes, Math.min(this.capacityAfter(last), 2 * used));
  }
}
