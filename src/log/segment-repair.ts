/**
 * Makes a damaged segment whole again: from what is good in it, and from the entries that another node gave for what is not.
 * Batches are the same bytes on every node, and chained: what fits between two good ones is what was there.
 */

import { BATCH_HEADER_BYTES, BATCH_MAGIC, BatchFormatError, type BatchHeader, readHeader, verifyBatch } from './batch';
import { breakOfContinuity, endAfter, NOTHING_BEFORE } from './continuity';
import type { FileSystem, RandomAccessFile } from './files';
import { FLUSH_MARK_BYTES, nextMarkPosition, writeFlushMark } from './flush-mark';
import { type LogDamage, LogDamageError } from './log-errors';
import type { LogBoundary } from './log-store';
import { Segment } from './segment';
import { SegmentFiles } from './segment-files';
import { decodeSegmentHeader, firstIndexOf, SEGMENT_HEADER_BYTES } from './segment-header';
import { SegmentWindow } from './segment-window';
import { keepAside } from './torn-files';

export interface RepairOptions {
  /** Of the log, which may not be open. */
  readonly dir: string;
  readonly files: FileSystem;
  readonly group: number;
  /** As `SegmentedLog.open` named it. */
  readonly damage: LogDamage;
  /** The entries from `damage.fromIndex` to `damage.toIndex`, from another node. */
  readonly batches: readonly Buffer[];
  /** What is before the segment; needed only where its header is damaged and it does not begin with entry 1. */
  readonly before?: LogBoundary;
}

/**
 * Afterwards the log can be opened again, which may find the next damage. The damaged bytes are kept aside. A loss of power
 * leaves the damaged segment or the repaired one.
 * @throws LogDamageError where more is missing than was given, with what that is
 * @throws BatchFormatError where a given batch is not good in itself
 */
export async function repairSegment(options: RepairOptions): Promise<void> {
  const files = new SegmentFiles(options.files, options.dir, options.group);
  const source = await options.files.open(options.damage.file, 'read');
  try {
    await new SegmentRepair(files, options, source, await source.size()).run();
  } finally {
    await source.close();
    await files.close();
  }
}

const STEP_BYTES = 64 * 1024;
const ALIGNMENT = 8;

class SegmentRepair {
  private readonly searched: SegmentWindow;
  private readonly read: SegmentWindow;
  /** Where the good batches of the damaged file begin, by index. */
  private readonly good = new Map<number, number>();
  private readonly given = new Map<number, Buffer>();

  constructor(
    private readonly files: SegmentFiles,
    private readonly options: RepairOptions,
    private readonly source: RandomAccessFile,
    private readonly size: number,
  ) {
    this.searched = new SegmentWindow(source, size, false);
    this.read = new SegmentWindow(source, size, true);
    for (const batch of options.batches) this.given.set(verifyBatch(batch).index, batch);
  }

  async run(): Promise<void> {
    const before = await this.before();
    await this.findGood();
    const last = await this.lastIndex(before);
    const room = await this.check(before, last);
    const { damage } = this.options;
    const planned = this.files.plan(before, Math.max(this.size, SEGMENT_HEADER_BYTES + room + FLUSH_MARK_BYTES));
    await keepAside(this.files, this.source, damage.position, this.size);
    await this.files.replace({ ...planned, path: damage.file }, async (file) => {
      const mark = Buffer.alloc(FLUSH_MARK_BYTES);
      let position = SEGMENT_HEADER_BYTES;
      for (let index = before.index + 1; index <= last; index++) {
        const batch = (await this.batch(index))!;
        const flush = { position, firstIndex: index, bytes: batch.length, batches: 1, zeroSectors: 0 };
        writeFlushMark(mark, planned.header.id, flush);
        await file.write([mark, batch], position);
        position = nextMarkPosition(position + FLUSH_MARK_BYTES + batch.length);
      }
      // Everything before this mark is durable when the segment has its name.
      writeFlushMark(mark, planned.header.id, { position, firstIndex: last + 1, bytes: 0, batches: 0, zeroSectors: 0 });
      await file.write([mark], position);
    });
  }

  private async before(): Promise<LogBoundary> {
    const header = decodeSegmentHeader(await this.read.upTo(0, SEGMENT_HEADER_BYTES));
    if (typeof header !== 'string') return header.before;
    if (this.options.before) return this.options.before;
    if (this.firstIndex === 1) return NOTHING_BEFORE;
    throw new Error(
      `The header of ${this.options.damage.file} is damaged: say what is before entry ${this.firstIndex} to repair it.`,
    );
  }

  private get firstIndex(): number {
    const index = firstIndexOf(this.options.damage.file.split(/[/\\]/).at(-1)!);
    if (index === undefined) throw new Error(`${this.options.damage.file} is not a segment of a log.`);
    return index;
  }

  /** Every batch in the file that is good in itself. What is within one is its payload, whatever it looks like. */
  private async findGood(): Promise<void> {
    let behind = 0;
    for (let start = SEGMENT_HEADER_BYTES; start < this.size; start += STEP_BYTES) {
      const bytes = await this.searched.upTo(start, STEP_BYTES);
      for (let at = 0; at + 4 <= bytes.length; at += ALIGNMENT) {
        if (start + at < behind || bytes.readUInt32LE(at) !== BATCH_MAGIC) continue;
        const header = await this.goodBatch(start + at);
        if (!header) continue;
        behind = start + at + header.length;
        this.good.set(header.index, start + at);
      }
    }
  }

  private async goodBatch(at: number): Promise<BatchHeader | undefined> {
    try {
      const head = await this.read.view(at, BATCH_HEADER_BYTES);
      const batch = head && (await this.read.view(at, readHeader(head).length));
      return batch && verifyBatch(batch);
    } catch (error) {
      if (error instanceof BatchFormatError) return undefined;
      throw error;
    }
  }

  /** The segment ends where the next one begins, else with the last entry that anyone knows of. */
  private async lastIndex(before: LogBoundary): Promise<number> {
    const names = await this.files.files.list(this.files.directory);
    const later = names.map(firstIndexOf).filter((index) => index !== undefined && index > before.index + 1);
    if (later.length > 0) return Math.min(...later.map(Number)) - 1;
    return Math.max(this.options.damage.toIndex, ...this.good.keys());
  }

  /** @returns the room that the entries take; throws where they do not make a chain */
  private async check(before: LogBoundary, last: number): Promise<number> {
    let end = before;
    let room = 0;
    for (let index = before.index + 1; index <= last; index++) {
      const batch = await this.batch(index);
      const header = batch && readHeader(batch);
      const fault = header ? breakOfContinuity(end, header, this.options.group) : 'it is missing';
      if (!header || fault) throw this.stillDamaged(index, last, `Entry ${index} cannot be repaired: ${fault}.`);
      room += Segment.roomFor(header.length);
      end = endAfter(header);
    }
    return room;
  }

  private stillDamaged(index: number, last: number, what: string): LogDamageError {
    let toIndex = index;
    while (toIndex < last && !this.good.has(toIndex + 1)) toIndex += 1;
    const { file, position } = this.options.damage;
    return new LogDamageError({ file, position, fromIndex: index, toIndex }, what);
  }

  private async batch(index: number): Promise<Buffer | undefined> {
    const given = this.given.get(index);
    if (given) return given;
    const at = this.good.get(index);
    if (at === undefined) return undefined;
    const head = await this.read.view(at, BATCH_HEADER_BYTES);
    return head && this.read.view(at, readHeader(head).length);
  }
}
