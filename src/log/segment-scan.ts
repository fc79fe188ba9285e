/** Reads a segment from its header on and verifies everything, up to the first thing that is not as it has to be. */

import {
  BATCH_HEADER_BYTES,
  BatchFormatError,
  type BatchHeader,
  checkBatch,
  hasValidCrc,
  MAX_BATCH_BYTES,
  readHeader,
  statedLength,
  verifyBatch,
} from './batch';
import { breakOfContinuity, endAfter } from './continuity';
import type { RandomAccessFile } from './files';
import { FLUSH_MARK_BYTES, type FlushMark, nextMarkPosition, readFlushMark } from './flush-mark';
import { LogVersionError } from './log-errors';
import type { LogBoundary } from './log-store';
import { SEGMENT_HEADER_BYTES, type SegmentHeader } from './segment-header';
import { SegmentWindow } from './segment-window';

export interface ScanOptions {
  readonly file: Pick<RandomAccessFile, 'path' | 'read'>;
  readonly size: number;
  readonly header: SegmentHeader;
  /** Recomputes every SHA-256; else the chain is followed through the headers, whose CRCs are verified. */
  readonly hashes: boolean;
  readonly onBatch: (header: BatchHeader, position: number) => void;
}

export interface Scan {
  /** The last good batch, or what is before the segment. */
  readonly end: LogBoundary;
  /** Behind the last good batch or mark, in bytes. */
  readonly endPosition: number;
  /** Of the last good flush mark, its own batches good or not; undefined where there is none. */
  readonly lastMark: FlushMark | undefined;
  /** Why the scan ended before the last batch of `lastMark`; undefined where it ended between two flushes. */
  readonly fault: string | undefined;
}

export async function scanSegment(options: ScanOptions): Promise<Scan> {
  return new Scanner(options).run();
}

class Scanner {
  private readonly window: SegmentWindow;
  private end: LogBoundary;
  private position = SEGMENT_HEADER_BYTES;

  constructor(private readonly options: ScanOptions) {
    this.window = new SegmentWindow(options.file, options.size, false);
    this.end = options.header.before;
  }

  async run(): Promise<Scan> {
    let lastMark: FlushMark | undefined;
    let fault: string | undefined;
    for (;;) {
      const mark = await this.markAt(nextMarkPosition(this.position));
      if (!mark) break;
      lastMark = mark;
      fault = await this.flush(mark);
      if (fault !== undefined) break;
    }
    return { end: this.end, endPosition: this.position, lastMark, fault };
  }

  private async markAt(position: number): Promise<FlushMark | undefined> {
    const bytes = await this.window.view(position, FLUSH_MARK_BYTES);
    return bytes && readFlushMark(bytes, 0, this.options.header.id, position);
  }

  /** @returns what is wrong with it */
  private async flush(mark: FlushMark): Promise<string | undefined> {
    this.position = mark.position + FLUSH_MARK_BYTES;
    if (mark.firstIndex !== this.end.index + 1) {
      return `A flush mark announces entry ${mark.firstIndex}, but ${this.end.index + 1} is next.`;
    }
    const end = this.position + mark.bytes;
    while (this.position < end) {
      const fault = await this.batch(end);
      if (fault !== undefined) return fault;
    }
    return undefined;
  }

  private async batch(flushEnd: number): Promise<string | undefined> {
    const head = await this.window.view(this.position, BATCH_HEADER_BYTES);
    if (!head) return 'The file ends within the header of a batch.';
    try {
      const { length } = readHeader(head);
      if (this.position + length > flushEnd) return 'A batch is longer than the flush that holds it.';
      const bytes = await this.window.view(this.position, length);
      if (!bytes) return 'The file ends within a batch.';
      const header = this.options.hashes ? verifyBatch(bytes) : checkBatch(bytes);
      const fault = breakOfContinuity(this.end, header, this.options.header.group);
      if (fault) return `Batch ${header.index} does not continue the log: ${fault}.`;
      this.options.onBatch(header, this.position);
      this.end = endAfter(header);
      this.position += length;
      return undefined;
    } catch (error) {
      if (!(error instanceof BatchFormatError)) throw error;
      if (error.reason === 'unsupported') await this.refuseNewer(error);
      return error.message;
    }
  }

  /** A batch that is whole but unknown was written by a newer program: it must be neither cut nor skipped. */
  private async refuseNewer(cause: BatchFormatError): Promise<void> {
    const head = await this.window.view(this.position, BATCH_HEADER_BYTES);
    const length = head ? statedLength(head, 0) : 0;
    if (length < BATCH_HEADER_BYTES || length > MAX_BATCH_BYTES) return;
    const bytes = await this.window.view(this.position, length);
    if (!bytes || !hasValidCrc(bytes, 0, length)) return;
    throw new LogVersionError(
      `${this.options.file.path} holds a batch at byte ${this.position} that this program cannot read: ${cause.message}` +
        ' Start the newer program again.',
      { cause },
    );
  }
}
