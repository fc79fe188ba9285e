/**
 * Amounts at the edges: decimal text as people and programs write it, and integers in minor units as the ledger keeps
 * them. decimal.js reads exponents and rounds here; nothing in the state machine's own path uses it.
 */
import { Decimal } from 'decimal.js';
import { type ShapeError } from './result-codes';

/** Exact for every amount: 38 digits and the 18 of the largest scale are fewer than 60. */
const Exact = Decimal.clone({ precision: 60, rounding: Decimal.ROUND_HALF_UP, toExpNeg: -100, toExpPos: 100 });

export const MAX_DIGITS = 38;
export const MAX_SCALE = 18;
/** The largest number of minor units that an amount, a balance or a total can be: 38 nines. */
export const MAX_MINOR = 10n ** 38n - 1n;

export type Rounding = 'reject' | 'half_up';

/** The faults that an amount can have. */
export type AmountError = Extract<ShapeError, `amount_${string}`>;

const PLAIN = /^(\d+)(?:\.(\d+))?$/;
const SIGNED = /^(-?)(\d+(?:\.\d+)?)$/;
/** What the seed's endpoint reads: a sign, a bare point at either end, an exponent. No hexadecimal, no words. */
const WITH_EXPONENT = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
/** Longer text cannot be an amount of 38 digits, however it is padded; the bound keeps the work small. */
const MAX_TEXT = 128;

/**
 * Text of a plain decimal, `digits[.digits]`, in the only form that goes to the log: no leading zeros, no trailing zeros
 * after the point. `0.50` and `00.5` become `0.5`.
 * @returns `amount_invalid`, `amount_must_not_be_zero`, or, beyond 38 digits, `amount_too_large` (before the point) and
 * `amount_precision` (with those after it)
 */
export function normaliseAmount(text: string): { text: string } | { error: AmountError } {
  const parts = text.length <= MAX_TEXT ? PLAIN.exec(text) : null;
  if (parts === null) return { error: PLAIN.test(text) ? 'amount_too_large' : 'amount_invalid' };
  const whole = (parts[1] ?? '').replace(/^0+/, '');
  const fraction = (parts[2] ?? '').replace(/0+$/, '');
  if (whole === '' && fraction === '') return { error: 'amount_must_not_be_zero' };
  if (whole.length > MAX_DIGITS) return { error: 'amount_too_large' };
  if (whole.length + fraction.length > MAX_DIGITS) return { error: 'amount_precision' };
  return { text: (whole === '' ? '0' : whole) + (fraction === '' ? '' : `.${fraction}`) };
}

/**
 * Minor units of a plain decimal at a ledger's scale: `minorFromText('0.5', 2, 'reject')` is 50n. Rounding is half away
 * from zero.
 */
export function minorFromText(
  text: string,
  scale: number,
  rounding: Rounding,
): { minor: bigint } | { error: AmountError } {
  assertScale(scale);
  const normal = normaliseAmount(text);
  return 'error' in normal ? normal : minorFromDecimal(new Exact(normal.text), scale, rounding);
}

/**
 * Reads the amount of the REST endpoint, which alone accepts exponents, and finds faults in that endpoint's order:
 * `amount_invalid`, `amount_lt_min` (below the smallest unit, tested before any rounding), `amount_precision`, and
 * `amount_too_large`. The text that comes back is at the ledger's scale, as the answer shows it.
 */
export function minorFromRest(
  text: string,
  scale: number,
  rounding: Rounding,
): { minor: bigint; text: string } | { error: AmountError } {
  assertScale(scale);
  const trimmed = text.trim();
  if (!WITH_EXPONENT.test(trimmed)) return { error: 'amount_invalid' };
  const value = new Exact(trimmed);
  if (!value.isFinite()) return { error: 'amount_too_large' };
  if (value.lessThan(new Exact(10).pow(-scale))) return { error: 'amount_lt_min' };
  const read = minorFromDecimal(value, scale, rounding);
  return 'error' in read ? read : { minor: read.minor, text: formatMinor(read.minor, scale) };
}

function minorFromDecimal(
  value: Decimal,
  scale: number,
  rounding: Rounding,
): { minor: bigint } | { error: AmountError } {
  // First of all, so that no later step has to write out an exponent of millions.
  if (value.greaterThanOrEqualTo(new Exact(10).pow(MAX_DIGITS - scale))) return { error: 'amount_too_large' };
  const rounded = value.toDecimalPlaces(scale, Decimal.ROUND_HALF_UP);
  if (rounding === 'reject' && !rounded.equals(value)) return { error: 'amount_precision' };
  const minor = BigInt(rounded.times(new Exact(10).pow(scale)).toFixed(0));
  if (minor === 0n) return { error: 'amount_must_not_be_zero' };
  return minor > MAX_MINOR ? { error: 'amount_too_large' } : { minor };
}

/** Minor units as text with exactly `scale` digits after the point: -50n at scale 2 is `-0.50`, 7n at scale 0 is `7`. */
export function formatMinor(minor: bigint, scale: number): string {
  assertScale(scale);
  const sign = minor < 0n ? '-' : '';
  const digits = (minor < 0n ? -minor : minor).toString().padStart(scale + 1, '0');
  if (scale === 0) return sign + digits;
  return `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

/**
 * A limit as text in its only form: a minimum is at most zero (`-100.5`), a maximum at least zero. Undefined when it is
 * none of that or has more than 38 digits (`limits_invalid`).
 */
export function normaliseLimit(text: string, side: 'min' | 'max'): string | undefined {
  const parts = text.length <= MAX_TEXT ? SIGNED.exec(text) : null;
  if (parts === null) return undefined;
  const magnitude = normaliseAmount(parts[2] ?? '');
  if ('error' in magnitude) return magnitude.error === 'amount_must_not_be_zero' ? '0' : undefined;
  const negative = parts[1] === '-';
  if (negative !== (side === 'min')) return undefined;
  return negative ? `-${magnitude.text}` : magnitude.text;
}

/**
 * Minor units of a limit, with its sign. A limit is never rounded: more digits than the scale is `amount_precision`, more
 * than 38 digits at the scale `amount_too_large`, and a text that `normaliseLimit` does not read `limits_invalid`.
 */
export function minorFromLimit(
  text: string,
  side: 'min' | 'max',
  scale: number,
): bigint | AmountError | 'limits_invalid' {
  const normal = normaliseLimit(text, side);
  if (normal === undefined) return 'limits_invalid';
  if (normal === '0') return 0n;
  const read = minorFromText(normal.replace('-', ''), scale, 'reject');
  if ('error' in read) return read.error;
  return side === 'min' ? -read.minor : read.minor;
}

/** 16 bytes, little-endian, unsigned. */
export function u128ToBytes(value: bigint): Buffer {
  if (value < 0n || value >= 1n << 128n) throw new RangeError(`${value} does not fit 128 bits without a sign.`);
  const bytes = Buffer.alloc(16);
  bytes.writeBigUInt64LE(value & 0xffff_ffff_ffff_ffffn, 0);
  bytes.writeBigUInt64LE(value >> 64n, 8);
  return bytes;
}

export function u128FromBytes(bytes: Buffer, at = 0): bigint {
  return bytes.readBigUInt64LE(at) | (bytes.readBigUInt64LE(at + 8) << 64n);
}

/** 16 bytes, little-endian, two's complement: the form of a ledger's default limits. */
export function i128ToBytes(value: bigint): Buffer {
  return u128ToBytes(BigInt.asUintN(128, value));
}

export function i128FromBytes(bytes: Buffer, at = 0): bigint {
  return BigInt.asIntN(128, u128FromBytes(bytes, at));
}

function assertScale(scale: number): void {
  if (!Number.isInteger(scale) || scale < 0 || scale > MAX_SCALE) {
    throw new RangeError(`A scale is a whole number from 0 to ${MAX_SCALE}, not ${scale}.`);
  }
}
