import { minus, narrowed, plus } from '../../../src/ledger/projection/exact-sum';
import { KnownAccount } from '../../../src/ledger/projection/known-account';
import { KnownAccounts } from '../../../src/ledger/projection/known-accounts';

const USD = {
  number: 1,
  code: 'USD',
  scale: 2,
  halfUp: false,
  defaultMinBalance: undefined,
  defaultMaxBalance: undefined,
};

const account = (handle: number) => new KnownAccount(handle, USD, { min: undefined, max: undefined, closed: false });

test('what is asked for stays, the rest goes, and only when it is told to', () => {
  const known = new KnownAccounts(4);
  for (let handle = 1; handle <= 6; handle++) known.add(account(handle));
  expect(known.find(1)).toBeDefined();
  known.forgetTheOldest();
  expect(known.find(2)).toBeDefined();
  known.add(account(7));
  known.forgetTheOldest();
  expect([1, 2, 3, 4, 5, 6, 7].filter((handle) => known.find(handle) !== undefined)).toEqual([2, 7]);
  expect(() => known.get(3)).toThrow('An outcome names account 3, which no earlier record of the log opened');
  expect(() => known.add(account(2))).toThrow('Account 2 is opened by the log for the second time');
});

test('many are found by handle, near each other, far apart, and beyond 32 bits', () => {
  const known = new KnownAccounts();
  const handles = Array.from({ length: 5_000 }, (_, i) => [i + 1, (i + 1) * 4096, 2 ** 32 * (i + 1) + 7]).flat();
  const distinct = [...new Set(handles)];
  for (const handle of distinct) known.add(account(handle));
  for (const handle of distinct) expect(known.find(handle)?.handle).toBe(handle);
  for (const handle of distinct) expect(known.find(handle + 0.5)).toBeUndefined();
  expect(known.find(0)).toBeUndefined();
  expect(known.find(2 ** 52)).toBeUndefined();
});

test.each([
  [1, 2],
  [Number.MAX_SAFE_INTEGER, 1],
  [Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  [10n ** 38n - 1n, 1],
  [2n ** 53n, 2n ** 53n],
])('sums are exact: %s and %s', (a, b) => {
  const sum = plus(a, b);
  expect(BigInt(sum)).toBe(BigInt(a) + BigInt(b));
  expect(minus(sum, b)).toBe(narrowed(BigInt(a)));
  expect(minus(sum, sum)).toBe(0);
});
