import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { NodeFiles } from '../../../src/log/node-files';
import { LevelKeyValues } from '../../../src/raft/stable/key-values';
import { auditLevel } from '../../../src/raft/stable/level-audit';
import { SeededRandom } from '../../support/seeded-random';
import { scratchFolder } from './scratch-folder';

const files = new NodeFiles();

/** A database that was opened a few times, so that it has tables, a manifest and a log. */
async function written(times: number, writes: number): Promise<string> {
  const directory = join(scratchFolder(), 'stable');
  for (let time = 0; time < times; time++) {
    const db = await LevelKeyValues.open(directory);
    for (let write = 0; write < writes; write++) {
      await db.write([[`key ${write % 7}`, Buffer.alloc(1 + ((write * 97) % 900), write)]]);
    }
    await db.close();
  }
  return directory;
}

const content = (directory: string): Map<string, Buffer> =>
  new Map(readdirSync(directory).map((name) => [name, readFileSync(join(directory, name))]));
const isChecked = (name: string): boolean => /\.(log|ldb)$|^MANIFEST|^CURRENT$/.test(name);

describe('the files of the database', () => {
  test.each([1, 2, 5])('are sound after %i lives', async (times) => {
    const directory = await written(times, 150);
    expect(await auditLevel(files, directory)).toEqual([]);
    expect(await auditLevel(files, join(directory, 'nowhere'))).toEqual([]);
  });

  test('name file and byte of a flipped bit, wherever it matters', async () => {
    const directory = await written(3, 100);
    const random = new SeededRandom(11);
    let missed = 0;
    let flips = 0;
    for (const [name, bytes] of content(directory)) {
      if (!isChecked(name)) continue;
      for (let flip = 0; flip < 60; flip++) {
        const at = random.below(bytes.length);
        const rotten = Buffer.from(bytes);
        rotten[at] = rotten[at]! ^ (1 << random.below(8));
        writeFileSync(join(directory, name), rotten);
        const faults = await auditLevel(files, directory);
        flips += 1;
        if (faults.length === 0) missed += 1;
        for (const { file, position } of faults) {
          expect(file).toBe(join(directory, name));
          expect(position).toBeLessThanOrEqual(at);
        }
      }
      writeFileSync(join(directory, name), bytes);
    }
    expect(flips).toBeGreaterThan(200);
    // Only the padding of a table's footer is covered by nothing.
    expect(missed).toBeLessThan(flips / 50);
  });

  test('tell a damaged record from a last one that may be torn', async () => {
    const directory = await written(1, 40);
    const log = readdirSync(directory).find((name) => name.endsWith('.log'))!;
    const bytes = readFileSync(join(directory, log));
    const kinds = new Set<string>();
    for (const length of [bytes.length - 1, bytes.length - 300, 3]) {
      writeFileSync(join(directory, log), bytes.subarray(0, length));
      expect((await auditLevel(files, directory)).map(({ kind }) => kind)).toEqual(['tail']);
    }
    const middle = Buffer.from(bytes);
    middle[20] = middle[20]! ^ 1;
    writeFileSync(join(directory, log), middle);
    for (const { kind, position } of await auditLevel(files, directory)) kinds.add(`${kind} ${position}`);
    expect([...kinds]).toEqual(['damage 0']);
  });
});
