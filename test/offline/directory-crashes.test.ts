import { cpSync, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { FileSystem } from '../../src/log/files';
import { NodeFiles } from '../../src/log/node-files';
import { DirectorySource } from '../../src/offline/directory-source';
import { recover } from '../../src/offline/recover';
import { restore } from '../../src/offline/restore';
import { verifyDirectory } from '../../src/offline/verify';
import { scratchFolder } from '../raft/stable/scratch-folder';
import { nameOf } from '../node/members';
import { DoomedProcess } from './doomed-process';
import { ENTRIES, fingerprint, RECORDS, smallDirectory } from './small-directory';

const PATIENCE = 600_000;
/** A repetition syncs as much as the attempt did: of those that find a half-made directory, every sixth is made. */
const EVERY = 6;
const silent = { onFinding: () => undefined, onProgress: () => undefined };

let folder: string;
let old: string;
let before: string;
let cases = 0;

beforeAll(async () => {
  folder = scratchFolder();
  old = join(folder, 'old');
  await smallDirectory(old);
  before = fingerprint(old);
});

/** Kills a process after each of its changes of the disk, and looks at what it left. @returns how many changes it makes */
async function killedEverywhere(
  run: (files: FileSystem, place: string) => Promise<unknown>,
  prepare: (place: string) => void,
  look: (place: string, end: { readonly ended: boolean; readonly changes: number }) => Promise<void>,
): Promise<number> {
  for (let changes = 0; ; changes += 1) {
    cases += 1;
    const place = join(folder, String(cases), 'data');
    mkdirSync(join(folder, String(cases)));
    prepare(place);
    const process = new DoomedProcess(new NodeFiles(), changes);
    const ended = await process.run(() => run(process, place));
    try {
      await look(place, { ended, changes });
    } catch (error) {
      throw new Error(`killed after ${changes} changes: ${String(error)}`, { cause: error });
    }
    rmSync(join(folder, String(cases)), { recursive: true });
    if (ended) return changes;
  }
}

/** Everything that the old directory had, and the entry of the new cluster behind it. */
async function expectWhole(place: string): Promise<void> {
  const report = await verifyDirectory({ dataDir: place, files: new NodeFiles(), ...silent });
  expect(report).toMatchObject({ clean: true, lastIndex: ENTRIES + 1, records: RECORDS, snapshots: 1 });
}

describe('killed after each of its changes of the disk', () => {
  const recovered = (files: FileSystem, dataDir: string): Promise<unknown> =>
    recover({ dataDir, files, ...silent, confirm: () => Promise.resolve(true) });
  const again = (place: string): Promise<unknown> => recovered(new NodeFiles(), place);

  test(
    'recover leaves the old directory as it was, under its own name or the one that it says, and can be repeated',
    async () => {
      const seen = new Set<string>();
      const copy = (place: string): void => cpSync(old, place, { recursive: true });
      const changes = await killedEverywhere(recovered, copy, async (place, { ended, changes }) => {
        const kept = `${place}.before-recovery`;
        if (!existsSync(kept)) {
          seen.add('nothing happened');
          expect([ended, fingerprint(place)]).toEqual([false, before]);
          if (changes % EVERY > 0) return;
          await again(place);
        } else if (!existsSync(place)) {
          seen.add('between the renames');
          expect([ended, fingerprint(kept)]).toEqual([false, before]);
          await expect(again(place)).rejects.toThrow(`move ${kept} back to ${place} and try again`);
          renameSync(kept, place);
          // The lock of a process that is gone; here it is this one, which is not.
          rmSync(join(place, 'lock'), { force: true });
          await again(place);
        } else {
          seen.add('done');
          await expect(again(place)).rejects.toThrow(`${kept} is there from an earlier recovery`);
        }
        await expectWhole(place);
        expect(fingerprint(kept)).toBe(before);
        expect(existsSync(`${place}.recovering`)).toBe(false);
      });
      expect([...seen]).toEqual(['nothing happened', 'between the renames', 'done']);
      expect(changes).toBeGreaterThan(30);
    },
    PATIENCE,
  );

  test(
    'restore leaves nothing under the name of the directory, or all of it, and can be repeated',
    async () => {
      const restored = async (files: FileSystem, dataDir: string): Promise<unknown> => {
        const source = await DirectorySource.open(files, old, silent.onFinding);
        const { onProgress } = silent;
        return restore({
          source,
          dataDir,
          nodeName: nameOf(9),
          files,
          onProgress,
          expectedBytes: source.expectedBytes,
        });
      };
      const seen = new Set<string>();
      await killedEverywhere(
        restored,
        (place) => mkdirSync(place),
        async (place, { changes }) => {
          const there = existsSync(join(place, 'stable'));
          seen.add(there ? 'done' : 'nothing');
          if (!there && changes % EVERY > 0) return;
          const repeated = restored(new NodeFiles(), place);
          if (there) await expect(repeated).rejects.toThrow('is there already and is not empty');
          else await repeated;
          await expectWhole(place);
          expect(existsSync(`${place}.restoring`)).toBe(false);
          expect(fingerprint(old)).toBe(before);
        },
      );
      expect([...seen]).toEqual(['nothing', 'done']);
    },
    PATIENCE,
  );
});
