import { FileSystemError } from '../../log/files';
import type { FilterParts } from './id-filter';
import { IdFileDamageError, type RunName } from './run-format';
import type { RunSource } from './run-writer';

/** What the thread is started with. */
export interface RunThreadData {
  readonly directory: string;
  readonly seed: number;
}

export type ToThread =
  | ({ readonly type: 'write' } & Omit<RunSource, 'unit' | 'chainBefore'> & { readonly chainBefore: Uint8Array })
  /** Rows that were asked for, in order, whole units, and their extras, one behind the other. */
  | { readonly type: 'rows'; readonly words: Uint32Array; readonly extras: Uint8Array }
  | { readonly type: 'merge'; readonly names: readonly RunName[] };

export type FromThread =
  /** The next rows are wanted. @param used memory of rows that were taken before, for the next ones: fresh memory costs as much as the copy */
  | { readonly type: 'more'; readonly used?: Uint32Array }
  | { readonly type: 'done'; readonly name: RunName; readonly filter: FilterParts }
  | { readonly type: 'failed'; readonly failure: Failure };

/** Errors lose their class on the way between threads, and what is done about one depends on it. */
export type Failure =
  | { readonly kind: 'damage'; readonly file: string; readonly position: number; readonly what: string }
  | { readonly kind: 'files'; readonly operation: string; readonly path: string; readonly code: string }
  | { readonly kind: 'other'; readonly message: string };

export function failureOf(error: unknown): Failure {
  if (error instanceof IdFileDamageError) {
    return { kind: 'damage', file: error.file, position: error.position, what: error.what };
  }
  if (error instanceof FileSystemError) {
    return { kind: 'files', operation: error.operation, path: error.path, code: error.code };
  }
  return { kind: 'other', message: error instanceof Error ? (error.stack ?? error.message) : String(error) };
}

export function errorOf(failure: Failure): Error {
  switch (failure.kind) {
    case 'damage':
      return new IdFileDamageError(failure.file, failure.position, failure.what);
    case 'files':
      return new FileSystemError(failure.operation, failure.path, failure.code);
    case 'other':
      return new Error(`The thread that writes runs of ids has failed: ${failure.message}`);
  }
}
