import { readHeader } from '../../src/log/batch';
import type { LogBoundary, LogStore } from '../../src/log/log-store';
import { BatchChain, boundaryAfter, readWholeLog } from '../support/batch-chain';

/** The log as it should be at one moment. */
interface Moment {
  /** What stands before `entries`. */
  readonly base: LogBoundary;
  readonly entries: readonly Buffer[];
  /** Entries up to this index may be gone. */
  readonly droppable: number;
}

const EMPTY: Moment = { base: new BatchChain().end, entries: [], droppable: 0 };

/**
 * What was asked of a log, as every moment it may be found in after a loss of power: each is a step further, and nothing may
 * be found from before the last one that was acknowledged.
 */
export class LogHistory {
  private readonly moments: Moment[];

  constructor(
    moments: readonly Moment[] = [EMPTY],
    private acknowledged = 0,
  ) {
    this.moments = [...moments];
  }

  /** For one of several ways in which things may go on. */
  copy(): LogHistory {
    return new LogHistory(this.moments, this.acknowledged);
  }

  get now(): Moment {
    return this.moments.at(-1)!;
  }

  get end(): LogBoundary {
    const last = this.now.entries.at(-1);
    return last ? boundaryAfter(last) : this.now.base;
  }

  append(batch: Buffer): void {
    this.moments.push({ ...this.now, entries: [...this.now.entries, batch] });
  }

  truncateSuffix(from: number): void {
    while (this.end.index >= from) this.moments.push({ ...this.now, entries: this.now.entries.slice(0, -1) });
  }

  truncatePrefix(upTo: number): void {
    this.moments.push({ ...this.now, droppable: Math.max(upTo, this.now.droppable) });
  }

  reset(base: LogBoundary): void {
    this.moments.push({ base, entries: [], droppable: base.index });
  }

  /** @returns what to call when everything up to now was acknowledged as durable */
  acknowledgement(): () => void {
    const moment = this.moments.length - 1;
    return () => {
      this.acknowledged = Math.max(this.acknowledged, moment);
    };
  }

  /** Fails unless the log is as it may be found. Afterwards the history goes on from what was found. */
  async expectFound(log: LogStore): Promise<void> {
    const found = await readWholeLog(log);
    const may = this.moments.slice(this.acknowledged);
    const moment = may.find((m) => isFoundAs(m, log, found));
    if (!moment) {
      const wanted = may.map((m) => describeEntries(m.entries)).join(' | ');
      throw new Error(`Found: ${log.firstIndex}… ${describeEntries(found)}. It may be one of: ${wanted}`);
    }
    this.moments.push(moment);
    this.acknowledged = this.moments.length - 1;
  }
}

function isFoundAs(moment: Moment, log: LogStore, found: readonly Buffer[]): boolean {
  const { base, entries, droppable } = moment;
  const last = entries.at(-1);
  if (log.lastIndex !== (last ? readHeader(last).index : base.index)) return false;
  if (log.firstIndex <= base.index || log.firstIndex - 1 > Math.max(droppable, base.index)) return false;
  const skipped = log.firstIndex - 1 - base.index;
  if (found.length !== entries.length - skipped || !found.every((batch, i) => batch.equals(entries[skipped + i]!)))
    return false;
  const before = skipped === 0 ? base : boundaryAfter(entries[skipped - 1]!);
  const end = last ? boundaryAfter(last) : base;
  return (
    log.termAt(before.index) === before.term &&
    log.firstOffset === before.nextOffset &&
    log.lastTerm === end.term &&
    log.nextOffset === end.nextOffset &&
    log.lastTime === end.time &&
    log.lastHash.equals(end.hash) &&
    log.durableIndex === end.index
  );
}

function describeEntries(entries: readonly Buffer[]): string {
  return entries.map((batch) => `${readHeader(batch).index}@${readHeader(batch).term}`).join(' ') || 'nothing';
}
