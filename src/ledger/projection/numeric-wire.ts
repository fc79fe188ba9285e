/**
 * Postgres' binary form of `numeric` (src/backend/utils/adt/numeric.c, numeric_send): four 16-bit numbers, namely how
 * many digits to base 10,000, the weight of the first of them, the sign, and how many decimals are shown; then the digits.
 */

const BASE = 10_000;
const BASE_BIG = 10_000n;
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
  const fractionGroups = Math.ceil(scale / DIGITS_PER_GROUP);
  const shift = fractionGroups * DIGITS_PER_GROUP - scale;
  const used =
    magnitude <= EXACT_IN_DOUBLE ? splitDouble(Number(magnitude), shift) : splitBig(BigInt(magnitude), shift);

  let lowest = 0;
  while (lowest < used && groups[lowest] === 0) lowest++;
  put16(out, at, used - lowest);
  put16(out, at + 2, used === 0 ? 0 : used - 1 - fractionGroups);
  put16(out, at + 4, negative ? NEGATIVE : POSITIVE);
  put16(out, at + 6, scale);
  let end = at + HEAD_BYTES;
  for (let i = used - 1; i >= lowest; i--, end += 2) put16(out, end, groups[i] as number);
  return end;
}

/** Big-endian; byte by byte, which costs a third of what Buffer's methods do. */
function put16(out: Uint8Array, at: number, value: number): void {
  out[at] = value >>> 8;
  out[at + 1] = value;
}

function splitDouble(magnitude: number, shift: number): number {
  let rest = magnitude * (POWERS[shift] ?? 1);
  let used = 0;
  while (rest > 0) {
    const quotient = Math.floor(rest / BASE);
    groups[used++] = rest - quotient * BASE;
    rest = quotient;
  }
  return used;
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
