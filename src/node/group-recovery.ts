import { basename, join } from 'node:path';
import { LogDamageError, LogVersionError, type LogDamage } from '../log/log-errors';
import { highestIndexIn } from '../log/log-remains';
import { firstIndexOf } from '../log/segment-header';
import { repairSegment, RepairRefusedError } from '../log/segment-repair';
import { SegmentedLog } from '../log/segmented-log';
import { setSegmentsAside } from '../log/set-aside';
import { EMPTY_CONFIGURATION, isAtLeast, type HardState, type LogPosition } from '../raft/core';
import { SEGMENTS_PER_AGE } from '../raft/replica/age-retention';
import { FIRST_GROUP } from './data-directory';
import type { GroupStorageOptions } from './group-storage-options';
import { LogRepair } from './log-repair';
import { StartupError } from './startup-error';

const WEEK_MILLIS = 7 * 24 * 3_600_000;

/**
 * What a start does about a disk that has lost something: mends the log with entries of the peers, and where that cannot be,
 * sets aside what is damaged and goes on with what is left, as a node that knows how much it may have lost. Why that is safe:
 * docs/internals/stable-storage.md.
 */
export class GroupRecovery {
  private readonly folder: string;
  private readonly dir: string;
  private mended: string | undefined;
  /** Places that were mended without anybody's help. Found damaged again, they need more than that. */
  private readonly mendedAlone = new Set<string>();

  constructor(
    private readonly options: GroupStorageOptions,
    private readonly hardState: HardState,
  ) {
    this.folder = options.data.groupFolder(FIRST_GROUP);
    this.dir = join(this.folder, 'log');
  }

  /** Opens the log, as often as it takes. Rejects with StartupError where nobody can help. */
  async openLog(): Promise<SegmentedLog> {
    for (;;) {
      try {
        return await this.tryToOpen();
      } catch (error) {
        if (error instanceof LogVersionError) throw new StartupError(error.message, 1);
        if (!(error instanceof LogDamageError)) throw error;
        await this.overcome(error);
      }
    }
  }

  /** Nothing of log and snapshots fits together any more. False where nobody could give this node a state. */
  async beginAnew(why: string): Promise<boolean> {
    const { peers, data, events } = this.options;
    if (!peers || peers.alone()) return false;
    const mark = await this.markLoss();
    const setAside = await setSegmentsAside({ ...this.place, fromIndex: 1, lostIndex: mark.index });
    // A configuration that is older than the log was would let this node elect itself.
    const configuration = EMPTY_CONFIGURATION;
    await data.stable.saveSnapshot(FIRST_GROUP, { index: 0, term: 0, file: '', configuration });
    events.warn({ why, setAside, mark }, 'this node begins anew, and gets everything from its leader');
    return true;
  }

  /** What this node may have acknowledged and does not have any more, as far as log and marks tell. */
  async loss(log: SegmentedLog): Promise<LogPosition | undefined> {
    const { stable } = this.options.data;
    const marked = stable.lossMark(FIRST_GROUP);
    const { lostAcknowledged } = log.recovery;
    // The term of what is gone is not known. Nothing was acknowledged in a term that was not on the disk before.
    const known = lostAcknowledged === undefined || (marked && marked.index >= lostAcknowledged);
    const cut = known ? undefined : { index: lostAcknowledged, term: this.hardState.term };
    const mark = higher(higher(marked, cut), stable.logEnd(FIRST_GROUP));
    if (!mark || isAtLeast({ index: log.lastIndex, term: log.lastTerm }, mark)) {
      if (marked) await stable.saveLossMark(FIRST_GROUP, undefined);
      if (lostAcknowledged !== undefined) await log.settleLoss();
      return undefined;
    }
    if (mark !== marked) await stable.saveLossMark(FIRST_GROUP, mark);
    return mark;
  }

  private tryToOpen(): Promise<SegmentedLog> {
    const { config, data, fatal } = this.options;
    const { dir } = this;
    return SegmentedLog.open({
      dir,
      files: data.files,
      group: FIRST_GROUP,
      segmentBytes: config.segmentBytes,
      segmentAge: segmentAgeOf(config.retentionAge),
      space: this.options.space,
      onFatal: fatal,
    });
  }

  private async overcome(error: LogDamageError): Promise<void> {
    const { peers, data, events } = this.options;
    const { damage } = error;
    if (await this.mendAlone(damage)) return;
    if (!peers || peers.alone()) throw new StartupError(error.message, 1);
    events.warn({ ...damage, err: error }, 'the log is damaged; asking the peers for the entries');
    // Mended once and found damaged again at the same place: the disk does not keep what is written, or nothing fits.
    const place = placeOf(damage);
    const again = this.mended === place;
    this.mended = place;
    const repair = new LogRepair({ ...this.place, peers, events });
    if (!again && (await repair.mend(damage)) === 'mended') return;
    const mark = await this.markLoss();
    const fromIndex = firstIndexOf(basename(damage.file)) ?? 1;
    const setAside = await setSegmentsAside({ ...this.place, fromIndex, lostIndex: mark.index });
    // What is left of the log may not reach the first configuration's successors; see beginAnew.
    const pointer = data.stable.snapshot(FIRST_GROUP);
    if (pointer?.index === 0) {
      await data.stable.saveSnapshot(FIRST_GROUP, { ...pointer, configuration: EMPTY_CONFIGURATION });
    }
    events.warn(
      { ...damage, setAside, mark },
      'no peer can give the entries: the damaged part of the log is set aside',
    );
  }

  /** A mark or a header can be made again from the entries around it. */
  private async mendAlone(damage: LogDamage): Promise<boolean> {
    const place = placeOf(damage);
    if (this.mendedAlone.has(place)) return false;
    this.mendedAlone.add(place);
    try {
      await repairSegment({ ...this.place, damage, batches: [], committed: 0 });
    } catch (error) {
      if (error instanceof LogDamageError || error instanceof RepairRefusedError) return false;
      throw error;
    }
    this.options.events.warn({ ...damage }, 'a damaged segment was mended: all of its entries are there');
    return true;
  }

  private get place() {
    return { group: FIRST_GROUP, dir: this.dir, files: this.options.data.files };
  }

  /**
   * The highest position that this node can have acknowledged: no entry above what the log still shows, no snapshot above the
   * one that the pointer names, nothing in a term above the one on the disk. Durable before anything is set aside.
   */
  private async markLoss(): Promise<LogPosition> {
    const { stable, files } = this.options.data;
    const known = [
      await highestIndexIn(files, this.dir),
      stable.snapshot(FIRST_GROUP)?.index ?? 0,
      stable.lossMark(FIRST_GROUP)?.index ?? 0,
      stable.logEnd(FIRST_GROUP)?.index ?? 0,
    ];
    const mark = { index: Math.max(...known), term: this.hardState.term };
    await stable.saveLossMark(FIRST_GROUP, mark);
    return mark;
  }
}

/**
 * Where nothing is dropped by its age, a week: so that what is at rest, and can be checked, copied and dropped by size, is not
 * one segment for years on a node that takes few records.
 * @param retentionAge milliseconds. @returns microseconds
 */
function segmentAgeOf(retentionAge = WEEK_MILLIS * SEGMENTS_PER_AGE): number {
  return (retentionAge * 1_000) / SEGMENTS_PER_AGE;
}

function higher(a: LogPosition | undefined, b: LogPosition | undefined): LogPosition | undefined {
  if (!a || !b) return a ?? b;
  return isAtLeast(a, b) ? a : b;
}

function placeOf({ file, position }: LogDamage): string {
  return `${file}:${position}`;
}
