/**
 * Makes a damaged segment whole again: from what is good in it, and from the entries that another node gave for what is not.
 * Batches are the same bytes on every node, and chained: what fits between two good ones is what was there.
 */

import { join } from 'node:path';
import { BATCH_HEADER_BYTES, BATCH_MAGIC, BatchFormatError, type BatchHeader, readHeader, verifyBatch } from './batch';
import { breakOfContinuity, endAfter, NOTHING_BEFORE } from './continuity';
import type { FileSystem, RandomAccessFile } from './files';
import {
  FLUSH_MARK_BYTES,
  FLUSH_MARK_MAGIC,
  nextMarkPosition,
  readFlushMark,
  SEGMENT_ID_BYTES,
  writeFlushMark,
} from './flush-mark';
import { type LogDamage, LogDamageError } from './log-errors';
import type { LogBoundary } from './log-store';
import { rememberLoss } from './lost-entries';
import { Segment } from './segment';
import { SegmentFiles } from './segment-files';
import { decodeSegmentHeader, firstIndexOf, SEGMENT_HEADER_BYTES, segmentName } from './segment-header';
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
  /**
   * Up to here the given entries are committed. One that nothing good in this log is chained to is taken only if it is:
   * anything else could be the remains of a term that was lost, in place of what this node has acknowledged.
   */
  readonly committed: number;
}

export type RepairRefusal =
  /** The given entries, or the log itself, are of another chain: what is there was never committed, or is not what it seems. */
  | 'differs'
  /** Nothing shows that the given entries are those that were there. */
  | 'unproven'
  /** The header is damaged, and nobody said what is before the segment. */
  | 'boundary_unknown'
  /** The damaged file is no segment. */
  | 'no_segment';

/** The given entries do not mend the segment, and more of the same would not either. Nothing was changed. */
export class RepairRefusedError extends Error {
  override readonly name = 'RepairRefusedError';

  constructor(
    readonly reason: RepairRefusal,
    message: string,
  ) {
    super(message);
  }
}

/**
 * Afterwards the log can be opened again, which may find the next damage. The damaged bytes are kept aside. A loss of power
 * leaves the damaged segment or the repaired one.
 * @throws LogDamageError where more is missing than was given, with what that is
 * @throws RepairRefusedError where what was given cannot be what is missing
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
  /** By the flush marks: the last entry that was durable, and the last one that may have been. */
  private marked = { durable: 0, possible: 0 };

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
    await this.findMarks();
    const last = await this.lastIndex(before);
    const room = await this.check(before, last);
    const { damage } = this.options;
    const planned = this.files.plan(before, Math.max(this.size, SEGMENT_HEADER_BYTES + room + FLUSH_MARK_BYTES));
    await keepAside(this.files, this.source, damage.position, this.size);
    // Acknowledged perhaps, and nothing is left of it but the mark in front: a vote must not forget it.
    if (this.marked.possible > last) await rememberLoss(this.files, this.marked.possible);
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
    throw new RepairRefusedError(
      'boundary_unknown',
      `The header of ${this.options.damage.file} is damaged: say what is before entry ${this.firstIndex} to repair it.`,
    );
  }

  private get firstIndex(): number {
    const index = firstIndexOf(this.options.damage.file.split(/[/\\]/).at(-1)!);
    if (index !== undefined) return index;
    throw new RepairRefusedError('no_segment', `${this.options.damage.file} is not a segment of a log.`);
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

  /**
   * Marks are good in themselves: where the header is damaged, nobody knows the segment's id, but no other segment's mark
   * stands in this file, which was zeroed before it was used. One within a batch is its payload.
   */
  private async findMarks(): Promise<void> {
    const batches = [...this.good.values()].sort((a, b) => a - b);
    let next = 0;
    let behind = 0;
    for (let at = SEGMENT_HEADER_BYTES; at + FLUSH_MARK_BYTES <= this.size; at += FLUSH_MARK_BYTES) {
      for (; next < batches.length && batches[next]! <= at; next++) behind = await this.endOfBatch(batches[next]!);
      const bytes = await this.searched.view(at, FLUSH_MARK_BYTES);
      if (at < behind || bytes?.readUInt32LE(0) !== FLUSH_MARK_MAGIC) continue;
      const mark = readFlushMark(bytes, 0, bytes.subarray(8, 8 + SEGMENT_ID_BYTES), at);
      if (!mark) continue;
      this.marked.durable = Math.max(this.marked.durable, mark.firstIndex - 1);
      this.marked.possible = Math.max(this.marked.possible, mark.firstIndex + mark.batches - 1);
    }
  }

  private async endOfBatch(at: number): Promise<number> {
    const head = await this.read.view(at, BATCH_HEADER_BYTES);
    return at + (head ? readHeader(head).length : 0);
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

  /** The segment ends where the next one begins, else with the last entry that was durable as far as anyone knows. */
  private async lastIndex(before: LogBoundary): Promise<number> {
    const next = await this.nextSegment(before);
    if (next !== undefined) return next - 1;
    return Math.max(this.options.damage.toIndex, this.marked.durable, ...this.good.keys());
  }

  /** @returns the first index of the segment that follows */
  private async nextSegment(before: LogBoundary): Promise<number | undefined> {
    const names = await this.files.files.list(this.files.directory);
    const later = names.map(firstIndexOf).filter((index) => index !== undefined && index > before.index + 1);
    return later.length > 0 ? Math.min(...later.map(Number)) : undefined;
  }

  /** @returns the room that the entries take; throws where they do not make a chain */
  private async check(before: LogBoundary, last: number): Promise<number> {
    let end = before;
    let room = 0;
    for (let index = before.index + 1; index <= last; index++) {
      const batch = await this.batch(index);
      if (!batch) throw this.stillDamaged(index, last, `Entry ${index} cannot be repaired: it is missing.`);
      const header = readHeader(batch);
      const fault = breakOfContinuity(end, header, this.options.group);
      if (fault) throw new RepairRefusedError('differs', `Entry ${index} cannot be repaired: ${fault}.`);
      room += Segment.roomFor(header.length);
      end = endAfter(header);
    }
    await this.checkEnd(before, end);
    return room;
  }

  /** The chain leads to something that this node itself has kept, or the cluster has committed it. */
  private async checkEnd(before: LogBoundary, end: LogBoundary): Promise<void> {
    const own = Math.max(0, ...[...this.good.keys()].filter((index) => !this.given.has(index)));
    if (own >= end.index || end.index === before.index) return;
    const next = await this.boundaryOfNext(before);
    if (next?.index === end.index && next.hash.equals(end.hash)) return;
    // Even if it is committed: then what is behind it here never was, and has to go with it.
    if (next) {
      throw new RepairRefusedError('differs', `Entry ${end.index} is not the one that the next segment continues.`);
    }
    if (end.index <= this.options.committed) return;
    throw new RepairRefusedError(
      'unproven',
      `Entry ${end.index} was given for ${this.options.damage.file}, but it is not committed, and nothing is chained to it.`,
    );
  }

  private async boundaryOfNext(before: LogBoundary): Promise<LogBoundary | undefined> {
    const firstIndex = await this.nextSegment(before);
    if (firstIndex === undefined) return undefined;
    const file = await this.files.files.open(join(this.files.directory, segmentName(firstIndex)), 'read');
    try {
      const bytes = Buffer.alloc(SEGMENT_HEADER_BYTES);
      const header = decodeSegmentHeader(bytes.subarray(0, await file.read(bytes, 0)));
      return typeof header === 'string' ? undefined : header.before;
    } finally {
      await file.close();
    }
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
