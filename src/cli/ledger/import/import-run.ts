import { type Readable } from 'node:stream';
import { LedgerError } from '../../../client';
import { UsageError } from '../terminal';
import { type Chunk, chunksOf, type InputPlace } from './input-chunks';
import { type ImportProgress, type ImportState } from './import-state';
import { type RefusedRows } from './refused-rows';
import { RowReader, type ReaderOptions } from './row-reader';
import { type RowTaker } from './row-sender';

/** How many rows came to what. */
export interface ImportTally {
  readonly results: Readonly<Record<string, number>>;
  /** Of them, those that had been answered before. */
  readonly repeats: number;
  readonly rows: number;
  readonly refused: number;
}

export interface ImportOptions {
  readonly taker: RowTaker;
  readonly reader: ReaderOptions;
  readonly refused: Pick<RefusedRows, 'add' | 'bytes'>;
  /** Undefined: a run that breaks off begins anew. */
  readonly state: ImportState | undefined;
  readonly progress: Omit<ImportProgress, 'place' | 'results' | 'repeats' | 'refusedBytes'>;
  /** What an earlier run left. */
  readonly from: ImportProgress | undefined;
  /** Told after each part: the bytes of the input that are answered. */
  readonly onProgress: (bytes: number, tally: ImportTally) => void;
  /** Aborted: ends after the part that is under way. */
  readonly signal: AbortSignal;
}

const START: InputPlace = { bytes: 0, line: 1, sha256: '' };

/** One import: reads, sends, and keeps account, one part after the other. */
export class ImportRun {
  private readonly reader: RowReader;
  private readonly results = new Map<string, number>();
  private repeats = 0;

  constructor(private readonly options: ImportOptions) {
    this.reader = new RowReader(options.reader);
    for (const [result, count] of Object.entries(options.from?.results ?? {})) this.results.set(result, count);
    this.repeats = options.from?.repeats ?? 0;
  }

  /** @returns false where it was interrupted, and can be taken up again */
  async run(input: Readable): Promise<boolean> {
    const { signal } = this.options;
    const stop = (): void => void input.destroy();
    signal.addEventListener('abort', stop, { once: true });
    try {
      await this.takeAll(input);
    } catch (error) {
      // The end of an input that was interrupted is no failure of it.
      if (!signal.aborted || error instanceof LedgerError) throw error;
    } finally {
      signal.removeEventListener('abort', stop);
      input.destroy();
    }
    if (signal.aborted) return false;
    this.options.state?.remove();
    return true;
  }

  private async takeAll(input: Readable): Promise<void> {
    const { from, signal } = this.options;
    let isChecked = from === undefined || from.place.bytes === 0;
    for await (const chunk of ahead(chunksOf(input, this.options.reader, this.reader))) {
      if (!isChecked && from && chunk.place.bytes <= from.place.bytes) {
        isChecked = chunk.place.bytes === from.place.bytes && this.isSame(chunk.place, from);
        continue;
      }
      if (!isChecked) throw notTheSame();
      if (signal.aborted) return;
      await this.take(chunk);
    }
    if (!isChecked) throw notTheSame();
  }

  get tally(): ImportTally {
    const results = Object.fromEntries([...this.results].sort(([, a], [, b]) => b - a));
    const rows = [...this.results.values()].reduce((sum, count) => sum + count, 0);
    return { results, repeats: this.repeats, rows, refused: rows - (this.results.get('ok') ?? 0) };
  }

  private async take(chunk: Chunk): Promise<void> {
    const { taker, from, refused, onProgress } = this.options;
    // Before the first of it can be done, and not before it can be read.
    if (this.tally.rows === 0 && from === undefined) this.save(START);
    const outcomes = await taker.take(chunk.units, chunk.isAll);
    for (const { result, replayed } of outcomes) {
      this.results.set(result, (this.results.get(result) ?? 0) + 1);
      if (replayed) this.repeats++;
    }
    refused.add(
      outcomes.filter(({ result }) => result !== 'ok'),
      this.reader.headerBytes,
    );
    this.save(chunk.place);
    onProgress(chunk.place.bytes, this.tally);
  }

  /** The parts of the same input are the same: they are cut by its content alone. */
  private isSame(place: InputPlace, from: ImportProgress): boolean {
    if (place.sha256 === from.place.sha256) return true;
    throw notTheSame();
  }

  private save(place: InputPlace): void {
    const { progress, refused, state } = this.options;
    const { results, repeats } = this.tally;
    state?.write({ ...progress, place, results, repeats, refusedBytes: refused.bytes });
  }
}

function notTheSame(): UsageError {
  return new UsageError(
    'import: the input is not the one that the earlier import was at; without --resume it begins anew',
  );
}

/** Reads the next part while one is being sent: at most two are in memory. */
async function* ahead(chunks: AsyncGenerator<Chunk>): AsyncGenerator<Chunk> {
  let next = chunks.next();
  for (;;) {
    const result = await next;
    if (result.done === true) return;
    next = chunks.next();
    // Whoever waits for it hears of its failure; until then nobody does.
    next.catch(() => undefined);
    yield result.value;
  }
}
