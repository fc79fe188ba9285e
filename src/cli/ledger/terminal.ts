import { type Readable, type Writable } from 'node:stream';

/** What the command reads and writes: the process's own, or a test's. */
export interface Terminal {
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stderr: Writable;
  /** The output is read by a person: colours help. */
  readonly colors: boolean;
  /** Aborted by Ctrl-C: what runs on (a stream, a measurement) ends with what it has. */
  readonly signal: AbortSignal;
}

/** Wrong usage: exit 2, one line on stderr. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** The ledger said no: exit 1, one line on stderr. What there is to print has been printed. */
export class Refused extends Error {
  override readonly name = 'Refused';

  /** @param reason name of the result, lower snake case */
  constructor(
    readonly reason: string,
    message: string,
  ) {
    super(message);
  }
}
