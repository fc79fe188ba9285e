import { WireFormatError } from './wire-format-error';

/** Text on the wire is UTF-8 and must be valid: a name that was damaged on its way would be another name. */
const strictUtf8 = new TextDecoder('utf-8', { fatal: true });

/** Reads fields off a body and throws WireFormatError where they are not there, instead of reading on. Integers are little-endian. */
export class WireReader {
  constructor(
    readonly bytes: Buffer,
    public at = 0,
  ) {}

  get remaining(): number {
    return this.bytes.length - this.at;
  }

  u16(what: string): number {
    return this.bytes.readUInt16LE(this.advance(2, what));
  }

  u32(what: string): number {
    return this.bytes.readUInt32LE(this.advance(4, what));
  }

  /** A view of the next `length` bytes. */
  view(length: number, what: string): Buffer {
    const at = this.advance(length, what);
    return this.bytes.subarray(at, at + length);
  }

  /** Text with its length in bytes (u16) in front. */
  text(maxBytes: number, what: string): string {
    const length = this.u16(what);
    if (length > maxBytes) {
      throw new WireFormatError('too_long', `${what} has ${length} bytes, more than the limit of ${maxBytes}`);
    }
    const bytes = this.view(length, what);
    try {
      return strictUtf8.decode(bytes);
    } catch {
      throw new WireFormatError('malformed', `${what} is not valid UTF-8`);
    }
  }

  /** Asserts that nothing is left over: a longer body than its fields says that the two sides disagree about the format. */
  end(what: string): void {
    if (this.remaining !== 0) throw new WireFormatError('malformed', `${this.remaining} bytes too many in ${what}`);
  }

  private advance(length: number, what: string): number {
    const at = this.at;
    if (length > this.bytes.length - at) {
      throw new WireFormatError(
        'truncated',
        `${what} ends ${length - (this.bytes.length - at)} bytes beyond its frame`,
      );
    }
    this.at = at + length;
    return at;
  }
}
