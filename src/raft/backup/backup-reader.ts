import { createHash } from 'node:crypto';
import { BATCH_HEADER_BYTES, BatchFormatError, type BatchHeader, readHeader, verifyBatch } from '../../log/batch';
import { breakOfContinuity, endAfter } from '../../log/continuity';
import type { LogBoundary } from '../../log/log-store';
import {
  BACKUP_PREFACE_BYTES,
  BackupError,
  type BackupHeader,
  checkPreface,
  decodeBackupHeader,
  decodeOutcomes,
  encodeEnd,
  FRAME_HEADER_BYTES,
  frameHolds,
  FrameType,
  MAX_FRAME_BYTES,
  snapshotBytes,
} from './backup-format';
import type { BackedUpEntries, BackupSource } from './backup-source';
import { ByteQueue } from './byte-queue';

interface Frame {
  readonly type: number;
  readonly data: Buffer;
  /** Where it begins. */
  readonly position: number;
}

const OUTCOME_ROW_BYTES = 64;

/**
 * Reads a backup from its first byte to its last, and verifies everything on the way: each frame, each batch, the chain over
 * the batches, and the end. What it gave before an error is to be thrown away. All errors are BackupErrors.
 */
export class BackupReader implements BackupSource {
  private readonly hash = createHash('sha256');
  private frames = 0;
  private end: LogBoundary;

  private constructor(
    private readonly bytes: ByteQueue,
    readonly header: BackupHeader,
    opening: readonly Buffer[],
  ) {
    for (const part of opening) this.hash.update(part);
    this.frames = 1;
    this.end = header.before;
  }

  static async open(bytes: AsyncIterable<Buffer>): Promise<BackupReader> {
    const queue = new ByteQueue(bytes);
    const preface = await queue.take(BACKUP_PREFACE_BYTES);
    checkPreface(preface);
    const { head, data, position } = await nextFrame(queue);
    if (head.readUInt32LE(0) !== FrameType.HEADER) throw new BackupError(position, 'its header is missing');
    return new BackupReader(queue, decodeBackupHeader(data, position), [preface, head, data]);
  }

  /** How many bytes were read. */
  get position(): number {
    return this.bytes.position;
  }

  async *snapshot(): AsyncGenerator<Buffer, void, undefined> {
    let left = snapshotBytes(this.header);
    while (left > 0) {
      const { type, data, position } = await this.next();
      if (type !== FrameType.SNAPSHOT || data.length > left) throw new BackupError(position, 'a snapshot is expected');
      left -= data.length;
      yield data;
    }
  }

  async *entries(): AsyncGenerator<BackedUpEntries, void, undefined> {
    for (;;) {
      const { type, data, position } = await this.next();
      if (type === FrameType.END) return this.finish(data, position);
      if (type !== FrameType.LOG) throw new BackupError(position, 'entries of the log are expected');
      const firstOffset = this.end.nextOffset;
      const batches = this.batchesIn(data, position);
      yield { batches, outcomes: await this.outcomes(firstOffset) };
    }
  }

  private batchesIn(data: Buffer, framePosition: number): Buffer[] {
    const batches: Buffer[] = [];
    for (let at = 0; at < data.length;) {
      const position = framePosition + FRAME_HEADER_BYTES + at;
      const { header, bytes } = this.batchAt(data, at, position);
      const fault = breakOfContinuity(this.end, header, this.header.group);
      if (fault) throw new BackupError(position, `entry ${header.index} does not continue the log: ${fault}`);
      this.end = endAfter(header);
      batches.push(bytes);
      at += bytes.length;
    }
    if (batches.length === 0) throw new BackupError(framePosition, 'there is no entry in a frame of entries');
    return batches;
  }

  private batchAt(data: Buffer, at: number, position: number): { header: BatchHeader; bytes: Buffer } {
    try {
      const left = data.length - at;
      const length = left < BATCH_HEADER_BYTES ? 0 : readHeader(data, at).length;
      const bytes = data.subarray(at, at + length);
      return { header: verifyBatch(bytes), bytes };
    } catch (cause) {
      if (!(cause instanceof BatchFormatError)) throw cause;
      throw new BackupError(position, `an entry of the log is damaged: ${cause.message}`, { cause });
    }
  }

  /** The rows for the records up to `this.end`. */
  private async outcomes(firstOffset: number): Promise<Buffer> {
    const expected = (this.end.nextOffset - firstOffset) * OUTCOME_ROW_BYTES;
    if (expected === 0) return Buffer.alloc(0);
    const { type, data, position } = await this.next();
    const { firstOffset: stated, rows } = decodeOutcomes(data);
    if (type !== FrameType.OUTCOMES || stated !== firstOffset || rows.length !== expected) {
      throw new BackupError(position, `the outcomes of the records from offset ${firstOffset} on are expected`);
    }
    return rows;
  }

  private async next(): Promise<Frame> {
    const { head, data, position } = await nextFrame(this.bytes);
    const type = head.readUInt32LE(0);
    if (type === FrameType.END) return { type, data, position };
    this.hash.update(head).update(data);
    this.frames += 1;
    return { type, data, position };
  }

  private async finish(stated: Buffer, position: number): Promise<void> {
    const { lastIndex, nextOffset } = this.header;
    if (this.end.index !== lastIndex || this.end.nextOffset !== nextOffset) {
      throw new BackupError(position, `the log ends with entry ${this.end.index}, not with ${lastIndex}`);
    }
    const end = encodeEnd({ frames: this.frames, bytes: position, hash: this.hash.digest() });
    if (!stated.equals(end)) throw new BackupError(position, 'what it holds is not what its end says');
    if (!(await this.bytes.isEmpty())) throw new BackupError(this.bytes.position, 'something follows its end');
  }
}

/** A frame whose checksum holds. */
async function nextFrame(bytes: ByteQueue): Promise<{ head: Buffer; data: Buffer; position: number }> {
  const { position } = bytes;
  const head = await bytes.take(FRAME_HEADER_BYTES);
  const length = head.length < FRAME_HEADER_BYTES ? 0 : head.readUInt32LE(4);
  if (head.length < FRAME_HEADER_BYTES) throw new BackupError(position, 'a part begins that is cut off');
  if (length > MAX_FRAME_BYTES) throw new BackupError(position, `a part of ${length} bytes cannot be`);
  const data = await bytes.take(length);
  if (data.length < length) throw new BackupError(position, 'a part begins that is cut off');
  if (!frameHolds(head, data)) throw new BackupError(position, 'the checksum of a part does not match');
  return { head, data, position };
}
