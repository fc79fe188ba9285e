import type { BatchHeader } from './batch';
import { type FileSystem, FileSystemError, isMissing, type RandomAccessFile } from './files';
import { LogDamageError, LogRangeError } from './log-errors';
import { OpenFiles } from './open-files';
import type { Segment } from './segment';
import { SEGMENT_HEADER_BYTES } from './segment-header';
import { SegmentReader } from './segment-reader';
import { type Scan, scanSegment } from './segment-scan';

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

  /** @param onDamage is told of what is found damaged, beside whoever reads */
  constructor(
    files: FileSystem,
    private readonly onDamage: (error: LogDamageError) => void = () => undefined,
  ) {
    this.opened = new OpenFiles(files, MAX_OPEN_FILES);
  }

  /** @throws LogRangeError, LogDamageError */
  read(segment: Segment, from: number, upTo: number, maxBytes: number): Promise<Buffer[]> {
    const wanted = Math.min(maxBytes, MAX_READ_BYTES);
    return this.guarded(segment, from, async (ticket) => {
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
  async find<T extends Pick<BatchHeader, 'index'>>(
    segment: Segment,
    look: (reader: SegmentReader) => Promise<T>,
  ): Promise<T> {
    return this.guarded(segment, segment.firstIndex, async (ticket) => {
      const found = await this.opened.use(segment, (file) => look(new SegmentReader(segment, file, 0)));
      if (found.index > ticket.lastIndex) throw truncated(found.index);
      return found;
    });
  }

  /**
   * Verifies every mark, every checksum and the chain of a segment that is not written to any more.
   * @param turn is waited for before each step of at most 1 MiB, or the length of a larger batch
   * @throws LogDamageError where it does not hold what was written; nothing where the segment was dropped meanwhile
   */
  async verify(segment: Segment, turn: () => Promise<void>): Promise<void> {
    const { lastIndex, firstIndex } = segment;
    try {
      await this.guarded(segment, firstIndex, async (ticket) => {
        const scan = await this.opened.use(segment, (file) => scanInTurns(segment, file, turn));
        const { index } = scan.end;
        if (index >= Math.min(lastIndex, ticket.lastIndex)) return;
        throw new LogDamageError(
          { file: segment.path, position: scan.endPosition, fromIndex: index + 1, toIndex: lastIndex },
          scan.fault ?? `The segment ends with entry ${index}, but ${lastIndex} was written.`,
        );
      });
    } catch (error) {
      if (!(error instanceof LogRangeError)) throw error;
    }
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

  private async guarded<T>(segment: Segment, from: number, use: (ticket: Ticket) => Promise<T>): Promise<T> {
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
      const damage = asDamage(error, segment, from);
      if (damage instanceof LogDamageError) this.onDamage(damage);
      throw damage;
    } finally {
      this.tickets.delete(ticket);
    }
  }
}

/** A sector that the disk cannot read any more has lost what it held, as one that reads wrong has. */
function asDamage(error: unknown, segment: Segment, from: number): unknown {
  if (!(error instanceof FileSystemError) || error.code !== 'EIO' || error.operation !== 'read') return error;
  const position = segment.index.positionOfIndex(from) ?? SEGMENT_HEADER_BYTES;
  return new LogDamageError({ file: segment.path, position, fromIndex: from, toIndex: from }, error.message);
}

async function scanInTurns(segment: Segment, file: RandomAccessFile, turn: () => Promise<void>): Promise<Scan> {
  const read = async (into: Buffer, position: number): Promise<number> => {
    await turn();
    return file.read(into, position);
  };
  return scanSegment({
    file: { path: file.path, read },
    size: segment.file.capacity,
    header: segment.header,
    hashes: false,
    onBatch: () => undefined,
  });
}

export function compacted(from: number, firstIndex: number, cause?: unknown): LogRangeError {
  return new LogRangeError('compacted', `Entry ${from} was dropped: the log begins with ${firstIndex}.`, { cause });
}

function truncated(from: number, cause?: unknown): LogRangeError {
  return new LogRangeError('truncated', `Entry ${from} was truncated while it was read.`, { cause });
}
