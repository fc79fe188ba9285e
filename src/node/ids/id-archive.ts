import { chainStart } from '../../ledger/row-chain';
import type { ArchivedRow, RowArchive } from '../../ledger/row-archive';
import { invariant } from '../../ledger/invariant';
import { Row } from '../../ledger/transfer-row';
import { IdHashes } from './id-hashes';
import type { IdIndex } from './id-index';
import type { IdRun } from './id-run';
import { BLOCK_ROWS, IdFileDamageError, rowIn, type RunName } from './run-format';

const WORDS = 4;
const NO_EXTRAS = new Uint8Array(0);
/** Reads under way for one batch. */
const READS_AT_ONCE = 16;

interface ReadBlock {
  readonly run: IdRun;
  readonly bytes: Buffer;
  extras?: Promise<Buffer>;
}

type Blocks = Map<number, Promise<ReadBlock>>;

interface Candidate {
  readonly index: IdIndex;
  readonly entry: number;
  /** Where the id's words begin. */
  readonly at: number;
}

/** What was counted since the start, for those who measure. */
export interface ArchiveCounts {
  lookups: number;
  /** Entries that filters let pass. */
  candidates: number;
  /** Of these, those whose row was the one behind the row before: their entries were not read. */
  next: number;
  found: number;
}

/** The rows of transfers that are in runs, from row 0 on. */
export class IdArchive implements RowArchive {
  readonly counts: ArchiveCounts = { lookups: 0, candidates: 0, next: 0, found: 0 };
  /** The block that was read last: readers walk. */
  private last: { readonly run: IdRun; readonly block: number; readonly bytes: Buffer; extras?: Buffer } | undefined;
  /** Look-ups under way, each until its last read has ended. */
  private readonly reading = new Set<Promise<unknown>>();
  /** Of the batch that is looked up, or of the id that is read. */
  private readonly hashes: IdHashes;
  /** Indexes that others took the place of, while somebody may still be reading them. */
  private replaced: IdIndex[] = [];
  private isClosed = false;

  constructor(
    seed: number,
    readonly runs: IdRun[],
    /** Together of all rows, each of whole runs. */
    private indexes: IdIndex[],
    /** Told of damage that a read which cannot wait has met; gives the error that its caller gets. */
    private readonly onDamage: (error: IdFileDamageError) => Error = (error) => error,
  ) {
    assertContiguous(runs);
    assertContiguous(indexes);
    invariant(endOf(indexes) === endOf(runs), 'The indexes of an archive must be of all its rows.');
    this.hashes = new IdHashes(0, seed);
  }

  get rows(): number {
    return endOf(this.runs);
  }

  get chain(): Buffer {
    return this.runs.at(-1)?.header.chainBehind ?? chainStart();
  }

  get indexList(): readonly IdIndex[] {
    return this.indexes;
  }

  /** Bytes of memory that filters take. */
  get filterBytes(): number {
    return this.indexes.reduce((sum, { filter }) => sum + filter.bytes, 0);
  }

  append(run: IdRun, index: IdIndex): void {
    invariant(run.header.chainBefore.equals(this.chain), 'A run does not continue the hash of the rows before it.');
    assertContiguous([...this.runs, run]);
    assertContiguous([...this.indexes, index]);
    this.runs.push(run);
    this.indexes = [...this.indexes, index];
  }

  /** Others of the same rows take the place of some neighbours. */
  async replace(some: readonly IdIndex[], others: readonly IdIndex[]): Promise<void> {
    const from = this.indexes.indexOf(some[0] as IdIndex);
    const changed = [...this.indexes.slice(0, from), ...others, ...this.indexes.slice(from + some.length)];
    assertContiguous(changed);
    invariant(from >= 0 && endOf(changed) === this.rows, 'The indexes of an archive must be of all its rows.');
    this.indexes = changed;
    this.replaced.push(...some);
    await this.closeReplaced();
  }

  /**
   * The rows with these ids, four words each. Undefined where the filters know that there are none: then nothing was read.
   * Rejects with IdFileDamageError.
   */
  lookUp(ids: Uint32Array): Promise<readonly ArchivedRow[]> | undefined {
    invariant(!this.isClosed, 'Nothing is looked up in an archive that was closed.');
    const count = ids.length / WORDS;
    this.counts.lookups += count;
    if (this.runs.length === 0 || count === 0) return undefined;
    const candidates = this.candidatesOf(ids);
    if (candidates.length === 0) return undefined;
    this.counts.candidates += candidates.length;
    return this.read(ids, candidates);
  }

  readRow(row: number): Uint32Array {
    return this.reported(() => this.readRowSync(row));
  }

  readExtras(row: number): Uint8Array {
    return this.reported(() => this.readExtrasSync(row));
  }

  findRows(words: Uint32Array, at: number): readonly number[] {
    return this.reported(() => {
      const id = words.subarray(at, at + WORDS);
      const rows = this.candidatesOf(id).map(({ index, entry }) => index.rowOfSync(entry));
      return rows.filter((row) => hasId(this.readRowSync(row), id, 0));
    });
  }

  /** Nothing is looked up from now on; what is under way ends first, for its files might be others' by then. */
  async close(): Promise<void> {
    this.isClosed = true;
    await Promise.all(this.reading);
    for (const file of [...this.runs, ...this.indexes, ...this.replaced]) await file.close();
    this.replaced = [];
  }

  private reported<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      throw error instanceof IdFileDamageError ? this.onDamage(error) : error;
    }
  }

  private readRowSync(row: number): Uint32Array {
    return rowIn(this.blockSync(row).bytes, row % BLOCK_ROWS);
  }

  private readExtrasSync(row: number): Uint8Array {
    const last = this.blockSync(row);
    const place = last.run.extrasIn(row, last.bytes);
    if (!place) return NO_EXTRAS;
    last.extras ??= last.run.readExtrasSync(place);
    return last.run.entryOf(row, last.bytes, last.extras);
  }

  private blockSync(row: number): NonNullable<IdArchive['last']> {
    const run = this.runOf(row);
    const block = Math.floor(row / BLOCK_ROWS);
    if (this.last?.run === run && this.last.block === block) return this.last;
    this.last = { run, block, bytes: run.readBlockSync(row) };
    return this.last;
  }

  private candidatesOf(ids: Uint32Array): Candidate[] {
    const hashes = this.hashes.begin(ids.length / WORDS).addAll(ids);
    const candidates: Candidate[] = [];
    for (const index of this.indexes) {
      index.filter.probe(hashes, (id, entry) => candidates.push({ index, entry, at: id * WORDS }));
    }
    return candidates;
  }

  private async read(ids: Uint32Array, candidates: readonly Candidate[]): Promise<readonly ArchivedRow[]> {
    const found: ArchivedRow[] = [];
    const blocks: Blocks = new Map();
    const only = onlyCandidates(ids, candidates);
    const stretch = Math.ceil(candidates.length / READS_AT_ONCE);
    let begun = 0;
    const reader = async (): Promise<void> => {
      const mine = candidates.slice(begun, (begun += stretch));
      let next = this.rows;
      let cameNext = false;
      for (const candidate of mine) {
        // Its block was read for the row before, or is worth it.
        const mayCome: boolean = only[candidate.at / WORDS] === 1 && (cameNext || next % BLOCK_ROWS !== 0);
        let row: ArchivedRow | undefined = mayCome ? await this.next(blocks, next, ids, candidate.at) : undefined;
        cameNext = row !== undefined;
        row ??= await this.found(blocks, ids, candidate);
        if (!row) continue;
        found.push(row);
        next = row.row + 1;
      }
    };
    const readers = Array.from({ length: Math.min(READS_AT_ONCE, candidates.length) }, reader);
    // All of them, so that nothing is closed that one of them still reads.
    const reading = Promise.allSettled(readers);
    this.reading.add(reading);
    const ended = await reading;
    this.reading.delete(reading);
    await this.closeReplaced();
    for (const end of ended) if (end.status === 'rejected') throw end.reason;
    this.counts.found += found.length;
    return found;
  }

  /** The row that the candidate stands for, where it has the id. */
  private async found(
    blocks: Blocks,
    ids: Uint32Array,
    { index, entry, at }: Candidate,
  ): Promise<ArchivedRow | undefined> {
    return this.withId(blocks, await index.rowOf(entry), ids, at);
  }

  /**
   * Batches that are sent again come as they came, so the row behind the one that was found last is looked at first: that spares
   * the entry, which lies anywhere. Only of ids that have one candidate: a row with this id is the row of that one then.
   */
  private async next(blocks: Blocks, row: number, ids: Uint32Array, at: number): Promise<ArchivedRow | undefined> {
    if (row >= this.rows) return undefined;
    const found = await this.withId(blocks, row, ids, at);
    if (found) this.counts.next += 1;
    return found;
  }

  private async withId(blocks: Blocks, row: number, ids: Uint32Array, at: number): Promise<ArchivedRow | undefined> {
    const block = await this.blockThrough(blocks, row);
    // Runs begin with whole blocks.
    const words = rowIn(block.bytes, row % BLOCK_ROWS);
    if (!hasId(words, ids, at)) return undefined;
    const { run, bytes } = block;
    const place = words[Row.EXTRAS] === 0 ? undefined : run.extrasIn(row, bytes);
    if (!place) return { row, words, extras: undefined };
    block.extras ??= run.readExtras(place);
    return { row, words, extras: run.entryOf(row, bytes, await block.extras) };
  }

  /** Ids that came together lie together: each block is read once for a batch. */
  private blockThrough(blocks: Blocks, row: number): Promise<ReadBlock> {
    const number = Math.floor(row / BLOCK_ROWS);
    let block = blocks.get(number);
    if (!block) {
      const run = this.runOf(row);
      block = run.readBlock(row).then((bytes) => ({ run, bytes }));
      blocks.set(number, block);
    }
    return block;
  }

  private async closeReplaced(): Promise<void> {
    if (this.reading.size > 0) return;
    const { replaced } = this;
    this.replaced = [];
    for (const index of replaced) await index.close();
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

function assertContiguous(parts: readonly { readonly name: RunName }[]): void {
  let next = 0;
  for (const { name } of parts) {
    invariant(name.first === next, `A run or an index begins with row ${name.first}, where row ${next} is expected.`);
    next += name.count;
  }
}

function endOf(parts: readonly { readonly name: RunName }[]): number {
  const last = parts.at(-1)?.name;
  return last ? last.first + last.count : 0;
}

function hasId(row: Uint32Array, ids: Uint32Array, at: number): boolean {
  for (let i = 0; i < WORDS; i++) if (row[i] !== ids[at + i]) return false;
  return true;
}

/** Of each id 1 where it has one candidate, else another number. */
function onlyCandidates(ids: Uint32Array, candidates: readonly Candidate[]): Uint8Array {
  const numbers = new Uint8Array(ids.length / WORDS);
  for (const { at } of candidates) numbers[at / WORDS] = Math.min(2, (numbers[at / WORDS] as number) + 1);
  return numbers;
}
