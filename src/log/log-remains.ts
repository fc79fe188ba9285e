/** What the folder of a damaged log still shows of how far the log went, good or not. */

import { join } from 'node:path';
import { BATCH_HEADER_BYTES, BATCH_MAGIC, BatchFormatError, readHeader, verifyBatch } from './batch';
import type { FileSystem, RandomAccessFile } from './files';
import { FLUSH_MARK_BYTES, FLUSH_MARK_MAGIC, isAllZero, readFlushMark, SEGMENT_ID_BYTES } from './flush-mark';
import { rememberedLoss } from './lost-entries';
import { firstIndexOf, SEGMENT_HEADER_BYTES } from './segment-header';
import { SegmentWindow } from './segment-window';

const STEP_BYTES = 64 * 1024;
const ALIGNMENT = 8;
const MARK_ID_AT = 8;

/**
 * @returns an index that no entry of the log was above, as far as the files can tell: that of the last good batch or flush
 *   mark, and as many more as could have stood in what is behind it and cannot be read; 0 where there is nothing
 */
export async function highestIndexIn(files: FileSystem, directory: string): Promise<number> {
  const names = (await files.exists(directory)) ? await files.list(directory) : [];
  const segments = names.flatMap((name) => {
    const firstIndex = firstIndexOf(name);
    return firstIndex === undefined ? [] : [{ path: join(directory, name), firstIndex }];
  });
  const last = segments.sort((a, b) => a.firstIndex - b.firstIndex).at(-1);
  const remembered = rememberedLoss(names) ?? 0;
  if (!last) return remembered;
  const file = await files.open(last.path, 'read');
  try {
    // A segment begins only when all that is before it is durable.
    return Math.max(remembered, await new Remains(file, await file.size(), last.firstIndex - 1).highest());
  } finally {
    await file.close();
  }
}

class Remains {
  private readonly searched: SegmentWindow;
  private readonly candidates: SegmentWindow;
  /** Where the last good batch or mark ends. */
  private behind = SEGMENT_HEADER_BYTES;
  private dirtyEnd = 0;

  constructor(
    file: RandomAccessFile,
    private readonly size: number,
    private index: number,
  ) {
    this.searched = new SegmentWindow(file, size, false);
    this.candidates = new SegmentWindow(file, size, false, STEP_BYTES);
  }

  async highest(): Promise<number> {
    for (let start = 0; start < this.size; start += STEP_BYTES) {
      const bytes = await this.searched.upTo(start, STEP_BYTES);
      if (isAllZero(bytes, 0, bytes.length)) continue;
      this.dirtyEnd = start + lastNonZero(bytes);
      for (let at = 0; at + 4 <= bytes.length; at += ALIGNMENT) {
        if (start + at < this.behind) continue;
        const magic = bytes.readUInt32LE(at);
        if (magic === BATCH_MAGIC) await this.takeBatch(start + at);
        else if (magic === FLUSH_MARK_MAGIC) this.takeMark(bytes, at, start + at);
      }
    }
    const unreadable = Math.max(0, this.dirtyEnd - this.behind);
    return this.index + Math.ceil(unreadable / BATCH_HEADER_BYTES);
  }

  private async takeBatch(at: number): Promise<void> {
    try {
      const head = await this.candidates.view(at, BATCH_HEADER_BYTES);
      const bytes = head && (await this.candidates.view(at, readHeader(head).length));
      if (!bytes) return;
      const { index, length } = verifyBatch(bytes);
      this.index = Math.max(this.index, index);
      this.behind = at + length;
    } catch (error) {
      if (!(error instanceof BatchFormatError)) throw error;
    }
  }

  /** Marks tell how many entries follow, also where those cannot be read. Their own id is taken for the segment's. */
  private takeMark(bytes: Buffer, at: number, position: number): void {
    const id = bytes.subarray(at + MARK_ID_AT, at + MARK_ID_AT + SEGMENT_ID_BYTES);
    const mark = bytes.length - at < FLUSH_MARK_BYTES ? undefined : readFlushMark(bytes, at, id, position);
    if (!mark) return;
    this.index = Math.max(this.index, mark.firstIndex + mark.batches - 1);
    this.behind = position + FLUSH_MARK_BYTES;
  }
}

/** @returns behind the last byte that is not zero */
function lastNonZero(bytes: Buffer): number {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end -= 1;
  return end;
}
