import { mkdtempSync, readFileSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { CHAIN_ROWS, chainStart } from '../../../src/ledger/row-chain';
import { extrasBytes, Row, TRANSFER_WORDS } from '../../../src/ledger/transfer-row';
import { NodeFiles } from '../../../src/log/node-files';
import { FiledIndex } from '../../../src/node/ids/id-index';
import { IdHashes } from '../../../src/node/ids/id-hashes';
import { indexFile } from '../../../src/node/ids/index-format';
import { IdFileDamageError, runFile, type RunName } from '../../../src/node/ids/run-format';
import { type MadeIndex, type RunMaker, RunsInPlace } from '../../../src/node/ids/run-maker';
import { RunThread } from '../../../src/node/ids/run-thread';
import type { RunSource, RunUnit } from '../../../src/node/ids/run-writer';
import { SeededRandom } from '../../support/seeded-random';

/** A thread runs what was built. */
const ENTRY = resolve(__dirname, '../../../dist/node/ids/run-thread-main.js');
const SEED = 77;
/** More than what is handed over at a stroke, and not a multiple of it. */
const ROWS = 300 * CHAIN_ROWS;

const random = new SeededRandom(4);
const words = Uint32Array.from({ length: 4 * ROWS * TRANSFER_WORDS }, () => random.below(2 ** 32));
/** More of them than are handed over at a stroke with as many rows as are. */
for (let row = 0; row < 4 * ROWS; row++) words[row * TRANSFER_WORDS + Row.EXTRAS] = random.below(2) * random.below(300);
const anyBytes = Uint8Array.from({ length: 2 ** 16 }, () => random.below(256));
const files = new NodeFiles();
const folders: string[] = [];

function folder(): { directory: string; seed: number; files: NodeFiles } {
  const directory = mkdtempSync(join(tmpdir(), 'run-thread-'));
  folders.push(directory);
  return { directory, seed: SEED, files };
}

afterAll(() => {
  for (const directory of folders) rmSync(directory, { recursive: true });
});

function source(first: number, chainBefore: Buffer): RunSource {
  return {
    ...{ first, count: ROWS, chainBefore, lengthsFrom: 0 },
    unit: unitOf,
  };
}

function unitOf(row: number): RunUnit {
  const unit = words.subarray(row * TRANSFER_WORDS, (row + CHAIN_ROWS) * TRANSFER_WORDS);
  const from = row % 1_000;
  return { words: unit, extras: anyBytes.subarray(from, from + extrasBytes(unit, 0, row, CHAIN_ROWS, 0)) };
}

async function fourRuns(maker: RunMaker): Promise<MadeIndex[]> {
  const made: MadeIndex[] = [];
  let chain = chainStart();
  for (let run = 0; run < 4; run++) {
    made.push(await maker.write(source(run * ROWS, chain)));
    chain = Buffer.from(made[run]!.name.chain, 'hex');
  }
  return made;
}

async function opened(at: ReturnType<typeof folder>, names: readonly RunName[]): Promise<FiledIndex[]> {
  return Promise.all(names.map(async (name) => (await FiledIndex.open(at, name))!));
}

/** Of which of the first ids of all runs, and of as many others, the filter says that they may be there. */
function answers({ filter }: MadeIndex): string {
  const hashes = new IdHashes(2_000, SEED);
  for (let i = 0; i < 1_000; i++) hashes.add(words, i * 76 * TRANSFER_WORDS);
  for (let i = 0; i < 1_000; i++) hashes.add(words, i * 76 * TRANSFER_WORDS + 5);
  const maybe: number[] = [];
  filter.probe(hashes, (id, place) => maybe.push(id, place));
  return maybe.join(' ');
}

async function close(indexes: readonly FiledIndex[]): Promise<void> {
  for (const index of indexes) await index.close();
}

test('a thread writes the bytes that this one would, and its filters answer the same', async () => {
  const [here, there] = [folder(), folder()];
  const makers = [new RunsInPlace(here), new RunThread(there, ENTRY)];
  const [own, theirs] = [await fourRuns(makers[0]!), await fourRuns(makers[1]!)];
  expect(theirs.map(({ name }) => name)).toEqual(own.map(({ name }) => name));
  const names = own.map(({ name }) => name);
  const merged = await Promise.all(
    [here, there].map(async (at, i) => {
      const indexes = await opened(at, names);
      const made = await makers[i]!.merge(indexes);
      await close(indexes);
      return made;
    }),
  );
  for (const file of [...names.map(runFile), ...[...names, merged[0]!.name].map(indexFile)]) {
    expect(readFileSync(join(there.directory, file)).equals(readFileSync(join(here.directory, file)))).toBe(true);
  }
  for (const [a, b] of [...own, merged[0]!].map((made, i) => [made, [...theirs, merged[1]!][i]!] as const)) {
    expect(answers(a).split(' ').length).toBeGreaterThan(400);
    expect(answers(b)).toBe(answers(a));
  }
  await makers[1]!.close();
}, 120_000);

test('what fails in the thread fails as it would here, and the thread goes on', async () => {
  const at = folder();
  const thread = new RunThread(at, ENTRY);
  const nowhere = new RunThread({ directory: join(at.directory, 'missing'), seed: SEED }, ENTRY);
  await expect(nowhere.write(source(0, chainStart()))).rejects.toMatchObject({
    ...{ name: 'FileSystemError', code: 'ENOENT' },
  });
  await nowhere.close();
  const made = await fourRuns(thread);
  const indexes = await opened(
    at,
    made.map(({ name }) => name),
  );
  const damaged = join(at.directory, indexFile(made[2]!.name));
  truncateSync(damaged, 5_000);
  const failure: unknown = await thread.merge(indexes).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(IdFileDamageError);
  expect((failure as IdFileDamageError).file).toBe(damaged);
  await close(indexes);
  expect((await thread.write(source(0, chainStart()))).name).toEqual(made[0]!.name);
  await thread.close();
}, 120_000);

test('a thread that ends fails what it was doing, and the next run has a new one', async () => {
  const at = folder();
  const thread = new RunThread(at, ENTRY);
  let handedOver = 0;
  const slow: RunSource = {
    ...source(0, chainStart()),
    unit: (row) => {
      // In the middle of it, as if the thread had died.
      if (++handedOver === 150) void thread.close();
      return unitOf(row);
    },
  };
  await expect(thread.write(slow)).rejects.toThrow('has ended: it was stopped');
  const made = await thread.write(source(0, chainStart()));
  expect(made.name.count).toBe(ROWS);
  await expect(Promise.all([thread.write(slow), thread.write(slow)])).rejects.toThrow('one thing at a time');
  await thread.close();
}, 120_000);
