/** What a comparison expects a column to hold, as Postgres prints it in UTC, with ISO dates and bytes in hexadecimal. */
import { formatMinor } from '../amounts';

/** Null: nothing is in the column. Undefined: whatever is in it is not compared here. */
export type Expected = string | null | undefined;

/** How a comparison has values printed, and nobody hurries it while the log is gone through. */
export const PRINTED = `
  SET LOCAL TimeZone = 'UTC';
  SET LOCAL DateStyle = 'ISO';
  SET LOCAL bytea_output = 'hex';
  SET LOCAL idle_in_transaction_session_timeout = 0;
`;

/** The first thing in the transaction of a comparison: it sees one state of the database throughout. */
export const COMPARING = `SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY;${PRINTED}`;

const MICROS_PER_MILLI = 1_000;
const MICROS_PER_SECOND = 1_000_000;
/** Of `2024-05-31T00:00:00`. */
const UP_TO_SECONDS = 19;

/** @param micros since the Unix epoch; what is no exact number of them is later than all books */
export function timeText(micros: number): string {
  if (!Number.isSafeInteger(micros)) return 'infinity';
  const iso = new Date(Math.floor(micros / MICROS_PER_MILLI)).toISOString();
  const within = ((micros % MICROS_PER_SECOND) + MICROS_PER_SECOND) % MICROS_PER_SECOND;
  const fraction = within === 0 ? '' : `.${String(within).padStart(6, '0').replace(/0+$/, '')}`;
  return `${iso.slice(0, UP_TO_SECONDS).replace('T', ' ')}${fraction}+00`;
}

export function timeOrNull(micros: number | undefined): string | null {
  return micros === undefined ? null : timeText(micros);
}

export function bytesText(bytes: Uint8Array): string {
  return `\\x${Buffer.from(bytes).toString('hex')}`;
}

/** @param minor undefined: none */
export function minorOrNull(minor: bigint | undefined, scale: number): string | null {
  return minor === undefined ? null : formatMinor(minor, scale);
}

/** Of amounts that are left out where they are nothing. */
export function amountOrNull(minor: bigint, scale: number): string | null {
  return minor === 0n ? null : formatMinor(minor, scale);
}

/** Of a handle or a number that begins with 1. */
export function numberOrNull(number: number): string | null {
  return number === 0 ? null : String(number);
}
