/** From header to header through the bytes of a segment, in search of one batch. */

import { BATCH_HEADER_BYTES, BATCH_MAGIC, type BatchHeader, readHeader } from './batch';
import { FLUSH_MARK_BYTES, nextMarkPosition, readFlushMark } from './flush-mark';

export interface FoundBatch {
  readonly header: BatchHeader;
  /** Where it begins in the file, in bytes. */
  readonly position: number;
}

/** What is looked at ends here; the search goes on with bytes from `position` on. */
export interface WalkPaused {
  readonly position: number;
}

/** Neither a batch nor a flush mark is at `position`, although one was written there. */
export class BrokenWalkError extends Error {
  override readonly name = 'BrokenWalkError';

  constructor(readonly position: number) {
    super(`Neither a batch nor a flush mark is found at byte ${position}.`);
  }
}

/**
 * @param bytes from `start` on in the file, where a batch or a mark begins or a flush ends
 * @param test true of the batch that is sought and of all behind it
 * @throws BrokenWalkError, BatchFormatError
 */
export function walkToBatch(
  bytes: Buffer,
  start: number,
  segmentId: Buffer,
  test: (header: BatchHeader) => boolean,
): FoundBatch | WalkPaused {
  let at = 0;
  for (;;) {
    // A batch follows its predecessor, unless a flush ends between them; the padding there is zero.
    if (bytes.length - at < BATCH_HEADER_BYTES) return { position: start + at };
    if (bytes.readUInt32LE(at) === BATCH_MAGIC) {
      const header = readHeader(bytes, at);
      if (test(header)) return { header, position: start + at };
      at += header.length;
    } else {
      const markAt = nextMarkPosition(start + at) - start;
      if (bytes.length - markAt < FLUSH_MARK_BYTES) return { position: start + at };
      if (!readFlushMark(bytes, markAt, segmentId, start + markAt)) throw new BrokenWalkError(start + markAt);
      at = markAt + FLUSH_MARK_BYTES;
    }
  }
}
