import { FileSystemError } from '../../log/files';

export type SnapshotErrorCode =
  /** There is no such snapshot. */
  | 'MISSING'
  /** The file is not what was written, or not to its end. */
  | 'DAMAGED'
  /** Written by a newer program. */
  | 'NEWER_FORMAT'
  /** Of another cluster or group. */
  | 'FOREIGN'
  /** Received bytes do not continue what is there; `expected` in the message. */
  | 'GAP'
  /** Nothing has changed; try again when there is space. */
  | 'DISK_FULL'
  /** A read, write or sync failed. */
  | 'FAILED';

export class SnapshotError extends Error {
  override readonly name = 'SnapshotError';

  constructor(
    readonly code: SnapshotErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** What the file system said, as this room says it; everything else passes. */
export function asSnapshotError(error: unknown): unknown {
  if (!(error instanceof FileSystemError)) return error;
  if (error.code === 'ENOENT') return new SnapshotError('MISSING', error.message, { cause: error });
  const full = error.code === 'ENOSPC' || error.code === 'EDQUOT';
  return new SnapshotError(full ? 'DISK_FULL' : 'FAILED', error.message, { cause: error });
}
