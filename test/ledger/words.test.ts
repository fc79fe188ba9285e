import fc from 'fast-check';
import {
  add128,
  compare128,
  fromBigInt128,
  highWord,
  isZero128,
  joinSigned,
  joinWords,
  lowWord,
  multiplyAdd128,
  subtract128,
  toBigInt128,
  toBigInt64,
} from '../../src/ledger/words';
import { check } from './random-runs';

const MASK = 2n ** 128n - 1n;
const edges = fc.constantFrom(
  0n,
  1n,
  2n ** 32n - 1n,
  2n ** 32n,
  2n ** 52n,
  2n ** 64n - 1n,
  2n ** 96n,
  2n ** 127n,
  MASK,
);
const numbers = fc.oneof(fc.bigInt({ min: 0n, max: MASK }), edges);

test('128-bit numbers in words do what bigints do', () => {
  const property = fc.property(numbers, numbers, fc.integer({ min: 0, max: 1_000_000 }), (a, b, factor) => {
    const words = new Uint32Array(12);
    fromBigInt128(words, 1, a);
    fromBigInt128(words, 5, b);
    expect(toBigInt128(words, 1)).toBe(a);
    expect(compare128(words, 1, words, 5)).toBe(a < b ? -1 : a > b ? 1 : 0);
    expect(isZero128(words, 1)).toBe(a === 0n);
    add128(words, 1, words, 5);
    expect(toBigInt128(words, 1)).toBe((a + b) & MASK);
    multiplyAdd128(words, 5, factor, factor);
    expect(toBigInt128(words, 5)).toBe((b * BigInt(factor) + BigInt(factor)) & MASK);
    expect([words[0], words[9]]).toEqual([0, 0]);
  });
  check('words', 1000, property);
});

test('safe integers and -1 are two words and come back', () => {
  const integers = fc.oneof(fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }), fc.maxSafeNat(), fc.constant(-1));
  const property = fc.property(integers, (n) => {
    expect(joinSigned(lowWord(n), highWord(n))).toBe(n);
    if (n >= 0) expect(joinWords(lowWord(n), highWord(n))).toBe(n);
    expect(toBigInt64(lowWord(n), highWord(n))).toBe(BigInt.asUintN(64, BigInt(n)));
  });
  check('words', 500, property);
});

test('128 bits are taken away as bigints are', () => {
  const wide = fc.bigInt({ min: 0n, max: 2n ** 128n - 1n });
  fc.assert(
    fc.property(wide, wide, (a, b) => {
      const [more, less] = a > b ? [a, b] : [b, a];
      const words = new Uint32Array(9);
      fromBigInt128(words, 1, more);
      fromBigInt128(words, 5, less);
      subtract128(words, 1, words, 5);
      expect(toBigInt128(words, 1)).toBe(more - less);
      expect(words[0]).toBe(0);
    }),
  );
});
