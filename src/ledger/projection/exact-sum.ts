/** Minor units, exact: a number where it is a safe integer, as nearly all are, since bigints cost ten times as much. */
export type Quantity = number | bigint;

export function plus(a: Quantity, b: Quantity): Quantity {
  if (typeof a === 'number' && typeof b === 'number') {
    const sum = a + b;
    if (Number.isSafeInteger(sum)) return sum;
  }
  return BigInt(a) + BigInt(b);
}

export function minus(a: Quantity, b: Quantity): Quantity {
  if (typeof a === 'number' && typeof b === 'number') {
    const difference = a - b;
    if (Number.isSafeInteger(difference)) return difference;
  }
  return narrowed(BigInt(a) - BigInt(b));
}

export function narrowed(value: bigint): Quantity {
  const double = Number(value);
  return Number.isSafeInteger(double) ? double : value;
}
