/** Reading of arguments as people write them; what cannot be read is a UsageError that names the option. */
import { calendarMicros } from '../../api/calendar-time';
import { UsageError } from './terminal';

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `500ms`, `2s`, `1.5m`, `7d`; a bare number is milliseconds. */
export function durationMs(name: string, value: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)?$/.exec(value.trim());
  const ms = Math.round(Number(match?.[1]) * (UNITS[match?.[2] ?? 'ms'] ?? Number.NaN));
  if (Number.isSafeInteger(ms) && ms > 0) return ms;
  throw new UsageError(`${name}: "${value}" is not a duration above zero: write 500ms, 2s or 1m`);
}

export function wholeNumber(name: string, low: number, high: number): (value: string) => number {
  return (value) => {
    const number = /^\d{1,16}$/.test(value) ? Number(value) : Number.NaN;
    if (number >= low && number <= high) return number;
    throw new UsageError(`${name}: "${value}" is not a whole number from ${low} to ${high}`);
  };
}

/** A 64-bit integer without a sign. */
export function uint64(name: string): (value: string) => bigint {
  return (value) => {
    const number = /^\d{1,20}$/.test(value) ? BigInt(value) : -1n;
    if (number >= 0n && number < 2n ** 64n) return number;
    throw new UsageError(`${name}: "${value}" is not a whole number from 0 to 2^64 - 1`);
  };
}

/** A lower limit as the client takes it: `none` is null, nothing is nothing. What a decimal is, the ledger decides. */
export function limitOrNone(value: string | undefined): string | null | undefined {
  return value === 'none' ? null : value;
}

export type Point = { readonly offset: number } | { readonly time: number };

/** An offset, which is all digits, or a time as `timeMicros` reads it. */
export function point(name: string): (value: string) => Point {
  const time = timeMicros(name);
  return (value) => (/^\d{1,15}$/.test(value) ? { offset: Number(value) } : { time: time(value) });
}

/**
 * Microseconds since the Unix epoch: as a number of them, as a day (`2024-05-31`, its beginning in UTC), or as RFC 3339 has it
 * (`2024-05-31T12:00:00Z`). A time without its zone is none.
 */
export function timeMicros(name: string): (value: string) => number {
  return (value) => {
    if (/^\d{1,16}$/.test(value) && Number.isSafeInteger(Number(value))) return Number(value);
    const micros = calendarMicros(value);
    if (micros !== undefined && micros > 0) return micros;
    throw new UsageError(`${name}: "${value}" is no time: write 2024-05-31, 2024-05-31T12:00:00Z, or microseconds`);
  };
}
