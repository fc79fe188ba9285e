/**
 * The log of one Raft group, as its users see it: sealed batches, dense in their index, readable as soon as they are
 * appended, and durable when `sync` says so. What every implementation has to do is written down as tests in
 * test/support/log-store-contract.ts.
 */

/** What stands before the first entry of a log: what a snapshot covers, or nothing. */
export interface LogBoundary {
  /** Of the last entry before the log; 0 where there is none. */
  readonly index: number;
  readonly term: number;
  /** Offset that the next record takes. */
  readonly nextOffset: number;
  /** Hash of that entry's batch: 32 bytes, all zero where there is none. */
  readonly hash: Buffer;
  /** Of that entry, in microseconds since the Unix epoch. */
  readonly time: number;
}

/** Counted since the log was opened. */
export interface LogStats {
  /** fdatasyncs that made appends durable. */
  readonly fsyncs: number;
  /** All other fsyncs: of folders, of files made ahead, of truncations. */
  readonly maintenanceFsyncs: number;
  /** Batches written to the disk, and their bytes. */
  readonly batches: number;
  readonly bytes: number;
  /** Segment files at this moment. */
  readonly segments: number;
}

export interface EntryAtTime {
  readonly index: number;
  readonly offset: number;
}

export interface LogStore {
  /** Index of the first entry; `lastIndex + 1` where the log is empty. A fresh log has 1. */
  readonly firstIndex: number;
  /** Index of the last entry appended; `firstIndex - 1` where the log is empty. */
  readonly lastIndex: number;
  /** Term, end offset, time and hash at `lastIndex`; the boundary's where the log is empty. */
  readonly lastTerm: number;
  readonly nextOffset: number;
  readonly lastTime: number;
  readonly lastHash: Buffer;
  /** Offset of the first record that the log holds, or of the next one where it holds none. */
  readonly firstOffset: number;
  /** Every entry up to here survives a loss of power. */
  readonly durableIndex: number;

  /** @returns the term of the entry, also at `firstIndex - 1`; undefined outside of these */
  termAt(index: number): number | undefined;

  /**
   * Appends one sealed batch: readable at once, written behind. The buffer is kept, not copied, and must not change.
   * @throws LogContinuityError where index, hash, offset, term, time or group do not continue the log: a fault of the caller
   */
  append(batch: Buffer): void;

  /**
   * Waits until everything appended before the call is durable, or was truncated since. Callers share one fdatasync.
   * @returns `durableIndex`
   * @throws LogFailedError once a write or an fsync has failed: then nothing more becomes durable
   * @throws DiskFullError when there was no room and the wait for it was given up: the same, but nothing is in doubt
   */
  sync(): Promise<number>;

  /**
   * Drops the entries from `from` on: gone from sight at once, from the disk when the promise resolves. Ordered with the
   * appends around it. A power loss at any moment leaves the log with a suffix of the dropped entries fewer.
   * @param from at least `firstIndex`; beyond the end nothing happens
   */
  truncateSuffix(from: number): Promise<void>;

  /** May drop whole segments that hold only entries up to and including `upTo`. */
  truncatePrefix(upTo: number): Promise<void>;

  /** Empties the log, which then continues behind `at`. A power loss leaves the old log or the new one. */
  reset(at: LogBoundary): Promise<void>;

  /**
   * Entries from `from` on that are in memory: at least one, then while they take no more than `maxBytes` together.
   * @returns undefined where the entry at `from` is not in memory; none where `from` is beyond the end
   */
  cached(from: number, maxBytes: number): Buffer[] | undefined;

  /**
   * Entries from `from` on, as {@link cached}, from the disk where need be; fewer than would fit are possible.
   * @throws LogRangeError where `from` was dropped before or during the read
   * @throws LogDamageError where the disk no longer holds what was written
   */
  read(from: number, maxBytes: number): Promise<Buffer[]>;

  /** @returns index of the entry that holds the record; undefined where the log does not hold it */
  indexOfOffset(offset: number): Promise<number | undefined>;

  /**
   * The first entry at or after `time`, in microseconds since the Unix epoch, and the offset that the first record at or after
   * it has or will have. Of a time before the log's own beginning (`firstIndex`) the log does not know what was then.
   * @returns undefined where the log ends before
   */
  entryAtTime(time: number): Promise<EntryAtTime | undefined>;

  /** Makes what was appended durable and lets go of the files. */
  close(): Promise<void>;

  stats(): LogStats;
}
