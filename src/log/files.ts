/**
 * What durable storage needs of a file system, small enough that a test can supply one that loses power.
 *
 * What is assumed of it: after `datasync` the bytes written before it survive a loss of power, and the file's length too
 * where it is needed to read them; after `sync` everything about the file does; names are durable once `syncDirectory` of
 * the folder has returned. `rename` replaces its target in one step. Nothing is assumed of what was not synced: it may be
 * there, be missing, or be there in part, in any order.
 */

/** `update` opens what exists, `create` refuses what exists. */
export type OpenMode = 'read' | 'update' | 'create';

/** A file open for access at positions. All positions and lengths are bytes. */
export interface RandomAccessFile {
  readonly path: string;
  /** Fills `into` from `position` on. @returns the bytes read: fewer than `into.length` only at the end of the file */
  read(into: Buffer, position: number): Promise<number>;
  /** Writes all parts, one behind the other. */
  write(parts: readonly Buffer[], position: number): Promise<void>;
  datasync(): Promise<void>;
  sync(): Promise<void>;
  truncate(length: number): Promise<void>;
  size(): Promise<number>;
  close(): Promise<void>;
}

export interface FileSystem {
  /** @throws FileSystemError with code ENOENT or EEXIST, among others */
  open(path: string, mode: OpenMode): Promise<RandomAccessFile>;
  /** Names of what the folder holds, ascending. @throws FileSystemError with code ENOENT */
  list(directory: string): Promise<string[]>;
  exists(path: string): Promise<boolean>;
  /** Makes the folder and those above it, durably. A folder that exists is left alone. */
  makeDirectory(directory: string): Promise<void>;
  syncDirectory(directory: string): Promise<void>;
  /** As a file's `read`, for the rare case in which an answer cannot wait. @returns the bytes read */
  readSync(path: string, into: Buffer, position: number): number;
  rename(from: string, to: string): Promise<void>;
  /** @throws FileSystemError with code ENOENT */
  unlink(path: string): Promise<void>;
  /** Bytes that this process may still write to the file system of the folder. */
  freeBytes(directory: string): Promise<number>;
}

/** An operation on a file or folder failed; `code` is the system's (`ENOENT`, `ENOSPC`, `EIO`, …). */
export class FileSystemError extends Error {
  override readonly name = 'FileSystemError';

  constructor(
    readonly operation: string,
    readonly path: string,
    readonly code: string,
    options?: ErrorOptions,
  ) {
    super(`Could not ${operation} ${path}: ${code}.`, options);
  }
}

export function isMissing(error: unknown): boolean {
  return error instanceof FileSystemError && error.code === 'ENOENT';
}

/** There is no room: on the disk, or in what this user may take of it. */
export function isDiskFull(error: unknown): boolean {
  return error instanceof FileSystemError && (error.code === 'ENOSPC' || error.code === 'EDQUOT');
}

const ZEROS = Buffer.alloc(1024 * 1024);

/** So much is written before it is synced: more, and others wait for 20 ms and longer; less, and it takes ten times as long. */
const ALLOCATE_BYTES = 4 * ZEROS.length;

/**
 * Writes zeros from `from` to `to`, syncing now and then, so that whoever syncs another file on the same disk does not wait
 * for all of it; then syncs the length. Overwriting such a file costs half of what growing it does, or less.
 * @param stopped ends the work early
 * @returns the number of syncs
 */
export async function allocate(
  file: RandomAccessFile,
  from: number,
  to: number,
  stopped: () => boolean = () => false,
): Promise<number> {
  let syncs = 1;
  for (let at = from; at < to && !stopped(); at += ALLOCATE_BYTES) {
    const end = Math.min(at + ALLOCATE_BYTES, to);
    await file.write(zeros(end - at), at);
    if (end === to) break;
    await file.datasync();
    syncs += 1;
  }
  await file.sync();
  return syncs;
}

function zeros(bytes: number): Buffer[] {
  const parts: Buffer[] = [];
  for (let left = bytes; left > 0; left -= ZEROS.length) parts.push(ZEROS.subarray(0, Math.min(left, ZEROS.length)));
  return parts;
}
