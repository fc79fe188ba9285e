/** Decimal text as Postgres prints it, and integers in minor units. */
import { formatMinor } from '../../amounts';

/** @param scale at least as many digits as the text has after its point */
export function minorOf(text: string | null | undefined, scale: number): bigint {
  if (text === null || text === undefined) return 0n;
  const [whole = '', fraction = ''] = text.split('.');
  if (fraction.length > scale) throw new RangeError(`"${text}" has more than ${scale} digits after its point.`);
  return BigInt(whole + fraction.padEnd(scale, '0'));
}

export function atScale(text: string | null | undefined, scale: number): string {
  return formatMinor(minorOf(text, scale), scale);
}

/** A whole number that a double holds exactly. */
export function whole(text: string | null | undefined): number {
  const value = Number(text);
  if (text === null || text === undefined || text === '' || !Number.isSafeInteger(value)) {
    throw new Error(`The database answered "${text}" where a whole number was expected.`);
  }
  return value;
}
