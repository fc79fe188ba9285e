import { join } from 'node:path';
import type { DiskSpace } from '../../log/disk-space';
import { isMissing, type FileSystem } from '../../log/files';
import { IncomingSnapshot } from './incoming-snapshot';
import { asSnapshotError, SnapshotError } from './snapshot-error';
import type { SnapshotFileMeta, SnapshotOwner } from './snapshot-format';
import { SnapshotReader } from './snapshot-reader';
import { writeSnapshot } from './snapshot-writer';

export interface SnapshotStoreOptions {
  /** The group's folder of snapshots; made where it is missing. */
  readonly directory: string;
  readonly files: FileSystem;
  readonly clusterId: string;
  readonly group: number;
  /** How much room the disk has; without it that shows when a write fails. */
  readonly space?: Pick<DiskSpace, 'freeBytes'> | undefined;
}

/** What a snapshot that is received leaves free: the first segment of the log that begins behind it, and the pointer to it. */
const ROOM_TO_INSTALL_BYTES = 4 * 1024 * 1024;

/** One complete snapshot on the disk. */
export interface StoredSnapshot {
  readonly meta: SnapshotFileMeta;
  /** Name in the folder. */
  readonly file: string;
  /** Length of the file. */
  readonly bytes: number;
}

/** A file in the folder that is no snapshot of this group. */
export interface RefusedSnapshot {
  readonly file: string;
  readonly error: SnapshotError;
}

/** Kept by `removeOld` unless said otherwise: the newest, and one to fall back on. */
const KEPT = 2;

const COMPLETE = /^([0-9]+)-([0-9]+)\.snap$/;
const PARTIAL = '.part';
const BEING_WRITTEN = '.tmp';
const ASIDE = '.damaged';
/** Damaged snapshots are kept as evidence, the newest by name. */
const MAX_ASIDE = 4;

/**
 * The snapshots of one group: `<index>-<term>.snap`, each a whole file with checksums. A file has this name only when it
 * is complete and durable: it is written under another one, synced, renamed, and the folder synced.
 */
export class SnapshotStore {
  private readonly stored = new Map<string, StoredSnapshot>();
  /** Found when the store was opened or read. */
  readonly refused: RefusedSnapshot[] = [];

  private constructor(private readonly options: SnapshotStoreOptions) {}

  /** Reads the headers of what is there; bodies are verified when they are read. Rejects with SnapshotError. */
  static async open(options: SnapshotStoreOptions): Promise<SnapshotStore> {
    const store = new SnapshotStore(options);
    const { files, directory } = options;
    try {
      await files.makeDirectory(directory);
      for (const file of await files.list(directory)) {
        if (file.endsWith(BEING_WRITTEN)) await files.unlink(join(directory, file));
        else if (COMPLETE.test(file)) await store.take(file);
      }
    } catch (error) {
      throw asSnapshotError(error);
    }
    return store;
  }

  /** Ascending by index, then term. */
  list(): readonly StoredSnapshot[] {
    return [...this.stored.values()].sort((a, b) => a.meta.index - b.meta.index || a.meta.term - b.meta.term);
  }

  get newest(): StoredSnapshot | undefined {
    return this.list().at(-1);
  }

  /** The newest snapshot that is whole to its last byte; those that are not are dropped from the list and named in `refused`. */
  async newestValid(): Promise<StoredSnapshot | undefined> {
    for (const snapshot of [...this.list()].reverse()) {
      const error = await this.faultIn(snapshot);
      if (error === undefined) return snapshot;
      await this.setAside(snapshot.file, error);
    }
    return undefined;
  }

  /** Reads a snapshot to its last byte, and sets it aside where it is damaged. @returns the damage, undefined where there is none */
  async check(snapshot: StoredSnapshot): Promise<SnapshotError | undefined> {
    const error = await this.faultIn(snapshot);
    if (error?.code !== 'DAMAGED') return undefined;
    await this.setAside(snapshot.file, error);
    return error;
  }

  /** Takes a snapshot that turned out to be damaged out of the list: it is neither sent nor counted. The file has another name then. */
  async setAside(file: string, error: SnapshotError): Promise<void> {
    this.stored.delete(file);
    this.refused.push({ file, error });
    if (error.code !== 'DAMAGED') return;
    const { files, directory } = this.options;
    try {
      const before = (await files.list(directory)).filter((name) => name.endsWith(ASIDE));
      for (const old of before.slice(0, Math.max(0, before.length + 1 - MAX_ASIDE)))
        await files.unlink(join(directory, old));
      await this.publish(this.pathOf(file), file + ASIDE);
    } catch (cause) {
      throw asSnapshotError(cause);
    }
  }

  /** Writes a snapshot. It is durable and in the list when this resolves; until then, and after a rejection, nothing has changed. */
  async write(meta: SnapshotFileMeta, chunks: AsyncIterable<Buffer> | Iterable<Buffer>): Promise<StoredSnapshot> {
    const { files } = this.options;
    const name = nameOf(meta);
    const temporary = this.pathOf(name + BEING_WRITTEN);
    try {
      const file = await files.open(temporary, 'create');
      let bytes: number;
      try {
        bytes = await writeSnapshot(file, this.owner, meta, chunks);
      } finally {
        await file.close();
      }
      await this.publish(temporary, name);
      return this.add({ meta, file: name, bytes });
    } catch (error) {
      if (!isBeingWritten(error)) await this.removeIfThere(temporary);
      throw asSnapshotError(error);
    }
  }

  /** Opens the snapshot at `index`, the one of the highest term where there are two. Rejects with MISSING. The caller closes it. */
  async read(index: number): Promise<SnapshotReader> {
    const snapshot = this.list()
      .filter((one) => one.meta.index === index)
      .at(-1);
    if (snapshot === undefined) throw new SnapshotError('MISSING', `There is no snapshot at index ${index}.`);
    return SnapshotReader.open(this.options.files, this.pathOf(snapshot.file));
  }

  /**
   * Begins to receive the file of a peer's snapshot, or goes on where an earlier attempt at the same one has ended. What was
   * received of any other is removed. @param accept rejects with MISSING while something else is not here: what arrived stays
   */
  async beginReceive(
    meta: Pick<SnapshotFileMeta, 'index' | 'term'>,
    totalBytes: number,
    accept?: (meta: SnapshotFileMeta) => Promise<void>,
  ): Promise<IncomingSnapshot<StoredSnapshot>> {
    const { files } = this.options;
    const name = nameOf(meta);
    const partial = `${name}-${totalBytes}${PARTIAL}`;
    const path = this.pathOf(partial);
    try {
      await this.dropPartsBut(partial);
      const file = await files.open(path, (await files.exists(path)) ? 'update' : 'create');
      const received = Math.min(await file.size(), totalBytes);
      if (!this.hasRoomFor(totalBytes - received)) {
        await file.close();
        throw new SnapshotError(
          'DISK_FULL',
          `There is no room for a snapshot of ${totalBytes} bytes, of which ${received} are here.`,
        );
      }
      return new IncomingSnapshot(file, received, totalBytes, {
        finish: () => this.finishReceive(path, meta, accept),
        abort: () => this.removeIfThere(path),
      });
    } catch (error) {
      throw asSnapshotError(error);
    }
  }

  /** Removes all but the newest `keep`. Whoever reads one of them still reads it to its end. */
  async removeOld(keep = KEPT): Promise<void> {
    if (!Number.isInteger(keep) || keep < 1) throw new RangeError(`At least one snapshot must be kept, not ${keep}.`);
    const old = this.list().slice(0, -keep);
    for (const { file } of old) {
      this.stored.delete(file);
      await this.removeIfThere(this.pathOf(file));
    }
    if (old.length > 0) await this.options.files.syncDirectory(this.options.directory);
  }

  /** Whether a snapshot has arrived in part, and is waited for. */
  async isReceiving(): Promise<boolean> {
    const { files, directory } = this.options;
    return (await files.list(directory)).some((file) => file.endsWith(PARTIAL));
  }

  private hasRoomFor(bytes: number): boolean {
    const { space } = this.options;
    return !space || space.freeBytes - bytes >= ROOM_TO_INSTALL_BYTES;
  }

  private async dropPartsBut(kept: string): Promise<void> {
    const { files, directory } = this.options;
    for (const file of await files.list(directory)) {
      if (file.endsWith(PARTIAL) && file !== kept) await files.unlink(join(directory, file));
    }
  }

  private get owner(): SnapshotOwner {
    return { clusterId: this.options.clusterId, group: this.options.group };
  }

  private async finishReceive(
    path: string,
    announced: Pick<SnapshotFileMeta, 'index' | 'term'>,
    accept: ((meta: SnapshotFileMeta) => Promise<void>) | undefined,
  ): Promise<StoredSnapshot> {
    const name = nameOf(announced);
    try {
      const { meta, bytes } = await this.inspect(path, true);
      if (meta.index !== announced.index || meta.term !== announced.term) {
        throw new SnapshotError('FOREIGN', `The snapshot stands at ${nameOf(meta)}, but ${name} was announced.`);
      }
      await accept?.(meta);
      await this.publish(path, name);
      return this.add({ meta, file: name, bytes });
    } catch (error) {
      if (!(error instanceof SnapshotError && error.code === 'MISSING')) await this.removeIfThere(path);
      throw error;
    }
  }

  /** Into the list, or into `refused`. */
  private async take(file: string): Promise<void> {
    try {
      const { meta, bytes } = await this.inspect(this.pathOf(file), false);
      if (nameOf(meta) !== file) throw new SnapshotError('DAMAGED', `The snapshot ${file} is ${nameOf(meta)} inside.`);
      this.add({ meta, file, bytes });
    } catch (error) {
      if (!(error instanceof SnapshotError)) throw error;
      await this.setAside(file, error);
    }
  }

  private async inspect(path: string, whole: boolean): Promise<Pick<StoredSnapshot, 'meta' | 'bytes'>> {
    const reader = await SnapshotReader.open(this.options.files, path);
    try {
      const { clusterId, group } = reader.owner;
      if (clusterId !== this.options.clusterId || group !== this.options.group) {
        throw new SnapshotError('FOREIGN', `The snapshot is of group ${group} of cluster ${clusterId}.`);
      }
      if (whole) await reader.verify();
      return { meta: reader.meta, bytes: reader.bytes };
    } finally {
      await reader.close();
    }
  }

  private async faultIn(snapshot: StoredSnapshot): Promise<SnapshotError | undefined> {
    try {
      await this.inspect(this.pathOf(snapshot.file), true);
      return undefined;
    } catch (error) {
      if (error instanceof SnapshotError) return error;
      throw error;
    }
  }

  private async publish(temporary: string, name: string): Promise<void> {
    await this.options.files.rename(temporary, this.pathOf(name));
    await this.options.files.syncDirectory(this.options.directory);
  }

  private add(snapshot: StoredSnapshot): StoredSnapshot {
    this.stored.set(snapshot.file, snapshot);
    return snapshot;
  }

  private async removeIfThere(path: string): Promise<void> {
    try {
      await this.options.files.unlink(path);
    } catch (error) {
      if (!isMissing(error)) throw asSnapshotError(error);
    }
  }

  private pathOf(file: string): string {
    return join(this.options.directory, file);
  }
}

function nameOf({ index, term }: Pick<SnapshotFileMeta, 'index' | 'term'>): string {
  return `${index}-${term}.snap`;
}

/** Another write of the same snapshot is under way: its file is not ours to remove. */
function isBeingWritten(error: unknown): boolean {
  return error instanceof Error && (error as { code?: unknown }).code === 'EEXIST';
}
