import type { SegmentedLog } from '../../log/segmented-log';
import type { SegmentView } from '../../log/segmented-log-options';
import type { SnapshotStore } from '../snapshot';
import { UNREAD_TIMES, type UnreadLog } from './unread-log';

export interface AgeRetentionOptions {
  readonly log: Pick<SegmentedLog, 'segmentViews' | 'upkeep' | 'truncatePrefix'>;
  readonly store: Pick<SnapshotStore, 'list' | 'newest' | 'newestValid' | 'removeOld'>;
  /** Takes a snapshot of what is applied, if there is not one already. */
  readonly takeSnapshot: () => Promise<number>;
  readonly appliedIndex: () => number;
  /** Segments whose newest entry is older than this are dropped, in microseconds. */
  readonly age: number;
  /** Somebody reads the log from its beginning: nothing is dropped then. */
  readonly isHeld: () => boolean;
  /** What is left longer. */
  readonly unread?: UnreadLog | undefined;
}

/** A segment takes entries for no longer than this part of the age, so that none is kept for much longer than it. */
export const SEGMENTS_PER_AGE = 8;

/**
 * Drops whole segments whose newest entry is older than the age, as their entries and this node's own clock say it, and only
 * under a snapshot. A log to which nobody writes ages as well: its last segment is closed after a part of the age, a snapshot
 * is taken of what is in no snapshot yet, and when nothing newer will come to push it out, the older of the two snapshots
 * goes too, once the newer one was read to its end.
 */
export class AgeRetention {
  constructor(private readonly options: AgeRetentionOptions) {}

  /** @param now microseconds since the Unix epoch */
  async enforce(now: number): Promise<void> {
    const { log, store, age, appliedIndex, takeSnapshot, unread } = this.options;
    await log.upkeep.rollBefore(now - age / SEGMENTS_PER_AGE);
    const upTo = lastAged(log.segmentViews(), (lastIndex) => now - (unread?.has(lastIndex) ? age * UNREAD_TIMES : age));
    if (upTo === 0 || upTo > appliedIndex()) return;
    if ((store.newest?.meta.index ?? 0) < upTo) await takeSnapshot();
    const { newest } = store;
    if (!newest || newest.meta.index < upTo) return;
    if ((store.list()[0]?.meta.index ?? 0) < upTo) {
      // Nothing of the log is left then that an older snapshot could be continued with.
      if ((await store.newestValid()) !== newest) return;
      await store.removeOld(1);
    }
    if (!this.options.isHeld()) await log.truncatePrefix(upTo);
  }
}

/**
 * The last entry of the oldest segments that are all too old; 0 where none is. The last segment always stays.
 * @param limit the time before which one that ends with this entry is
 */
function lastAged(segments: readonly SegmentView[], limit: (lastIndex: number) => number): number {
  let upTo = 0;
  for (const { lastIndex, lastTime } of segments.slice(0, -1)) {
    if (lastTime >= limit(lastIndex)) break;
    upTo = lastIndex;
  }
  return upTo;
}
