import type { Message } from './messages';
import type { Entry, HardState, ReadRefusalReason, SnapshotMeta, SoftState, NodeId } from './types';

/** What storage says when everything of one Ready (and of all before it) is durable; made by the core in Ready.ack. */
export interface StorageAck {
  /** The term in which the write was handed out: an acknowledgement that comes after the term has changed says nothing. */
  readonly term: number;
  /** The log's last entry when the write was handed out. */
  readonly index: number;
  readonly entryTerm: number;
  readonly hardState?: HardState;
}

export interface ReadState {
  readonly context: number;
  /** A state that has applied this index reflects everything that was acknowledged before the read was asked for. */
  readonly index: number;
}

export interface ReadRefusal {
  readonly context: number;
  readonly reason: ReadRefusalReason;
}

/**
 * Everything there is to do since the call before; the core considers it handed over (there is no `advance`). The replica
 * 1. in the same turn: truncates (`truncateFrom`), appends `entries` to the log, so that the LogView shows them;
 * 2. sends `messages`, in parallel with
 * 3. making `hardState` and the log durable. When those of this Ready and of all Readys before it are durable, and not
 *    before, it sends `messagesAfterSync` and calls `core.appended(ack)`;
 * 4. applies `committed` and calls `core.applied`; installs `installSnapshot` and calls `core.snapshotInstalled`.
 */
export interface Ready {
  /** Present when it changed. */
  readonly softState?: SoftState;
  /** Present when it changed. */
  readonly hardState?: HardState;
  /** Remove the entries from this index on, before `entries` are appended. */
  readonly truncateFrom?: number;
  readonly entries: readonly Entry[];
  readonly messages: readonly Message[];
  readonly messagesAfterSync: readonly Message[];
  /** Present when hardState, entries or truncateFrom are: hand it to `core.appended` when they are durable. */
  readonly ack?: StorageAck;
  /** Committed, and durable here: to be applied. Both ends included; ranges follow each other without a gap. */
  readonly committed?: { readonly from: number; readonly to: number };
  readonly readStates: readonly ReadState[];
  readonly readRefusals: readonly ReadRefusal[];
  /** Send your newest snapshot there and call `core.snapshotStatus`. May be asked again while one is on its way: ignore it then. */
  readonly snapshotsToSend: readonly { readonly to: NodeId }[];
  /** Entries that are not in memory: load some, then call `core.appendFor`, or `core.entriesLoaded` if that failed. */
  readonly reads: readonly { readonly peer: NodeId; readonly from: number }[];
  /** The snapshot that was stepped in shall replace log and state; then call `core.snapshotInstalled`. */
  readonly installSnapshot?: SnapshotMeta;
  /** What `mayHaveLost` doubted is settled: the mark on the disk can go. */
  readonly lossSettled?: true;
}
