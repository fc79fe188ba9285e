/**
 * Protocol buffers by hand, for the one request that is on the path of every transfer: bytes go straight into a buffer that
 * is used again, no object in between. Source: the encoding guide of protocol buffers.
 */
const VARINT = 0;
const LENGTH_DELIMITED = 2;
const MAX_VARINT_BYTES = 10;
/** Longer text is handed to Buffer.write, which costs a call into C++ but less per byte. */
const SHORT_TEXT = 64;
const LONE_SURROGATE = /\p{Surrogate}/u;

/** Text that has no UTF-8: an unpaired surrogate would arrive as another text than it left. */
export class UnpairedSurrogateError extends Error {
  constructor() {
    super('A text holds an unpaired surrogate, so that it has no UTF-8.');
    this.name = 'UnpairedSurrogateError';
  }
}

export class ProtobufWriter {
  private bytes: Buffer;
  private at = 0;

  constructor(initialBytes = 4096) {
    this.bytes = Buffer.allocUnsafeSlow(initialBytes);
  }

  get length(): number {
    return this.at;
  }

  /** Forgets what was written from `length` on. */
  rewind(length = 0): void {
    this.at = length;
  }

  /** A copy of what was written. */
  copy(): Buffer {
    return Buffer.from(this.bytes.subarray(0, this.at));
  }

  /** What was written, for a writer that is not used again. */
  view(): Buffer {
    return this.bytes.subarray(0, this.at);
  }

  /** A field of an unsigned integer; nothing where it is 0, as proto3 wants it. */
  uintField(number: number, value: number | bigint): void {
    if (value === 0 || value === 0n) return;
    this.reserve(2 * MAX_VARINT_BYTES);
    this.varint(number * 8 + VARINT);
    if (typeof value === 'bigint' && value > Number.MAX_SAFE_INTEGER) this.bigVarint(value);
    else this.varint(Number(value));
  }

  textField(number: number, text: string): void {
    if (text.length === 0) return;
    // The longest UTF-8 of a UTF-16 unit is three bytes.
    this.reserve(2 * MAX_VARINT_BYTES + text.length * 3);
    this.varint(number * 8 + LENGTH_DELIMITED);
    if (text.length <= SHORT_TEXT && this.asciiText(text)) return;
    if (LONE_SURROGATE.test(text)) throw new UnpairedSurrogateError();
    this.varint(Buffer.byteLength(text, 'utf8'));
    this.at += this.bytes.write(text, this.at, 'utf8');
  }

  bytesField(number: number, value: Uint8Array): void {
    if (value.length === 0) return;
    this.reserve(2 * MAX_VARINT_BYTES + value.length);
    this.varint(number * 8 + LENGTH_DELIMITED);
    this.varint(value.length);
    this.bytes.set(value, this.at);
    this.at += value.length;
  }

  /** Starts a message inside this one; its length is filled in by `endMessage`, which takes what this returns. */
  beginMessage(number: number): number {
    this.reserve(2 * MAX_VARINT_BYTES);
    this.varint(number * 8 + LENGTH_DELIMITED);
    // One byte is kept for the length; a longer one moves the message, which is seldom and short.
    return ++this.at;
  }

  endMessage(start: number): void {
    const length = this.at - start;
    let lengthBytes = 1;
    for (let rest = length; rest >= 0x80; rest = Math.floor(rest / 0x80)) lengthBytes++;
    if (lengthBytes > 1) {
      this.reserve(lengthBytes);
      this.bytes.copyWithin(start - 1 + lengthBytes, start, this.at);
    }
    this.at = start - 1;
    this.varint(length);
    this.at += length;
  }

  /** False, and nothing written, where a character is not ASCII. */
  private asciiText(text: string): boolean {
    const { bytes } = this;
    const start = this.at;
    // SHORT_TEXT is below 128, so that the length takes one byte.
    bytes[start] = text.length;
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      if (unit >= 0x80) return false;
      bytes[start + 1 + i] = unit;
    }
    this.at = start + 1 + text.length;
    return true;
  }

  private varint(value: number): void {
    let rest = value;
    while (rest >= 0x80) {
      this.bytes[this.at++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.bytes[this.at++] = rest;
  }

  private bigVarint(value: bigint): void {
    let rest = value;
    while (rest >= 0x80n) {
      this.bytes[this.at++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    this.bytes[this.at++] = Number(rest);
  }

  private reserve(more: number): void {
    if (this.at + more <= this.bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(this.bytes.length * 2, this.at + more));
    this.bytes.copy(larger, 0, 0, this.at);
    this.bytes = larger;
  }
}
