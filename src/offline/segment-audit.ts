/**
 * Walks a whole segment and reports everything that is not as it has to be, instead of ending at the first thing: behind
 * damage it looks for the next good batch and goes on from there. Opening a log (src/log/recovery.ts) decides what to do
 * about the first fault; this decides nothing and changes nothing.
 */

import {
  BATCH_HEADER_BYTES,
  BATCH_MAGIC,
  BatchFormatError,
  type BatchHeader,
  hasValidCrc,
  MAX_BATCH_BYTES,
  readHeader,
  statedLength,
  verifyBatch,
} from '../log/batch';
import { breakOfContinuity, endAfter } from '../log/continuity';
import type { RandomAccessFile } from '../log/files';
import { FLUSH_MARK_BYTES, type FlushMark, nextMarkPosition, readFlushMark } from '../log/flush-mark';
import { LogVersionError } from '../log/log-errors';
import type { LogBoundary } from '../log/log-store';
import { SEGMENT_HEADER_BYTES } from '../log/segment-header';
import { SegmentWindow } from '../log/segment-window';
import { judgeTail } from '../log/tail-judgement';
import type { Finding } from './finding';
import { SegmentSearch } from './segment-search';

export interface AuditedBatch {
  readonly kind: 'batch';
  readonly header: BatchHeader;
  /** The whole batch, verified: a view that is good until the next item is asked for. */
  readonly bytes: Buffer;
  readonly position: number;
}

export type SegmentItem = AuditedBatch | Finding;

/** What is wrong with the bytes at the current position. */
interface Fault {
  readonly kind: 'fault';
  readonly what: string;
}

export interface AuditedSegment {
  readonly file: RandomAccessFile;
  readonly size: number;
  readonly group: number;
  /** The random id that its marks bear; undefined where the header and the first mark are damaged. */
  readonly id: Buffer | undefined;
  /** First entry, by the file's name. */
  readonly firstIndex: number;
  /** What is before the first batch; undefined where the header is damaged and nothing else says it. */
  readonly before: LogBoundary | undefined;
  /** First entry of the next segment; undefined for the last one, whose tail a crash may have torn. */
  readonly nextFirst: number | undefined;
}

const ALIGNMENT = 8;
const NO_ID = Buffer.alloc(16);

export class SegmentAudit {
  /** Of the last batch that was given, or what is before the segment. */
  end: LogBoundary | undefined;
  private readonly window: SegmentWindow;
  private readonly search: SegmentSearch;
  private position = SEGMENT_HEADER_BYTES;
  /** The flush that `position` is in; undefined between flushes, and behind damage, where nobody knows. */
  private mark: FlushMark | undefined;
  private batchesLeft = 0;
  private readonly id: Buffer;

  constructor(private readonly segment: AuditedSegment) {
    this.window = new SegmentWindow(segment.file, segment.size, false);
    this.search = new SegmentSearch(segment.file, segment.size, segment.group);
    this.end = segment.before;
    this.id = segment.id ?? NO_ID;
  }

  /** @throws LogVersionError where a newer program wrote a batch */
  async *items(): AsyncGenerator<SegmentItem, void, undefined> {
    for (;;) {
      const fault = yield* this.good();
      const verdict = await this.verdictOn(fault);
      if (verdict.finding) yield verdict.finding;
      if (!verdict.goesOn) return;
    }
  }

  private get expected(): number {
    return this.end ? this.end.index + 1 : this.segment.firstIndex;
  }

  /** Gives batches as long as all is well. @returns why it ended; undefined where it ended between two flushes */
  private async *good(): AsyncGenerator<SegmentItem, string | undefined, undefined> {
    for (;;) {
      const next = await this.batchNext();
      if (next === 'mark') {
        const mark = await this.takeMark();
        if (mark === 'none') return undefined;
        if (mark?.kind === 'fault') return mark.what;
        if (mark) yield mark;
      } else if (next.kind === 'fault') return next.what;
      else yield next;
    }
  }

  /** The batch at `position`, `mark` where a mark has to be there, or what is wrong. */
  private async batchNext(): Promise<AuditedBatch | Fault | 'mark'> {
    const { mark } = this;
    if (mark && this.position === mark.position + FLUSH_MARK_BYTES + mark.bytes) {
      return this.batchesLeft === 0 ? 'mark' : fault(`A flush lacks ${this.batchesLeft} of its batches.`);
    }
    const head = await this.window.view(this.position, BATCH_HEADER_BYTES);
    if (!mark && head?.readUInt32LE(0) !== BATCH_MAGIC) return 'mark';
    if (!head) return fault('The file ends within the header of a batch.');
    return this.readBatch(head, mark);
  }

  private async readBatch(head: Buffer, mark: FlushMark | undefined): Promise<AuditedBatch | Fault> {
    const { position } = this;
    try {
      const { length } = readHeader(head);
      const flushEnd = mark ? mark.position + FLUSH_MARK_BYTES + mark.bytes : this.segment.size;
      if (position + length > flushEnd) return fault('A batch is longer than the flush that holds it.');
      const bytes = await this.window.view(position, length);
      if (!bytes) return fault('The file ends within a batch.');
      const header = verifyBatch(bytes);
      const broken = breakOfContinuity(this.end ?? boundaryBefore(header), header, this.segment.group);
      if (broken) return fault(`Batch ${header.index} does not continue the log: ${broken}.`);
      this.end = endAfter(header);
      this.position += length;
      this.batchesLeft -= 1;
      return { kind: 'batch', header, bytes, position };
    } catch (error) {
      if (!(error instanceof BatchFormatError)) throw error;
      if (error.reason === 'unsupported') await this.refuseNewer(error);
      return fault(error.message);
    }
  }

  /** Begins the next flush. @returns `none` where no mark is there, what is wrong with it, or with the padding before it */
  private async takeMark(): Promise<Finding | Fault | 'none' | undefined> {
    const at = nextMarkPosition(this.position);
    const bytes = await this.window.view(at, FLUSH_MARK_BYTES);
    const mark = bytes && readFlushMark(bytes, 0, this.id, at);
    if (!mark) return 'none';
    if (this.end && mark.firstIndex !== this.expected) {
      return fault(`A flush mark announces entry ${mark.firstIndex}, but ${this.expected} is next.`);
    }
    const dirty = await this.search.firstNonZero(this.position, at);
    this.mark = mark;
    this.batchesLeft = mark.batches;
    this.position = at + FLUSH_MARK_BYTES;
    if (dirty === undefined) return undefined;
    return this.damage(dirty, 'Bytes between two flushes are not zero; no entry is affected.');
  }

  /** What to say of the place where the good batches end, and whether more of them are behind it. */
  private async verdictOn(fault: string | undefined): Promise<{ finding?: Finding; goesOn: boolean }> {
    const { segment, position, expected } = this;
    const dirty = await this.search.firstNonZero(position, segment.size);
    const isEnd = dirty === undefined && (fault === undefined || position === segment.size);
    if (segment.nextFirst !== undefined) {
      if (isEnd && expected === segment.nextFirst) return { goesOn: false };
    } else if (isEnd) return { goesOn: false };
    else {
      const tail = await this.tailFinding(fault);
      if (tail) return { finding: tail, goesOn: false };
    }
    return this.behindDamage(fault, dirty ?? position);
  }

  /** Of the last segment: what a start would cut off, torn by a crash or rotten. Undefined where something good is behind it. */
  private async tailFinding(fault: string | undefined): Promise<Finding | undefined> {
    const { segment, position, mark, end } = this;
    if (!end) return undefined;
    const scan = { end, endPosition: position, lastMark: mark, fault };
    const judgement = await judgeTail(segment.file, segment.size, this.id, scan);
    if (judgement.verdict !== 'cut') return undefined;
    const bytes = judgement.to - judgement.from;
    if (judgement.lostAcknowledged !== undefined) {
      const what = `${fault ?? 'What follows the last good entry cannot be read.'} It was whole once and may have been acknowledged; a start cuts it off.`;
      return this.damage(position, what, end.index + 1, judgement.lostAcknowledged);
    }
    const what = `${bytes} bytes of a write that power or a crash has cut off, never acknowledged; a start cuts them off.`;
    return { kind: 'torn', file: segment.file.path, position, what };
  }

  private async behindDamage(fault: string | undefined, dirty: number): Promise<{ finding: Finding; goesOn: boolean }> {
    const { segment, expected } = this;
    const from = fault === undefined ? this.position : this.position + ALIGNMENT;
    const good = await this.search.goodBatchFrom(Math.min(from, segment.size), expected);
    if (!good) {
      const last = segment.nextFirst === undefined ? expected : Math.max(expected, segment.nextFirst - 1);
      const lacks = segment.nextFirst !== undefined && expected < segment.nextFirst;
      const what =
        fault ??
        (lacks
          ? `The segment ends with entry ${expected - 1}, but the next one begins with ${segment.nextFirst}.`
          : 'Bytes behind the last entry are not zero.');
      const beyond = segment.nextFirst !== undefined && expected >= segment.nextFirst;
      return {
        finding: beyond ? this.damage(dirty, what) : this.damage(this.position, what, expected, last),
        goesOn: false,
      };
    }
    const { header, position } = good;
    const what = fault ?? 'A flush mark cannot be read.';
    const finding =
      header.index > expected
        ? this.damage(this.position, what, expected, header.index - 1)
        : this.damage(Math.min(dirty, position), what);
    this.mark = undefined;
    this.position = position;
    if (this.end?.index !== header.index - 1 || !this.end.hash.equals(header.previousHash)) {
      this.end = boundaryBefore(header);
    }
    return { finding, goesOn: true };
  }

  private damage(position: number, what: string, fromIndex?: number, toIndex?: number): Finding {
    const entries = fromIndex === undefined || toIndex === undefined ? {} : { fromIndex, toIndex };
    return { kind: 'damage', file: this.segment.file.path, position, what, ...entries };
  }

  /** A batch that is whole but unknown was written by a newer program: that is no damage. */
  private async refuseNewer(cause: BatchFormatError): Promise<void> {
    const head = await this.window.view(this.position, BATCH_HEADER_BYTES);
    const length = head ? statedLength(head, 0) : 0;
    if (length < BATCH_HEADER_BYTES || length > MAX_BATCH_BYTES) return;
    const bytes = await this.window.view(this.position, length);
    if (!bytes || !hasValidCrc(bytes, 0, length)) return;
    const { path } = this.segment.file;
    const what = `${path} holds a batch at byte ${this.position} that this program cannot read: ${cause.message}`;
    throw new LogVersionError(`${what} Use the newer program.`, { cause });
  }
}

function fault(what: string): Fault {
  return { kind: 'fault', what };
}

/** What a batch itself says of what is before it, as far as it does. */
function boundaryBefore(header: BatchHeader): LogBoundary {
  const { index, term, baseOffset, previousHash, time } = header;
  return { index: index - 1, term, nextOffset: baseOffset, hash: Buffer.from(previousHash), time: time - 1 };
}
