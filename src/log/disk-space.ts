/**
 * Watches how much room a disk has left, so that a full one is an alarm and not an end: whoever makes something new waits
 * here until there is room, and whoever takes orders asks here whether to take any. The alarm is raised while there is
 * still a reserve, which is what is left for votes and for what was taken already.
 */

import type { FileSystem } from './files';
import { DiskFullError } from './log-errors';

/** What those who write need of it. */
export interface RoomOnDisk {
  /** Looks at the disk now: whoever writes much asks for it more often than the clock does. Never rejects. */
  look(): Promise<void>;
  /** Whether so many bytes can be taken and the reserve is left: for what can as well be made later. */
  hasRoomFor(bytes: number): boolean;
  /**
   * Called after a write failed for want of room; resolves when it is worth another try with so many bytes.
   * @throws DiskFullError when the watch ends before
   */
  untilRoom(bytes: number): Promise<void>;
}

export interface DiskSpaceOptions {
  readonly files: Pick<FileSystem, 'freeBytes'>;
  /** Any folder on the disk. */
  readonly directory: string;
  /** The alarm is raised when less is free, and taken back when a quarter more is. */
  readonly reserveBytes: number;
  /** Runs the task every so many milliseconds until the function that it returns is called. */
  readonly every: (millis: number, task: () => void) => () => void;
  /** The alarm was raised or taken back. */
  readonly onChange?: (full: boolean, freeBytes: number) => void;
  /** The disk could not be asked: once, until it can be again. What was known holds on. */
  readonly onUnknown?: (error: unknown) => void;
}

interface Waiter {
  readonly bytes: number;
  /** The number of the look from which on it may try again. */
  readonly notBefore: number;
  readonly resolve: () => void;
  readonly reject: (error: DiskFullError) => void;
}

const LOOK_EVERY_MILLIS = 1_000;

/** Where there seems to be room and yet there is none (a quota, no inodes), each try waits twice as many looks, up to these. */
const MAX_PAUSE_LOOKS = 32;

/** A segment made ahead, another one when that is used up, and what `level` and the outcomes of both take. */
export function reserveFor(segmentBytes: number): number {
  return 2 * segmentBytes + VOTE_ROOM_BYTES;
}

const VOTE_ROOM_BYTES = 1024 * 1024;

export class DiskSpace implements RoomOnDisk {
  private free = Infinity;
  private alarm = false;
  private looks = 0;
  /** Writes that failed for want of room since the alarm was raised. */
  private refusals = 0;
  private waiters: Waiter[] = [];
  private looking: Promise<void> | undefined;
  private stopLooking: (() => void) | undefined;
  private unknown = false;
  private closed = false;

  private constructor(private readonly options: DiskSpaceOptions) {}

  /** Looks once, and then every second. */
  static async open(options: DiskSpaceOptions): Promise<DiskSpace> {
    if (!(options.reserveBytes >= 0))
      throw new RangeError(`A reserve of ${options.reserveBytes} bytes is not possible.`);
    const space = new DiskSpace(options);
    await space.look();
    space.stopLooking = options.every(LOOK_EVERY_MILLIS, () => void space.look());
    return space;
  }

  /** Whether the alarm is raised: nothing new is to be taken. */
  get full(): boolean {
    return this.alarm;
  }

  /** As of the last look. */
  get freeBytes(): number {
    return this.free;
  }

  hasRoomFor(bytes: number): boolean {
    return !this.alarm && this.free - bytes >= this.options.reserveBytes;
  }

  untilRoom(bytes: number): Promise<void> {
    if (this.closed) return Promise.reject(givenUp());
    const pause = Math.min(MAX_PAUSE_LOOKS, 2 ** this.refusals);
    this.refusals += 1;
    const waiting = new Promise<void>((resolve, reject) => {
      this.waiters.push({ bytes, notBefore: this.looks + pause, resolve, reject });
    });
    this.judge();
    return waiting;
  }

  look(): Promise<void> {
    this.looking ??= this.measure().finally(() => {
      this.looking = undefined;
    });
    return this.looking;
  }

  /** Nobody waits any longer. */
  close(): void {
    this.closed = true;
    this.stopLooking?.();
    for (const waiter of this.waiters.splice(0)) waiter.reject(givenUp());
  }

  private async measure(): Promise<void> {
    try {
      this.free = await this.options.files.freeBytes(this.options.directory);
      this.unknown = false;
    } catch (error) {
      if (!this.unknown) this.options.onUnknown?.(error);
      this.unknown = true;
      return;
    }
    if (this.closed) return;
    this.looks += 1;
    this.judge();
    const ready = this.waiters.filter((waiter) => this.mayTry(waiter));
    // The alarm stays until the next look: by then it shows whether the tries went well.
    this.waiters = this.waiters.filter((waiter) => !ready.includes(waiter));
    for (const waiter of ready) waiter.resolve();
  }

  private mayTry({ bytes, notBefore }: Waiter): boolean {
    return this.looks >= notBefore && this.free >= bytes;
  }

  private judge(): void {
    const { reserveBytes, onChange } = this.options;
    const wanted = this.alarm ? reserveBytes + reserveBytes / 4 : reserveBytes;
    const full = this.waiters.length > 0 || this.free < wanted;
    if (!full) this.refusals = 0;
    if (full === this.alarm) return;
    this.alarm = full;
    onChange?.(full, this.free);
  }
}

function givenUp(): DiskFullError {
  return new DiskFullError('this process ends and does not wait for room any longer.');
}
