import { type BatchHeader, readHeader } from '../../src/log/batch';
import { assertBoundary, assertContinues, endAfter, NOTHING_BEFORE } from '../../src/log/continuity';
import { LogClosedError, LogContinuityError, LogRangeError } from '../../src/log/log-errors';
import type { EntryAtTime, LogBoundary, LogStats, LogStore } from '../../src/log/log-store';

interface Held {
  readonly batch: Buffer;
  readonly header: BatchHeader;
}

/** A log that holds everything in memory and nothing on a disk: for tests of what stands above a log. */
export class MemoryLog implements LogStore {
  private held: Held[] = [];
  private write: Promise<void> | undefined;
  private end: LogBoundary;
  private durable: number;
  private closed = false;
  private fsyncs = 0;
  private batches = 0;
  private bytes = 0;

  constructor(
    private boundary: LogBoundary = NOTHING_BEFORE,
    private readonly group = 0,
  ) {
    this.end = boundary;
    this.durable = boundary.index;
  }

  get firstIndex(): number {
    return this.boundary.index + 1;
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
    return this.boundary.nextOffset;
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
    return index === this.boundary.index ? this.boundary.term : this.held[index - this.firstIndex]?.header.term;
  }

  append(batch: Buffer): void {
    this.assertOpen('append');
    const header = readHeader(batch);
    assertContinues(this.end, header, this.group);
    this.held.push({ batch, header });
    this.end = endAfter(header);
    this.batches += 1;
    this.bytes += batch.length;
  }

  /** Callers of one turn share a write, as on a disk. */
  async sync(): Promise<number> {
    this.assertOpen('sync');
    this.write ??= Promise.resolve().then(() => {
      this.write = undefined;
      if (this.durable === this.lastIndex) return;
      this.durable = this.lastIndex;
      this.fsyncs += 1;
    });
    await this.write;
    return this.durable;
  }

  async truncateSuffix(from: number): Promise<void> {
    this.assertOpen('truncateSuffix');
    if (from < this.firstIndex) {
      throw new LogContinuityError(
        `Entries from ${from} on cannot be dropped: the log begins with ${this.firstIndex}.`,
      );
    }
    if (from > this.lastIndex) return;
    this.held.length = from - this.firstIndex;
    const last = this.held.at(-1);
    this.end = last ? endAfter(last.header) : this.boundary;
    this.durable = Math.min(this.durable, from - 1);
  }

  async truncatePrefix(upTo: number): Promise<void> {
    this.assertOpen('truncatePrefix');
    const drop = Math.min(upTo, this.durable) - this.boundary.index;
    const last = this.held[drop - 1];
    if (!last) return;
    this.boundary = endAfter(last.header);
    this.held = this.held.slice(drop);
  }

  async reset(at: LogBoundary): Promise<void> {
    this.assertOpen('reset');
    assertBoundary(at);
    this.held = [];
    this.boundary = at;
    this.end = at;
    this.durable = at.index;
  }

  cached(from: number, maxBytes: number): Buffer[] | undefined {
    if (from < this.firstIndex) return undefined;
    const found: Buffer[] = [];
    let bytes = 0;
    for (let i = from - this.firstIndex; i < this.held.length; i++) {
      const { batch } = this.held[i]!;
      bytes += batch.length;
      if (found.length > 0 && bytes > maxBytes) break;
      found.push(batch);
    }
    return found;
  }

  async read(from: number, maxBytes: number): Promise<Buffer[]> {
    this.assertOpen('read');
    const found = this.cached(from, maxBytes);
    if (found) return found;
    throw new LogRangeError('compacted', `Entry ${from} was dropped: the log begins with ${this.firstIndex}.`);
  }

  async indexOfOffset(offset: number): Promise<number | undefined> {
    this.assertOpen('indexOfOffset');
    return this.held.find(({ header }) => offset >= header.baseOffset && offset < header.baseOffset + header.count)
      ?.header.index;
  }

  async entryAtTime(time: number): Promise<EntryAtTime | undefined> {
    this.assertOpen('entryAtTime');
    const header = this.held.find((held) => held.header.time >= time)?.header;
    return header && { index: header.index, offset: header.baseOffset };
  }

  async close(): Promise<void> {
    if (this.closed) return;
    await this.sync();
    this.closed = true;
  }

  stats(): LogStats {
    return { fsyncs: this.fsyncs, maintenanceFsyncs: 0, batches: this.batches, bytes: this.bytes, segments: 1 };
  }

  private assertOpen(what: string): void {
    if (this.closed) throw new LogClosedError(what);
  }
}
