/** What an offline command found in a data directory. */

/**
 * `damage`: something durable is not what was written. `torn`: what a loss of power left, which a start cuts off. `note`:
 * nothing is wrong, but whoever reads the report should know.
 */
export type FindingKind = 'damage' | 'torn' | 'note';

export interface Finding {
  readonly kind: FindingKind;
  /** Path of the file. */
  readonly file: string;
  /** Where in the file it begins, in bytes. */
  readonly position: number;
  /** One or more sentences. */
  readonly what: string;
  /** The entries of the log that are damaged, missing or cut, both inclusive. */
  readonly fromIndex?: number;
  readonly toIndex?: number;
}

export type OnFinding = (finding: Finding) => void;

/** Told how many bytes of all that is to be read are done. */
export type OnProgress = (doneBytes: number, totalBytes: number, what: string) => void;
