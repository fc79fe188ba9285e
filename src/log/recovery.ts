/** Opens what a folder holds: finishes what a crash cut short, verifies everything, cuts a torn tail, refuses damage. */

import { join } from 'node:path';
import { NOTHING_BEFORE } from './continuity';
import type { RandomAccessFile } from './files';
import { FLUSH_MARK_BYTES, type FlushMark } from './flush-mark';
import { LogDamageError, LogVersionError } from './log-errors';
import type { LogBoundary } from './log-store';
import { rememberedLoss, rememberLoss } from './lost-entries';
import { Segment } from './segment';
import { isOrphan, RESET_NAME, SPARE_SUFFIX, type SegmentFiles } from './segment-files';
import {
  decodeSegmentHeader,
  firstIndexOf,
  SEGMENT_HEADER_BYTES,
  type SegmentHeader,
  segmentName,
} from './segment-header';
import { type Scan, scanSegment } from './segment-scan';
import { judgeTail, shortened } from './tail-judgement';
import { TermRuns } from './term-runs';
import { keepAside, keepAsideIfRoom } from './torn-files';
import { writeAgain } from './write-again';

/** What opening a log found and did. */
export interface LogRecovery {
  /** The torn tail that was cut, if there was one, and where its bytes are kept, if there was room for them. */
  readonly torn?: {
    readonly file: string;
    readonly position: number;
    readonly bytes: number;
    readonly keptAs?: string;
  };
  /**
   * Entries up to this index may have been acknowledged by this node and are not there any more. It must not vote for, or
   * be elected with, a shorter log until a leader has caught it up or a majority showed that they were never committed;
   * `settleLoss` says so. Until then every opening reports it.
   */
  readonly lostAcknowledged?: number;
}

export interface OpenedLog {
  readonly segments: readonly Segment[];
  readonly terms: TermRuns;
  readonly end: LogBoundary;
  readonly recovery: LogRecovery;
}

export interface RecoveryOptions {
  readonly group: number;
  readonly firstSegmentBytes: number;
  /** In how many of the newest segments every SHA-256 is recomputed. */
  readonly hashedSegments: number;
}

export async function recover(files: SegmentFiles, options: RecoveryOptions): Promise<OpenedLog> {
  return new Recovery(files, options).run();
}

class Recovery {
  private readonly segments: Segment[] = [];
  private terms: TermRuns | undefined;
  /** Of the segments opened so far. */
  private end: LogBoundary | undefined;
  private torn: LogRecovery['torn'];

  constructor(
    private readonly files: SegmentFiles,
    private readonly options: RecoveryOptions,
  ) {}

  async run(): Promise<OpenedLog> {
    await this.finishReset();
    const names = await this.removeLeftovers();
    const firstIndexes = names.map(firstIndexOf).filter((index) => index !== undefined);
    if (firstIndexes.length === 0) firstIndexes.push(await this.makeFirst());
    for (let i = 0; i < firstIndexes.length; i++) {
      await this.openSegment(firstIndexes[i]!, firstIndexes.length - 1 - i, firstIndexes[i + 1]);
    }
    const last = this.segments.at(-1)!;
    const lostAcknowledged = rememberedLoss(await this.files.files.list(this.files.directory));
    return {
      segments: this.segments,
      terms: this.terms!,
      end: this.end ?? last.before,
      recovery: {
        ...(this.torn && { torn: this.torn }),
        ...(lostAcknowledged !== undefined && { lostAcknowledged }),
      },
    };
  }

  /** A reset that was committed is finished: the old segments are not the log any more. */
  private async finishReset(): Promise<void> {
    const path = join(this.files.directory, RESET_NAME);
    if (!(await this.files.files.exists(path))) return;
    const { before } = await this.withFile(path, (file) => this.readSegmentHeader(file, undefined));
    await this.files.finishReset(join(this.files.directory, segmentName(before.index + 1)));
  }

  /** @returns the names that are left */
  private async removeLeftovers(): Promise<string[]> {
    const names = await this.files.files.list(this.files.directory);
    const all = new Set(names);
    const leftovers = names.filter((name) => name.endsWith(SPARE_SUFFIX) || isOrphan(name, all));
    for (const name of leftovers) await this.files.files.unlink(join(this.files.directory, name));
    if (leftovers.length > 0) await this.files.syncDirectory();
    return names.filter((name) => !leftovers.includes(name));
  }

  private async makeFirst(): Promise<number> {
    const file = await this.files.create(this.files.plan(NOTHING_BEFORE, this.options.firstSegmentBytes));
    await file.close();
    return 1;
  }

  /**
   * @param newer how many segments follow
   * @param nextFirst first index of the next one
   */
  private async openSegment(firstIndex: number, newer: number, nextFirst: number | undefined): Promise<void> {
    const path = join(this.files.directory, segmentName(firstIndex));
    if (newer <= 1) await this.makeDurable(path);
    await this.withFile(path, async (file) => {
      const header = await this.readSegmentHeader(file, firstIndex);
      this.checkChain(path, header);
      const size = await this.finishCut(file, header, newer);
      this.terms ??= new TermRuns(header.before.index, header.before.term);
      const segment = new Segment({ path, header, capacity: size });
      const scan = await this.scan(segment, file, newer < this.options.hashedSegments);
      if (newer <= 1) await this.writeLastAgain(path, scan.lastMark);
      this.end = scan.end;
      segment.written(scan.endPosition, 0);
      segment.marked = (scan.lastMark?.bytes ?? 0) === 0;
      if (nextFirst !== undefined) await this.checkComplete(segment, file, scan, nextFirst);
      else await this.settleTail(segment, file, scan);
      this.segments.push(segment);
    });
  }

  /** A crash may have left out the end of a cut, behind which nothing was written. @returns the size of the file */
  private async finishCut(file: RandomAccessFile, { fileBytes }: SegmentHeader, newer: number): Promise<number> {
    const size = await file.size();
    if (newer > 0 || size <= fileBytes) return size;
    await this.files.truncate(file.path, fileBytes);
    return fileBytes;
  }

  private async scan(segment: Segment, file: RandomAccessFile, hashes: boolean): Promise<Scan> {
    const terms = this.terms!;
    return scanSegment({
      file,
      size: segment.file.capacity,
      header: segment.header,
      hashes,
      onBatch: (header, position) => {
        segment.index.add(header, position);
        segment.hold(header);
        terms.append(header.index, header.term);
      },
    });
  }

  private async readSegmentHeader(file: RandomAccessFile, firstIndex: number | undefined): Promise<SegmentHeader> {
    const bytes = Buffer.alloc(SEGMENT_HEADER_BYTES);
    const header = decodeSegmentHeader(bytes.subarray(0, await file.read(bytes, 0)));
    if (header === 'unsupported') {
      throw new LogVersionError(`${file.path} was written by a newer program. Start that one again.`);
    }
    const { group } = this.options;
    const fits =
      header !== 'damaged' &&
      header.group === group &&
      header.before.index === (firstIndex ?? header.before.index + 1) - 1 &&
      header.before.index >= 0;
    if (fits) return header;
    const missing = firstIndex ?? (this.end?.index ?? 0) + 1;
    throw new LogDamageError(
      { file: file.path, position: 0, fromIndex: missing, toIndex: missing },
      header === 'damaged'
        ? 'The header of a segment cannot be read.'
        : `A segment states group ${header.group} and first entry ${header.before.index + 1}: it does not belong there.`,
    );
  }

  /** A segment continues exactly where the one before it ends. */
  private checkChain(path: string, { before }: SegmentHeader): void {
    const { end } = this;
    if (!end || (end.index === before.index && end.hash.equals(before.hash) && end.nextOffset === before.nextOffset))
      return;
    throw new LogDamageError(
      { file: path, position: 0, fromIndex: before.index + 1, toIndex: before.index + 1 },
      `A segment continues behind entry ${before.index} with another chain than the segment before it has.`,
    );
  }

  /** What a later segment continues was durable: whatever is missing of it was damaged since. */
  private async checkComplete(segment: Segment, file: RandomAccessFile, scan: Scan, nextFirst: number): Promise<void> {
    if (scan.end.index === nextFirst - 1) return;
    const { path, header } = segment;
    const { index } = scan.end;
    const judgement = await judgeTail(file, segment.file.capacity, header.id, scan);
    const toIndex = Math.min(nextFirst - 1, judgement.verdict === 'damaged' ? judgement.toIndex : nextFirst - 1);
    throw new LogDamageError(
      { file: path, position: scan.endPosition, fromIndex: Math.min(index + 1, nextFirst), toIndex },
      scan.fault ?? `The segment ends with entry ${index}, but the next one begins with ${nextFirst}.`,
    );
  }

  private async settleTail(segment: Segment, file: RandomAccessFile, scan: Scan): Promise<void> {
    const {
      path,
      header,
      file: { capacity },
    } = segment;
    const judgement = shortened(await judgeTail(file, capacity, header.id, scan), scan, capacity, header);
    if (judgement.verdict === 'damaged') {
      const { from, toIndex } = judgement;
      throw new LogDamageError(
        { file: path, position: from, fromIndex: scan.end.index + 1, toIndex },
        scan.fault ?? 'A flush mark cannot be read.',
      );
    }
    if (judgement.verdict === 'cut') {
      const { from, to, lostAcknowledged } = judgement;
      if (lostAcknowledged !== undefined) await rememberLoss(this.files, lostAcknowledged);
      const keep = lostAcknowledged === undefined ? keepAsideIfRoom : keepAside;
      const keptAs = await keep(this.files, file, from, to);
      await this.files.truncate(path, from);
      this.torn = { file: path, position: from, bytes: to - from, ...(keptAs !== undefined && { keptAs }) };
    }
    // A segment whose last flush is not whole ends with its last good batch, and another one follows.
    if (judgement.verdict === 'cut' || scan.fault !== undefined) segment.close();
  }

  /**
   * A process that was killed between a write and its fsync leaves bytes that can be read and may still get lost. What is
   * read here counts as durable from now on, so it is made so first. Only the newest segments are ever written to.
   */
  private async makeDurable(path: string): Promise<void> {
    const file = await this.files.files.open(path, 'update');
    try {
      await file.datasync();
    } finally {
      await file.close();
    }
    await this.files.syncDirectory();
  }

  /** What the last sync may have failed to write: the flush that was the last, or the header, at a cut. */
  private async writeLastAgain(path: string, mark: FlushMark | undefined): Promise<void> {
    const file = await this.files.files.open(path, 'update');
    try {
      await writeAgain(file, 0, SEGMENT_HEADER_BYTES);
      if (mark) await writeAgain(file, mark.position, mark.position + FLUSH_MARK_BYTES + mark.bytes);
    } finally {
      await file.close();
    }
  }

  private async withFile<T>(path: string, use: (file: RandomAccessFile) => Promise<T>): Promise<T> {
    const file = await this.files.files.open(path, 'read');
    try {
      return await use(file);
    } finally {
      await file.close();
    }
  }
}
