/**
 * Remembers, across restarts, that entries which may have been acknowledged were cut: an empty file whose name is the
 * highest of their indexes. It is made before the cut, so that a crash between the two forgets nothing, and goes when
 * whoever votes for this log says that the matter is settled.
 */

import { join } from 'node:path';
import type { SegmentFiles } from './segment-files';

const SUFFIX = '.lost';
const NAME = /^(\d{20})\.lost$/;

/** @returns the highest index that may be lost; undefined where none is */
export function rememberedLoss(names: readonly string[]): number | undefined {
  const indexes = names.map((name) => Number(NAME.exec(name)?.[1])).filter((index) => Number.isSafeInteger(index));
  return indexes.length === 0 ? undefined : Math.max(...indexes);
}

export async function rememberLoss(files: SegmentFiles, index: number): Promise<void> {
  const path = join(files.directory, String(index).padStart(20, '0') + SUFFIX);
  if (await files.files.exists(path)) return;
  const file = await files.files.open(path, 'create');
  await file.sync();
  await file.close();
  await files.syncDirectory();
}

export async function forgetLoss(files: SegmentFiles): Promise<void> {
  for (const name of await files.files.list(files.directory)) {
    if (NAME.test(name)) await files.removeFile(join(files.directory, name));
  }
}
