/** Amounts of up to 38 digits and scales of up to 18 against integers of any length, from the text to the balance and back. */
import fc from 'fast-check';
import { minorOf } from '../../src/cli/ledger/import/packable-rows';
import { formatMinor, MAX_MINOR, minorFromText } from '../../src/ledger/amounts';
import { resultName } from '../../src/ledger/result-codes';
import { createLedger, LedgerUnderTest, openAccount, packed, transfer, uuid } from './ledger-under-test';
import { check } from './random-runs';

const FILE = 'exactness';
const scales = fc.integer({ min: 0, max: 18 });

/** Where one representation of a number ends and the next one begins. */
const EDGES = [1n, 2n ** 32n, 2n ** 51n, 2n ** 52n, 2n ** 53n, 2n ** 63n, 2n ** 64n, 2n ** 96n, 10n ** 37n, 10n ** 38n];
const nearEdges = fc
  .tuple(fc.constantFrom(...EDGES), fc.integer({ min: -3, max: 3 }))
  .map(([edge, step]) => edge + BigInt(step))
  .filter((amount) => amount > 0n && amount <= MAX_MINOR);
const amounts = fc.oneof(
  nearEdges,
  fc.bigInt({ min: 1n, max: MAX_MINOR }),
  // Of every length alike: most numbers below 10^38 have 38 digits.
  fc.integer({ min: 1, max: 38 }).chain((digits) => fc.bigInt({ min: 1n, max: 10n ** BigInt(digits) - 1n })),
);

const digits = (most: number): fc.Arbitrary<string> =>
  fc.oneof(
    fc.stringMatching(new RegExp(`^[0-9]{0,${most}}$`)),
    fc.integer({ min: 0, max: most }).map((count) => '9'.repeat(count)),
    fc.integer({ min: 0, max: most }).map((count) => `${'0'.repeat(count)}5`.slice(-most)),
  );
const decimals = fc.tuple(digits(40), digits(22)).map(([whole, fraction]) => ({ whole: whole || '0', fraction }));

/** What a decimal comes to, by integers alone. A refusal is the name of one that it may have. */
function exactMinor(whole: string, fraction: string, scale: number, halfUp: boolean): bigint | RegExp {
  const significant = whole.replace(/^0+/, '');
  const behind = fraction.replace(/0+$/, '');
  const value = BigInt(whole + fraction);
  if (value === 0n) return /^amount_must_not_be_zero$/;
  if (significant.length > 38) return /^amount_too_large$/;
  // More than 38 digits in all are no amount in any ledger, and no rounding makes one of them.
  if (significant.length + behind.length > 38) return /^amount_(precision|too_large)$/;
  const unit = 10n ** BigInt(fraction.length);
  const scaled = value * 10n ** BigInt(scale);
  const [down, rest] = [scaled / unit, scaled % unit];
  if (down > MAX_MINOR) return /^amount_too_large$/;
  if (rest !== 0n && !halfUp) return /^amount_precision$/;
  const minor = 2n * rest >= unit ? down + 1n : down;
  if (minor === 0n) return /^amount_must_not_be_zero$/;
  return minor > MAX_MINOR ? /^amount_too_large$/ : minor;
}

test('text becomes minor units as integers of any length say, at the doors, in the state machine and in an import', () => {
  const property = fc.property(decimals, scales, fc.boolean(), ({ whole, fraction }, scale, halfUp) => {
    const text = fraction === '' ? whole : `${whole}.${fraction}`;
    const expected = exactMinor(whole, fraction, scale, halfUp);
    const ledger = new LedgerUnderTest();
    ledger.do(createLedger('X', { scale, rounding: halfUp ? 1 : 0, min: undefined }));
    ledger.do(openAccount('a', { ledger: 'X' }), openAccount('b', { ledger: 'X' }));
    const result = ledger.transfer({ id: 't', from: 'a', to: 'b', amount: text });
    const read = minorFromText(text, scale, halfUp ? 'half_up' : 'reject');
    if (typeof expected !== 'bigint') {
      expect('error' in read && read.error).toMatch(expected);
      expect(result).toMatch(expected);
      expect(ledger.posted('b')).toBe(0n);
    } else {
      expect(read).toEqual({ minor: expected });
      expect(result).toBe('ok');
      expect([ledger.posted('a'), ledger.posted('b')]).toEqual([-expected, expected]);
      // An import packs only what needs no rounding; what it packs is the same number.
      const packable = minorOf(text, scale);
      if (packable !== undefined) expect(packable).toBe(expected);
      const shown = formatMinor(expected, scale);
      expect(shown.replace('.', '').replace(/^0+(?=.)/, '')).toBe(expected.toString());
      expect(shown.length - 1 - shown.indexOf('.')).toBe(scale === 0 ? shown.length : scale);
      expect(minorFromText(shown, scale, 'reject')).toEqual({ minor: expected });
      expect(minorOf(shown, scale)).toBe(expected);
    }
  });
  check(FILE, 1_500, property);
});

interface Move {
  readonly from: number;
  readonly to: number;
  readonly amount: bigint;
}

const NAMES = ['bank', 'other', 'small', 'large'] as const;
/** Minimum and maximum: none, or in minor units. */
const LIMITS: readonly (readonly [bigint | undefined, bigint | undefined])[] = [
  [undefined, undefined],
  [-(2n ** 64n), undefined],
  [0n, 2n ** 52n],
  [-MAX_MINOR, MAX_MINOR],
];
const moves = fc.array(
  fc
    .record({ from: fc.integer({ min: 0, max: 3 }), to: fc.integer({ min: 0, max: 3 }), amount: amounts })
    .filter(({ from, to }) => from !== to),
  { minLength: 1, maxLength: 40 },
);

/** The same rules with integers of any length, for four accounts. */
class Exact {
  readonly debits = NAMES.map(() => 0n);
  readonly credits = NAMES.map(() => 0n);

  move({ from, to, amount }: Move): string {
    const [debits, credits] = [(this.debits[from] ?? 0n) + amount, (this.credits[to] ?? 0n) + amount];
    const [minimum] = LIMITS[from] ?? [];
    const [, maximum] = LIMITS[to] ?? [];
    if (minimum !== undefined && (this.credits[from] ?? 0n) - debits < minimum) return 'insufficient_funds';
    if (maximum !== undefined && credits - (this.debits[to] ?? 0n) > maximum) return 'exceeds_max_balance';
    if (debits > MAX_MINOR || credits > MAX_MINOR) return 'overflow';
    this.debits[from] = debits;
    this.credits[to] = credits;
    return 'ok';
  }
}

function withFourAccounts(): LedgerUnderTest {
  const ledger = new LedgerUnderTest();
  const limit = (minor: bigint | undefined): string => (minor === undefined ? 'none' : minor.toString());
  ledger.do(createLedger('X', { scale: 0 }));
  ledger.do(
    ...NAMES.map((name, i) =>
      openAccount(name, { ledger: 'X', min: limit(LIMITS[i]?.[0]), max: limit(LIMITS[i]?.[1]) }),
    ),
  );
  return ledger;
}

test('packed rows, messages in minor units and messages in decimals come to what integers of any length do', () => {
  const property = fc.property(moves, fc.boolean(), (list, inOneBatch) => {
    const exact = new Exact();
    const expected = list.map((move) => exact.move(move));
    const [fast, slow, text] = [withFourAccounts(), withFourAccounts(), withFourAccounts()];
    const parts = inOneBatch ? [list.map((move, i) => ({ ...move, i }))] : list.map((move, i) => [{ ...move, i }]);
    const results = { fast: [] as string[], slow: [] as string[], text: [] as string[] };
    for (const part of parts) {
      const rows = part.map(({ from, to, amount, i }) => packed(i + 1, from + 1, to + 1, amount));
      results.fast.push(...fast.rows(rows).map(({ result }) => resultName(result)));
      const inMinor = part.map(({ from, to, amount, i }) => ({ id: uuid(i + 1), from: from + 1, to: to + 1, amount }));
      results.slow.push(...slow.results(...inMinor.map(transfer)));
      const inText = part.map(({ from, to, amount, i }) => {
        return { id: uuid(i + 1), from: NAMES[from] ?? '', to: NAMES[to] ?? '', amount: amount.toString() };
      });
      results.text.push(...text.results(...inText.map(transfer)));
    }
    expect(results).toEqual({ fast: expected, slow: expected, text: expected });
    for (const ledger of [fast, slow, text]) {
      NAMES.forEach((name, i) => {
        expect(ledger.balance(name)).toMatchObject({ debitsPosted: exact.debits[i], creditsPosted: exact.credits[i] });
      });
      ledger.state.assertInvariants();
    }
    // Not only the same sums: the same state, to the byte.
    expect(slow.state.hash()).toBe(fast.state.hash());
    expect(text.state.hash()).toBe(fast.state.hash());
  });
  check(FILE, 400, property);
});

test('each edge, from below, at it and from above, in both directions', () => {
  for (const edge of EDGES) {
    for (const amount of [edge - 1n, edge, edge + 1n]) {
      if (amount < 1n || amount > MAX_MINOR) continue;
      const ledger = withFourAccounts();
      const rest = MAX_MINOR - amount;
      const names = ledger
        .rows([packed(1, 1, 4, amount), packed(2, 4, 1, amount)])
        .map(({ result }) => resultName(result));
      expect(names).toEqual(['ok', 'ok']);
      if (rest > 0n) expect(resultName(ledger.rows([packed(3, 1, 4, rest)])[0]!.result)).toBe('ok');
      // The totals of both are full: not one unit more, whatever the balances say.
      expect(resultName(ledger.rows([packed(4, 1, 4, 1n)])[0]!.result)).toBe('overflow');
      expect(ledger.balance('large')).toMatchObject({ creditsPosted: MAX_MINOR, debitsPosted: amount, posted: rest });
      expect(ledger.replayed(7).hash()).toBe(ledger.state.hash());
    }
  }
});
