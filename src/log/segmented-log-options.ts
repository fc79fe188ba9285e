import type { LogBoundary } from './log-store';
import type { RoomOnDisk } from './disk-space';
import type { FileSystem } from './files';
import type { LogFailedError } from './log-errors';
import type { Segment } from './segment';

export interface SegmentedLogOptions {
  /** Made if it is missing. Nothing else may be kept in it. */
  readonly dir: string;
  readonly files: FileSystem;
  readonly group: number;
  /** Segments double up to this size. */
  readonly segmentBytes?: number;
  readonly firstSegmentBytes?: number;
  /** Bound of the newest batches kept in memory; what is not written yet is kept beyond it. */
  readonly cacheBytes?: number;
  /** A segment takes no batch that is so much later than its first, in microseconds; see also `rollBefore`. */
  readonly segmentAge?: number;
  /** In how many of the newest segments opening recomputes every SHA-256; in the others it verifies CRCs and the chain. */
  readonly hashedSegments?: number;
  /** Where a new segment waits while the disk is full; without it, a full disk ends the process as any failed write does. */
  readonly space?: RoomOnDisk | undefined;
  /** A write or fsync failed: the process has to end. */
  readonly onFatal: (error: LogFailedError) => void;
}

export interface SegmentView {
  readonly path: string;
  readonly firstIndex: number;
  readonly lastIndex: number;
  /** What its first entry continues. */
  readonly before: LogBoundary;
  readonly firstOffset: number;
  /** Of its last batch, microseconds since the Unix epoch. */
  readonly lastTime: number;
  readonly bytes: number;
}

export function viewOf({ path, firstIndex, lastIndex, before, lastTime, file }: Segment): SegmentView {
  return { path, firstIndex, lastIndex, before, firstOffset: before.nextOffset, lastTime, bytes: file.capacity };
}

const MIB = 1024 * 1024;
/** Room for a header and a batch; segments of real use are a thousand times larger. */
const SMALLEST_BYTES = 1024;

const DEFAULTS = {
  segmentBytes: 64 * MIB,
  cacheBytes: 64 * MIB,
  segmentAge: Infinity,
  hashedSegments: 2,
};

export type CompleteLogOptions = Required<SegmentedLogOptions>;

/** @throws RangeError where an option makes no sense */
export function withDefaults(given: SegmentedLogOptions): CompleteLogOptions {
  const segmentBytes = given.segmentBytes ?? DEFAULTS.segmentBytes;
  const options = { ...DEFAULTS, firstSegmentBytes: Math.min(MIB, segmentBytes), space: undefined, ...given };
  const { firstSegmentBytes, cacheBytes, segmentAge } = options;
  if (!(firstSegmentBytes >= SMALLEST_BYTES && segmentBytes >= firstSegmentBytes)) {
    throw new RangeError(
      `The first segment has ${firstSegmentBytes} bytes and the others up to ${segmentBytes}:` +
        ` at least ${SMALLEST_BYTES} are needed, and the first may not be the largest.`,
    );
  }
  if (!(cacheBytes >= 0 && segmentAge > 0)) {
    throw new RangeError(`A cache of ${cacheBytes} bytes and segments of ${segmentAge} µs are not possible.`);
  }
  return options;
}
