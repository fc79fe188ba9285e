/** Decimal text and minor units, the long way. */
import { type AmountSpec } from '../../../src/ledger/command-codec';

export const LARGEST = 10n ** 38n - 1n;

interface Decimal {
  coefficient: bigint;
  digits: number;
}

export function readDecimal(text: string): Decimal {
  const [whole = '', fraction = ''] = text.split('.');
  return { coefficient: BigInt(whole + fraction), digits: fraction.length };
}

/** Without zeros that say nothing, so that equal decimals are equal texts. */
export function strip(text: string): string {
  const [whole = '', fraction = ''] = text.split('.');
  return `${whole.replace(/^0+/, '')}.${fraction.replace(/0+$/, '')}`;
}

export type AmountFault = 'amount_precision' | 'amount_too_large';

export function toMinor({ coefficient, digits }: Decimal, scale: number, halfUp: boolean): bigint | AmountFault {
  const divisor = 10n ** BigInt(Math.max(digits - scale, 0));
  const scaled = coefficient * 10n ** BigInt(Math.max(scale - digits, 0));
  if (scaled / divisor > LARGEST) return 'amount_too_large';
  if (scaled % divisor !== 0n && !halfUp) return 'amount_precision';
  const minor = scaled / divisor + (2n * (scaled % divisor) >= divisor && divisor > 1n ? 1n : 0n);
  return minor > LARGEST ? 'amount_too_large' : minor;
}

/** Minor units of an amount in a ledger, or why it has none. */
export function minorOf(amount: AmountSpec, ledger: { scale: number; halfUp: boolean }): bigint | AmountFault {
  return 'minor' in amount ? amount.minor : toMinor(readDecimal(amount.text), ledger.scale, ledger.halfUp);
}
