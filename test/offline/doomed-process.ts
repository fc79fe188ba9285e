import { promises } from 'node:fs';
import type { FileSystem, OpenMode, RandomAccessFile } from '../../src/log/files';
import { LevelStableStore } from '../../src/raft/stable';

/** What is thrown where the process is no more. */
export class Killed extends Error {
  override readonly name = 'Killed';
}

const OF_THE_STORE = [
  'initialise',
  'createGroup',
  'saveSnapshot',
  'saveHardState',
  'saveLogEnd',
  'joinCluster',
] as const;
const OF_FOLDERS = ['rename', 'rmdir', 'rm'] as const;

/**
 * A process that is killed after so many changes of the disk. What it did is there, and nothing of what it does afterwards
 * happens, be it in a `catch`. Changes are those of files and names, whole writes of the stable store, and the renames and
 * removals of folders, for which `FileSystem` has no call.
 */
export class DoomedProcess implements FileSystem {
  changes = 0;

  constructor(
    private readonly files: FileSystem,
    private readonly killedAfter: number,
  ) {}

  /** Runs `work` as this process. @returns whether it came to its end */
  async run(work: () => Promise<unknown>): Promise<boolean> {
    this.putInPlace();
    try {
      await work();
      return true;
    } catch (error) {
      if (error instanceof Killed || (error instanceof Error && error.cause instanceof Killed)) return false;
      throw error;
    } finally {
      jest.restoreAllMocks();
    }
  }

  async open(path: string, mode: OpenMode): Promise<RandomAccessFile> {
    if (mode === 'create') this.change();
    return this.doomed(await this.files.open(path, mode));
  }

  list(directory: string): Promise<string[]> {
    return this.files.list(directory);
  }

  exists(path: string): Promise<boolean> {
    return this.files.exists(path);
  }

  async makeDirectory(directory: string): Promise<void> {
    if (await this.files.exists(directory)) return;
    this.change();
    await this.files.makeDirectory(directory);
  }

  async syncDirectory(directory: string): Promise<void> {
    this.change();
    await this.files.syncDirectory(directory);
  }

  readSync(path: string, into: Buffer, position: number): number {
    return this.files.readSync(path, into, position);
  }

  async rename(from: string, to: string): Promise<void> {
    this.change();
    await this.files.rename(from, to);
  }

  async unlink(path: string): Promise<void> {
    this.change();
    await this.files.unlink(path);
  }

  freeBytes(directory: string): Promise<number> {
    return this.files.freeBytes(directory);
  }

  private change(): void {
    if (this.changes === this.killedAfter) throw new Killed(`Killed after ${this.changes} changes.`);
    this.changes += 1;
  }

  private doomed(file: RandomAccessFile): RandomAccessFile {
    const change = (): void => this.change();
    return {
      path: file.path,
      read: (into, position) => file.read(into, position),
      write: async (parts, position) => {
        change();
        await file.write(parts, position);
      },
      datasync: async () => {
        change();
        await file.datasync();
      },
      sync: async () => {
        change();
        await file.sync();
      },
      truncate: async (length) => {
        change();
        await file.truncate(length);
      },
      size: () => file.size(),
      close: () => file.close(),
    };
  }

  private putInPlace(): void {
    const counted = (owner: object, name: string): void => {
      const target = owner as Record<string, (...args: unknown[]) => Promise<unknown>>;
      const real = target[name]!;
      const change = (): void => this.change();
      jest.spyOn(target, name).mockImplementation(async function (this: unknown, ...args: unknown[]) {
        change();
        return real.apply(this, args);
      });
    };
    for (const name of OF_FOLDERS) counted(promises, name);
    for (const name of OF_THE_STORE) counted(LevelStableStore.prototype, name);
  }
}
