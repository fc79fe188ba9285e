import fc from 'fast-check';
import {
  formatMinor,
  i128FromBytes,
  i128ToBytes,
  MAX_MINOR,
  minorFromLimit,
  minorFromRest,
  minorFromText,
  normaliseAmount,
  normaliseLimit,
  u128FromBytes,
  u128ToBytes,
} from '../../src/ledger/amounts';
import { DecimalBytes } from '../../src/ledger/decimal-bytes';
import { ResultCode, resultName } from '../../src/ledger/result-codes';
import { toBigInt128 } from '../../src/ledger/words';
import { check } from './random-runs';

const NINES = '9'.repeat(38);

describe('plain decimals', () => {
  test.each([
    ['0.50', '0.5'],
    ['00.5', '0.5'],
    ['007', '7'],
    ['10', '10'],
    ['1.000', '1'],
    [NINES, NINES],
    [`0.${NINES}`, `0.${NINES}`],
    [`${'0'.repeat(60)}1.5${'0'.repeat(60)}`, '1.5'],
  ])('%s is %s', (text, normal) => expect(normaliseAmount(text)).toEqual({ text: normal }));

  test.each([
    ['', 'amount_invalid'],
    ['.5', 'amount_invalid'],
    ['5.', 'amount_invalid'],
    ['+1', 'amount_invalid'],
    ['-1', 'amount_invalid'],
    ['1e3', 'amount_invalid'],
    ['1,000', 'amount_invalid'],
    [' 1', 'amount_invalid'],
    ['٣', 'amount_invalid'],
    ['1.2.3', 'amount_invalid'],
    ['x'.repeat(200), 'amount_invalid'],
    ['0', 'amount_must_not_be_zero'],
    ['0.000', 'amount_must_not_be_zero'],
    [`1${NINES}`, 'amount_too_large'],
    ['1'.repeat(1000), 'amount_too_large'],
    [`1.${NINES}`, 'amount_precision'],
  ])('%s: %s', (text, error) => expect(normaliseAmount(text)).toEqual({ error }));
});

describe('minor units', () => {
  test.each([
    ['0.5', 2, 'reject', 50n],
    ['7', 0, 'reject', 7n],
    ['0.000000000000000001', 18, 'reject', 1n],
    [NINES, 0, 'reject', MAX_MINOR],
    [`${'9'.repeat(20)}.${'9'.repeat(18)}`, 18, 'reject', MAX_MINOR],
    ['1.005', 2, 'half_up', 101n],
    ['1.0049', 2, 'half_up', 100n],
    ['0.5', 0, 'half_up', 1n],
  ] as const)('%s at scale %i, %s: %s', (text, scale, rounding, minor) => {
    expect(minorFromText(text, scale, rounding)).toEqual({ minor });
  });

  test.each([
    ['0.001', 2, 'reject', 'amount_precision'],
    ['0.004', 2, 'half_up', 'amount_must_not_be_zero'],
    ['0.4', 0, 'half_up', 'amount_must_not_be_zero'],
    [NINES, 1, 'half_up', 'amount_too_large'],
    [`${'9'.repeat(37)}.5`, 0, 'half_up', undefined],
    [`${'9'.repeat(36)}.99`, 1, 'half_up', undefined],
  ] as const)('%s at scale %i, %s: %s', (text, scale, rounding, error) => {
    const read = minorFromText(text, scale, rounding);
    expect('error' in read ? read.error : undefined).toBe(error);
  });

  test('a scale beyond 0 to 18 is a fault of the program', () => {
    for (const scale of [-1, 19, 1.5]) {
      expect(() => minorFromText('1', scale, 'reject')).toThrow(RangeError);
      expect(() => formatMinor(1n, scale)).toThrow(RangeError);
    }
  });

  test.each([
    [-50n, 2, '-0.50'],
    [50n, 2, '0.50'],
    [0n, 2, '0.00'],
    [7n, 0, '7'],
    [-7n, 0, '-7'],
    [1n, 18, '0.000000000000000001'],
    [MAX_MINOR, 18, `${'9'.repeat(20)}.${'9'.repeat(18)}`],
  ])('%s at scale %i is written %s', (minor, scale, text) => expect(formatMinor(minor, scale)).toBe(text));
});

describe('exact to 38 digits', () => {
  const scales = fc.integer({ min: 0, max: 18 });
  const minors = fc.oneof(fc.bigInt({ min: 1n, max: MAX_MINOR }), fc.bigInt({ min: 1n, max: 10n ** 9n }));

  test('what is written is read back', () => {
    const property = fc.property(minors, scales, (minor, scale) => {
      expect(minorFromText(formatMinor(minor, scale), scale, 'reject')).toEqual({ minor });
      expect(u128FromBytes(u128ToBytes(minor))).toBe(minor);
      expect(i128FromBytes(i128ToBytes(-minor))).toBe(-minor);
    });
    check('amounts', 500, property);
  });

  test('the state machine reads text as the doors do', () => {
    const digits = (max: number): fc.Arbitrary<string> => fc.stringMatching(new RegExp(`^[0-9]{1,${max}}$`));
    const texts = fc.oneof(
      digits(42),
      fc.tuple(digits(40), digits(22)).map(([whole, fraction]) => `${whole}.${fraction}`),
      fc.tuple(digits(4), digits(4)).map(([whole, fraction]) => `${whole}.${fraction}`),
      fc.string({ unit: fc.constantFrom('0', '1', '9', '.', '-', 'e', ' '), maxLength: 8 }),
    );
    const property = fc.property(texts, scales, fc.boolean(), (text, scale, halfUp) => {
      const door = minorFromText(text, scale, halfUp ? 'half_up' : 'reject');
      expect(kernelReads(text, scale, halfUp)).toEqual('error' in door ? door.error : door.minor);
    });
    check('amounts', 3000, property);
  });
});

function kernelReads(text: string, scale: number, halfUp: boolean): bigint | string {
  const decimal = new DecimalBytes();
  // In the middle of other bytes, as in a record.
  const bytes = Buffer.from(`99${text}.9`);
  if (!decimal.scan(bytes, 2, Buffer.byteLength(text))) return 'amount_invalid';
  const fault = decimal.faultAtAnyScale();
  if (fault !== ResultCode.OK) return resultName(fault);
  const words = new Uint32Array(5);
  const read = decimal.readMinor(scale, halfUp, words, 1);
  return read === ResultCode.OK ? toBigInt128(words, 1) : resultName(read);
}

describe("the REST endpoint's amounts", () => {
  test.each([
    ['0.5', { minor: 50n, text: '0.50' }],
    [' 1e2 ', { minor: 10_000n, text: '100.00' }],
    ['1E-2', { minor: 1n, text: '0.01' }],
    ['.5', { minor: 50n, text: '0.50' }],
    ['5.', { minor: 500n, text: '5.00' }],
    ['+5', { minor: 500n, text: '5.00' }],
    ['0.01', { minor: 1n, text: '0.01' }],
    ['', { error: 'amount_invalid' }],
    ['one', { error: 'amount_invalid' }],
    ['0x10', { error: 'amount_invalid' }],
    ['Infinity', { error: 'amount_invalid' }],
    ['NaN', { error: 'amount_invalid' }],
    ['1_000', { error: 'amount_invalid' }],
    ['0', { error: 'amount_lt_min' }],
    ['-1', { error: 'amount_lt_min' }],
    ['0.009', { error: 'amount_lt_min' }],
    ['1e-30', { error: 'amount_lt_min' }],
    ['1e-999999999', { error: 'amount_lt_min' }],
    ['1.009', { error: 'amount_precision' }],
    ['1e999999999', { error: 'amount_too_large' }],
    ['1e99999999999999999999', { error: 'amount_too_large' }],
    [NINES, { error: 'amount_too_large' }],
  ])('%j with reject', (text, read) => expect(minorFromRest(text, 2, 'reject')).toEqual(read));

  test('rounds half away from zero where the ledger does', () => {
    expect(minorFromRest('1.009', 2, 'half_up')).toEqual({ minor: 101n, text: '1.01' });
    expect(minorFromRest('0.009', 2, 'half_up')).toEqual({ error: 'amount_lt_min' });
    expect(minorFromRest(`1.${'3'.repeat(90)}`, 2, 'half_up')).toEqual({ minor: 133n, text: '1.33' });
  });

  test('text of any length takes no time to speak of', () => {
    expect(minorFromRest('9'.repeat(500_000), 2, 'half_up')).toEqual({ error: 'amount_too_large' });
  });
});

describe('limits', () => {
  test.each([
    ['-100.50', 'min', '-100.5'],
    ['0', 'min', '0'],
    ['-0.00', 'min', '0'],
    ['0', 'max', '0'],
    ['250', 'max', '250'],
    ['5', 'min', undefined],
    ['-5', 'max', undefined],
    ['1e3', 'max', undefined],
    ['', 'max', undefined],
    ['--5', 'min', undefined],
    ['9'.repeat(39), 'max', undefined],
    ['9'.repeat(999), 'max', undefined],
  ] as const)('%s as %s is %s', (text, side, normal) => expect(normaliseLimit(text, side)).toBe(normal));

  test('are read at the scale and never rounded', () => {
    expect(minorFromLimit('-100.5', 'min', 2)).toBe(-10_050n);
    expect(minorFromLimit('100.5', 'max', 2)).toBe(10_050n);
    expect(minorFromLimit('0', 'max', 2)).toBe(0n);
    expect(minorFromLimit('0.001', 'max', 2)).toBe('amount_precision');
    expect(minorFromLimit(NINES, 'max', 2)).toBe('amount_too_large');
    expect(minorFromLimit('x', 'max', 2)).toBe('limits_invalid');
  });
});

test('numbers beyond 128 bits are not cut', () => {
  expect(() => u128ToBytes(-1n)).toThrow(RangeError);
  expect(() => u128ToBytes(2n ** 128n)).toThrow(RangeError);
});
