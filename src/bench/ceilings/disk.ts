/** What the disk does without any of this program in the way: the ceiling for durable writes. */
import { open, rm, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';

const MIB = 1024 * 1024;
/** As large as a full log segment, zeroed ahead as the log does it. */
const FILE_BYTES = 64 * MIB;

export interface DiskCeiling {
  /** Writes of 4 KiB, each followed by an fdatasync, one after the other. */
  readonly syncsPerSecond: number;
  /** Writes of 1 MiB, each followed by an fdatasync. */
  readonly megabytesPerSecond: number;
}

/** @param folder on the disk that is to be measured; a file of 64 MiB is made there and removed */
export async function measureDisk(folder: string, seconds: number, signal: AbortSignal): Promise<DiskCeiling> {
  const path = join(folder, 'disk-ceiling');
  const file = await open(path, 'w');
  try {
    const zeros = Buffer.alloc(MIB);
    for (let at = 0; at < FILE_BYTES; at += MIB) await file.write(zeros, 0, MIB, at);
    await file.datasync();
    const syncs = await syncedWrites(file, 4096, seconds, signal);
    const appends = await syncedWrites(file, MIB, seconds, signal);
    return { syncsPerSecond: syncs, megabytesPerSecond: (appends * MIB) / 1e6 };
  } finally {
    await file.close();
    await rm(path, { force: true });
  }
}

async function syncedWrites(file: FileHandle, bytes: number, seconds: number, signal: AbortSignal): Promise<number> {
  const block = Buffer.alloc(bytes, 0x5a);
  const start = performance.now();
  let writes = 0;
  let at = 0;
  while (performance.now() - start < seconds * 1000 && !signal.aborted) {
    await file.write(block, 0, bytes, at);
    await file.datasync();
    writes += 1;
    at = (at + bytes) % FILE_BYTES;
  }
  return writes / ((performance.now() - start) / 1000);
}
