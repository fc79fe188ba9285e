/** Finds the way on behind damage in a segment, and tells zeros from remains. */

import {
  BATCH_HEADER_BYTES,
  BATCH_MAGIC,
  BatchFormatError,
  type BatchHeader,
  readHeader,
  verifyBatch,
} from '../log/batch';
import type { RandomAccessFile } from '../log/files';
import { isAllZero } from '../log/flush-mark';
import { SegmentWindow } from '../log/segment-window';

const STEP_BYTES = 64 * 1024;
const ALIGNMENT = 8;

export interface GoodBatch {
  /** Its hashes are copies. */
  readonly header: BatchHeader;
  readonly position: number;
}

export class SegmentSearch {
  private readonly searched: SegmentWindow;
  private readonly candidates: SegmentWindow;

  constructor(
    file: RandomAccessFile,
    private readonly size: number,
    private readonly group: number,
  ) {
    this.searched = new SegmentWindow(file, size, false, STEP_BYTES);
    this.candidates = new SegmentWindow(file, size, false, STEP_BYTES);
  }

  /** The first batch at or behind `from` that is good in itself, of this group, and not before entry `least`. */
  async goodBatchFrom(from: number, least: number): Promise<GoodBatch | undefined> {
    const first = Math.ceil(from / ALIGNMENT) * ALIGNMENT;
    for (let start = first; start < this.size; start += STEP_BYTES) {
      const bytes = await this.searched.upTo(start, STEP_BYTES);
      for (let at = 0; at + 4 <= bytes.length; at += ALIGNMENT) {
        if (bytes.readUInt32LE(at) !== BATCH_MAGIC) continue;
        const header = await this.goodBatch(start + at);
        if (header && header.index >= least && header.group === this.group) return { header, position: start + at };
      }
    }
    return undefined;
  }

  /** @returns the first byte from `from` up to `to` that is not zero; undefined where there is none */
  async firstNonZero(from: number, to: number): Promise<number | undefined> {
    const end = Math.min(to, this.size);
    for (let start = from; start < end; start += STEP_BYTES) {
      const bytes = await this.searched.upTo(start, Math.min(STEP_BYTES, end - start));
      if (isAllZero(bytes, 0, bytes.length)) continue;
      return start + bytes.findIndex((byte) => byte !== 0);
    }
    return undefined;
  }

  private async goodBatch(at: number): Promise<BatchHeader | undefined> {
    try {
      const head = await this.candidates.view(at, BATCH_HEADER_BYTES);
      const bytes = head && (await this.candidates.view(at, readHeader(head).length));
      if (!bytes) return undefined;
      const header = verifyBatch(bytes);
      return { ...header, hash: Buffer.from(header.hash), previousHash: Buffer.from(header.previousHash) };
    } catch (error) {
      if (error instanceof BatchFormatError) return undefined;
      throw error;
    }
  }
}
