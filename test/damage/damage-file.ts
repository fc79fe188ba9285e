import { readFileSync, readdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { SeededRandom } from '../support/seeded-random';

const SECTOR_BYTES = 512;

export type FileKind = 'segment' | 'outcomes' | 'spare' | 'snapshot' | 'vote' | 'database' | 'run' | 'index' | 'other';

const KINDS: readonly (readonly [FileKind, RegExp])[] = [
  ['outcomes', /\.outcomes$/],
  ['segment', /groups\/0\/log\/\d+\.log$/],
  ['spare', /\.spare$/],
  ['snapshot', /\.snap$/],
  ['vote', /groups\/0\/vote$/],
  ['database', /^stable\//],
  ['run', /groups\/0\/ids\/.*\.rows$/],
  ['index', /groups\/0\/ids\/.*\.index$/],
];

const IGNORED = /^stable\/LOG(\.old)?$/;

export interface Damage {
  readonly kind: FileKind;
  /** Relative to the data directory. */
  readonly file: string;
  readonly what: string;
}

export function kindOf(file: string): FileKind {
  return KINDS.find(([, pattern]) => pattern.test(file))?.[0] ?? 'other';
}

/** Damages one file of a data directory: every kind of file is as likely as any other. @param only one kind, where it is there */
export function damageOneFile(dataDir: string, random: SeededRandom, only?: string): Damage {
  const byKind = new Map<FileKind, string[]>();
  for (const file of filesUnder(dataDir)) {
    // Files are zeroed ahead of need: where nothing is, nothing can rot. What LevelDB notes about itself nobody reads.
    if (IGNORED.test(file) || usedBytes(readFileSync(join(dataDir, file))) === 0) continue;
    const kind = kindOf(file);
    byKind.set(kind, [...(byKind.get(kind) ?? []), file]);
  }
  const kinds = [...byKind.keys()];
  const drawn = kinds[random.below(kinds.length)]!;
  const kind = kinds.find((one) => one === only) ?? drawn;
  const files = byKind.get(kind)!;
  const file = files[random.below(files.length)]!;
  return { kind, file, what: damage(join(dataDir, file), random) };
}

function damage(path: string, random: SeededRandom): string {
  const bytes = readFileSync(path);
  const used = usedBytes(bytes);
  const choice = random.below(10);
  if (choice < 6) return flip(path, bytes, random.below(used), random.below(8));
  if (choice < 8) {
    const length = random.below(used);
    truncateSync(path, length);
    return `truncated to ${length} of ${bytes.length} bytes`;
  }
  const sector = random.below(Math.ceil(used / SECTOR_BYTES)) * SECTOR_BYTES;
  bytes.fill(0, sector, Math.min(sector + SECTOR_BYTES, bytes.length));
  writeFileSync(path, bytes);
  return `zeroed from ${sector} to ${Math.min(sector + SECTOR_BYTES, bytes.length)} of ${bytes.length} bytes`;
}

function flip(path: string, bytes: Buffer, at: number, bit: number): string {
  bytes[at] = bytes[at]! ^ (1 << bit);
  writeFileSync(path, bytes);
  return `bit ${bit} of byte ${at} of ${bytes.length} flipped`;
}

function usedBytes(bytes: Buffer): number {
  let used = bytes.length;
  while (used > 0 && bytes[used - 1] === 0) used -= 1;
  return used;
}

function filesUnder(root: string): string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .sort();
}
