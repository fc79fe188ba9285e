/**
 * The payload of batches of records (kind 0) and system records (kind 3): chunks, each padded with zeros to a multiple of
 * 8 bytes. A chunk is what one producer sent, so that its records travel from the socket to the disks without being encoded
 * again. Header of 16 bytes, little-endian:
 * ```
 *  0 u8 record type: 0 a producer's value, 1 the ledger's   1 u8 flags (0)   2 u16 zero   4 u32 count, at least 1
 *  8 u32 length of the body, unpadded   12 u32 width
 *    width 0: the body is `count` times a u32 length and so many bytes
 *    width w: the body is `count` rows of w bytes
 * ```
 */

export const CHUNK_HEADER_BYTES = 16;

/** Width of the ledger's packed rows. */
export const LEDGER_ROW_BYTES = 64;

export const RecordType = { Value: 0, Ledger: 1 } as const;

const ALIGNMENT = 8;
const LENGTH_BYTES = 4;
const MAX_TYPE = 0xff;

export class ChunkFormatError extends Error {
  override readonly name = 'ChunkFormatError';

  constructor(
    /** Where in the payload the chunk begins that is malformed. */
    readonly at: number,
    message: string,
  ) {
    super(`The chunk at byte ${at} of the payload is malformed: ${message}`);
  }
}

/** One chunk of a payload that was checked as a whole; all its buffers are views of the payload. */
export class Chunk {
  /** Where the last record asked for begins, so that asking in order takes constant time. */
  private cursorOrdinal = 0;
  private cursorAt = 0;

  constructor(
    /** See {@link RecordType}; other types are other programs'. */
    readonly type: number,
    readonly count: number,
    /** 0 where each record has its own length. */
    readonly width: number,
    readonly body: Buffer,
  ) {}

  /**
   * @param ordinal from 0 to `count - 1`
   * @returns the record's bytes; constant time for rows and for ordinals asked in ascending order
   */
  record(ordinal: number): Buffer {
    if (!(ordinal >= 0 && ordinal < this.count)) {
      throw new RangeError(`A chunk of ${this.count} records has no record ${ordinal}.`);
    }
    if (this.width > 0) return this.body.subarray(ordinal * this.width, (ordinal + 1) * this.width);
    if (ordinal < this.cursorOrdinal) {
      this.cursorOrdinal = 0;
      this.cursorAt = 0;
    }
    while (this.cursorOrdinal < ordinal) {
      this.cursorAt += LENGTH_BYTES + this.body.readUInt32LE(this.cursorAt);
      this.cursorOrdinal += 1;
    }
    const start = this.cursorAt + LENGTH_BYTES;
    return this.body.subarray(start, start + this.body.readUInt32LE(this.cursorAt));
  }
}

/** A record found by its place among all the records of a payload. */
export interface FoundRecord {
  readonly type: number;
  /** Of its chunk: 0 where it is not a packed row. */
  readonly width: number;
  readonly value: Buffer;
}

/** Makes one chunk of records with a length each. At least one is needed. */
export function encodeValues(type: number, values: readonly Buffer[]): Buffer {
  if (values.length === 0) throw new RangeError('A chunk holds at least one record, but none was given.');
  let bodyLength = 0;
  for (const value of values) bodyLength += LENGTH_BYTES + value.length;
  const chunk = allocateChunk(type, values.length, bodyLength, 0);
  let at = CHUNK_HEADER_BYTES;
  for (const value of values) {
    chunk.writeUInt32LE(value.length, at);
    at += LENGTH_BYTES;
    at += value.copy(chunk, at);
  }
  return chunk;
}

/** Makes one chunk of the ledger's packed rows, of {@link LEDGER_ROW_BYTES} each. At least one is needed. */
export function encodeRows(rows: Buffer): Buffer {
  if (rows.length === 0 || rows.length % LEDGER_ROW_BYTES !== 0) {
    throw new RangeError(
      `Packed rows have ${LEDGER_ROW_BYTES} bytes each and there is at least one, but ${rows.length} bytes were given.`,
    );
  }
  const chunk = allocateChunk(RecordType.Ledger, rows.length / LEDGER_ROW_BYTES, rows.length, LEDGER_ROW_BYTES);
  rows.copy(chunk, CHUNK_HEADER_BYTES);
  return chunk;
}

/**
 * The chunks of a payload, in order. All of them are checked before the first is given out, so that whoever applies them
 * takes all or none.
 * @throws ChunkFormatError
 */
export function iterateChunks(payload: Buffer): readonly Chunk[] {
  const chunks: Chunk[] = [];
  for (let at = 0; at < payload.length;) {
    const chunk = chunkAt(payload, at);
    chunks.push(chunk);
    at += paddedLength(chunk.body.length);
  }
  return chunks;
}

/** @throws ChunkFormatError */
export function chunkCount(payload: Buffer): number {
  return iterateChunks(payload).length;
}

/**
 * Checks a payload and counts its records: what the batch's header has to state.
 * @throws ChunkFormatError
 */
export function countRecords(payload: Buffer): number {
  let count = 0;
  for (const chunk of iterateChunks(payload)) count += chunk.count;
  return count;
}

/**
 * @param ordinal among all records of the payload, from 0: the record's offset less the batch's base offset
 * @returns undefined where the payload has no such record
 * @throws ChunkFormatError
 */
export function recordAt(payload: Buffer, ordinal: number): FoundRecord | undefined {
  let before = 0;
  for (const chunk of iterateChunks(payload)) {
    if (ordinal < before + chunk.count) {
      return { type: chunk.type, width: chunk.width, value: chunk.record(ordinal - before) };
    }
    before += chunk.count;
  }
  return undefined;
}

function paddedLength(bodyLength: number): number {
  return Math.ceil((CHUNK_HEADER_BYTES + bodyLength) / ALIGNMENT) * ALIGNMENT;
}

function allocateChunk(type: number, count: number, bodyLength: number, width: number): Buffer {
  if (!Number.isInteger(type) || type < 0 || type > MAX_TYPE) {
    throw new RangeError(`The type of a record is an integer from 0 to ${MAX_TYPE}, but ${type} was given.`);
  }
  const chunk = Buffer.allocUnsafe(paddedLength(bodyLength));
  chunk.writeUInt32LE(type, 0);
  chunk.writeUInt32LE(count, 4);
  chunk.writeUInt32LE(bodyLength, 8);
  chunk.writeUInt32LE(width, 12);
  chunk.fill(0, CHUNK_HEADER_BYTES + bodyLength);
  return chunk;
}

function chunkAt(payload: Buffer, at: number): Chunk {
  const left = payload.length - at;
  if (left < CHUNK_HEADER_BYTES) throw new ChunkFormatError(at, `it has ${left} bytes, fewer than a header.`);
  const type = payload.readUInt8(at);
  const count = payload.readUInt32LE(at + 4);
  const bodyLength = payload.readUInt32LE(at + 8);
  const width = payload.readUInt32LE(at + 12);
  if (payload.readUInt32LE(at) !== type) throw new ChunkFormatError(at, 'its flags and reserved bytes are not zero.');
  if (count === 0) throw new ChunkFormatError(at, 'it has no records.');
  const length = paddedLength(bodyLength);
  if (length > left) throw new ChunkFormatError(at, `it needs ${length} bytes, but only ${left} are left.`);
  const bodyAt = at + CHUNK_HEADER_BYTES;
  const body = payload.subarray(bodyAt, bodyAt + bodyLength);
  for (let i = bodyAt + bodyLength; i < at + length; i++) {
    if (payload[i] !== 0) throw new ChunkFormatError(at, 'its padding is not zero.');
  }
  if (width > 0 && count * width !== bodyLength) {
    throw new ChunkFormatError(at, `${count} rows of ${width} bytes do not make a body of ${bodyLength} bytes.`);
  }
  if (width === 0) checkLengths(body, count, at);
  return new Chunk(type, count, width, body);
}

function checkLengths(body: Buffer, count: number, chunkAt: number): void {
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + LENGTH_BYTES > body.length) {
      throw new ChunkFormatError(chunkAt, `it states ${count} records, but its body ends within record ${i}.`);
    }
    at += LENGTH_BYTES + body.readUInt32LE(at);
  }
  if (at !== body.length) {
    throw new ChunkFormatError(chunkAt, `its ${count} records take ${at} bytes, but its body has ${body.length}.`);
  }
}
