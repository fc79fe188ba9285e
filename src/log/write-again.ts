import type { RandomAccessFile } from './files';

const PIECE_BYTES = 1024 * 1024;

/**
 * Writes bytes over themselves, as they are read, and syncs them. After a sync that failed the system may hold for clean what
 * never got to the disk: it can be read until the power goes, and no further sync writes it (fsyncgate). The process that met
 * this has ended, and the next one cannot know of it: whatever its predecessor may have left so is written again before it
 * counts as durable.
 * @param to where it ends, in bytes; the end of the file where that comes first
 */
export async function writeAgain(file: RandomAccessFile, from: number, to: number): Promise<void> {
  const piece = Buffer.alloc(Math.min(PIECE_BYTES, to - from));
  for (let at = from; at < to;) {
    const read = await file.read(piece.subarray(0, Math.min(piece.length, to - at)), at);
    if (read === 0) break;
    await file.write([piece.subarray(0, read)], at);
    at += read;
  }
  await file.datasync();
}
