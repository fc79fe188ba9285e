import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { type InputPlace } from './input-chunks';
import { UsageError } from '../terminal';

const FORMAT = 1;

/** How far an import is: what a later run needs to go on, and to know that it goes on with the same. */
export interface ImportProgress {
  readonly clusterId: string;
  /** What decides how rows are read; another reading could give other transfers under the same ids. */
  readonly reading: string;
  /** Everything before is answered. */
  readonly place: InputPlace;
  /** Rows by result. */
  readonly results: Readonly<Record<string, number>>;
  /** Of those, rows that had been answered before. */
  readonly repeats: number;
  /** Length of the file of refused rows at that place. */
  readonly refusedBytes: number;
}

/** A small file beside the input. Losing it costs time only: ids make a row that is sent again the same row. */
export class ImportState {
  constructor(readonly path: string) {}

  get exists(): boolean {
    return existsSync(this.path);
  }

  /** Throws UsageError where it is not what an import left. */
  read(): ImportProgress {
    const fault = new UsageError(`import: ${this.path} is not what an import leaves; remove it to begin anew`);
    let value: unknown;
    try {
      value = JSON.parse(readFileSync(this.path, 'utf8'));
    } catch {
      throw fault;
    }
    const { format, ...progress } = value as ImportProgress & { readonly format: number };
    const isWhole = format === FORMAT && typeof progress.place.sha256 === 'string' && progress.refusedBytes >= 0;
    if (!isWhole) throw fault;
    return progress;
  }

  /** Whoever reads it sees the old one or the new one. */
  write(progress: ImportProgress): void {
    writeFileSync(`${this.path}.new`, `${JSON.stringify({ format: FORMAT, ...progress })}\n`);
    renameSync(`${this.path}.new`, this.path);
  }

  remove(): void {
    rmSync(this.path, { force: true });
  }
}
