import * as fs from 'node:fs';
import { dirname } from 'node:path';
import { FileSystemError, type FileSystem, type OpenMode, type RandomAccessFile } from './files';

const FLAGS: Readonly<Record<OpenMode, string>> = { read: 'r', update: 'r+', create: 'wx+' };

/** Readable and writable by the owner alone: a log holds other people's money. */
const FILE_MODE = 0o600;
const DIRECTORY_MODE = 0o700;

/** The machine's file system. */
export class NodeFiles implements FileSystem {
  async open(path: string, mode: OpenMode): Promise<RandomAccessFile> {
    const fd = await run<number>('open', path, (done) => fs.open(path, FLAGS[mode], FILE_MODE, done));
    return new NodeFile(path, fd);
  }

  async list(directory: string): Promise<string[]> {
    const names = await run<string[]>('list', directory, (done) => fs.readdir(directory, done));
    return names.sort();
  }

  async exists(path: string): Promise<boolean> {
    return run<boolean>('look for', path, (done) =>
      fs.stat(path, (error) => done(error?.code === 'ENOENT' ? null : error, !error)),
    );
  }

  async makeDirectory(directory: string): Promise<void> {
    if (await this.exists(directory)) return;
    const parent = dirname(directory);
    if (parent !== directory) await this.makeDirectory(parent);
    await run<void>('make folder', directory, (done) =>
      fs.mkdir(directory, DIRECTORY_MODE, (error) => done(error?.code === 'EEXIST' ? null : error)),
    );
    await this.syncDirectory(parent);
  }

  async syncDirectory(directory: string): Promise<void> {
    const fd = await run<number>('open folder', directory, (done) => fs.open(directory, 'r', done));
    try {
      await run<void>('sync folder', directory, (done) => fs.fsync(fd, done));
    } finally {
      await run<void>('close folder', directory, (done) => fs.close(fd, done));
    }
  }

  readSync(path: string, into: Buffer, position: number): number {
    try {
      const fd = fs.openSync(path, FLAGS.read);
      try {
        return fs.readSync(fd, into, 0, into.length, position);
      } finally {
        fs.closeSync(fd);
      }
    } catch (error) {
      throw new FileSystemError('read', path, codeOf(error), { cause: error });
    }
  }

  async rename(from: string, to: string): Promise<void> {
    await run<void>('rename', from, (done) => fs.rename(from, to, done));
  }

  async unlink(path: string): Promise<void> {
    await run<void>('remove', path, (done) => fs.unlink(path, done));
  }

  async freeBytes(directory: string): Promise<number> {
    const { bavail, bsize } = await run<fs.StatsFs>('measure the disk of', directory, (done) =>
      fs.statfs(directory, done),
    );
    return bavail * bsize;
  }
}

class NodeFile implements RandomAccessFile {
  constructor(
    readonly path: string,
    private readonly fd: number,
  ) {}

  async read(into: Buffer, position: number): Promise<number> {
    let filled = 0;
    while (filled < into.length) {
      const at = filled;
      const bytes = await run<number>('read', this.path, (done) =>
        fs.read(this.fd, into, at, into.length - at, position + at, done),
      );
      if (bytes === 0) break;
      filled += bytes;
    }
    return filled;
  }

  async write(parts: readonly Buffer[], position: number): Promise<void> {
    let left: readonly Buffer[] = parts;
    let at = position;
    while (left.length > 0) {
      const batch = left;
      const written = await run<number>('write', this.path, (done) => fs.writev(this.fd, batch, at, done));
      if (written === 0) throw new FileSystemError('write', this.path, 'a write of 0 bytes');
      left = without(left, written);
      at += written;
    }
  }

  async datasync(): Promise<void> {
    await run<void>('fdatasync', this.path, (done) => fs.fdatasync(this.fd, done));
  }

  async sync(): Promise<void> {
    await run<void>('fsync', this.path, (done) => fs.fsync(this.fd, done));
  }

  async truncate(length: number): Promise<void> {
    await run<void>('truncate', this.path, (done) => fs.ftruncate(this.fd, length, done));
  }

  async size(): Promise<number> {
    const stats = await run<fs.Stats>('measure', this.path, (done) => fs.fstat(this.fd, done));
    return stats.size;
  }

  async close(): Promise<void> {
    await run<void>('close', this.path, (done) => fs.close(this.fd, done));
  }
}

/** What is left of `parts` after `written` bytes: the kernel may take less than it was given. */
function without(parts: readonly Buffer[], written: number): readonly Buffer[] {
  let skip = written;
  let i = 0;
  while (i < parts.length && skip >= parts[i]!.length) skip -= parts[i++]!.length;
  if (i === parts.length) return [];
  const rest = parts.slice(i);
  rest[0] = parts[i]!.subarray(skip);
  return rest;
}

type Done<T> = (error: NodeJS.ErrnoException | null | undefined, value?: T) => void;

function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : String(error);
}

/** The callback functions are used because a promise of our own costs a third of what the module's file handles cost. */
function run<T>(operation: string, path: string, call: (done: Done<T>) => void): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    call((error, value) => {
      if (error) reject(new FileSystemError(operation, path, codeOf(error), { cause: error }));
      else resolve(value as T);
    });
  });
}
