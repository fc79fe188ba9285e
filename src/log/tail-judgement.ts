/**
 * What to do with the bytes behind the last good batch of the last segment. Either power was lost while they were written
 * (they were never acknowledged: cut), or they were good once and rotted (never cut while anything good is behind them).
 * See flush-mark.ts for what tells these apart.
 */

import { BATCH_HEADER_BYTES, BATCH_MAGIC, BatchFormatError, type BatchHeader, readHeader, verifyBatch } from './batch';
import type { RandomAccessFile } from './files';
import {
  FLUSH_MARK_BYTES,
  FLUSH_MARK_MAGIC,
  type FlushMark,
  isAllZero,
  nextMarkPosition,
  readFlushMark,
  SECTOR_BYTES,
} from './flush-mark';
import type { Scan } from './segment-scan';
import type { SegmentHeader } from './segment-header';
import { SegmentWindow } from './segment-window';

export type TailJudgement =
  /** Nothing is behind the last batch. */
  | { readonly verdict: 'clean' }
  /**
   * What is behind `from`, up to `to`, goes. Where these bytes may have been acknowledged before they rotted,
   * `lostAcknowledged` is the highest index that may be lost.
   */
  | { readonly verdict: 'cut'; readonly from: number; readonly to: number; readonly lostAcknowledged?: number }
  /** Good entries are behind the damage, or a mark proves that it was durable. `toIndex` is inclusive. */
  | { readonly verdict: 'damaged'; readonly from: number; readonly toIndex: number };

const STEP_BYTES = 64 * 1024;
const BATCH_ALIGNMENT = 8;

export async function judgeTail(
  file: RandomAccessFile,
  size: number,
  segmentId: Buffer,
  scan: Scan,
): Promise<TailJudgement> {
  return new TailJudge(file, size, segmentId, scan).judge();
}

/**
 * A file that is shorter than its header says was not left so by a crash. What is missing was in it once, or was zeros.
 * @param size of the file
 */
export function shortened(judgement: TailJudgement, scan: Scan, size: number, header: SegmentHeader): TailJudgement {
  if (size >= header.fileBytes || judgement.verdict === 'damaged') return judgement;
  const from = scan.endPosition;
  const possible = scan.end.index + Math.ceil((header.fileBytes - from) / BATCH_HEADER_BYTES);
  const known = judgement.verdict === 'cut' ? (judgement.lostAcknowledged ?? 0) : 0;
  return { verdict: 'cut', from, to: Math.max(from, size), lostAcknowledged: Math.max(possible, known) };
}

class TailJudge {
  private readonly window: SegmentWindow;
  private readonly candidates: SegmentWindow;
  /** The first entry that is not good. */
  private readonly expected: number;

  constructor(
    file: RandomAccessFile,
    private readonly size: number,
    private readonly segmentId: Buffer,
    private readonly scan: Scan,
  ) {
    this.window = new SegmentWindow(file, size, false);
    this.candidates = new SegmentWindow(file, size, false, STEP_BYTES);
    this.expected = scan.end.index + 1;
  }

  async judge(): Promise<TailJudgement> {
    const { endPosition, lastMark, fault } = this.scan;
    const dirtyEnd = await this.lastNonZero(endPosition);
    if (dirtyEnd === endPosition && (fault === undefined || endPosition === this.size)) return { verdict: 'clean' };
    const laterMark = await this.findMark(nextMarkPosition(endPosition), dirtyEnd);
    if (laterMark) {
      const good = await this.findBatch(endPosition, laterMark.position);
      return this.damaged(good?.index ?? laterMark.firstIndex);
    }
    if (fault !== undefined && lastMark) return this.judgeFlush(lastMark, dirtyEnd);
    return this.judgeWithoutMark(nextMarkPosition(endPosition), dirtyEnd);
  }

  /** The last flush has its mark, but not all of its batches. */
  private async judgeFlush(mark: FlushMark, dirtyEnd: number): Promise<TailJudgement> {
    const start = mark.position + FLUSH_MARK_BYTES;
    const end = start + mark.bytes;
    const { endPosition } = this.scan;
    const neverWritten = end > this.size || (await this.isZero(endPosition, endPosition + BATCH_HEADER_BYTES));
    if (neverWritten || (await this.zeroSectors(start, end)) > mark.zeroSectors) return this.cut(dirtyEnd);
    const good = await this.findBatch(endPosition + BATCH_ALIGNMENT, end);
    if (good) return this.damaged(good.index);
    return this.cut(dirtyEnd, Math.max(this.expected, mark.firstIndex + mark.batches - 1));
  }

  /** Something is where the next flush mark would be, or behind it. */
  private async judgeWithoutMark(markAt: number, dirtyEnd: number): Promise<TailJudgement> {
    // A mark lies in one sector, so it is there or it is not: where it is not, its flush was never whole on the disk.
    if (await this.isZero(markAt, markAt + FLUSH_MARK_BYTES)) return this.cut(dirtyEnd);
    const good = await this.findBatch(markAt + FLUSH_MARK_BYTES, dirtyEnd);
    if (good) return this.damaged(good.index);
    const mark = await this.window.view(markAt, FLUSH_MARK_BYTES);
    const batch = await this.window.view(markAt + FLUSH_MARK_BYTES, BATCH_HEADER_BYTES);
    const wasFlush = mark?.readUInt32LE(0) === FLUSH_MARK_MAGIC || batch?.readUInt32LE(0) === BATCH_MAGIC;
    return this.cut(dirtyEnd, wasFlush ? this.expected : undefined);
  }

  private cut(to: number, lostAcknowledged?: number): TailJudgement {
    const cut = { verdict: 'cut', from: this.scan.endPosition, to: Math.max(to, this.scan.endPosition) } as const;
    return lostAcknowledged === undefined ? cut : { ...cut, lostAcknowledged };
  }

  /** @param goodIndex the first good entry behind the damage */
  private damaged(goodIndex: number): TailJudgement {
    return { verdict: 'damaged', from: this.scan.endPosition, toIndex: Math.max(this.expected, goodIndex - 1) };
  }

  /** @returns the end of the last byte from `from` on that is not zero; `from` where there is none */
  private async lastNonZero(from: number): Promise<number> {
    let last = from;
    for (let at = from; at < this.size; at += STEP_BYTES) {
      const bytes = await this.window.view(at, Math.min(STEP_BYTES, this.size - at));
      if (!bytes || isAllZero(bytes, 0, bytes.length)) continue;
      let end = bytes.length;
      while (bytes[end - 1] === 0) end -= 1;
      last = at + end;
    }
    return last;
  }

  private async isZero(from: number, to: number): Promise<boolean> {
    const bytes = await this.window.view(from, Math.max(0, Math.min(to, this.size) - from));
    return bytes === undefined || isAllZero(bytes, 0, bytes.length);
  }

  private async findMark(from: number, to: number): Promise<FlushMark | undefined> {
    for (let start = from; start < to; start += STEP_BYTES) {
      const bytes = await this.window.view(start, Math.min(STEP_BYTES, this.size - start));
      if (!bytes) return undefined;
      for (let at = 0; at < bytes.length; at += FLUSH_MARK_BYTES) {
        const mark = readFlushMark(bytes, at, this.segmentId, start + at);
        if (mark) return mark;
      }
    }
    return undefined;
  }

  /** The first batch between `from` and `to` that is good in itself and belongs behind what is missing. */
  private async findBatch(from: number, to: number): Promise<BatchHeader | undefined> {
    for (let start = from; start < to; start += STEP_BYTES) {
      const bytes = await this.window.view(start, Math.min(STEP_BYTES, this.size - start));
      if (!bytes) return undefined;
      for (let at = 0; at + 4 <= bytes.length; at += BATCH_ALIGNMENT) {
        if (bytes.readUInt32LE(at) !== BATCH_MAGIC) continue;
        const header = await this.goodBatch(start + at);
        if (header && header.index >= this.expected) return header;
      }
    }
    return undefined;
  }

  /** Through a window of its own: the search goes on in the view that it has. */
  private async goodBatch(at: number): Promise<BatchHeader | undefined> {
    try {
      const head = await this.candidates.view(at, BATCH_HEADER_BYTES);
      const bytes = head && (await this.candidates.view(at, readHeader(head).length));
      return bytes && verifyBatch(bytes);
    } catch (error) {
      if (error instanceof BatchFormatError) return undefined;
      throw error;
    }
  }

  /** As `countZeroSectors` over what the file holds of a flush now. */
  private async zeroSectors(from: number, to: number): Promise<number> {
    let count = 0;
    for (let at = (Math.floor(from / SECTOR_BYTES) + 1) * SECTOR_BYTES; at < to; at += SECTOR_BYTES) {
      if (await this.isZero(at, Math.min(at + SECTOR_BYTES, to))) count += 1;
    }
    return count;
  }
}
