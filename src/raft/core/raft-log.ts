import { invariant } from './errors';
import type { LogView } from './options';
import type { Entry, LogPosition } from './types';

/** What one Ready hands to the log. */
interface LogChanges {
  readonly truncateFrom: number | undefined;
  readonly entries: readonly Entry[];
}

/**
 * The log as consensus sees it: the replica's log, below the entries that were made or received since the last Ready,
 * with four marks: applied <= handedOver <= commit, and durable (etcd's `raftLog` and `unstable`). handedOver never
 * passes durable either, so that no state or snapshot is ahead of this node's own log after a crash.
 */
export class RaftLog {
  commit: number;
  applied: number;
  /** Listed in Ready.committed. */
  handedOver: number;
  /** Entries up to here are on this node's disk as they are now. */
  durable: number;
  /** Not handed to the replica's log yet. */
  private pending: Entry[] = [];
  private truncateFrom: number | undefined;
  /** Where the replica's log has to end once it has done what the last Ready said. */
  private handedLast: number | undefined;

  constructor(
    private readonly view: LogView,
    snapshot: LogPosition,
  ) {
    this.commit = this.applied = this.handedOver = snapshot.index;
    this.durable = view.lastIndex;
    invariant(
      view.firstIndex <= snapshot.index + 1 && view.lastIndex >= snapshot.index,
      () =>
        `The log holds entries ${view.firstIndex} to ${view.lastIndex}, which does not continue the snapshot at ${snapshot.index}.`,
    );
    const term = view.termAt(snapshot.index);
    invariant(
      term === snapshot.term,
      () => `The snapshot at ${snapshot.index} has term ${snapshot.term}, but the log has term ${term} there.`,
    );
  }

  get firstIndex(): number {
    return this.view.firstIndex;
  }

  get lastIndex(): number {
    return this.pending.at(-1)?.index ?? this.view.lastIndex;
  }

  get lastTerm(): number {
    return this.termOf(this.lastIndex);
  }

  get hasPending(): boolean {
    return this.pending.length > 0;
  }

  /** undefined below the snapshot's boundary and beyond the end. */
  termAt(index: number): number | undefined {
    const first = this.pending[0];
    if (first === undefined || index < first.index) return this.view.termAt(index);
    return this.pending[index - first.index]?.term;
  }

  /** termAt, where the caller knows that the entry is there. */
  termOf(index: number): number {
    const term = this.termAt(index);
    invariant(
      term !== undefined,
      () => `The term of entry ${index} was asked for, but the log holds ${this.firstIndex} to ${this.lastIndex}.`,
    );
    return term;
  }

  has(index: number, term: number): boolean {
    return this.termAt(index) === term;
  }

  /** Raft's order of logs (5.4.1): later last term first, then longer. */
  isUpToDate(candidate: LogPosition): boolean {
    return isAtLeast(candidate, { index: this.lastIndex, term: this.lastTerm });
  }

  /** A leader's own entry. A leader never overwrites its log (Leader Append-Only, figure 3.2). */
  append(entry: Entry): void {
    invariant(
      entry.index === this.lastIndex + 1,
      () => `Entry ${entry.index} cannot be appended to a log that ends at ${this.lastIndex}.`,
    );
    this.pending.push(entry);
  }

  /** A follower's: `entries` take the place of everything from their first index on. */
  replaceFrom(entries: readonly Entry[]): void {
    const from = entries[0]?.index ?? Number.NaN;
    invariant(
      from > this.commit && from <= this.lastIndex + 1,
      () =>
        `Entries from ${from} on were to replace the end of a log that ends at ${this.lastIndex} and is committed up to ${this.commit}.`,
    );
    const first = this.pending[0]?.index ?? this.view.lastIndex + 1;
    if (from < first) this.truncateFrom = from;
    this.pending = [...this.pending.slice(0, Math.max(0, from - first)), ...entries];
    this.durable = Math.min(this.durable, from - 1);
  }

  /** Hands everything pending over: from here on the replica's log has to show it. */
  takeChanges(): LogChanges {
    if (this.pending.length > 0) this.handedLast = this.lastIndex;
    const changes = { truncateFrom: this.truncateFrom, entries: this.pending };
    this.pending = [];
    this.truncateFrom = undefined;
    return changes;
  }

  /** Catches a replica that calls the core again before it has appended what a Ready listed. */
  checkHandedOver(): void {
    invariant(
      this.handedLast === undefined || this.view.lastIndex === this.handedLast,
      () =>
        `The last Ready's entries end at ${this.handedLast}, but the log ends at ${this.view.lastIndex}: ` +
        'the replica has to append them before it calls the core again.',
    );
  }

  /**
   * Up to `maxBytes` (but one entry at least) and `maxCount` entries; undefined when they are not in memory.
   * What is pending and what is not come in separate calls.
   */
  entries(from: number, maxBytes: number, maxCount: number): readonly Entry[] | undefined {
    const first = this.pending[0];
    if (first === undefined || from < first.index) {
      // The replica's log may still show entries that a pending truncation removes.
      const below = first === undefined ? maxCount : Math.min(maxCount, first.index - from);
      const cached = this.view.cachedEntries(from, maxBytes, below);
      invariant(
        cached === undefined || (cached[0]?.index === from && cached.length <= below),
        () =>
          `Entries from ${from} on were asked for, but the log answered with entries from ${cached?.[0]?.index} on.`,
      );
      return cached;
    }
    const start = from - first.index;
    let end = start;
    for (let bytes = 0; end < this.pending.length && end - start < maxCount; end++) {
      bytes += this.pending[end]?.data.length ?? 0;
      if (bytes > maxBytes && end > start) break;
    }
    return this.pending.slice(start, end);
  }

  commitTo(index: number): void {
    if (index <= this.commit) return;
    invariant(
      index <= this.lastIndex,
      () =>
        `Entry ${index} is committed but this log ends at ${this.lastIndex}: acknowledged entries are gone. ` +
        'Stop this node and let it join again with an empty data directory.',
    );
    this.commit = index;
  }

  /**
   * The log was durable up to this entry. It says something only if that entry is still there: in between, the end of
   * the log may have been replaced. The caller has checked that the term is still the one in which the write was handed
   * out; within a term an entry is replaced at most once (by the leader's), so it cannot have gone and come back (ABA).
   */
  durableTo(index: number, term: number): void {
    if (index > this.durable && this.has(index, term)) this.durable = index;
  }

  /** The replica's log was emptied and continues behind a snapshot. */
  resetTo(snapshot: LogPosition): void {
    invariant(
      this.pending.length === 0 && this.view.lastIndex === snapshot.index && this.has(snapshot.index, snapshot.term),
      () =>
        `A snapshot at ${snapshot.index} (term ${snapshot.term}) was installed, but the log ends at ${this.view.lastIndex}` +
        ` (term ${this.view.termAt(this.view.lastIndex)}) with ${this.pending.length} entries waiting.`,
    );
    this.commit = this.applied = this.handedOver = this.durable = snapshot.index;
    this.handedLast = undefined;
  }

  /**
   * The last index <= `index` whose term is <= `term`: where two logs that differ at `index` can match at the earliest.
   * Terms only grow along a log, so this is a binary search. Ends at the snapshot's boundary.
   */
  lastIndexUpToTerm(index: number, term: number): number {
    let low = this.firstIndex - 1;
    let high = Math.min(index, this.lastIndex);
    if (high < low) return high;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (this.termOf(middle) <= term) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

/** Raft's order of logs by their last entries. */
export function isAtLeast(a: LogPosition, b: LogPosition): boolean {
  return a.term > b.term || (a.term === b.term && a.index >= b.index);
}
