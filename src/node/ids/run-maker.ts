import type { FiledIndex } from './id-index';
import type { IdFilter } from './id-filter';
import { mergeIndexes } from './index-merge';
import { writeIndex } from './index-writer';
import type { RunName } from './run-format';
import { type RunFolder, type RunSource, writeRun } from './run-writer';

/** An index that was written, and its filter, so that it need not be read again. */
export interface MadeIndex {
  readonly name: RunName;
  readonly filter: IdFilter;
}

/** Who does the work of runs and indexes, one thing at a time. What it made has its name, and is durable, when it resolves. */
export interface RunMaker {
  /** Writes rows as a run, and its index. */
  write(source: RunSource): Promise<MadeIndex>;
  /** Writes one index of all the rows of these neighbours, which stay as they are. Rejects with IdFileDamageError. */
  merge(indexes: readonly FiledIndex[]): Promise<MadeIndex>;
  close(): Promise<void>;
}

/** Does it where it is asked, between other work. */
export class RunsInPlace implements RunMaker {
  constructor(private readonly folder: RunFolder) {}

  async write(source: RunSource): Promise<MadeIndex> {
    const { name, hashes } = await writeRun(this.folder, source);
    return { name, filter: await writeIndex(this.folder, name, hashes) };
  }

  merge(indexes: readonly FiledIndex[]): Promise<MadeIndex> {
    return mergeIndexes(this.folder, indexes);
  }

  async close(): Promise<void> {
    // Nothing of its own is open between two calls.
  }
}
