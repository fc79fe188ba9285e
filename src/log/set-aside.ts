/** Takes segments out of a log that cannot be mended, without removing a byte: somebody may yet find something in them. */

import { join } from 'node:path';
import type { FileSystem } from './files';
import { rememberLoss } from './lost-entries';
import { OUTCOMES_SUFFIX, RESET_NAME, SegmentFiles } from './segment-files';
import { firstIndexOf } from './segment-header';

const NAME = /\.damaged-(\d+)$/;

export interface SetAsideOptions {
  /** Of the log, which may not be open. */
  readonly dir: string;
  readonly files: FileSystem;
  readonly group: number;
  /** The first segment that goes, by the first index in its name; those behind it go, too. */
  readonly fromIndex: number;
  /** See `highestIndexIn`: up to here entries may be lost that were acknowledged. */
  readonly lostIndex: number;
}

/**
 * Renames the segments to `<segment>.damaged-<n>`. What is left is a log that ends earlier. A crash on the way leaves one that
 * ends later, or is damaged still; that something may be lost is remembered before anything else happens.
 * @returns the new names, newest segment first
 */
export async function setSegmentsAside(options: SetAsideOptions): Promise<string[]> {
  const { dir, files, group, fromIndex, lostIndex } = options;
  const segments = new SegmentFiles(files, dir, group);
  await rememberLoss(segments, lostIndex);
  const names = await files.list(dir);
  const number = Math.max(0, ...names.map((name) => Number(NAME.exec(name)?.[1] ?? 0))) + 1;
  const moved: string[] = [];
  const going = names.filter((name) => name === RESET_NAME || (firstIndexOf(name) ?? 0) >= fromIndex);
  for (const name of going.sort(byFirstIndex).reverse()) {
    // Left alone, they would be taken for those of a later segment of the same name.
    if (names.includes(name + OUTCOMES_SUFFIX)) await segments.removeFile(join(dir, name + OUTCOMES_SUFFIX));
    const aside = `${name}.damaged-${number}`;
    await segments.rename(join(dir, name), join(dir, aside));
    moved.push(aside);
  }
  await segments.close();
  return moved;
}

/** A new beginning that was not finished counts as the newest: once it is gone the old segments are the log again. */
function byFirstIndex(a: string, b: string): number {
  return (firstIndexOf(a) ?? Infinity) - (firstIndexOf(b) ?? Infinity);
}
