/** Finds and reads batches in one segment file: through the sparse index, then from header to header. */

import { BatchFormatError, type BatchHeader, checkBatch, MAX_PAYLOAD_BYTES } from './batch';
import { BrokenWalkError, type FoundBatch, walkToBatch } from './batch-walk';
import { endAfter } from './continuity';
import type { FileSystem, RandomAccessFile } from './files';
import { LogDamageError } from './log-errors';
import type { LogBoundary } from './log-store';
import type { Segment } from './segment';
import { SEGMENT_HEADER_BYTES } from './segment-header';
import { SegmentWindow } from './segment-window';

/** The way from an entry of the sparse index to a batch before the next one, headers and a mark included. */
const APPROACH_BYTES = 65 * 1024;

export class SegmentReader {
  private readonly window: SegmentWindow;

  /** @param expectedBytes how much will be read, about */
  constructor(
    private readonly segment: Segment,
    file: RandomAccessFile,
    expectedBytes: number,
  ) {
    const step = Math.min(MAX_PAYLOAD_BYTES, expectedBytes) + APPROACH_BYTES;
    this.window = new SegmentWindow(file, segment.position, true, step);
  }

  /**
   * At least the batch at `from`, then while they take no more than `maxBytes`; none beyond `upTo`.
   * @returns views of memory that nothing else uses
   * @throws LogDamageError where the file does not hold what the log knows was written
   */
  async read(from: number, upTo: number, maxBytes: number): Promise<Buffer[]> {
    const batches: Buffer[] = [];
    let bytes = 0;
    let at = this.segment.index.positionOfIndex(from) ?? SEGMENT_HEADER_BYTES;
    for (let index = from; index <= upTo; index++) {
      const { header, position } = await this.find(at, (h) => h.index >= index, index);
      bytes += header.length;
      if (batches.length > 0 && bytes > maxBytes) break;
      batches.push(await this.verified(position, header, index));
      at = position + header.length;
    }
    return batches;
  }

  /** @returns the batch that holds the record; the segment has to hold it */
  async atOffset(offset: number): Promise<BatchHeader> {
    const at = this.segment.index.positionOfOffset(offset) ?? SEGMENT_HEADER_BYTES;
    const { header } = await this.find(at, (h) => h.baseOffset + h.count > offset, this.segment.lastIndex);
    return header;
  }

  /** @returns the first batch up to `upTo` that is not before `time`, in microseconds; else the one at `upTo` */
  async atTime(time: number, upTo: number): Promise<BatchHeader> {
    const at = this.segment.index.positionOfTime(time - 1) ?? SEGMENT_HEADER_BYTES;
    const { header } = await this.find(at, (h) => h.time >= time || h.index >= upTo, upTo);
    return header;
  }

  /** @returns where the batch at `index` ends, in bytes */
  async endOf(index: number): Promise<number> {
    const at = this.segment.index.positionOfIndex(index) ?? SEGMENT_HEADER_BYTES;
    const { header, position } = await this.find(at, (h) => h.index >= index, index);
    return position + header.length;
  }

  /** The first batch at or behind `at` of which `test` is true; it has to be there. */
  private async find(at: number, test: (header: BatchHeader) => boolean, wanted: number): Promise<FoundBatch> {
    for (let position = at; ;) {
      const bytes = await this.window.upTo(position, APPROACH_BYTES);
      const found = named(this.segment, position, wanted, () =>
        walkToBatch(bytes, position, this.segment.header.id, test),
      );
      if ('header' in found) return found;
      if (found.position === position) throw damaged(this.segment, position, wanted, 'The segment ends too early.');
      position = found.position;
    }
  }

  private async verified(position: number, header: BatchHeader, wanted: number): Promise<Buffer> {
    if (header.index !== wanted) {
      const what = `Entry ${wanted} was written there, but entry ${header.index} is found.`;
      throw damaged(this.segment, position, wanted, what);
    }
    const batch = await this.window.view(position, header.length);
    if (!batch) throw damaged(this.segment, position, wanted, 'The file ends within a batch.');
    named(this.segment, position, wanted, () => checkBatch(batch));
    return batch;
  }
}

/**
 * The end of the log if `index` were its last entry. Synchronous, because a truncation has to be visible at once; one read
 * of {@link APPROACH_BYTES}, and only where the entry is not in memory any more.
 */
export function readBoundarySync(files: FileSystem, segment: Segment, index: number): LogBoundary {
  const start = segment.index.positionOfIndex(index) ?? SEGMENT_HEADER_BYTES;
  const buffer = Buffer.alloc(APPROACH_BYTES);
  const bytes = buffer.subarray(0, files.readSync(segment.path, buffer, start));
  const found = named(segment, start, index, () =>
    walkToBatch(bytes, start, segment.header.id, (h) => h.index >= index),
  );
  if ('header' in found && found.header.index === index) return endAfter(found.header);
  throw damaged(segment, start, index, 'Its header is not found where it was written.');
}

/** Gives the faults of the bytes the name of the file and the entry. */
function named<T>(segment: Segment, position: number, wanted: number, look: () => T): T {
  try {
    return look();
  } catch (error) {
    if (error instanceof BrokenWalkError) throw damaged(segment, error.position, wanted, error.message);
    if (error instanceof BatchFormatError) throw damaged(segment, position, wanted, error.message);
    throw error;
  }
}

function damaged(segment: Segment, position: number, wanted: number, what: string): LogDamageError {
  return new LogDamageError({ file: segment.path, position, fromIndex: wanted, toIndex: wanted }, what);
}
