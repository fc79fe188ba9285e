import { NUMERIC_MAX_BYTES, writeNumeric } from './numeric-wire';

/** Bytes of a piece. Rows are written into pieces so that no buffer is ever copied to make it grow. */
const PIECE_BYTES = 256 * 1024;
/** PostgreSQL's documentation, COPY, "Binary Format": signature, flags, length of the header's extension. */
const HEADER = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1');
const TRAILER = Buffer.from([0xff, 0xff]);
const NULL_FIELD = -1;
/** Postgres counts from 2000-01-01 in microseconds, Unix from 1970-01-01. */
const POSTGRES_EPOCH = 946_684_800_000_000;
/** Of a timestamp (src/include/datatype/timestamp.h, DT_NOEND). */
const INFINITY = 2n ** 63n - 1n;
const TWO_TO_32 = 2 ** 32;
const UUID_CHARACTERS = 36;
const HYPHEN = 0x2d;
const HEXADECIMAL = Buffer.from('0123456789abcdef', 'latin1');

/**
 * Rows in the binary format of COPY. Call {@link row}, then one method for each column in the order of the columns; the
 * method's type must be the column's, for Postgres takes the bytes as they are.
 */
export class CopyRows {
  private readonly pieces: Buffer[] = [HEADER];
  private piece = Buffer.allocUnsafe(PIECE_BYTES);
  private at = 0;
  private missing = 0;
  /** Rows begun. */
  count = 0;

  /** @param fieldsOfRow how many columns each row has */
  constructor(private readonly fieldsOfRow: number) {}

  row(): void {
    this.assertComplete();
    this.reserve(2);
    this.at = this.piece.writeInt16BE(this.fieldsOfRow, this.at);
    this.missing = this.fieldsOfRow;
    this.count++;
  }

  null(): void {
    this.field(0);
    this.at = this.piece.writeInt32BE(NULL_FIELD, this.at - 4);
  }

  /** Null in each of the next `count` columns. */
  nulls(count: number): void {
    this.reserve(4 * count);
    this.missing -= count;
    // All bits of the length set: minus one.
    this.piece.fill(0xff, this.at, this.at + 4 * count);
    this.at += 4 * count;
  }

  bool(value: boolean): void {
    this.field(1);
    this.at = this.piece.writeUInt8(value ? 1 : 0, this.at);
  }

  int4(value: number): void {
    this.field(4);
    this.at = this.piece.writeInt32BE(value, this.at);
  }

  /** @param value a safe integer */
  int8(value: number): void {
    if (!Number.isSafeInteger(value)) throw new Error(`A bigint column takes safe integers; ${value} is not one.`);
    this.field(8);
    this.at = this.piece.writeInt32BE(Math.floor(value / TWO_TO_32), this.at);
    this.at = this.piece.writeUInt32BE(value - Math.floor(value / TWO_TO_32) * TWO_TO_32, this.at);
  }

  /** @param micros microseconds since the Unix epoch */
  timestamptz(micros: number): void {
    this.int8(micros - POSTGRES_EPOCH);
  }

  /** After every time. */
  infinity(): void {
    this.field(8);
    this.at = this.piece.writeBigInt64BE(INFINITY, this.at);
  }

  /** @param minor in units of 10^-scale; @param scale digits after the point that Postgres shows, 0 or more */
  numeric(minor: bigint | number, scale: number): void {
    this.reserve(4 + NUMERIC_MAX_BYTES);
    this.missing--;
    const start = this.at + 4;
    this.at = writeNumeric(this.piece, start, minor, scale);
    this.piece.writeInt32BE(this.at - start, start - 4);
  }

  /** UTF-8 without U+0000: Postgres refuses anything else. */
  text(value: string): void {
    const length = Buffer.byteLength(value);
    this.field(length);
    this.at += this.piece.write(value, this.at, length, 'utf8');
  }

  /** ASCII only, which is what results, codes of ledgers and UUIDs are. */
  ascii(value: string): void {
    this.field(value.length);
    this.at += this.piece.write(value, this.at, 'latin1');
  }

  /** The text of a UUID, from its 16 bytes at `from`. */
  uuid(source: Uint8Array, from: number): void {
    this.field(UUID_CHARACTERS);
    const { piece } = this;
    let { at } = this;
    for (let i = 0; i < 16; i++) {
      if (i === 4 || i === 6 || i === 8 || i === 10) piece[at++] = HYPHEN;
      const byte = source[from + i] as number;
      piece[at++] = HEXADECIMAL[byte >>> 4] as number;
      piece[at++] = HEXADECIMAL[byte & 15] as number;
    }
    this.at = at;
  }

  bytes(value: Uint8Array): void {
    this.field(value.length);
    this.piece.set(value, this.at);
    this.at += value.length;
  }

  /** Bytes in {@link finish} so far. */
  get byteLength(): number {
    return this.pieces.reduce((sum, piece) => sum + piece.length, this.at);
  }

  /** The whole copy; nothing can be added after it. */
  finish(): readonly Buffer[] {
    this.assertComplete();
    this.pieces.push(this.piece.subarray(0, this.at), TRAILER);
    this.piece = Buffer.alloc(0);
    this.at = 0;
    return this.pieces;
  }

  private field(length: number): void {
    this.reserve(4 + length);
    this.missing--;
    this.at = this.piece.writeInt32BE(length, this.at);
  }

  private reserve(bytes: number): void {
    if (this.at + bytes <= this.piece.length) return;
    this.pieces.push(this.piece.subarray(0, this.at));
    this.piece = Buffer.allocUnsafe(Math.max(PIECE_BYTES, bytes));
    this.at = 0;
  }

  private assertComplete(): void {
    if (this.missing !== 0) {
      throw new Error(`Row ${this.count} of a copy lacks ${this.missing} of its ${this.fieldsOfRow} fields.`);
    }
  }
}
