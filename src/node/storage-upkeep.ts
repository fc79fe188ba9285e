import type { LogScrub } from '../log/log-scrub';
import type { SegmentedLog } from '../log/segmented-log';
import { AgeRetention } from '../raft/replica/age-retention';
import type { Clock, EventLog, Scheduler } from '../raft/replica/environment';
import type { Snapshotter } from '../raft/replica/snapshotter';
import type { UnreadLog } from '../raft/replica/unread-log';
import type { SnapshotStore } from '../raft/snapshot';

export interface StorageUpkeepOptions {
  readonly log: SegmentedLog;
  readonly snapshots: SnapshotStore;
  readonly snapshotter: Pick<Snapshotter, 'take' | 'upkeep' | 'isLogHeld'>;
  readonly appliedIndex: () => number;
  /** Milliseconds; undefined: the log is kept whatever its age. */
  readonly retentionAge: number | undefined;
  /** What retention leaves longer. */
  readonly unread?: UnreadLog | undefined;
  readonly clock: Pick<Clock, 'wallMicros'>;
  readonly scheduler: Pick<Scheduler, 'every'>;
  readonly events: EventLog;
}

/** Half a second between two steps of the scrub, of at most 1 MiB each: 2 MiB a second. */
const SCRUB_MILLIS = 500;
const RETRY_MILLIS = 1_000;
const AGE_MILLIS = 5_000;

/** What the storage of a group needs beside reads and writes: retention by age, the scrub, snapshots that found no room. */
export class StorageUpkeep {
  private readonly age: AgeRetention | undefined;
  private readonly scrub: LogScrub;
  private ageing: Promise<void> | undefined;
  private stops: (() => void)[] = [];
  /** As the scrub last saw the log: a log that was written to since is busy. */
  private seen = 0;

  constructor(private readonly options: StorageUpkeepOptions) {
    const { log, snapshots: store, snapshotter, appliedIndex, retentionAge, unread, events } = options;
    const takeSnapshot = (): Promise<number> => snapshotter.take();
    const isHeld = (): boolean => snapshotter.isLogHeld;
    if (retentionAge !== undefined) {
      this.age = new AgeRetention({
        log,
        store,
        takeSnapshot,
        appliedIndex,
        age: retentionAge * 1_000,
        isHeld,
        unread,
      });
    }
    this.scrub = log.upkeep.scrub(
      () => this.isBusy(),
      (error) => events.warn({ err: error }, 'a segment at rest could not be read; looking at the next one'),
    );
    log.damage.subscribe((damage, error) =>
      events.error(
        { ...damage, err: error },
        'the log is damaged: what is missing here is taken from the peers, and mended when this node is started again',
      ),
    );
  }

  start(): void {
    const { scheduler, snapshotter } = this.options;
    this.stops = [
      scheduler.every(SCRUB_MILLIS, () => this.scrub.tick()),
      scheduler.every(RETRY_MILLIS, () => snapshotter.upkeep()),
      scheduler.every(AGE_MILLIS, () => this.enforceAge()),
    ];
  }

  /** Resolves when nothing of it goes on any more. */
  async stop(): Promise<void> {
    for (const stop of this.stops.splice(0)) stop();
    this.scrub.stop();
    await this.ageing;
  }

  private enforceAge(): void {
    const { clock, events } = this.options;
    if (!this.age || this.ageing) return;
    this.ageing = this.age
      .enforce(clock.wallMicros())
      .catch((error: unknown) => {
        events.warn({ err: error }, 'what is too old was not dropped from the log; trying again');
      })
      .finally(() => {
        this.ageing = undefined;
      });
  }

  private isBusy(): boolean {
    const { batches } = this.options.log.stats();
    const written = batches !== this.seen;
    this.seen = batches;
    return written;
  }
}
