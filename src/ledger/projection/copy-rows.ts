import { NUMERIC_MAX_BYTES, writeNumeric } from './numeric-wire';

/** Bytes of a piece. Rows are written into pieces so that no buffer is ever copied to make it grow. */
const PIECE_BYTES = 256 * 1024;
/** PostgreSQL's documentation, COPY, "Binary Format": signature, flags, length of the header's extension. */
const HEADER = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1');
const TRAILER = Buffer.from([0xff, 0xff]);
/** Postgres counts from 2000-01-01 in microseconds, Unix from 1970-01-01. */
export const POSTGRES_EPOCH = 946_684_800_000_000;
/** Of a timestamp (src/include/datatype/timestamp.h, DT_NOEND). */
const INFINITY = 2n ** 63n - 1n;
const TWO_TO_32 = 2 ** 32;
const NOTHING = Buffer.alloc(0);

/**
 * Rows in the binary format of COPY. Call {@link row}, then one method for each column in the order of the columns; the
 * method's type must be the column's, for Postgres takes the bytes as they are.
 */
export class CopyRows {
  private readonly pieces: Buffer[] = [HEADER];
  /** The first one is made for the first row: most tables get none. */
  protected piece: Buffer = NOTHING;
  protected at = 0;
  private missing = 0;
  /** Rows begun. */
  count = 0;

  /** @param fieldsOfRow how many columns each row has */
  constructor(protected readonly fieldsOfRow: number) {}

  row(): void {
    if (this.missing !== 0) this.refuseIncomplete();
    this.reserve(2);
    this.piece[this.at++] = this.fieldsOfRow >>> 8;
    this.piece[this.at++] = this.fieldsOfRow;
    this.missing = this.fieldsOfRow;
    this.count++;
  }

  null(): void {
    this.nulls(1);
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
    this.piece[this.at++] = value ? 1 : 0;
  }

  int4(value: number): void {
    this.field(4);
    this.word(value);
  }

  /** @param value a safe integer */
  int8(value: number): void {
    if (!Number.isSafeInteger(value)) throw new Error(`A bigint column takes safe integers; ${value} is not one.`);
    this.field(8);
    // Both are taken modulo 2^32, which is what two's complement is.
    this.word(Math.floor(value / TWO_TO_32));
    this.word(value);
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
    const before = this.at;
    const end = writeNumeric(this.piece, before + 4, minor, scale);
    this.word(end - before - 4);
    this.at = end;
  }

  /** UTF-8 without U+0000: Postgres refuses anything else. */
  text(value: string): void {
    const length = Buffer.byteLength(value);
    this.field(length);
    this.at += this.piece.write(value, this.at, length, 'utf8');
  }

  /** ASCII only, which is what results, codes of ledgers and UUIDs are. */
  ascii(value: string): void {
    const { length } = value;
    this.field(length);
    const { piece } = this;
    let { at } = this;
    // So short that a call out of JavaScript would take longer.
    for (let i = 0; i < length; i++) piece[at++] = value.charCodeAt(i);
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
    if (this.missing !== 0) this.refuseIncomplete();
    this.pieces.push(this.piece.subarray(0, this.at), TRAILER);
    this.piece = NOTHING;
    this.at = 0;
    return this.pieces;
  }

  /** @param length of what follows, in bytes */
  private field(length: number): void {
    this.reserve(4 + length);
    this.missing--;
    this.word(length);
  }

  /** 32 bits, big-endian; written byte by byte, which costs a third of what Buffer's methods do. */
  private word(value: number): void {
    const { at, piece } = this;
    piece[at] = value >>> 24;
    piece[at + 1] = value >>> 16;
    piece[at + 2] = value >>> 8;
    piece[at + 3] = value;
    this.at = at + 4;
  }

  protected reserve(bytes: number): void {
    if (this.at + bytes <= this.piece.length) return;
    this.pieces.push(this.piece.subarray(0, this.at));
    this.piece = Buffer.allocUnsafe(Math.max(PIECE_BYTES, bytes));
    this.at = 0;
  }

  private refuseIncomplete(): never {
    throw new Error(`Row ${this.count} of a copy lacks ${this.missing} of its ${this.fieldsOfRow} fields.`);
  }
}
