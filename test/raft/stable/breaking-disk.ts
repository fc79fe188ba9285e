import type { FileSystem, OpenMode, RandomAccessFile } from '../../../src/log/files';
import { NodeFiles } from '../../../src/log/node-files';
import { KeyValuesError, LevelKeyValues, type Change, type KeyValues } from '../../../src/raft/stable/key-values';

/** How the operation at which the power is cut ends. */
export type Cut = 'not done' | 'half done' | 'done';

export class PowerCut extends Error {}

/** Counts what changes the disk, and cuts the power at one of these operations. After that nothing works. */
export class Power {
  operations = 0;
  private off = false;

  constructor(
    private readonly cutAt = Number.POSITIVE_INFINITY,
    private readonly cut: Cut = 'not done',
  ) {}

  /** Runs a change; `half` is what is left of it when it is cut in the middle, where it can be. */
  async change<T>(whole: () => Promise<T>, half: () => Promise<unknown> = () => Promise.resolve()): Promise<T> {
    if (this.off) throw new PowerCut('the power is off');
    this.operations += 1;
    if (this.operations !== this.cutAt) return whole();
    this.off = true;
    if (this.cut === 'done') await whole();
    if (this.cut === 'half done') await half();
    throw new PowerCut(`the power was cut at operation ${this.operations}`);
  }
}

class BreakingFile implements RandomAccessFile {
  constructor(
    private readonly file: RandomAccessFile,
    private readonly power: Power,
  ) {}

  get path(): string {
    return this.file.path;
  }

  read(into: Buffer, position: number): Promise<number> {
    return this.file.read(into, position);
  }

  write(parts: readonly Buffer[], position: number): Promise<void> {
    const all = Buffer.concat(parts);
    // The middle of a vote is within its first bytes; a tear beyond them would be no tear.
    const half = () => this.file.write([all.subarray(0, Math.min(37, all.length))], position);
    return this.power.change(() => this.file.write(parts, position), half);
  }

  datasync(): Promise<void> {
    return this.power.change(() => this.file.datasync());
  }

  sync(): Promise<void> {
    return this.power.change(() => this.file.sync());
  }

  truncate(length: number): Promise<void> {
    return this.power.change(() => this.file.truncate(length));
  }

  size(): Promise<number> {
    return this.file.size();
  }

  close(): Promise<void> {
    return this.file.close();
  }
}

/** The real file system until the power is cut. */
export class BreakingFiles implements FileSystem {
  private readonly files = new NodeFiles();

  constructor(private readonly power: Power) {}

  async open(path: string, mode: OpenMode): Promise<RandomAccessFile> {
    const open = () => this.files.open(path, mode);
    return new BreakingFile(mode === 'create' ? await this.power.change(open) : await open(), this.power);
  }

  list(directory: string): Promise<string[]> {
    return this.files.list(directory);
  }

  readSync(path: string, into: Buffer, position: number): number {
    return this.files.readSync(path, into, position);
  }

  exists(path: string): Promise<boolean> {
    return this.files.exists(path);
  }

  makeDirectory(directory: string): Promise<void> {
    return this.power.change(() => this.files.makeDirectory(directory));
  }

  syncDirectory(directory: string): Promise<void> {
    return this.power.change(() => this.files.syncDirectory(directory));
  }

  rename(from: string, to: string): Promise<void> {
    return this.power.change(() => this.files.rename(from, to));
  }

  unlink(path: string): Promise<void> {
    return this.power.change(() => this.files.unlink(path));
  }

  freeBytes(directory: string): Promise<number> {
    return this.files.freeBytes(directory);
  }
}

/** The real database, until the power is cut, and except while the disk is full. */
export class BreakingKeyValues implements KeyValues {
  private constructor(
    private readonly real: KeyValues,
    private readonly power: Power,
    private readonly disk: { full: boolean },
  ) {}

  static async open(directory: string, power = new Power(), disk = { full: false }): Promise<BreakingKeyValues> {
    if (disk.full) throw new KeyValuesError('full', 'No space left on device', {});
    return new BreakingKeyValues(await LevelKeyValues.open(directory), power, disk);
  }

  entries(): Promise<readonly (readonly [string, Buffer])[]> {
    return this.real.entries();
  }

  async write(changes: readonly Change[]): Promise<void> {
    if (this.disk.full) throw new KeyValuesError('full', 'No space left on device', {});
    await this.power.change(() => this.real.write(changes));
  }

  close(): Promise<void> {
    return this.real.close();
  }
}
