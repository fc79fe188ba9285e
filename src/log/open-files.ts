import type { FileSystem, RandomAccessFile } from './files';
import type { Segment } from './segment';

interface Opened {
  readonly file: Promise<RandomAccessFile>;
  users: number;
  dropped: boolean;
}

/**
 * Files of segments that are open for reading, at most so many that nobody uses at the moment. A file that is dropped
 * while it is read stays open until its last reader has done.
 */
export class OpenFiles {
  /** In order of last use. */
  private readonly opened = new Map<Segment, Opened>();

  constructor(
    private readonly files: FileSystem,
    private readonly maxIdle: number,
  ) {}

  /** Lends the segment's file to `use`. @throws FileSystemError with code ENOENT where the file is gone */
  async use<T>(segment: Segment, use: (file: RandomAccessFile) => Promise<T>): Promise<T> {
    const entry = this.opened.get(segment) ?? { file: this.files.open(segment.path, 'read'), users: 0, dropped: false };
    this.opened.delete(segment);
    this.opened.set(segment, entry);
    entry.users += 1;
    try {
      return await use(await entry.file);
    } catch (error) {
      // An open that failed must not be remembered, and a file that gave an error is better opened again.
      this.forget(segment, entry);
      throw error;
    } finally {
      entry.users -= 1;
      await this.closeIfUnused(entry);
      await this.closeIdle();
    }
  }

  /** The file is to be closed as soon as nobody reads it. */
  async drop(segment: Segment): Promise<void> {
    const entry = this.opened.get(segment);
    if (!entry) return;
    this.forget(segment, entry);
    await this.closeIfUnused(entry);
  }

  async dropAll(): Promise<void> {
    for (const segment of [...this.opened.keys()]) await this.drop(segment);
  }

  private async closeIdle(): Promise<void> {
    const excess = this.opened.size - this.maxIdle;
    if (excess <= 0) return;
    const idle = [...this.opened].filter(([, entry]) => entry.users === 0).slice(0, excess);
    for (const [segment] of idle) await this.drop(segment);
  }

  private forget(segment: Segment, entry: Opened): void {
    entry.dropped = true;
    if (this.opened.get(segment) === entry) this.opened.delete(segment);
  }

  private async closeIfUnused(entry: Opened): Promise<void> {
    if (!entry.dropped || entry.users > 0) return;
    // Where opening failed there is nothing to close, and whoever asked for it was told.
    const file = await entry.file.catch(() => undefined);
    await file?.close();
  }
}
