/**
 * The wire format of protocol buffers (https://protobuf.dev/programming-guides/encoding), read and written by hand: the
 * state machine reads hundreds of thousands of commands a second out of bytes that anybody may have written.
 */
import { joinWords } from './words';

export const WireType = { VARINT: 0, FIXED64: 1, BYTES: 2, FIXED32: 5 } as const;

/**
 * Walks the fields of one message. `next()` goes to the next field; the field's value is then in `low` and `high`
 * (VARINT) or at `start` with `length` (BYTES). Nothing throws: after malformed bytes `next()` is false and `malformed`
 * true. Groups are malformed: no message of ours has ever had one.
 */
export class WireReader {
  malformed = false;
  field = 0;
  type = 0;
  low = 0;
  high = 0;
  start = 0;
  length = 0;
  bytes: Uint8Array = new Uint8Array(0);
  private at = 0;
  private end = 0;

  reset(bytes: Uint8Array, start: number, end: number): void {
    this.bytes = bytes;
    this.at = start;
    this.end = end;
    this.malformed = false;
  }

  next(): boolean {
    if (this.at >= this.end || this.malformed) return false;
    this.malformed = !this.readField();
    return !this.malformed;
  }

  /** The VARINT just read, as a double: exact up to 2^53. */
  get value(): number {
    return joinWords(this.low, this.high);
  }

  private readField(): boolean {
    if (!this.readVarint() || this.high !== 0) return false;
    this.field = this.low >>> 3;
    this.type = this.low & 7;
    if (this.field === 0) return false;
    if (this.type === WireType.VARINT) return this.readVarint();
    if (this.type === WireType.BYTES) {
      if (!this.readVarint() || this.high !== 0) return false;
      return this.take(this.low);
    }
    if (this.type === WireType.FIXED64) return this.take(8);
    return this.type === WireType.FIXED32 && this.take(4);
  }

  private take(length: number): boolean {
    if (length > this.end - this.at) return false;
    this.start = this.at;
    this.length = length;
    this.at += length;
    return true;
  }

  /** At most ten bytes; bits beyond 64 are malformed rather than dropped, so that a number has one meaning. */
  private readVarint(): boolean {
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (this.at >= this.end) return false;
      const byte = this.bytes[this.at++] as number;
      const bits = byte & 0x7f;
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) {
        low |= bits << 28;
        high = bits >>> 4;
      } else if (shift < 63) high |= bits << (shift - 32);
      else if (bits > 1) return false;
      else high |= bits << 31;
      if (byte < 0x80) {
        this.low = low >>> 0;
        this.high = high >>> 0;
        return true;
      }
    }
    return false;
  }
}

/** Appends fields to a growing buffer. Fields with the default value are left out, as proto3 has it. */
export class WireWriter {
  private buffer = Buffer.allocUnsafe(256);
  private used = 0;

  finish(): Buffer {
    return Buffer.from(this.buffer.subarray(0, this.used));
  }

  uint(field: number, value: number | bigint): void {
    if (value === 0 || value === 0n) return;
    this.tag(field, WireType.VARINT);
    this.varint(value);
  }

  bool(field: number, value: boolean): void {
    this.uint(field, value ? 1 : 0);
  }

  string(field: number, value: string): void {
    if (value !== '') this.message(field, Buffer.from(value, 'utf8'));
  }

  bytes(field: number, value: Uint8Array): void {
    if (value.length > 0) this.message(field, value);
  }

  /** Bytes that are written even where they are empty: a message that is present. */
  message(field: number, value: Uint8Array): void {
    this.tag(field, WireType.BYTES);
    this.varint(value.length);
    this.raw(value);
  }

  raw(value: Uint8Array): void {
    this.ensure(value.length);
    this.buffer.set(value, this.used);
    this.used += value.length;
  }

  private tag(field: number, type: number): void {
    this.varint(field * 8 + type);
  }

  private varint(value: number | bigint): void {
    this.ensure(10);
    let small = typeof value === 'number' && value <= 0x7fff_ffff ? value : 0;
    if (small !== value) {
      let rest = BigInt(value);
      if (rest < 0n || rest >= 1n << 64n) throw new RangeError(`${value} does not fit 64 bits without a sign.`);
      for (; rest > 0x7fff_ffffn; rest >>= 7n) this.buffer[this.used++] = Number(rest & 0x7fn) | 0x80;
      small = Number(rest);
    }
    if (small < 0) throw new RangeError(`${value} does not fit 64 bits without a sign.`);
    for (; small >= 0x80; small >>>= 7) this.buffer[this.used++] = (small & 0x7f) | 0x80;
    this.buffer[this.used++] = small;
  }

  private ensure(more: number): void {
    if (this.used + more <= this.buffer.length) return;
    const grown = Buffer.allocUnsafe(Math.max(this.buffer.length * 2, this.used + more));
    this.buffer.copy(grown, 0, 0, this.used);
    this.buffer = grown;
  }
}
