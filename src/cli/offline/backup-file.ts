import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { open, rename, rm, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Writable } from 'node:stream';
import { NodeFiles } from '../../log/node-files';
import { StartupError } from '../../node/startup-error';
import { BackupReader, type BackupHeader } from '../../raft/backup';

/** In place of a file name: the standard input or output. */
export const STANDARD = '-';
const BEING_WRITTEN = '.part';
const READ_BYTES = 1024 * 1024;
/** Whoever has the file has the money's history. */
const FILE_MODE = 0o600;

/** Writes a backup to a file, which has its name only once it is whole and durable, or to the standard output. */
export async function writeBackupTo(target: string, bytes: AsyncIterable<Buffer>): Promise<BackupHeader> {
  if (target === STANDARD) return verifiedOnTheWay(bytes, (piece) => writeOut(process.stdout, piece));
  if (await new NodeFiles().exists(target)) {
    throw new StartupError(`${target} is there already: nothing is written over a backup`, 2);
  }
  const part = target + BEING_WRITTEN;
  const file = await open(part, 'w', FILE_MODE);
  try {
    const header = await verifiedOnTheWay(bytes, (piece) => writeAll(file, piece));
    await file.sync();
    await file.close();
    await rename(part, target);
    await new NodeFiles().syncDirectory(dirname(target));
    return header;
  } catch (error) {
    await file.close();
    await rm(part, { force: true });
    throw error;
  }
}

/** The bytes of a backup from a file, or from the standard input. */
export async function* backupBytes(
  source: string,
  onBytes: (bytes: number) => void,
): AsyncGenerator<Buffer, void, undefined> {
  const stream = source === STANDARD ? process.stdin : createReadStream(source, { highWaterMark: READ_BYTES });
  for await (const piece of stream as AsyncIterable<Buffer>) {
    onBytes(piece.length);
    yield piece;
  }
}

/** What is written is read at the same time, so that a backup that is done is one that can be restored. */
async function verifiedOnTheWay(
  bytes: AsyncIterable<Buffer>,
  write: (piece: Buffer) => Promise<void>,
): Promise<BackupHeader> {
  const reader = await BackupReader.open(tee(bytes, write));
  for await (const piece of reader.snapshot()) void piece;
  for await (const entries of reader.entries()) void entries;
  return reader.header;
}

async function* tee(
  bytes: AsyncIterable<Buffer>,
  write: (piece: Buffer) => Promise<void>,
): AsyncGenerator<Buffer, void, undefined> {
  for await (const piece of bytes) {
    await write(piece);
    yield piece;
  }
}

async function writeAll(file: FileHandle, piece: Buffer): Promise<void> {
  for (let at = 0; at < piece.length;) at += (await file.write(piece, at)).bytesWritten;
}

async function writeOut(stream: Writable, piece: Buffer): Promise<void> {
  if (!stream.write(piece)) await once(stream, 'drain');
}
