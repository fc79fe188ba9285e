/** Collects the fields of one body; the counterpart of WireReader. Grows as needed, so it is for what is small. */
export class WireWriter {
  private bytes: Buffer;
  private at = 0;

  constructor(capacity = 128) {
    this.bytes = Buffer.allocUnsafe(capacity);
  }

  u16(value: number): this {
    const at = this.reserve(2);
    this.bytes.writeUInt16LE(value, at);
    return this;
  }

  u32(value: number): this {
    const at = this.reserve(4);
    this.bytes.writeUInt32LE(value, at);
    return this;
  }

  /** Text with its length in bytes (u16) in front. Throws RangeError beyond `maxBytes`. */
  text(value: string, maxBytes: number, what: string): this {
    const length = Buffer.byteLength(value);
    if (length > maxBytes) {
      throw new RangeError(`${what} has ${length} bytes of UTF-8; at most ${maxBytes} fit on the wire.`);
    }
    this.u16(length);
    const at = this.reserve(length);
    this.bytes.write(value, at, length, 'utf8');
    return this;
  }

  /** What was written: a view, so the writer is done with. */
  finish(): Buffer {
    return this.bytes.subarray(0, this.at);
  }

  /** Makes room first: growing replaces `bytes`. */
  private reserve(length: number): number {
    const at = this.at;
    if (at + length > this.bytes.length) {
      const grown = Buffer.allocUnsafe(Math.max(this.bytes.length * 2, at + length));
      this.bytes.copy(grown, 0, 0, at);
      this.bytes = grown;
    }
    this.at = at + length;
    return at;
  }
}

/** As much of `text`, from its start, as fits into `maxBytes` of UTF-8. */
export function cutText(text: string, maxBytes: number): string {
  let cut = text;
  while (Buffer.byteLength(cut) > maxBytes) cut = cut.slice(0, Math.floor(cut.length * 0.9));
  return cut;
}
