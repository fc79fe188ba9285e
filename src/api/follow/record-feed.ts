/**
 * Records from an offset on, for ever, as every door follows the log: no further ahead than one page, no faster than the reader
 * takes, and with a filter only what matches, with word of how far the log has been read in between.
 */
import { type Budget, within } from '../deadline';
import { outsideLog } from '../log-range';
import { type LogRecordView, type NodePort, type RecordPage } from '../node-port';
import { arrivalWithin } from './arrival';
import { type RecordFilter } from './record-filter';

/** Bytes of records that are read at once. */
const PAGE_BYTES = 1024 * 1024;
/** Word of how far a filtered stream has read goes out so often at most, in milliseconds. */
const PROGRESS_MS = 1000;

/** A record, or where to go on from: everything before `nextOffset` has been looked at. */
export interface FeedItem {
  readonly record: LogRecordView | undefined;
  readonly nextOffset: number;
}

export interface FeedOptions {
  readonly port: NodePort;
  readonly filter: RecordFilter | undefined;
  /** For one page. */
  readonly budget: () => Budget;
  /** Aborted when the reader leaves or the door closes; then the feed throws. */
  readonly signal: AbortSignal;
}

/** Never ends but by what it throws: OUT_OF_RANGE below what is retained, or what the node throws. */
export async function* recordFeed(from: number, options: FeedOptions): AsyncGenerator<FeedItem, never, undefined> {
  const { port, filter, signal } = options;
  const progress = new Progress(from);
  let next = from;
  for (;;) {
    signal.throwIfAborted();
    const page = await readPage(options, next);
    if (page.records.length === 0) {
      if (next < page.firstOffset) throw outsideLog(next, page);
      if (progress.isDue(next)) yield progress.reach(next);
      const dueIn = progress.dueIn(next);
      if (dueIn === undefined) await port.waitForOffset(next, signal);
      else await arrivalWithin(port, next, dueIn, signal);
      continue;
    }
    if (filter) await untilApplied(port, page.records, signal);
    for (const record of page.records) {
      signal.throwIfAborted();
      next = record.offset + 1;
      if (filter && !filter.matches(record, port.ledger)) continue;
      yield { record, nextOffset: progress.reach(next).nextOffset };
    }
    if (progress.isDue(next)) yield progress.reach(next);
  }
}

/** How far the reader has been told that the log was read. */
class Progress {
  private told: number;
  private toldAt = -Infinity;

  constructor(from: number) {
    this.told = from;
  }

  /** Whether the reader is to be told, though there is no record for it. */
  isDue(next: number): boolean {
    return next > this.told && performance.now() >= this.toldAt + PROGRESS_MS;
  }

  /** Milliseconds until the reader is to be told; undefined: it knows. */
  dueIn(next: number): number | undefined {
    return next > this.told ? Math.max(1, this.toldAt + PROGRESS_MS - performance.now()) : undefined;
  }

  reach(next: number): FeedItem {
    this.told = next;
    this.toldAt = performance.now();
    return { record: undefined, nextOffset: next };
  }
}

/** A page from a peer may reach beyond what this node has applied, where it does not know the accounts yet. */
async function untilApplied(port: NodePort, records: readonly LogRecordView[], signal: AbortSignal): Promise<void> {
  const last = records.at(-1)!.offset;
  if (port.position().offset < last) await port.waitForOffset(last, signal);
}

function readPage({ port, budget }: FeedOptions, from: number): Promise<RecordPage> {
  const { workMs, patienceMs } = budget();
  return within(port.readRecords(from, PAGE_BYTES, workMs), patienceMs, 'read');
}
