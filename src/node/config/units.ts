/** Reading of durations, sizes and addresses as an operator writes them. Every function throws `OptionError` with a sentence for people. */

/** A bad flag, environment variable or configuration key; the process says it in one line and exits with status 2. */
export class OptionError extends Error {
  override readonly name = 'OptionError';
}

const DURATION_UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

const SIZE_UNITS: Readonly<Record<string, number>> = {
  b: 1,
  k: 1_000,
  kb: 1_000,
  kib: 1_024,
  m: 1_000_000,
  mb: 1_000_000,
  mib: 1_048_576,
  g: 1_000_000_000,
  gb: 1_000_000_000,
  gib: 1_073_741_824,
};

/** `75`, `75ms`, `1.5s`, `10m`, `24h`, `7d` → whole milliseconds; a bare number is milliseconds. */
export function parseDuration(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)?$/.exec(text.trim());
  const factor = DURATION_UNITS[match?.[2] ?? 'ms'];
  if (!match || factor === undefined) {
    throw new OptionError(`"${text}" is not a duration: write a number with a unit, such as 75ms, 10s, 24h or 7d`);
  }
  const value = Math.round(Number(match[1]) * factor);
  if (!Number.isSafeInteger(value)) throw new OptionError(`"${text}" is too long a duration`);
  return value;
}

/** `300ms-600ms`, `300-600ms` or one duration (then the upper end is twice the lower) → `[low, high]` in milliseconds. */
export function parseDurationRange(text: string): readonly [number, number] {
  const parts = text.split(/\s*[-–]\s*/);
  if (parts.length === 1) {
    const low = parseDuration(text);
    return [low, low * 2];
  }
  const [first, second, extra] = parts;
  if (first === undefined || second === undefined || extra !== undefined) {
    throw new OptionError(`"${text}" is not a range of durations: write it as 300ms-600ms`);
  }
  const unit = /[a-z]+$/.exec(second.trim())?.[0] ?? 'ms';
  const low = parseDuration(/[a-z]$/.test(first.trim()) ? first : `${first}${unit}`);
  const high = parseDuration(second);
  if (low >= high) throw new OptionError(`"${text}" is an empty range: its lower end must be below its upper end`);
  return [low, high];
}

/** `1048576`, `1MiB`, `64 MiB`, `2GB` → whole bytes. */
export function parseSize(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([kmg]?i?b?)$/i.exec(text.trim());
  const unit = match?.[2]?.toLowerCase();
  const factor = unit === undefined ? undefined : unit === '' ? 1 : SIZE_UNITS[unit];
  if (!match || factor === undefined) {
    throw new OptionError(`"${text}" is not a size: write a number of bytes, or one with a unit such as 64MiB`);
  }
  const value = Math.round(Number(match[1]) * factor);
  if (!Number.isSafeInteger(value)) throw new OptionError(`"${text}" is too large a size`);
  return value;
}

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** `127.0.0.1:8300`, `node1:8300`, `[::1]:8300`; a port of 0 asks the system for a free one. */
export function parseAddress(text: string): HostPort {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:\s[\]]+)):(\d{1,5})$/.exec(text.trim());
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host === undefined || !(port >= 0 && port <= 65_535)) {
    throw new OptionError(`"${text}" is not an address: write host:port, such as 127.0.0.1:8300 or [::1]:8300`);
  }
  return { host, port };
}

export function formatAddress(address: HostPort): string {
  return address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}

/** All spellings that a listener takes for "every address": `0.0.0.0`, its short forms `0` and `0.0`, `::`, `::ffff:0.0.0.0`. */
export function isWildcard(host: string): boolean {
  return /^(::ffff:)?[0.:]+$/i.test(host);
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);
}
