import { CHAIN_ROWS, chainStart } from '../../../src/ledger/row-chain';
import { Row, TRANSFER_WORDS } from '../../../src/ledger/transfer-row';
import { IdStore } from '../../../src/node/ids/id-store';
import { writeIndex } from '../../../src/node/ids/index-writer';
import { runBytes, runFile } from '../../../src/node/ids/run-format';
import { writeRun } from '../../../src/node/ids/run-writer';
import type { Attachment } from '../../../src/raft/snapshot';
import { FaultyFiles } from '../../support/faulty-files';
import { SeededRandom } from '../../support/seeded-random';
import { recordedEvents } from '../recorded-events';

export const DIRECTORY = '/ids';
const SEED = 11;
/** In the middle of a unit. */
const LENGTHS_FROM = 40;

/** Rows with random ids, half of them with extras, in runs on a disk in memory. The first rows are from a time when extras were elsewhere. */
export class WrittenRuns {
  readonly files = new FaultyFiles();
  readonly events = recordedEvents();
  readonly attachments: Attachment[] = [];
  /** What would have ended the process. */
  readonly fatal: unknown[] = [];
  /** The words of every row, in the order of their numbers. */
  readonly rows: Uint32Array[] = [];
  /** What each has beyond its words. */
  readonly extras: Uint8Array[] = [];

  private constructor(
    private readonly random: SeededRandom,
    private readonly twins: ReadonlyMap<number, number>,
  ) {}

  /**
   * @param sizes of the runs, in units of CHAIN_ROWS
   * @param twins rows that have the id of an earlier one, by their numbers, as a text may have the words of another id
   */
  static async make(
    seed: number,
    sizes: readonly number[],
    twins: ReadonlyMap<number, number> = new Map(),
  ): Promise<WrittenRuns> {
    const made = new WrittenRuns(new SeededRandom(seed), twins);
    await made.files.makeDirectory(DIRECTORY);
    let chain = chainStart();
    for (const size of sizes) chain = await made.write(size * CHAIN_ROWS, chain);
    return made;
  }

  async open(): Promise<IdStore> {
    const { files, events } = this;
    const fatal = (error: unknown): void => void this.fatal.push(error);
    const store = await IdStore.open({ files, directory: DIRECTORY, seed: SEED, events, fatal });
    await store.restore(this.attachments);
    return store;
  }

  idOf(row: number): Uint32Array {
    return (this.rows[row] as Uint32Array).slice(0, 4);
  }

  idsOf(rows: readonly number[]): Uint32Array {
    return Uint32Array.from(rows.flatMap((row) => [...this.idOf(row)]));
  }

  newId(): Uint32Array {
    return Uint32Array.from({ length: 4 }, () => this.random.below(2 ** 32));
  }

  path(name: string): string {
    return `${DIRECTORY}/${name}`;
  }

  private async write(count: number, chainBefore: Buffer): Promise<Buffer> {
    const folder = { files: this.files, directory: DIRECTORY, seed: SEED };
    const first = this.rows.length;
    for (let i = 0; i < count; i++) {
      const row = Uint32Array.from({ length: TRANSFER_WORDS }, () => this.random.below(2 ** 32));
      const twin = this.twins.get(this.rows.length);
      if (twin !== undefined) row.set(this.idOf(twin));
      const isOld = this.rows.length < LENGTHS_FROM;
      const pattern = Buffer.from(Array.from({ length: 5 }, () => this.random.below(256)));
      const extras = Buffer.alloc(isOld ? 0 : this.random.below(2) * this.random.below(90), pattern);
      if (!isOld) row[Row.EXTRAS] = extras.length;
      this.rows.push(row);
      this.extras.push(extras);
    }
    const unit = new Uint32Array(CHAIN_ROWS * TRANSFER_WORDS);
    const { name, hashes } = await writeRun(folder, {
      ...{ first, count, chainBefore, lengthsFrom: LENGTHS_FROM },
      unit: (row) => {
        for (let i = 0; i < CHAIN_ROWS; i++) unit.set(this.rows[row + i] as Uint32Array, i * TRANSFER_WORDS);
        return { words: unit, extras: Buffer.concat(this.extras.slice(row, row + CHAIN_ROWS)) };
      },
    });
    await writeIndex(folder, name, hashes);
    this.attachments.push({ name: runFile(name), bytes: runBytes(name) });
    return Buffer.from(name.chain, 'hex');
  }
}

/** The words of an id, as the key of a plain map. */
export function keyOf(words: Uint32Array, at = 0): string {
  return words.slice(at, at + 4).join(' ');
}
