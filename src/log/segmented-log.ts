import { type BatchHeader, readHeader } from './batch';
import { assertBoundary, assertContinues, endAfter } from './continuity';
import { compacted, DiskReads } from './disk-reads';
import { DamageWatch } from './damage-watch';
import { LogClosedError, LogContinuityError } from './log-errors';
import { LogUpkeep } from './log-upkeep';
import type { EntryAtTime, LogBoundary, LogStats, LogStore } from './log-store';
import { LogWriter } from './log-writer';
import { forgetLoss } from './lost-entries';
import { LogSearch } from './log-search';
import { NextSegment } from './next-segment';
import { type LogRecovery, type OpenedLog, recover } from './recovery';
import type { Segment } from './segment';
import { SegmentFiles } from './segment-files';
import { SegmentList } from './segment-list';
import { SEGMENT_HEADER_BYTES } from './segment-header';
import {
  type CompleteLogOptions,
  type SegmentedLogOptions,
  type SegmentView,
  viewOf,
  withDefaults,
} from './segmented-log-options';
import { TailCache } from './tail-cache';
import type { TermRuns } from './term-runs';

/** The log of one Raft group in the segment files of one folder. See docs/internals/log.md. */
export class SegmentedLog implements LogStore {
  /** What opening found and did. */
  readonly recovery: LogRecovery;
  /** What is found damaged while the log is open. */
  readonly damage = new DamageWatch();
  readonly upkeep: LogUpkeep;
  private readonly segments: SegmentList;
  private readonly terms: TermRuns;
  private readonly cache: TailCache;
  private readonly writer: LogWriter;
  private readonly reads: DiskReads;
  private readonly search: LogSearch;
  private readonly next: NextSegment;
  private end: LogBoundary;
  private durable: number;
  private closing: Promise<void> | undefined;

  private constructor(
    private readonly options: CompleteLogOptions,
    private readonly files: SegmentFiles,
    opened: OpenedLog,
  ) {
    this.recovery = opened.recovery;
    this.segments = new SegmentList(opened.segments);
    this.terms = opened.terms;
    this.end = opened.end;
    this.durable = opened.end.index;
    this.cache = new TailCache(options.cacheBytes, opened.end.index + 1);
    this.reads = new DiskReads(options.files, (error) => this.damage.report(error));
    this.search = new LogSearch(options.files, this.segments, this.cache, this.reads);
    this.next = new NextSegment(files, options);
    this.writer = new LogWriter(files, (segment) => this.next.capacityAfter(segment), {
      onDurable: (index) => this.becameDurable(index),
      onFatal: options.onFatal,
    });
    const { segments, next, writer, reads } = this;
    this.upkeep = new LogUpkeep({
      ...{ segments, next, files, writer, reads },
      end: () => this.openEnd(),
      durableIndex: () => this.durable,
    });
  }

  /**
   * @throws LogDamageError where durable entries cannot be read: nothing is changed then
   * @throws LogVersionError where a newer program wrote the log
   */
  static async open(given: SegmentedLogOptions): Promise<SegmentedLog> {
    const options = withDefaults(given);
    await options.files.makeDirectory(options.dir);
    const files = new SegmentFiles(options.files, options.dir, options.group);
    const log = new SegmentedLog(options, files, await recover(files, options));
    const { last } = log.segments;
    files.waitForRoom(options.space);
    if (!last.isClosed) await log.writer.use(last);
    files.prepareSpare(log.next.capacityAfter(last));
    return log;
  }

  get firstIndex(): number {
    return this.segments.first.firstIndex;
  }

  get lastIndex(): number {
    return this.end.index;
  }

  get lastTerm(): number {
    return this.end.term;
  }

  get nextOffset(): number {
    return this.end.nextOffset;
  }

  get firstOffset(): number {
    return this.segments.first.before.nextOffset;
  }

  get lastTime(): number {
    return this.end.time;
  }

  get lastHash(): Buffer {
    return this.end.hash;
  }

  get durableIndex(): number {
    return this.durable;
  }

  termAt(index: number): number | undefined {
    return this.terms.termAt(index);
  }

  append(batch: Buffer): void {
    this.assertOpen('to append');
    if (this.writer.failure) throw this.writer.failure;
    const header = readHeader(batch);
    if (header.length !== batch.length) {
      throw new LogContinuityError(`Batch ${header.index} has ${header.length} bytes, but ${batch.length} were given.`);
    }
    assertContinues(this.end, header, this.options.group);
    const segment = this.segmentFor(header);
    segment.reserve(header);
    this.end = endAfter(header);
    this.terms.append(header.index, header.term);
    this.cache.append(batch, this.durable);
    this.writer.append(segment, batch, header);
  }

  async sync(): Promise<number> {
    this.assertOpen('to sync');
    await this.writer.settled();
    return this.durable;
  }

  async truncateSuffix(from: number): Promise<void> {
    this.assertOpen('to truncate');
    if (from < this.firstIndex) {
      throw new LogContinuityError(
        `Entries from ${from} on cannot be dropped: the log begins with ${this.firstIndex}.`,
      );
    }
    if (from > this.lastIndex) return;
    const last = from - 1;
    const end = this.search.boundaryAt(last);
    const dropped = this.segments.takeSuffix(from);
    const cut = this.segments.last;
    const cutsFile = cut.lastIndex > last;
    cut.truncateSuffix(end);
    this.end = end;
    this.durable = Math.min(this.durable, last);
    this.terms.truncateSuffix(from);
    this.cache.truncateSuffix(from);
    this.reads.truncatedTo(last);
    await this.writer.change(async () => {
      await this.writer.release();
      await this.reads.drop(dropped);
      await this.files.remove(dropped);
      if (cutsFile) await this.cutFile(cut, last);
    }, last);
  }

  async truncatePrefix(upTo: number): Promise<void> {
    this.assertOpen('to truncate');
    const dropped = this.segments.takePrefix(upTo);
    if (dropped.length === 0) return;
    const { before, firstIndex } = this.segments.first;
    this.terms.truncatePrefix(before.index);
    this.cache.truncatePrefix(firstIndex);
    this.reads.compactedTo(firstIndex);
    await this.writer.change(async () => {
      await this.reads.drop(dropped);
      await this.files.removeOldest(dropped);
    }, Number.MAX_SAFE_INTEGER);
  }

  async reset(at: LogBoundary): Promise<void> {
    this.assertOpen('to begin anew');
    assertBoundary(at);
    const before = { ...at, hash: Buffer.from(at.hash) };
    const segment = this.next.first(before);
    const dropped = this.segments.replaceAll(segment);
    this.end = before;
    this.durable = before.index;
    this.terms.restart(before.index, before.term);
    this.cache.restart(segment.firstIndex);
    this.reads.truncatedTo(0);
    await this.writer.change(async () => {
      await this.writer.release();
      await this.reads.drop(dropped);
      await this.writer.adopt(segment, await this.files.restart(segment.file));
    }, -1);
  }

  cached(from: number, maxBytes: number): Buffer[] | undefined {
    return from > this.lastIndex ? [] : this.cache.range(from, maxBytes);
  }

  async read(from: number, maxBytes: number): Promise<Buffer[]> {
    this.assertOpen('to read');
    if (from < this.firstIndex) throw compacted(from, this.firstIndex);
    const held = this.cached(from, maxBytes);
    if (held) return held;
    // What is not in memory is on the disk: a batch is let go only once it is durable.
    const segment = this.segments.ofIndex(from)!;
    return this.reads.read(segment, from, Math.min(segment.lastIndex, this.durable), maxBytes);
  }

  async indexOfOffset(offset: number): Promise<number | undefined> {
    this.assertOpen('to search');
    if (offset < this.firstOffset || offset >= this.nextOffset) return undefined;
    return this.search.indexOfOffset(offset);
  }

  async entryAtTime(time: number): Promise<EntryAtTime | undefined> {
    this.assertOpen('to search');
    if (this.lastIndex < this.firstIndex || time > this.lastTime) return undefined;
    return this.search.entryAtTime(time);
  }

  /** The segments, oldest first: what a policy of retention decides from. */
  segmentViews(): SegmentView[] {
    return this.segments.all().map(viewOf);
  }

  /** For the outcomes beside the segments. Decided when the record is appended, whether or not it is written. */
  segmentOfOffset(offset: number): Segment | undefined {
    return offset < this.nextOffset ? this.segments.ofOffset(offset) : undefined;
  }

  holdsSegment(segment: Segment): boolean {
    return this.segments.has(segment);
  }

  /** Whoever votes for this log no longer needs to know what {@link LogRecovery.lostAcknowledged} said. */
  async settleLoss(): Promise<void> {
    this.assertOpen('to settle a loss');
    await this.writer.change(() => forgetLoss(this.files), Number.MAX_SAFE_INTEGER);
  }

  close(): Promise<void> {
    this.closing ??= this.closeFiles();
    return this.closing;
  }

  stats(): LogStats {
    const { fsyncs, batches, bytes } = this.writer;
    return { fsyncs, maintenanceFsyncs: this.files.syncs, batches, bytes, segments: this.segments.count };
  }

  private async closeFiles(): Promise<void> {
    try {
      await this.writer.settled();
    } finally {
      await this.writer.close();
      await this.reads.close();
      await this.files.close();
    }
  }

  private segmentFor(batch: BatchHeader): Segment {
    const { last } = this.segments;
    if (last.takes(batch, this.options.segmentAge)) return last;
    const segment = this.next.forBatch(this.end, last, batch);
    this.segments.push(segment);
    return segment;
  }

  private async cutFile(segment: Segment, lastIndex: number): Promise<void> {
    const empty = lastIndex < segment.firstIndex;
    const end = empty ? SEGMENT_HEADER_BYTES : await this.reads.endOf(segment, lastIndex);
    await this.files.truncate(segment.path, end);
    segment.cutFile(lastIndex, end);
  }

  private becameDurable(index: number): void {
    this.durable = Math.max(this.durable, index);
    this.cache.shrink(this.durable);
  }

  private openEnd(): LogBoundary {
    this.assertOpen('to begin a segment');
    return this.end;
  }

  private assertOpen(what: string): void {
    if (this.closing) throw new LogClosedError(what);
  }
}
