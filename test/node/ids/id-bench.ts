import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CHAIN_ROWS, chainStart } from '../../../src/ledger/row-chain';
import { Row, TRANSFER_WORDS } from '../../../src/ledger/transfer-row';
import { NodeFiles } from '../../../src/log/node-files';
import type { IdArchive } from '../../../src/node/ids/id-archive';
import { IdStore, RUN_ROWS } from '../../../src/node/ids/id-store';
import { runBytes, runFile, type RunName } from '../../../src/node/ids/run-format';
import { writeIndex } from '../../../src/node/ids/index-writer';
import { writeRun } from '../../../src/node/ids/run-writer';
import type { Attachment } from '../../../src/raft/snapshot';
import { notFatal, recordedEvents } from '../recorded-events';

const SEED = 0x1d5;
const BATCH = 8_190;
const WORDS = 4;
const BATCHES = 60;
const HIT_BATCHES = 3;
const SINGLE_READS = 300;

/** What ids cost, by the number of them. Times are in nanoseconds where nothing else is said. */
export interface IdFigures {
  readonly ids: number;
  readonly runs: number;
  readonly bytesInMemory: number;
  readonly bytesOnDisk: number;
  readonly indexes: number;
  readonly secondsToWrite: number;
  readonly secondsToMerge: number;
  readonly secondsToOpen: number;
  /** Of an id that is new, in a batch of 8,190: random ones, and ones that begin with their time. */
  readonly newRandom: number;
  readonly newTimed: number;
  readonly readsPerNewId: number;
  /** Of an id that is there, in a batch of 8,190; microseconds. */
  readonly knownMicros: number;
  /** The same where they come in the order in which they came first, as a batch does that is sent again. */
  readonly knownInOrderMicros: number;
  /** Of one id, read where the answer cannot wait; microseconds, half of the reads took less. */
  readonly singleMicros: number;
}

/** The words of an id by its number: the same for ever, and as good as random. */
function idWords(n: number, into: Uint32Array, at: number, salt = 0): void {
  let state = (Math.imul(n + 1, 0x9e3779b1) ^ salt) >>> 0;
  for (let i = 0; i < WORDS - 1; i++) {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x297a2d39 + i) >>> 0;
    into[at + i] = (state ^ (state >>> 12)) >>> 0;
  }
  into[at + 3] = n >>> 0;
}

/** Writes runs of generated rows directly, then asks for ids that are there, and for others. */
export class IdBench {
  private readonly folder = mkdtempSync(join(process.env['LEDGER_BENCH_DIR'] ?? tmpdir(), 'ledger-ids-'));
  private readonly files = new NodeFiles();

  constructor(
    private readonly ids: number,
    /** Extras of each. */
    private readonly textBytes: number,
    private readonly progress: (text: string) => void,
  ) {}

  async run(): Promise<IdFigures> {
    try {
      const began = performance.now();
      const runs = await this.write();
      const secondsToWrite = seconds(began);
      const events = recordedEvents();
      const options = { files: this.files, directory: this.folder, seed: SEED, events, fatal: notFatal };
      const store = await IdStore.open(options);
      const unmerged = await store.restore(runs);
      this.progress(`${unmerged.indexList.length} indexes are open`);
      const merging = performance.now();
      await store.mergeIndexes();
      const secondsToMerge = seconds(merging);
      const opened = performance.now();
      const archive = await store.restore(runs);
      const secondsToOpen = seconds(opened);
      const figures = await this.measure(archive);
      await store.stop();
      return { ...figures, secondsToWrite, secondsToMerge, secondsToOpen };
    } finally {
      rmSync(this.folder, { recursive: true, force: true });
    }
  }

  private async write(): Promise<Attachment[]> {
    const folder = { files: this.files, directory: this.folder, seed: SEED };
    const unit = new Uint32Array(CHAIN_ROWS * TRANSFER_WORDS);
    const extras = new Uint8Array(CHAIN_ROWS * this.textBytes).fill(0x78);
    const names: RunName[] = [];
    let chainBefore = chainStart();
    for (let first = 0; first < this.ids; first += RUN_ROWS) {
      const written = await writeRun(folder, {
        first,
        count: RUN_ROWS,
        chainBefore,
        lengthsFrom: 0,
        unit: (row) => {
          for (let i = 0; i < CHAIN_ROWS; i++) {
            idWords(row + i, unit, i * TRANSFER_WORDS);
            unit[i * TRANSFER_WORDS + Row.EXTRAS] = this.textBytes;
          }
          return { words: unit, extras };
        },
      });
      await writeIndex(folder, written.name, written.hashes);
      chainBefore = Buffer.from(written.name.chain, 'hex');
      names.push(written.name);
      this.progress(`${first + RUN_ROWS} ids are written`);
    }
    return names.map((name) => ({ name: runFile(name), bytes: runBytes(name) }));
  }

  private async measure(
    archive: IdArchive,
  ): Promise<Omit<IdFigures, 'secondsToWrite' | 'secondsToMerge' | 'secondsToOpen'>> {
    const { rows, runs } = archive;
    await nanosPerId(archive, BATCHES, (i, into, at) => idWords(rows + i, into, at));
    const before = { ...archive.counts };
    const newRandom = await nanosPerId(archive, BATCHES, (i, into, at) => idWords(2 * rows + i, into, at));
    const { candidates, lookups } = archive.counts;
    const newTimed = await nanosPerId(archive, BATCHES, timedId);
    const known = await nanosPerId(archive, HIT_BATCHES, (i, into, at) => idWords((i * 7_919_993) % rows, into, at));
    const inOrder = await nanosPerId(archive, HIT_BATCHES, (i, into, at) => idWords((i + 70_000) % rows, into, at));
    return {
      ids: rows,
      runs: runs.length,
      indexes: archive.indexList.length,
      bytesInMemory: archive.filterBytes,
      bytesOnDisk: await this.bytesOnDisk(),
      newRandom,
      newTimed,
      readsPerNewId: (candidates - before.candidates) / (lookups - before.lookups),
      knownMicros: known / 1_000,
      knownInOrderMicros: inOrder / 1_000,
      singleMicros: this.single(archive, rows),
    };
  }

  private single(archive: IdArchive, rows: number): number {
    const id = new Uint32Array(WORDS);
    const times = Array.from({ length: SINGLE_READS }, (_, i) => {
      idWords((i * 104_729) % rows, id, 0);
      const began = performance.now();
      if (archive.findRows(id, 0).length !== 1) throw new Error('An id that was written is not found.');
      return performance.now() - began;
    });
    return (times.sort((a, b) => a - b)[SINGLE_READS / 2] as number) * 1_000;
  }

  private async bytesOnDisk(): Promise<number> {
    let bytes = 0;
    for (const name of await this.files.list(this.folder)) {
      const file = await this.files.open(join(this.folder, name), 'read');
      bytes += await file.size();
      await file.close();
    }
    return bytes;
  }
}

/** As UUIDv7 has it: behind every id that was written only if those were made before. */
function timedId(i: number, into: Uint32Array, at: number): void {
  idWords(i, into, at);
  into[at] = into[at + 1] = 0xffff_ffff;
}

async function nanosPerId(
  archive: IdArchive,
  batches: number,
  idOf: (i: number, into: Uint32Array, at: number) => void,
): Promise<number> {
  const ids = new Uint32Array(BATCH * WORDS);
  let millis = 0;
  for (let batch = 0; batch < batches; batch++) {
    for (let i = 0; i < BATCH; i++) idOf(batch * BATCH + i, ids, i * WORDS);
    const began = performance.now();
    await archive.lookUp(ids);
    millis += performance.now() - began;
  }
  return (millis * 1e6) / (batches * BATCH);
}

function seconds(since: number): number {
  return (performance.now() - since) / 1_000;
}
