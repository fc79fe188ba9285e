import { basename, join } from 'node:path';
import { isDiskFull, type RandomAccessFile } from './files';
import type { SegmentFiles } from './segment-files';

/** More are not kept: the oldest go. */
const MAX_KEPT = 8;

const COPY_BYTES = 1024 * 1024;
const NAME = /\.torn-(\d+)$/;

/**
 * As {@link keepAside}, for what nobody was ever told of: where the disk has no room for a copy it is not kept.
 * @returns the copy's path; undefined where there is none
 */
export async function keepAsideIfRoom(
  files: SegmentFiles,
  source: RandomAccessFile,
  from: number,
  to: number,
): Promise<string | undefined> {
  try {
    return await keepAside(files, source, from, to);
  } catch (error) {
    if (isDiskFull(error)) return undefined;
    throw error;
  }
}

/**
 * Copies what is about to be cut from a segment to `<segment>.torn-<n>`, durably: it may be wanted as evidence. Where there
 * is no room for it, nothing of it is left.
 * @returns the copy's path; undefined where there is nothing to copy
 */
export async function keepAside(
  files: SegmentFiles,
  source: RandomAccessFile,
  from: number,
  to: number,
): Promise<string | undefined> {
  if (from === to) return undefined;
  const kept = (await files.files.list(files.directory)).filter((name) => NAME.test(name)).sort(byNumber);
  while (kept.length >= MAX_KEPT) await files.removeFile(join(files.directory, kept.shift()!));
  const path = join(
    files.directory,
    `${basename(source.path)}.torn-${kept.length === 0 ? 1 : numberOf(kept.at(-1)!) + 1}`,
  );
  const copy = await files.files.open(path, 'create');
  try {
    const buffer = Buffer.alloc(Math.min(COPY_BYTES, to - from));
    for (let at = from; at < to; at += buffer.length) {
      const bytes = await source.read(buffer.subarray(0, Math.min(buffer.length, to - at)), at);
      await copy.write([buffer.subarray(0, bytes)], at - from);
    }
    await copy.sync();
  } catch (error) {
    if (isDiskFull(error)) await files.files.unlink(path);
    throw error;
  } finally {
    await copy.close();
  }
  await files.syncDirectory();
  return path;
}

function byNumber(a: string, b: string): number {
  return numberOf(a) - numberOf(b);
}

function numberOf(name: string): number {
  return Number(NAME.exec(name)?.[1]);
}
