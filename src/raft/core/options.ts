import type { Configuration, Entry, HardState, LogPosition, NodeId, SnapshotMeta } from './types';

/**
 * The log as the core reads it: synchronously, and with every truncation, append and reset of earlier Readys in effect.
 * An empty log has lastIndex = firstIndex - 1.
 */
export interface LogView {
  readonly firstIndex: number;
  readonly lastIndex: number;
  /** Also for firstIndex - 1, the snapshot's boundary (0 for index 0); undefined outside [firstIndex - 1, lastIndex]. */
  termAt(index: number): number | undefined;
  /**
   * Entries from `from` on that are in memory: at most `maxCount`, and at most `maxBytes` of data but at least one entry.
   * undefined when the entry at `from` is not in memory. Only asked for from <= lastIndex.
   */
  cachedEntries(from: number, maxBytes: number, maxCount: number): readonly Entry[] | undefined;
}

/** Chance, injected: uniform in [0, 1). */
export interface RandomSource {
  next(): number;
}

export interface CoreOptions {
  readonly id: NodeId;
  readonly log: LogView;
  /** As read from the disk; {term: 0, vote: ''} on a fresh one. */
  readonly hardState: HardState;
  /** The newest snapshot that is applied here. A bootstrap gives {index: 0, term: 0, the first configuration}. */
  readonly snapshotMeta: SnapshotMeta;
  /** Those in the log above the snapshot, ascending. */
  readonly configurations: readonly { readonly index: number; readonly configuration: Configuration }[];
  /** Ticks without a leader after which a campaign starts: drawn from [min, max) each time. 0 < heartbeat < min < max. */
  readonly electionTicks: readonly [min: number, max: number];
  readonly heartbeatTicks: number;
  readonly random: RandomSource;
  /** Appends sent to one peer and not answered yet: at most so many messages, and none more once there are so many bytes. */
  readonly maxInflightMessages: number;
  readonly maxInflightBytes: number;
  /** Bytes of payload that this leader holds uncommitted; a single larger proposal passes when nothing else waits. */
  readonly maxUncommittedBytes: number;
  /** Bytes of entries in one append; a single larger entry travels alone. */
  readonly maxMessageBytes: number;
  /**
   * Makes the final bytes of an entry that this node creates as leader. Called synchronously, for one index after the
   * other: the entry before is the log's last one or was made by the call before. Of kind configuration, the payload is
   * encodeConfiguration's. `commit` is the commit index known now.
   */
  seal(kind: number, index: number, term: number, commit: number, payload: readonly Buffer[], count: number): Entry;
  /**
   * Given where a cut at start-up may have taken acknowledged entries (damage that is no torn write): the last position
   * that may have been acknowledged. Until a leader has brought the log that far, or shown by a committed entry of a later
   * term that it was never committed, this node does not campaign and denies its vote to every log shorter than that.
   */
  readonly mayHaveLost?: LogPosition;
}
