/**
 * The only one who writes: takes what was appended, truncated or reset in that order, and writes all batches that wait
 * with one write and one fdatasync. Never two at once, so a flush proves by being there that the one before it is durable.
 */

import type { BatchHeader } from './batch';
import type { RandomAccessFile } from './files';
import { countZeroSectors, FLUSH_MARK_BYTES, writeFlushMark } from './flush-mark';
import { DiskFullError, LogFailedError } from './log-errors';
import { Segment } from './segment';
import type { SegmentFiles } from './segment-files';

/** A flush takes no more once it has so much, so that who waits for a small batch does not wait for all of a large queue. */
const MAX_FLUSH_BYTES = 8 * 1024 * 1024;

/** One write takes no more parts than this; the mark is one. */
const MAX_FLUSH_BATCHES = 1000;

interface AppendStep {
  readonly kind: 'append';
  readonly segment: Segment;
  readonly batch: Buffer;
  readonly header: BatchHeader;
}

/** A change of the files, between the appends before and behind it. */
interface ChangeStep {
  readonly kind: 'change';
  readonly run: () => Promise<void>;
  /** Entries beyond this index do not become durable by what was appended before the change; below 0: none do. */
  readonly keeps: number;
}

interface Waiter {
  /** The number of steps that have to be done. */
  readonly steps: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

export interface WriterEvents {
  /** The entries of the segment up to `index` are durable, if nothing truncated them since. */
  onDurable(index: number): void;
  /** Once, with the first failure. */
  onFatal(error: LogFailedError): void;
}

export class LogWriter {
  failure: LogFailedError | DiskFullError | undefined;
  fsyncs = 0;
  batches = 0;
  bytes = 0;
  private steps: (AppendStep | ChangeStep)[] = [];
  private head = 0;
  private added = 0;
  private done = 0;
  private waiters: Waiter[] = [];
  private running: Promise<void> | undefined;
  private changes: ChangeStep[] = [];
  private readonly mark = Buffer.alloc(FLUSH_MARK_BYTES);
  private active: { readonly segment: Segment; readonly file: RandomAccessFile } | undefined;

  /** @param nextCapacity size of the file to make ahead while a segment is written */
  constructor(
    private readonly files: SegmentFiles,
    private readonly nextCapacity: (segment: Segment) => number,
    private readonly events: WriterEvents,
  ) {}

  append(segment: Segment, batch: Buffer, header: BatchHeader): void {
    this.add({ kind: 'append', segment, batch, header });
  }

  /** @param keeps see {@link ChangeStep.keeps} */
  change(run: () => Promise<void>, keeps: number): Promise<void> {
    const step: ChangeStep = { kind: 'change', run, keeps };
    this.changes.push(step);
    this.add(step);
    return this.settled();
  }

  /** Resolves when everything added before the call is done. @throws LogFailedError, or DiskFullError when a wait for room was given up */
  settled(): Promise<void> {
    if (this.failure) return Promise.reject(this.failure);
    if (this.done === this.added) return Promise.resolve();
    return new Promise<void>((resolve, reject) => this.waiters.push({ steps: this.added, resolve, reject }));
  }

  /** Opens a segment that is on the disk already. */
  async use(segment: Segment): Promise<void> {
    this.active = { segment, file: await this.files.files.open(segment.path, 'update') };
  }

  /** Takes a segment that was just made, with its file. */
  async adopt(segment: Segment, file: RandomAccessFile): Promise<void> {
    await this.release();
    this.active = { segment, file };
    this.files.prepareSpare(this.nextCapacity(segment));
  }

  /** Lets go of the file that is written, so that it can be cut or removed. */
  async release(): Promise<void> {
    const { active } = this;
    this.active = undefined;
    await active?.file.close();
  }

  /** Marks the end as durable, so that the next opening need not wonder; then lets go. Nothing may be waiting. */
  async close(): Promise<void> {
    const { active } = this;
    if (!this.failure && active?.segment.wantsMark) {
      const { position, lastIndex, header } = active.segment;
      writeFlushMark(this.mark, header.id, {
        position,
        firstIndex: lastIndex + 1,
        bytes: 0,
        batches: 0,
        zeroSectors: 0,
      });
      await active.file.write([this.mark], position);
      await active.file.datasync();
    }
    await this.release();
  }

  private add(step: AppendStep | ChangeStep): void {
    this.steps.push(step);
    this.added += 1;
    // In a turn of its own, so that what is appended together is written together.
    this.running ??= Promise.resolve().then(() => this.run());
  }

  private async run(): Promise<void> {
    try {
      while (this.head < this.steps.length) await this.next(this.steps[this.head]!);
    } catch (error) {
      this.fail(error);
    }
    this.running = undefined;
  }

  private async next(step: AppendStep | ChangeStep): Promise<void> {
    if (step.kind === 'append') {
      await this.flush(step.segment);
      return;
    }
    await step.run();
    this.changes.shift();
    this.finish(1);
  }

  /** Writes what waits for the segment, as much as one flush takes. */
  private async flush(segment: Segment): Promise<void> {
    if (this.active?.segment !== segment) await this.adopt(segment, await this.files.create(segment.file));
    const { file } = this.active!;
    const flush = this.gather(segment);
    const { parts, bytes, count } = flush;
    const { position, header } = segment;
    const start = position + FLUSH_MARK_BYTES;
    const zeroSectors = countZeroSectors(parts, start);
    const firstIndex = flush.lastIndex - count + 1;
    writeFlushMark(this.mark, header.id, { position, firstIndex, bytes, batches: count, zeroSectors });
    parts.unshift(this.mark);
    await file.write(parts, position);
    await file.datasync();
    this.fsyncs += 1;
    this.batches += count;
    this.bytes += bytes;
    this.indexFlush(segment, start, count);
    segment.written(start + bytes, flush.room);
    const keeps = this.changes.reduce((least, change) => Math.min(least, change.keeps), flush.lastIndex);
    if (keeps >= 0) this.events.onDurable(keeps);
    this.finish(count);
  }

  private gather(segment: Segment): { parts: Buffer[]; bytes: number; count: number; room: number; lastIndex: number } {
    const parts: Buffer[] = [];
    let bytes = 0;
    let room = 0;
    let lastIndex = 0;
    for (let i = this.head; i < this.steps.length; i++) {
      const step = this.steps[i]!;
      if (step.kind !== 'append' || step.segment !== segment) break;
      if (parts.length === MAX_FLUSH_BATCHES || (parts.length > 0 && bytes + step.batch.length > MAX_FLUSH_BYTES))
        break;
      parts.push(step.batch);
      bytes += step.batch.length;
      room += Segment.roomFor(step.batch.length);
      lastIndex = step.header.index;
    }
    return { parts, bytes, count: parts.length, room, lastIndex };
  }

  private indexFlush(segment: Segment, start: number, count: number): void {
    let position = start;
    for (let i = this.head; i < this.head + count; i++) {
      const step = this.steps[i]!;
      if (step.kind !== 'append') throw new Error('A flush reaches over a change of the files.');
      segment.index.add(step.header, position);
      position += step.batch.length;
    }
  }

  private finish(steps: number): void {
    this.head += steps;
    this.done += steps;
    if (this.head === this.steps.length) {
      this.steps = [];
      this.head = 0;
    } else if (this.head > MAX_FLUSH_BATCHES) {
      this.steps = this.steps.slice(this.head);
      this.head = 0;
    }
    let ready = 0;
    while (ready < this.waiters.length && this.waiters[ready]!.steps <= this.done) ready += 1;
    for (const waiter of this.waiters.splice(0, ready)) waiter.resolve();
  }

  /** What failed may be on the disk or not, and a second fsync would not tell: nothing is tried again. */
  private fail(cause: unknown): void {
    // The process ends while a segment waits for room: what waited with it was never durable, and is known not to be.
    if (cause instanceof DiskFullError) {
      this.refuse(cause);
      return;
    }
    const what = cause instanceof Error ? cause.message : String(cause);
    const failure = new LogFailedError(
      `The log could not be written: ${what} What the disk holds is not known any more.` +
        ' End the process, see to the disk, and start again: opening the log finds what is durable.',
      { cause },
    );
    this.refuse(failure);
    this.events.onFatal(failure);
  }

  /** Nothing more is written. */
  private refuse(failure: LogFailedError | DiskFullError): void {
    this.failure = failure;
    this.steps = [];
    this.head = 0;
    for (const waiter of this.waiters.splice(0)) waiter.reject(failure);
  }
}
