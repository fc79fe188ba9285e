/**
 * The fields of a protocol buffers message, one after the other, without an object for any of them. Source: the encoding
 * guide of protocol buffers.
 */
const TWO_32 = 0x1_0000_0000;

/** Bytes that are not the message they should be: the server does not speak this protocol. */
export class ProtobufFormatError extends Error {
  constructor(what: string) {
    super(`The server's answer cannot be decoded: ${what}.`);
    this.name = 'ProtobufFormatError';
  }
}

/**
 * Use: `while (reader.next()) switch (reader.field) { case 1: reader.uint() …; default: reader.skip(); }`; a nested message
 * is walked by `const end = reader.enter(); while (reader.next()) …; reader.leave(end)`.
 */
export class ProtobufReader {
  /** Number of the field that `next` has come to. */
  field = 0;
  private wire = 0;
  private at = 0;
  private end: number;

  constructor(private readonly bytes: Buffer) {
    this.end = bytes.length;
  }

  /** Goes to the next field; false at the end of the message. */
  next(): boolean {
    if (this.at >= this.end) {
      if (this.at > this.end) throw new ProtobufFormatError('a field reaches beyond the end of its message');
      return false;
    }
    const tag = this.uint();
    this.field = Math.floor(tag / 8);
    this.wire = tag % 8;
    return true;
  }

  /** An unsigned integer; exact up to 2^53. */
  uint(): number {
    let value = 0;
    let factor = 1;
    for (let count = 0; count < 10; count++) {
      const byte = this.byte();
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
      factor *= 0x80;
    }
    throw new ProtobufFormatError('a number has more than ten bytes');
  }

  /** A signed 64-bit integer that is not written zigzag; exact within ±2^53. */
  int(): number {
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.byte();
      const bits = byte & 0x7f;
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) {
        low |= bits << 28;
        high |= bits >>> 4;
      } else high |= bits << (shift - 32);
      if (byte < 0x80) return (high | 0) * TWO_32 + (low >>> 0);
    }
    throw new ProtobufFormatError('a number has more than ten bytes');
  }

  bool(): boolean {
    return this.uint() !== 0;
  }

  /** Text that is known to be ASCII by what it means: names of results, amounts, tokens. */
  ascii(): string {
    const start = this.lengthDelimited();
    return this.bytes.toString('latin1', start, this.at);
  }

  text(): string {
    const start = this.lengthDelimited();
    return this.bytes.toString('utf8', start, this.at);
  }

  /** A view of the message's own bytes. */
  blob(): Buffer {
    const start = this.lengthDelimited();
    return this.bytes.subarray(start, this.at);
  }

  /** True, and the field is read, where it is exactly the two characters `ok`: the answer nearly every time. */
  isOk(): boolean {
    const { bytes, at } = this;
    if (bytes[at] !== 2 || bytes[at + 1] !== 0x6f || bytes[at + 2] !== 0x6b) return false;
    this.at = at + 3;
    return true;
  }

  /** Goes into a nested message; the returned value is for `leave`. */
  enter(): number {
    const start = this.lengthDelimited();
    const outer = this.end;
    this.end = this.at;
    this.at = start;
    return outer;
  }

  leave(outer: number): void {
    this.at = this.end;
    this.end = outer;
  }

  /** Passes over a field that this version does not know. */
  skip(): void {
    if (this.wire === 0) this.uint();
    else if (this.wire === 1) this.at += 8;
    else if (this.wire === 2) this.lengthDelimited();
    else if (this.wire === 5) this.at += 4;
    else throw new ProtobufFormatError(`field ${this.field} has wire type ${this.wire}`);
  }

  private lengthDelimited(): number {
    const length = this.uint();
    const start = this.at;
    if (length > this.end - start) throw new ProtobufFormatError(`field ${this.field} is cut off`);
    this.at = start + length;
    return start;
  }

  private byte(): number {
    if (this.at >= this.end) throw new ProtobufFormatError('it ends inside a number');
    return this.bytes[this.at++]!;
  }
}
