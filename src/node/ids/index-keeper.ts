import { join } from 'node:path';
import { isMissing } from '../../log/files';
import type { EventLog } from '../../raft/replica/environment';
import type { IdArchive } from './id-archive';
import { FiledIndex, indexInMemory, type IdIndex } from './id-index';
import type { IdRun } from './id-run';
import { indexedBy, indexFile } from './index-format';
import { nextMerge } from './index-merge';
import { writeIndex } from './index-writer';
import { IdFileDamageError, type RunName } from './run-format';
import type { MadeIndex, RunMaker } from './run-maker';
import type { RunFolder } from './run-writer';

/** Opens, merges and mends the indexes of runs. They are derived: whatever is wrong with one, the rows can make it again. */
export class IndexKeeper {
  constructor(
    private readonly folder: RunFolder,
    private readonly events: EventLog,
    private readonly maker: RunMaker,
  ) {}

  /** As few indexes as there are files for; what none is for is made from the rows. */
  async open(runs: readonly IdRun[]): Promise<IdIndex[]> {
    const indexes: IdIndex[] = [];
    const { files, directory } = this.folder;
    const known = (await files.list(directory)).map(indexedBy).filter((name) => name !== undefined);
    try {
      for (let next = 0; next < runs.length;) {
        const index = (await this.widest(known, runs, next)) ?? (await this.made(runs[next] as IdRun));
        indexes.push(index);
        next = runs.findIndex(({ name }) => name.first + name.count === endOf(index.name)) + 1;
      }
      return indexes;
    } catch (error) {
      for (const index of indexes) await index.close();
      throw error;
    }
  }

  /** For those who may not write: reads every run to its end. */
  async openInMemory(runs: readonly IdRun[]): Promise<IdIndex[]> {
    const indexes: IdIndex[] = [];
    for (const run of runs) indexes.push(indexInMemory(run.name, await run.verifiedHashes(this.folder.seed)));
    return indexes;
  }

  /** Makes the index of one run. */
  async made(run: IdRun): Promise<FiledIndex> {
    const { name } = run;
    return this.opened({ name, filter: await writeIndex(this.folder, name, await run.hashes(this.folder.seed)) });
  }

  async opened({ name, filter }: MadeIndex): Promise<FiledIndex> {
    const index = await FiledIndex.open(this.folder, name, filter);
    if (!index) throw new Error(`The index ${indexFile(name)} was written, and cannot be read.`);
    return index;
  }

  /** Merges neighbours of one size until there are none, and mends what turns out to be damaged. */
  async mergeAll(archive: IdArchive, stopped: () => boolean): Promise<void> {
    for (let some = nextMerge(filed(archive)); some && !stopped(); some = nextMerge(filed(archive))) {
      try {
        await archive.replace(some, [await this.opened(await this.maker.merge(some))]);
      } catch (error) {
        if (!(error instanceof IdFileDamageError) || !(await this.mend(archive, error))) throw error;
        continue;
      }
      for (const { name } of some) await this.remove(name);
    }
  }

  /** Puts indexes made from the rows in the place of one that is damaged. False where it is not an index of this archive. */
  async mend(archive: IdArchive, damage: IdFileDamageError): Promise<boolean> {
    const index = archive.indexList.find(({ name }) => damage.file.endsWith(indexFile(name)));
    if (!index) return false;
    this.events.warn({ file: damage.file, err: damage }, 'an index of ids is damaged; it is made anew');
    const { first } = index.name;
    const runs = archive.runs.filter(({ name }) => name.first >= first && endOf(name) <= endOf(index.name));
    if (runs.length > 1) await this.remove(index.name);
    const made: IdIndex[] = [];
    for (const run of runs) made.push(await this.made(run));
    await archive.replace([index], made);
    return true;
  }

  private async widest(
    known: readonly RunName[],
    runs: readonly IdRun[],
    next: number,
  ): Promise<FiledIndex | undefined> {
    const { first } = (runs[next] as IdRun).name;
    const fits = known.filter((name) => name.first === first && runs.some((run) => endsWith(name, run.name)));
    for (const name of fits.sort((a, b) => b.count - a.count)) {
      const index = await FiledIndex.open(this.folder, name);
      if (index) return index;
    }
    return undefined;
  }

  private async remove(name: RunName): Promise<void> {
    try {
      await this.folder.files.unlink(join(this.folder.directory, indexFile(name)));
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }
}

function filed(archive: IdArchive): readonly FiledIndex[] {
  return archive.indexList.filter((index) => index instanceof FiledIndex);
}

function endOf({ first, count }: RunName): number {
  return first + count;
}

/** The chain says that the rows are the same, up to the last one. */
function endsWith(index: RunName, run: RunName): boolean {
  return endOf(index) === endOf(run) && index.chain === run.chain;
}
