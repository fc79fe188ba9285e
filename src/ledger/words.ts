/**
 * Wide integers as 32-bit words, least significant first, in `Uint32Array`s: how the state keeps what is wider than a
 * double is exact. Functions take an array and the index of the first word; none allocates, save those that give a bigint.
 *
 * A word read from a Uint32Array is a non-negative double, so sums of two words and a carry are exact.
 */

const WORD = 0x1_0000_0000;

// The typed arrays below are written to disk and hashed as they lie in memory, so the machine must be little-endian.
if (new Uint8Array(Uint32Array.of(1).buffer)[0] !== 1) {
  throw new Error('The ledger keeps its state as little-endian words; this machine is big-endian and cannot run it.');
}

/** Index into a typed array that is known to be in range: `noUncheckedIndexedAccess` cannot know it. */
export function word(array: Uint32Array, at: number): number {
  return array[at] as number;
}

/** The first `length` bytes as words: in place where they lie as they were allocated; a slice of something else may not be aligned. */
export function wordsOf(bytes: Uint8Array, length: number): Uint32Array {
  return bytes.byteOffset % 4 === 0
    ? new Uint32Array(bytes.buffer, bytes.byteOffset, length / 4)
    : new Uint32Array(new Uint8Array(bytes.subarray(0, length)).buffer);
}

/** The lower 32 bits of a safe integer; of -1 all ones. */
export function lowWord(value: number): number {
  return value >>> 0;
}

/** The upper 32 bits of a safe integer; of -1 all ones. */
export function highWord(value: number): number {
  return Math.floor(value / WORD) >>> 0;
}

/** Joins two words to a signed 64-bit integer, as a double: exact for safe integers. */
export function joinSigned(low: number, high: number): number {
  return (high | 0) * WORD + low;
}

export function joinWords(low: number, high: number): number {
  return high * WORD + low;
}

/** -1, 0 or 1 as the 128-bit integer at `a[ai]` is below, equal to or above the one at `b[bi]`. */
export function compare128(a: Uint32Array, ai: number, b: Uint32Array, bi: number): number {
  for (let i = 3; i >= 0; i--) {
    const left = word(a, ai + i);
    const right = word(b, bi + i);
    if (left !== right) return left < right ? -1 : 1;
  }
  return 0;
}

/** target += addend, modulo 2^128; the callers keep every sum below that. */
export function add128(target: Uint32Array, ti: number, addend: Uint32Array, ai: number): void {
  let carry = 0;
  for (let i = 0; i < 4; i++) {
    const sum = word(target, ti + i) + word(addend, ai + i) + carry;
    target[ti + i] = sum;
    carry = sum >= WORD ? 1 : 0;
  }
}

/** target -= subtrahend, which is not larger. */
export function subtract128(target: Uint32Array, ti: number, subtrahend: Uint32Array, si: number): void {
  let borrow = 0;
  for (let i = 0; i < 4; i++) {
    const difference = word(target, ti + i) - word(subtrahend, si + i) - borrow;
    target[ti + i] = difference;
    borrow = difference < 0 ? 1 : 0;
  }
}

export function copy128(target: Uint32Array, ti: number, source: Uint32Array, si: number): void {
  target[ti] = word(source, si);
  target[ti + 1] = word(source, si + 1);
  target[ti + 2] = word(source, si + 2);
  target[ti + 3] = word(source, si + 3);
}

export function isZero128(array: Uint32Array, at: number): boolean {
  return (word(array, at) | word(array, at + 1) | word(array, at + 2) | word(array, at + 3)) === 0;
}

/** target = target * factor + addend, where factor and addend are at most 10^6: the products stay below 2^53. */
export function multiplyAdd128(target: Uint32Array, ti: number, factor: number, addend: number): void {
  let carry = addend;
  for (let i = 0; i < 4; i++) {
    const product = word(target, ti + i) * factor + carry;
    const low = product >>> 0;
    target[ti + i] = low;
    carry = (product - low) / WORD;
  }
}

export function toBigInt128(array: Uint32Array, at: number): bigint {
  return (
    (BigInt(word(array, at + 3)) << 96n) |
    (BigInt(word(array, at + 2)) << 64n) |
    (BigInt(word(array, at + 1)) << 32n) |
    BigInt(word(array, at))
  );
}

/** Writes a non-negative bigint below 2^128. */
export function fromBigInt128(array: Uint32Array, at: number, value: bigint): void {
  for (let i = 0; i < 4; i++) array[at + i] = Number((value >> BigInt(32 * i)) & 0xffff_ffffn);
}

export function toBigInt64(low: number, high: number): bigint {
  return (BigInt(high) << 32n) | BigInt(low);
}
