import { createHash } from 'node:crypto';
import type { RandomAccessFile } from '../../log/files';
import {
  encodeChunkHeader,
  encodeHeader,
  encodeTrailer,
  MAX_CHUNK_BYTES,
  type SnapshotFileMeta,
  type SnapshotOwner,
} from './snapshot-format';

/** Synced this often while it grows: a large file synced at its end would hold up the log's own syncs for long. */
const SYNC_EVERY_BYTES = 8 * 1024 * 1024;

/**
 * Writes a whole snapshot into an empty file, durably, chunk by chunk as they come; never more than one is in memory here.
 * Empty chunks are left out. Resolves to the length of the file.
 */
export async function writeSnapshot(
  file: RandomAccessFile,
  owner: SnapshotOwner,
  meta: SnapshotFileMeta,
  chunks: AsyncIterable<Buffer> | Iterable<Buffer>,
): Promise<number> {
  const hash = createHash('sha256');
  let at = 0;
  let unsynced = 0;
  const put = async (parts: readonly Buffer[]): Promise<void> => {
    for (const part of parts) hash.update(part);
    await file.write(parts, at);
    const written = parts.reduce((sum, part) => sum + part.length, 0);
    at += written;
    unsynced += written;
    if (unsynced < SYNC_EVERY_BYTES) return;
    await file.datasync();
    unsynced = 0;
  };
  await put([encodeHeader(owner, meta)]);
  let count = 0;
  let bytes = 0;
  for await (const chunk of chunks) {
    if (chunk.length === 0) continue;
    if (chunk.length > MAX_CHUNK_BYTES) {
      throw new RangeError(`A chunk of a snapshot has ${chunk.length} bytes; at most ${MAX_CHUNK_BYTES} are allowed.`);
    }
    await put([encodeChunkHeader(chunk), chunk]);
    count += 1;
    bytes += chunk.length;
  }
  const trailer = encodeTrailer({ chunks: count, bytes, hash: hash.digest() });
  await file.write([trailer], at);
  await file.sync();
  return at + trailer.length;
}
