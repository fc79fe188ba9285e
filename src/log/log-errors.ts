/** A batch does not continue the log, or an argument breaks a rule: a fault of the caller, found before anything happened. */
export class LogContinuityError extends Error {
  override readonly name = 'LogContinuityError';
}

export type LogRangeReason =
  /** Below the first entry: dropped under a snapshot. */
  | 'compacted'
  /** Dropped by `truncateSuffix` or `reset` while it was being read. */
  | 'truncated';

/** An entry was asked for that the log no longer holds. */
export class LogRangeError extends Error {
  override readonly name = 'LogRangeError';

  constructor(
    readonly reason: LogRangeReason,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** The log was closed before the call. */
export class LogClosedError extends Error {
  override readonly name = 'LogClosedError';

  constructor(what: string) {
    super(`The log is closed: it is too late ${what}. Open it again.`);
  }
}

/** A write or an fsync failed. What the disk holds is not known any more; the process has to end and recover from it. */
export class LogFailedError extends Error {
  override readonly name = 'LogFailedError';
}

/**
 * There was no room on the disk, and nobody waits for it any more. Nothing that is acknowledged depends on what was to be
 * written: it was refused, or it can be made again.
 */
export class DiskFullError extends Error {
  override readonly name = 'DiskFullError';

  constructor(what: string, options?: ErrorOptions) {
    super(`The disk is full: ${what} Make room, and it goes on by itself.`, options);
  }
}

/** The log on the disk was written by a program that is newer than this one. */
export class LogVersionError extends Error {
  override readonly name = 'LogVersionError';
}

/** Where a log is damaged, and what is missing for it. */
export interface LogDamage {
  readonly file: string;
  /** Where in the file the damage begins, in bytes. */
  readonly position: number;
  /** The entries that are damaged or missing, both inclusive. */
  readonly fromIndex: number;
  readonly toIndex: number;
}

/** Entries that were durable are not readable any more. Nothing was cut: see {@link LogDamage} for what is to be fetched again. */
export class LogDamageError extends Error {
  override readonly name = 'LogDamageError';

  constructor(
    readonly damage: LogDamage,
    what: string,
  ) {
    const { file, position, fromIndex, toIndex } = damage;
    super(
      `${what} Damaged: ${file} from byte ${position} on, entries ${fromIndex} to ${toIndex}.` +
        ' Nothing was cut. Fetch these entries again from another node, or restore the file.',
    );
  }
}
