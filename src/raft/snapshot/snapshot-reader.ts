import { createHash } from 'node:crypto';
import type { FileSystem, RandomAccessFile } from '../../log/files';
import { SequentialReader } from './sequential-reader';
import { asSnapshotError } from './snapshot-error';
import {
  CHUNK_HEADER_BYTES,
  damaged,
  decodeHeader,
  HEADER_FIXED_BYTES,
  headerLength,
  MAX_CHUNK_BYTES,
  TRAILER_BYTES,
  verifyChunk,
  verifyTrailer,
  type SnapshotFileMeta,
  type SnapshotOwner,
} from './snapshot-format';

/** One open snapshot file. It can be read to its end though it is removed meanwhile. */
export class SnapshotReader {
  private constructor(
    private readonly file: RandomAccessFile,
    private readonly header: Buffer,
    readonly owner: SnapshotOwner,
    readonly meta: SnapshotFileMeta,
    /** Length of the file. */
    readonly bytes: number,
  ) {}

  /** Length of the header: where the first chunk begins. */
  get headerBytes(): number {
    return this.header.length;
  }

  /** Reads and checks the header. Rejects with SnapshotError. */
  static async open(files: FileSystem, path: string): Promise<SnapshotReader> {
    let file: RandomAccessFile | undefined;
    try {
      file = await files.open(path, 'read');
      const fixed = await readUpTo(file, 0, HEADER_FIXED_BYTES);
      const header = await readUpTo(file, 0, headerLength(fixed));
      const { owner, meta } = decodeHeader(header);
      return new SnapshotReader(file, header, owner, meta, await file.size());
    } catch (error) {
      await file?.close();
      throw asSnapshotError(error);
    }
  }

  /**
   * The chunks as they were written, each verified before it is given, and good until the next one is asked for. Throws
   * SnapshotError where something is damaged; what was given before the end is reached without an error is then to be thrown
   * away.
   */
  async *chunks(): AsyncGenerator<Buffer, void, undefined> {
    const source = new SequentialReader(this.file, this.header.length);
    try {
      yield* this.chunksOf(source);
    } catch (error) {
      throw asSnapshotError(error);
    } finally {
      await source.settled();
    }
  }

  private async *chunksOf(source: SequentialReader): AsyncGenerator<Buffer, void, undefined> {
    const hash = createHash('sha256').update(this.header);
    let at = this.header.length;
    let count = 0;
    let bytes = 0;
    let head: Buffer;
    for (;;) {
      head = Buffer.from(await source.next(CHUNK_HEADER_BYTES));
      if (head.length < CHUNK_HEADER_BYTES) throw damaged('its end is missing', at);
      const length = head.readUInt32LE(0);
      if (length === 0) break;
      if (length > MAX_CHUNK_BYTES || at + length > this.bytes)
        throw damaged(`a chunk of ${length} bytes cannot be`, at);
      const chunk = await source.next(length);
      verifyChunk(head, chunk, at);
      hash.update(head).update(chunk);
      at += CHUNK_HEADER_BYTES + length;
      count += 1;
      bytes += length;
      yield chunk;
    }
    const trailer = Buffer.concat([head, await source.next(TRAILER_BYTES - CHUNK_HEADER_BYTES)]);
    verifyTrailer(trailer, { chunks: count, bytes, hash: hash.digest() }, at);
    if (at + TRAILER_BYTES !== this.bytes) throw damaged(`${this.bytes - at - TRAILER_BYTES} bytes follow its end`);
  }

  /** Reads all of it. Rejects with SnapshotError where anything is damaged. */
  async verify(): Promise<void> {
    const chunks = this.chunks();
    while (!(await chunks.next()).done);
  }

  /** Bytes of the file as they are, for sending it: fewer than `length` only at its end. */
  async read(position: number, length: number): Promise<Buffer> {
    try {
      return await readUpTo(this.file, position, length);
    } catch (error) {
      throw asSnapshotError(error);
    }
  }

  async close(): Promise<void> {
    await this.file.close();
  }
}

async function readUpTo(file: RandomAccessFile, position: number, length: number): Promise<Buffer> {
  const into = Buffer.allocUnsafe(length);
  return into.subarray(0, await file.read(into, position));
}
