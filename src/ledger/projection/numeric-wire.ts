/**
 * Postgres' binary form of `numeric` (src/backend/utils/adt/numeric.c, numeric_send): four 16-bit numbers, namely how
 * many digits to base 10,000, the weight of the first of them, the sign, and how many decimals are shown; then the digits.
 */

const BASE = 10_000;
const BASE_BIG = 10_000n;
const BASE_SQUARED = 100_000_000;
const DIGITS_PER_GROUP = 4;
const POSITIVE = 0x0000;
const NEGATIVE = 0x4000;
const HEAD_BYTES = 8;
/** 2^127 has 39 digits; with up to 3 for alignment and more decimals than digits this is ample. */
const MAX_GROUPS = 64;
const MAX_SCALE = 200;

export const NUMERIC_MAX_BYTES = HEAD_BYTES + 2 * MAX_GROUPS;

const POWERS = [1, 10, 100, 1000] as const;
const BIG_POWERS = [1n, 10n, 100n, 1000n] as const;
/** Below it, a value times 1,000 is still exact in a double. */
const EXACT_IN_DOUBLE = Math.floor(Number.MAX_SAFE_INTEGER / 1000);

/** The groups of the number being written, least significant first; one for the process, as nothing here waits. */
const groups = new Uint16Array(MAX_GROUPS);

/**
 * @param minor the value in units of 10^-scale; a number where it is a safe integer
 * @param scale digits after the point, 0–200
 * @returns the position after the last byte written, at most `at + NUMERIC_MAX_BYTES`
 */
export function writeNumeric(out: Buffer, at: number, minor: bigint | number, scale: number): number {
  if (!Number.isInteger(scale) || scale < 0 || scale > MAX_SCALE) {
    throw new Error(`A number of the projection has 0 to ${MAX_SCALE} decimals, not ${scale}.`);
  }
  if (typeof minor === 'number' && !Number.isSafeInteger(minor)) {
    throw new Error(`${minor} is not a safe integer; a number as large as that is to be passed as a bigint.`);
  }
  const negative = minor < 0;
  const magnitude = negative ? -minor : minor;
  // The point falls between two groups, so the decimals are filled up to a multiple of four.
  const fractionGroups = (scale + DIGITS_PER_GROUP - 1) >>> 2;
  const shift = fractionGroups * DIGITS_PER_GROUP - scale;
  if (!negative && magnitude <= EXACT_IN_DOUBLE) {
    return writeDouble(out, at, Number(magnitude) * (POWERS[shift] as number), fractionGroups, scale);
  }
  const used = splitBig(BigInt(magnitude), shift);
  let lowest = 0;
  while (lowest < used && groups[lowest] === 0) lowest++;
  writeHead(out, at, used - lowest, used === 0 ? 0 : used - 1 - fractionGroups, negative ? NEGATIVE : POSITIVE, scale);
  let end = at + HEAD_BYTES;
  for (let i = used - 1; i >= lowest; i--, end += 2) put16(out, end, groups[i] as number);
  return end;
}

/**
 * The usual number: at most four groups, which stay in registers.
 * @param value an integer below 10^16, whose last `fractionGroups` groups are behind the point
 */
function writeDouble(out: Buffer, at: number, value: number, fractionGroups: number, scale: number): number {
  let upper = 0;
  let lower = value;
  if (value >= BASE_SQUARED) {
    upper = Math.floor(value / BASE_SQUARED);
    lower = value - upper * BASE_SQUARED;
  }
  const third = (upper / BASE) | 0;
  const second = upper - third * BASE;
  const first = (lower / BASE) | 0;
  const zeroth = lower - first * BASE;
  const used = third !== 0 ? 4 : second !== 0 ? 3 : first !== 0 ? 2 : zeroth !== 0 ? 1 : 0;
  const lowest = zeroth !== 0 ? 0 : first !== 0 ? 1 : second !== 0 ? 2 : third !== 0 ? 3 : 0;
  writeHead(out, at, used - lowest, used === 0 ? 0 : used - 1 - fractionGroups, POSITIVE, scale);
  let end = at + HEAD_BYTES;
  if (used > 3) end = put16(out, end, third);
  if (used > 2 && lowest < 3) end = put16(out, end, second);
  if (used > 1 && lowest < 2) end = put16(out, end, first);
  if (used > 0 && lowest === 0) end = put16(out, end, zeroth);
  return end;
}

function writeHead(out: Buffer, at: number, digits: number, weight: number, sign: number, scale: number): void {
  put16(out, at, digits);
  put16(out, at + 2, weight);
  put16(out, at + 4, sign);
  put16(out, at + 6, scale);
}

/** Big-endian; byte by byte, which costs a third of what Buffer's methods do. */
function put16(out: Uint8Array, at: number, value: number): number {
  out[at] = value >>> 8;
  out[at + 1] = value;
  return at + 2;
}

function splitBig(magnitude: bigint, shift: number): number {
  let rest = magnitude * (BIG_POWERS[shift] ?? 1n);
  let used = 0;
  while (rest > 0n) {
    if (used === MAX_GROUPS) throw new Error('A number of the projection has more than 250 digits.');
    groups[used++] = Number(rest % BASE_BIG);
    rest /= BASE_BIG;
  }
  return used;
}
