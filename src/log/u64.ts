/**
 * Unsigned 64-bit little-endian integers as JavaScript numbers. Indexes, terms, offsets, byte counts and microseconds all
 * stay below 2^53 for longer than this code will live; what does not is a corrupt file, and is refused rather than rounded.
 */

const TWO_32 = 0x1_0000_0000;

/** The high word of the largest safe integer. */
const MAX_HIGH = 0x1f_ffff;

/**
 * @returns the integer at `at`, or -1 where it is not a safe integer: a reader of untrusted bytes has to say whose field
 *   it was, so this does not throw
 */
export function readU64(buf: Buffer, at: number): number {
  const high = buf.readUInt32LE(at + 4);
  return high > MAX_HIGH ? -1 : high * TWO_32 + buf.readUInt32LE(at);
}

export function writeU64(buf: Buffer, value: number, at: number): void {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new RangeError(`${value} cannot be stored as an unsigned integer: expected a safe integer of at least 0.`);
  }
  buf.writeUInt32LE(value % TWO_32, at);
  buf.writeUInt32LE(Math.floor(value / TWO_32), at + 4);
}
