import { type FileSystem, FileSystemError, type OpenMode, type RandomAccessFile } from '../log/files';

/**
 * A file system that refuses every change: what looks at a data directory through it cannot cut a tail, remove a leftover
 * or finish what a crash cut short, whatever code it shares with a node that starts.
 */
export class ReadOnlyFiles implements FileSystem {
  constructor(private readonly files: FileSystem) {}

  async open(path: string, mode: OpenMode): Promise<RandomAccessFile> {
    if (mode !== 'read') return refuse(`open for ${mode}`, path);
    return new ReadOnlyFile(await this.files.open(path, 'read'));
  }

  list(directory: string): Promise<string[]> {
    return this.files.list(directory);
  }

  exists(path: string): Promise<boolean> {
    return this.files.exists(path);
  }

  /** What is there needs no making. */
  async makeDirectory(directory: string): Promise<void> {
    if (!(await this.files.exists(directory))) await refuse('make folder', directory);
  }

  syncDirectory(directory: string): Promise<void> {
    return refuse('sync folder', directory);
  }

  readSync(path: string, into: Buffer, position: number): number {
    return this.files.readSync(path, into, position);
  }

  rename(from: string): Promise<void> {
    return refuse('rename', from);
  }

  unlink(path: string): Promise<void> {
    return refuse('remove', path);
  }

  freeBytes(directory: string): Promise<number> {
    return this.files.freeBytes(directory);
  }
}

class ReadOnlyFile implements RandomAccessFile {
  readonly path: string;

  constructor(private readonly file: RandomAccessFile) {
    this.path = file.path;
  }

  read(into: Buffer, position: number): Promise<number> {
    return this.file.read(into, position);
  }

  write(): Promise<void> {
    return refuse('write', this.path);
  }

  datasync(): Promise<void> {
    return refuse('fdatasync', this.path);
  }

  sync(): Promise<void> {
    return refuse('fsync', this.path);
  }

  truncate(): Promise<void> {
    return refuse('truncate', this.path);
  }

  size(): Promise<number> {
    return this.file.size();
  }

  close(): Promise<void> {
    return this.file.close();
  }
}

function refuse(operation: string, path: string): Promise<never> {
  return Promise.reject(new FileSystemError(operation, path, 'EROFS'));
}
