import { basename, dirname, join } from 'node:path';
import { type FileSystem, FileSystemError, type OpenMode, type RandomAccessFile } from '../../src/log/files';
import { FaultyInode, type Survival } from './faulty-inode';

/** Thrown by everything once the power is gone: nothing the program still does reaches the disk. */
export class PowerLoss extends Error {
  override readonly name = 'PowerLoss';
}

export type FileOperation =
  'open' | 'read' | 'write' | 'datasync' | 'sync' | 'truncate' | 'rename' | 'unlink' | 'make folder' | 'sync folder';

/** A change of names: all of it is durable, or nothing. */
type NameChange = ReadonlyMap<string, FaultyInode | undefined>;

/** A place in a file. */
export interface Place {
  readonly path: string;
  readonly position: number;
}

/** Decides about one operation before it happens: throw to let it fail; wait to let it take its time. */
export type Intercept = (operation: FileOperation, path: string) => Promise<void> | void;

/**
 * A file system in memory that keeps apart what programs see and what a disk is sure to have: written sectors until the
 * file is synced, names until their folder is.
 */
export class FaultyFiles implements FileSystem {
  /** Everything that changes files or names, counted; the moments between them are those at which power can be lost. */
  operations = 0;
  intercept: Intercept | undefined;
  /** Says where a write goes instead, as on a disk that loses its way; undefined: where it is meant to go. */
  astray: ((meant: Place, bytes: Buffer) => Place | undefined) | undefined;
  /** Files that are open at the moment. */
  openFiles = 0;
  /**
   * What the disk holds at most: the lengths of all files that have a name or are open. A write that does not fit is done as
   * far as it fits and then fails with ENOSPC, and so does making a file when nothing is left. Writing over what is there,
   * renaming, removing and cutting need no room. It may be changed at any time, also to less than is held.
   */
  capacityBytes = Infinity;
  private readonly openInodes = new Map<FaultyInode, number>();
  private readonly names: Map<string, FaultyInode>;
  private readonly durableNames: Map<string, FaultyInode>;
  private pendingNames: NameChange[] = [];
  private dead = false;
  private operationsLeft = Infinity;

  private readonly folders: Set<string>;

  /** @param inodes what is durable at the start, by path */
  constructor(inodes: ReadonlyMap<string, FaultyInode> = new Map(), folders: ReadonlySet<string> = new Set()) {
    this.names = new Map(inodes);
    this.durableNames = new Map(inodes);
    this.folders = new Set(folders);
  }

  /** Power is lost after so many more operations. The one during which it happens is seen by the disk, but not synced. */
  losePowerAfter(operations: number): void {
    this.operationsLeft = operations;
  }

  /** The file system as it is found when the power is back. */
  afterPowerLoss(survival: Survival): FaultyFiles {
    const names = new Map(this.durableNames);
    for (const change of this.pendingNames) {
      const kept = survival === 'everything' || (survival !== 'nothing' && survival.chance(0.5));
      if (kept) apply(names, change);
    }
    const survivors = new Map<FaultyInode, FaultyInode>();
    const inodes = [...names].map(([path, inode]): [string, FaultyInode] => {
      const survivor = survivors.get(inode) ?? inode.afterPowerLoss(survival);
      survivors.set(inode, survivor);
      return [path, survivor];
    });
    const found = new FaultyFiles(new Map(inodes), this.folders);
    found.capacityBytes = this.capacityBytes;
    return found;
  }

  get usedBytes(): number {
    let bytes = 0;
    for (const inode of new Set([...this.names.values(), ...this.openInodes.keys()])) bytes += inode.size;
    return bytes;
  }

  async freeBytes(directory: string): Promise<number> {
    await this.happen('open', directory);
    if (!this.folders.has(directory)) throw new FileSystemError('measure the disk of', directory, 'ENOENT');
    return Math.min(Number.MAX_SAFE_INTEGER, this.room());
  }

  /** Bytes by which files may still grow. */
  room(): number {
    return this.capacityBytes === Infinity ? Infinity : Math.max(0, this.capacityBytes - this.usedBytes);
  }

  /** @internal A handle of the inode was made (1), or is gone (-1). */
  handles(inode: FaultyInode, change: 1 | -1): void {
    this.openFiles += change;
    const left = (this.openInodes.get(inode) ?? 0) + change;
    if (left > 0) this.openInodes.set(inode, left);
    else this.openInodes.delete(inode);
  }

  find(path: string): FaultyInode | undefined {
    return this.names.get(path);
  }

  inode(path: string): FaultyInode {
    const inode = this.names.get(path);
    if (!inode) throw new FileSystemError('find', path, 'ENOENT');
    return inode;
  }

  /** Every file that programs see, in the order of their names. */
  paths(): string[] {
    return [...this.names.keys()].sort();
  }

  /** What programs see in a folder, without the folder's name. */
  namesIn(directory: string): string[] {
    const paths = [...this.names.keys()].filter((path) => dirname(path) === directory);
    return paths.map((path) => basename(path)).sort();
  }

  async open(path: string, mode: OpenMode): Promise<RandomAccessFile> {
    await this.happen('open', path);
    const existing = this.names.get(path);
    if (mode === 'create') {
      if (existing) throw new FileSystemError('open', path, 'EEXIST');
      if (!this.folders.has(dirname(path))) throw new FileSystemError('open', path, 'ENOENT');
      if (this.room() === 0) throw new FileSystemError('open', path, 'ENOSPC');
      this.change('open', path, () => this.changeNames([[path, new FaultyInode()]]));
    } else if (!existing) {
      throw new FileSystemError('open', path, 'ENOENT');
    }
    return new FaultyFile(this, path, this.inode(path));
  }

  async list(directory: string): Promise<string[]> {
    await this.happen('open', directory);
    if (!this.folders.has(directory)) throw new FileSystemError('list', directory, 'ENOENT');
    return this.namesIn(directory);
  }

  async exists(path: string): Promise<boolean> {
    await this.happen('open', path);
    return this.names.has(path) || this.folders.has(path);
  }

  async makeDirectory(directory: string): Promise<void> {
    await this.happen('make folder', directory);
    this.folders.add(directory);
    const parent = dirname(directory);
    if (parent !== directory) await this.makeDirectory(parent);
  }

  async syncDirectory(directory: string): Promise<void> {
    await this.happen('sync folder', directory);
    this.change('sync folder', directory, () => {
      const here = (change: NameChange): boolean => [...change.keys()].some((path) => dirname(path) === directory);
      for (const change of this.pendingNames) if (here(change)) apply(this.durableNames, change);
      this.pendingNames = this.pendingNames.filter((change) => !here(change));
    });
  }

  readSync(path: string, into: Buffer, position: number): number {
    return this.inode(path).read(into, position);
  }

  async rename(from: string, to: string): Promise<void> {
    await this.happen('rename', from);
    const inode = this.inode(from);
    this.change('rename', from, () =>
      this.changeNames([
        [from, undefined],
        [to, inode],
      ]),
    );
  }

  async unlink(path: string): Promise<void> {
    await this.happen('unlink', path);
    this.inode(path);
    this.change('unlink', path, () => this.changeNames([[path, undefined]]));
  }

  /** Lets the intercept have its say. */
  async happen(operation: FileOperation, path: string): Promise<void> {
    await this.intercept?.(operation, path);
    if (this.dead) throw new PowerLoss(`The power is gone: ${operation} of ${join(path)} does not happen.`);
  }

  /** Counts a change and makes it, unless the power is gone. */
  change(operation: FileOperation, path: string, make: () => void): void {
    if (this.dead) throw new PowerLoss(`The power is gone: ${operation} of ${path} does not happen.`);
    this.operations += 1;
    this.operationsLeft -= 1;
    const last = this.operationsLeft < 0;
    // A sync during which the power goes is not done; any other change may reach the disk or not, as if it had returned.
    if (!last || !operation.includes('sync')) make();
    if (!last) return;
    this.dead = true;
    throw new PowerLoss(`The power is lost during ${operation} of ${path}.`);
  }

  private changeNames(change: readonly (readonly [string, FaultyInode | undefined])[]): void {
    this.pendingNames.push(new Map(change));
    apply(this.names, this.pendingNames.at(-1)!);
  }
}

function apply(names: Map<string, FaultyInode>, change: NameChange): void {
  for (const [path, inode] of change) {
    if (inode) names.set(path, inode);
    else names.delete(path);
  }
}

class FaultyFile implements RandomAccessFile {
  private open = true;

  constructor(
    private readonly files: FaultyFiles,
    readonly path: string,
    private readonly inode: FaultyInode,
  ) {
    files.handles(inode, 1);
  }

  async read(into: Buffer, position: number): Promise<number> {
    await this.happen('read');
    return this.inode.read(into, position);
  }

  async write(parts: readonly Buffer[], position: number): Promise<void> {
    await this.happen('write');
    const bytes = Buffer.concat(parts);
    const place = this.files.astray?.({ path: this.path, position }, bytes);
    if (place) {
      this.files.change('write', place.path, () => this.files.inode(place.path).strike(place.position, bytes));
      return;
    }
    const fitting = Math.max(0, Math.min(bytes.length, this.inode.size + this.files.room() - position));
    if (fitting > 0 || bytes.length === 0) {
      this.files.change('write', this.path, () => this.inode.write(bytes.subarray(0, fitting), position));
    }
    if (fitting < bytes.length) throw new FileSystemError('write', this.path, 'ENOSPC');
  }

  async datasync(): Promise<void> {
    await this.happen('datasync');
    this.files.change('datasync', this.path, () => this.inode.sync());
  }

  async sync(): Promise<void> {
    await this.happen('sync');
    this.files.change('sync', this.path, () => this.inode.sync());
  }

  async truncate(length: number): Promise<void> {
    await this.happen('truncate');
    this.files.change('truncate', this.path, () => this.inode.truncate(length));
  }

  async size(): Promise<number> {
    await this.happen('read');
    return this.inode.size;
  }

  async close(): Promise<void> {
    if (!this.open) throw new Error(`${this.path} was closed twice.`);
    this.open = false;
    this.files.handles(this.inode, -1);
  }

  private async happen(operation: FileOperation): Promise<void> {
    if (!this.open) throw new Error(`${this.path} is closed: ${operation} is not possible.`);
    await this.files.happen(operation, this.path);
  }
}
