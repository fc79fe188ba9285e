import { createHash } from 'node:crypto';
import { readHeader } from '../../log/batch';
import {
  encodeBackupHeader,
  encodeEnd,
  encodeFrameHeader,
  encodeOutcomes,
  encodePreface,
  FrameType,
} from './backup-format';
import type { BackupSource } from './backup-source';

/** The bytes of a backup, in pieces of at most a few MiB; never more than one of them is in memory here. */
export async function* writeBackup(source: BackupSource): AsyncGenerator<Buffer, void, undefined> {
  const hash = createHash('sha256');
  let frames = 0;
  let bytes = 0;
  const counted = (part: Buffer): Buffer => {
    hash.update(part);
    bytes += part.length;
    return part;
  };
  function* frame(type: number, data: Buffer): Generator<Buffer, void, undefined> {
    frames += 1;
    yield counted(encodeFrameHeader(type, data));
    yield counted(data);
  }
  yield counted(encodePreface(source.header));
  yield* frame(FrameType.HEADER, encodeBackupHeader(source.header));
  for await (const piece of source.snapshot()) yield* frame(FrameType.SNAPSHOT, piece);
  for await (const { batches, outcomes } of source.entries()) {
    yield* frame(FrameType.LOG, Buffer.concat(batches));
    if (outcomes.length === 0) continue;
    const { baseOffset } = readHeader(batches[0]!);
    yield* frame(FrameType.OUTCOMES, encodeOutcomes(baseOffset, outcomes));
  }
  const end = encodeEnd({ frames, bytes, hash: hash.digest() });
  yield encodeFrameHeader(FrameType.END, end);
  yield end;
}
