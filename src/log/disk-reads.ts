import { type FileSystem, isMissing } from './files';
import { LogRangeError } from './log-errors';
import { OpenFiles } from './open-files';
import type { Segment } from './segment';
import { SegmentReader } from './segment-reader';

const MAX_OPEN_FILES = 16;

/** One read gives no more than this, whatever was asked for. */
const MAX_READ_BYTES = 16 * 1024 * 1024;

/** A read under way: what was dropped from the log since it began. */
interface Ticket {
  /** Entries beyond it were truncated. */
  lastIndex: number;
  /** Entries before it were dropped under a snapshot. */
  firstIndex: number;
}

/** Reads from segment files while others truncate them: what comes back was in the log when the read began, or an error does. */
export class DiskReads {
  private readonly opened: OpenFiles;
  private readonly tickets = new Set<Ticket>();

  constructor(files: FileSystem) {
    this.opened = new OpenFiles(files, MAX_OPEN_FILES);
  }

  /** @throws LogRangeError, LogDamageError */
  read(segment: Segment, from: number, upTo: number, maxBytes: number): Promise<Buffer[]> {
    const wanted = Math.min(maxBytes, MAX_READ_BYTES);
    return this.guarded(from, async (ticket) => {
      for (;;) {
        const last = Math.min(upTo, ticket.lastIndex);
        try {
          const batches = await this.opened.use(segment, (file) =>
            new SegmentReader(segment, file, wanted).read(from, last, wanted),
          );
          return batches.slice(0, Math.max(0, ticket.lastIndex - from + 1));
        } catch (error) {
          // The end of what was asked for was truncated meanwhile; the beginning is still there.
          if (ticket.lastIndex < from || ticket.lastIndex >= last) throw error;
        }
      }
    });
  }

  /** @throws LogRangeError, LogDamageError */
  async find(segment: Segment, look: (reader: SegmentReader) => Promise<number>): Promise<number> {
    return this.guarded(segment.firstIndex, async (ticket) => {
      const index = await this.opened.use(segment, (file) => look(new SegmentReader(segment, file, 0)));
      if (index > ticket.lastIndex) throw truncated(index);
      return index;
    });
  }

  /** @returns where the batch ends in the segment's file, in bytes */
  endOf(segment: Segment, index: number): Promise<number> {
    return this.opened.use(segment, (file) => new SegmentReader(segment, file, 0).endOf(index));
  }

  /** The log now ends with `lastIndex`, or did for a moment. */
  truncatedTo(lastIndex: number): void {
    for (const ticket of this.tickets) ticket.lastIndex = Math.min(ticket.lastIndex, lastIndex);
  }

  /** The log now begins with `firstIndex`. */
  compactedTo(firstIndex: number): void {
    for (const ticket of this.tickets) ticket.firstIndex = Math.max(ticket.firstIndex, firstIndex);
  }

  async drop(segments: readonly Segment[]): Promise<void> {
    for (const segment of segments) await this.opened.drop(segment);
  }

  close(): Promise<void> {
    return this.opened.dropAll();
  }

  private async guarded<T>(from: number, use: (ticket: Ticket) => Promise<T>): Promise<T> {
    const ticket: Ticket = { lastIndex: Number.MAX_SAFE_INTEGER, firstIndex: 0 };
    this.tickets.add(ticket);
    try {
      const result = await use(ticket);
      if (ticket.lastIndex < from) throw truncated(from);
      return result;
    } catch (error) {
      if (ticket.lastIndex < from) throw truncated(from, error);
      if (ticket.firstIndex > from) throw compacted(from, ticket.firstIndex, error);
      if (isMissing(error) && ticket.lastIndex < Number.MAX_SAFE_INTEGER) throw truncated(from, error);
      throw error;
    } finally {
      this.tickets.delete(ticket);
    }
  }
}

export function compacted(from: number, firstIndex: number, cause?: unknown): LogRangeError {
  return new LogRangeError('compacted', `Entry ${from} was dropped: the log begins with ${firstIndex}.`, { cause });
}

function truncated(from: number, cause?: unknown): LogRangeError {
  return new LogRangeError('truncated', `Entry ${from} was truncated while it was read.`, { cause });
}
