/**
 * The files of a log's folder and the order in which they come and go, which is what crash safety rests on:
 * - A segment is zeroed, given its header and synced under another name, and then renamed: a `.log` is always whole.
 * - Every change of a name is synced before the next, so that a loss of power leaves a prefix of the changes.
 * - A new beginning is committed by one rename, and finished when the log is opened if it was cut short.
 * - On a full disk a segment waits for room: until it has its name nothing depends on its file, which is thrown away and made
 *   anew, whatever a sync of it said.
 */

import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { RoomOnDisk } from './disk-space';
import { allocate, type FileSystem, isDiskFull, isMissing, type RandomAccessFile } from './files';
import { SEGMENT_ID_BYTES } from './flush-mark';
import type { LogBoundary } from './log-store';
import type { Segment, SegmentFile } from './segment';
import {
  decodeSegmentHeader,
  encodeSegmentHeader,
  firstIndexOf,
  SEGMENT_HEADER_BYTES,
  SEGMENT_SUFFIX,
  segmentName,
} from './segment-header';

/** Zeroed ahead of need. What has this suffix when the log is opened is of no use to anyone. */
export const SPARE_SUFFIX = '.spare';

/** The only segment of a log that begins anew behind a snapshot: once it has this name, the old segments have to go. */
export const RESET_NAME = 'reset.pending';

export const OUTCOMES_SUFFIX = '.outcomes';

interface Spare {
  readonly file: RandomAccessFile;
  readonly bytes: number;
}

export class SegmentFiles {
  /** Fsyncs other than those that make appends durable. */
  syncs = 0;
  private spare: Promise<Spare | undefined> | undefined;
  private spares = 0;
  private stopped = false;
  private space: RoomOnDisk | undefined;

  constructor(
    readonly files: FileSystem,
    readonly directory: string,
    private readonly group: number,
  ) {}

  /** From now on whoever needs a segment waits while the disk is full. Before, that is a failure like any other: whoever opens a log is told. */
  waitForRoom(space: RoomOnDisk | undefined): void {
    this.space = space;
  }

  /** What a segment will be that begins behind `before`; nothing of it is on the disk yet. */
  plan(before: LogBoundary, capacity: number): SegmentFile {
    const path = join(this.directory, segmentName(before.index + 1));
    return {
      path,
      header: { group: this.group, id: randomBytes(SEGMENT_ID_BYTES), before, fileBytes: capacity },
      capacity,
    };
  }

  /**
   * Begins to zero a file for the next segment, where that leaves the reserve alone. A failure shows when the file is needed,
   * since until then it may be mended (space may be made on a full disk).
   */
  prepareSpare(bytes: number): void {
    if (this.spare || this.stopped) return;
    this.spare = this.makeSpareOnRoom(bytes);
    this.spare.catch(() => undefined);
  }

  /** Makes the segment's file, in place of an empty segment of the same name if there is one. @returns it, open for writing */
  async create(segment: SegmentFile): Promise<RandomAccessFile> {
    await this.place(segment, segment.path);
    return this.files.open(segment.path, 'update');
  }

  /** Puts a segment with these contents in the place of the one that has its name. A loss of power leaves one or the other. */
  async replace(segment: SegmentFile, fill: (file: RandomAccessFile) => Promise<void>): Promise<void> {
    await this.place(segment, segment.path, fill);
  }

  /** Removes segments in the given order, one by one, so that at no moment there is a gap between those that are left. */
  async remove(segments: readonly Segment[]): Promise<void> {
    for (const { path } of segments) await this.removeSegment(path);
  }

  /**
   * Removes the oldest segments, in order. Their records were applied and are under a snapshot, so nothing derives their
   * outcomes again: they go last, and what a loss of power leaves of them alone is removed when the log is opened.
   */
  async removeOldest(segments: readonly Segment[]): Promise<void> {
    for (const { path } of segments) {
      await this.removeFile(path);
      await this.removeOutcomes(path);
    }
  }

  /**
   * Cuts a segment to `bytes`, after its header has said so: a file that is shorter than its header says was damaged, and one
   * that is longer is cut when the log is opened. @returns when that is durable
   */
  async truncate(path: string, bytes: number): Promise<void> {
    const file = await this.files.open(path, 'update');
    try {
      const head = Buffer.alloc(SEGMENT_HEADER_BYTES);
      await file.read(head, 0);
      const header = decodeSegmentHeader(head);
      if (typeof header === 'string') throw new Error(`The header of ${path} is ${header}, so the file cannot be cut.`);
      if (header.fileBytes !== bytes) {
        await file.write([encodeSegmentHeader({ ...header, fileBytes: bytes })], 0);
        await file.datasync();
        this.syncs += 1;
      }
      await file.truncate(bytes);
      await file.sync();
      this.syncs += 1;
    } finally {
      await file.close();
    }
  }

  /** Replaces all segments by this one. A loss of power leaves the old ones or the new one. */
  async restart(segment: SegmentFile): Promise<RandomAccessFile> {
    await this.place(segment, join(this.directory, RESET_NAME));
    await this.finishReset(segment.path);
    return this.files.open(segment.path, 'update');
  }

  /** Does what is left to do once {@link RESET_NAME} is there. */
  async finishReset(path: string): Promise<void> {
    for (const name of await this.files.list(this.directory)) {
      if (firstIndexOf(name) !== undefined) await this.removeSegment(join(this.directory, name));
    }
    await this.rename(join(this.directory, RESET_NAME), path);
  }

  /** Stops what goes on in the background. */
  async close(): Promise<void> {
    this.stopped = true;
    const spare = await this.spare?.catch(() => undefined);
    await spare?.file.close();
  }

  async removeFile(path: string): Promise<void> {
    await this.files.unlink(path);
    await this.syncDirectory();
  }

  async rename(from: string, to: string): Promise<void> {
    await this.files.rename(from, to);
    await this.syncDirectory();
  }

  async syncDirectory(): Promise<void> {
    this.syncs += 1;
    await this.files.syncDirectory(this.directory);
  }

  /** Outcomes go first: left alone, they would be taken for those of a later segment of the same name. */
  private async removeSegment(path: string): Promise<void> {
    await this.removeOutcomes(path);
    await this.removeFile(path);
  }

  private async removeOutcomes(path: string): Promise<void> {
    const outcomes = path + OUTCOMES_SUFFIX;
    if (await this.files.exists(outcomes)) await this.removeFile(outcomes);
  }

  /** Makes a whole segment and gives it its name; on a full disk, as soon as there is room. */
  private async place(
    segment: SegmentFile,
    path: string,
    fill?: (file: RandomAccessFile) => Promise<void>,
  ): Promise<void> {
    while (!(await this.tryToPlace(segment, path, fill))) await this.space!.untilRoom(segment.capacity);
    await this.syncDirectory();
  }

  /** @returns false where there is no room: then nothing has happened */
  private async tryToPlace(
    segment: SegmentFile,
    path: string,
    fill?: (file: RandomAccessFile) => Promise<void>,
  ): Promise<boolean> {
    let prepared: string | undefined;
    try {
      prepared = await this.prepared(segment, fill);
      await this.files.rename(prepared, path);
      return true;
    } catch (error) {
      if (!this.space || !isDiskFull(error)) throw error;
      if (prepared !== undefined) await this.files.unlink(prepared);
      return false;
    }
  }

  /** A whole segment under a passing name. @returns its path */
  private async prepared(segment: SegmentFile, fill?: (file: RandomAccessFile) => Promise<void>): Promise<string> {
    const { file } = await this.takeSpare(segment.capacity);
    return this.orRemoved(file, async () => {
      try {
        await file.write([encodeSegmentHeader(segment.header)], 0);
        await fill?.(file);
        await file.datasync();
        this.syncs += 1;
      } finally {
        await file.close();
      }
      return file.path;
    });
  }

  /** What is given up must not go on to fill the disk. */
  private async orRemoved<T>(file: RandomAccessFile, make: () => Promise<T>): Promise<T> {
    try {
      return await make();
    } catch (error) {
      if (isDiskFull(error)) await this.files.unlink(file.path);
      throw error;
    }
  }

  /** The one that was made ahead if there is one and it is large enough, and not much too large; else one made now. */
  private async takeSpare(bytes: number): Promise<Spare> {
    const prepared = this.spare;
    this.spare = undefined;
    // Where it failed in the background, the second attempt decides and is heard.
    const spare = await prepared?.catch(() => undefined);
    if (spare && spare.bytes >= bytes && spare.bytes <= 2 * bytes) return spare;
    if (spare) {
      await spare.file.close();
      await this.removeFile(spare.file.path);
    }
    return this.makeSpare(bytes);
  }

  /** A log fills its disk segment by segment, so this is when to look whether the alarm is to be raised. */
  private async makeSpareOnRoom(bytes: number): Promise<Spare | undefined> {
    await this.space?.look();
    return this.space?.hasRoomFor(bytes) === false ? undefined : this.makeSpare(bytes);
  }

  private async makeSpare(bytes: number): Promise<Spare> {
    this.spares += 1;
    const path = join(this.directory, `${this.spares}${SPARE_SUFFIX}`);
    await this.files.unlink(path).catch((error: unknown) => {
      if (!isMissing(error)) throw error;
    });
    const file = await this.files.open(path, 'create');
    return this.orRemoved(file, async () => {
      try {
        this.syncs += await allocate(file, 0, bytes, () => this.stopped);
        return { file, bytes };
      } catch (error) {
        await file.close();
        throw error;
      }
    });
  }
}

/** Whether a file of the folder belongs to a segment that is there. */
export function isOrphan(name: string, names: ReadonlySet<string>): boolean {
  if (!name.endsWith(SEGMENT_SUFFIX + OUTCOMES_SUFFIX)) return false;
  return !names.has(name.slice(0, -OUTCOMES_SUFFIX.length));
}
