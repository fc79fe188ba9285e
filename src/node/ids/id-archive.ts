import { chainStart } from '../../ledger/row-chain';
import type { RowArchive } from '../../ledger/row-archive';
import { invariant } from '../../ledger/invariant';
import { IdHashes } from './id-filter';
import type { IdRun } from './id-run';
import { BLOCK_ROWS, IdFileDamageError, rowIn } from './run-format';

const WORDS = 4;
/** Reads under way for one batch. */
const READS_AT_ONCE = 16;

export interface FoundRow {
  readonly row: number;
  readonly words: Uint32Array;
}

interface Candidate {
  readonly run: IdRun;
  readonly entry: number;
  /** Where the id's words begin. */
  readonly at: number;
}

/** What was counted since the start, for the metrics and for those who measure. */
export interface ArchiveCounts {
  lookups: number;
  /** Entries that filters let pass. */
  candidates: number;
  found: number;
}

/** The rows of transfers that are in runs, from row 0 on. */
export class IdArchive implements RowArchive {
  readonly counts: ArchiveCounts = { lookups: 0, candidates: 0, found: 0 };
  /** The block that was read last: readers walk. */
  private last: { readonly run: IdRun; readonly block: number; readonly bytes: Buffer } | undefined;

  constructor(
    private readonly seed: number,
    readonly runs: IdRun[],
    private readonly onDamage: (run: IdRun, damage: IdFileDamageError) => Promise<void>,
  ) {
    let next = 0;
    for (const { name } of runs) {
      invariant(name.first === next, `A run begins with row ${name.first}, where row ${next} is expected.`);
      next += name.count;
    }
  }

  get rows(): number {
    const last = this.runs.at(-1)?.name;
    return last ? last.first + last.count : 0;
  }

  get chain(): Buffer {
    return this.runs.at(-1)?.header.chainBehind ?? chainStart();
  }

  /** Bytes of memory that filters take. */
  get filterBytes(): number {
    return this.runs.reduce((sum, { filter }) => sum + filter.bytes, 0);
  }

  append(run: IdRun): void {
    invariant(run.name.first === this.rows, `A run begins with row ${run.name.first}, not with row ${this.rows}.`);
    invariant(run.header.chainBefore.equals(this.chain), 'A run does not continue the hash of the rows before it.');
    this.runs.push(run);
  }

  /**
   * The rows with these ids, four words each. Undefined where the filters know that there are none: then nothing was read.
   * Rejects with IdFileDamageError where rows cannot be read; a damaged index is made anew on the way.
   */
  lookUp(ids: Uint32Array): Promise<readonly FoundRow[]> | undefined {
    const count = ids.length / WORDS;
    this.counts.lookups += count;
    if (this.runs.length === 0 || count === 0) return undefined;
    const candidates = this.candidatesOf(ids);
    if (candidates.length === 0) return undefined;
    this.counts.candidates += candidates.length;
    return this.read(ids, candidates);
  }

  readRow(row: number): Uint32Array {
    const run = this.runOf(row);
    const inRun = row - run.name.first;
    const block = Math.floor(inRun / BLOCK_ROWS);
    if (this.last?.run !== run || this.last.block !== block) {
      this.last = { run, block, bytes: run.readBlockSync(row) };
    }
    return rowIn(this.last.bytes, inRun % BLOCK_ROWS);
  }

  findRows(words: Uint32Array, at: number): readonly number[] {
    const id = words.subarray(at, at + WORDS);
    const rows = this.candidatesOf(id).map(({ run, entry }) => run.rowOfSync(entry));
    return rows.filter((row) => hasId(this.readRow(row), id, 0));
  }

  async close(): Promise<void> {
    for (const run of this.runs) await run.close();
  }

  private candidatesOf(ids: Uint32Array): Candidate[] {
    const hashes = new IdHashes(ids.length / WORDS, this.seed).addAll(ids);
    const candidates: Candidate[] = [];
    for (const run of this.runs) {
      run.filter.probe(hashes, (id, entry) => candidates.push({ run, entry, at: id * WORDS }));
    }
    return candidates;
  }

  private async read(ids: Uint32Array, candidates: readonly Candidate[]): Promise<readonly FoundRow[]> {
    const found: FoundRow[] = [];
    const blocks = new Map<string, Promise<Buffer>>();
    let next = 0;
    const reader = async (): Promise<void> => {
      for (let candidate = candidates[next++]; candidate; candidate = candidates[next++]) {
        const row = await this.rowOf(candidate);
        const words = await this.rowThrough(blocks, candidate.run, row);
        if (hasId(words, ids, candidate.at)) found.push({ row, words });
      }
    };
    await Promise.all(Array.from({ length: Math.min(READS_AT_ONCE, candidates.length) }, reader));
    this.counts.found += found.length;
    return found;
  }

  private async rowOf({ run, entry }: Candidate): Promise<number> {
    try {
      return await run.rowOf(entry);
    } catch (error) {
      if (!(error instanceof IdFileDamageError)) throw error;
      await this.onDamage(run, error);
      return run.rowOf(entry);
    }
  }

  /** Ids that came together lie together: each block is read once for a batch. */
  private async rowThrough(blocks: Map<string, Promise<Buffer>>, run: IdRun, row: number): Promise<Uint32Array> {
    const inRun = row - run.name.first;
    const key = `${run.name.first}:${Math.floor(inRun / BLOCK_ROWS)}`;
    let block = blocks.get(key);
    if (!block) {
      block = run.readBlock(row);
      blocks.set(key, block);
    }
    return rowIn(await block, inRun % BLOCK_ROWS);
  }

  private runOf(row: number): IdRun {
    let [low, high] = [0, this.runs.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if ((this.runs[middle] as IdRun).name.first <= row) low = middle;
      else high = middle - 1;
    }
    const run = this.runs[low];
    invariant(run !== undefined && row < this.rows, `Row ${row} is not in the archive, which has ${this.rows} rows.`);
    return run;
  }
}

function hasId(row: Uint32Array, ids: Uint32Array, at: number): boolean {
  for (let i = 0; i < WORDS; i++) if (row[i] !== ids[at + i]) return false;
  return true;
}
