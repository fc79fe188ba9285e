import {
  decodeOutcomeRow,
  encodeOutcomeRow,
  firstUnsoundOutcome,
  isOutcomeRowSet,
  sealOutcomes,
  type OutcomeRow,
} from '../../src/ledger/outcome-row';

const row: OutcomeRow = {
  result: 6,
  replayed: true,
  refusedBefore: true,
  openedDebit: false,
  openedCredit: true,
  ledgerNumber: 3,
  debitHandle: 2 ** 48 + 1,
  creditHandle: 5,
  offset: 2 ** 40,
  amount: 2n ** 100n,
  amountMoved: 2n ** 100n,
  timestamp: 1_700_000_000_000_000,
  scale: 18,
  effect: 'none',
  hold: 0,
};

test('an outcome is 64 bytes and comes back', () => {
  const bytes = encodeOutcomeRow(row);
  expect(bytes.toString('hex')).toBe(
    '0600' +
      '0d80' +
      '03000000' +
      '0100000000000100' +
      '0500000000000000' +
      '0000000000010000' +
      '00000000000000000000000010000000' +
      '00401e18240a0600' +
      '12000000' +
      '00000000',
  );
  expect(decodeOutcomeRow(bytes)).toEqual(row);
  const two = Buffer.concat([
    Buffer.alloc(64),
    encodeOutcomeRow({ ...row, offset: -1, replayed: false, openedDebit: true }),
  ]);
  expect(decodeOutcomeRow(two, 64)).toEqual({ ...row, offset: -1, replayed: false, openedDebit: true });
  expect([isOutcomeRowSet(two), isOutcomeRowSet(two, 64)]).toEqual([false, true]);
});

describe('sealed outcomes', () => {
  const rows = (): Buffer =>
    Buffer.concat([Buffer.alloc(64), encodeOutcomeRow(row), encodeOutcomeRow({ ...row, offset: 8, amountMoved: 7n })]);

  test('show every single flipped bit, and a row in the place of another; a gap is none', () => {
    const sealed = Buffer.from(Uint8Array.from(rows()).buffer);
    sealOutcomes(sealed, 2 ** 40);
    expect(firstUnsoundOutcome(sealed, 2 ** 40)).toBe(-1);
    expect(decodeOutcomeRow(sealed, 64)).toEqual(row);
    for (let bit = 0; bit < 64 * 8; bit++) {
      const at = 64 + (bit >> 3);
      sealed[at] = sealed[at]! ^ (1 << (bit & 7));
      expect(firstUnsoundOutcome(sealed, 2 ** 40)).toBe(1);
      sealed[at] = sealed[at] ^ (1 << (bit & 7));
    }
    expect(firstUnsoundOutcome(sealed, 2 ** 40 + 1)).toBe(1);
    expect(firstUnsoundOutcome(sealed.subarray(64), 2 ** 40 + 1)).toBe(-1);
  });

  test('wherever they lie in memory', () => {
    const sealed = Buffer.from(Uint8Array.from(rows()).buffer);
    sealOutcomes(sealed, 5);
    const odd = Buffer.concat([Buffer.alloc(1), sealed]).subarray(1);
    expect(firstUnsoundOutcome(odd, 5)).toBe(-1);
    expect(() => sealOutcomes(Buffer.from(new ArrayBuffer(65), 1, 64), 0)).toThrow('multiple of four');
  });
});

test.each([
  ['held', 0x8010, 0n],
  ['posted', 0x8020, 7n],
  ['posted_part', 0x8060, 7n],
  ['released', 0x8080, 0n],
] as const)('what was %s is told apart from what was moved', (effect, flags, amountMoved) => {
  const plain = { ...row, replayed: false, refusedBefore: false, openedCredit: false };
  const bytes = encodeOutcomeRow({ ...plain, amount: 7n, amountMoved, effect, hold: 2 ** 32 - 1 });
  expect(bytes.readUInt16LE(2)).toBe(flags);
  expect(decodeOutcomeRow(bytes)).toMatchObject({ amount: 7n, amountMoved, effect, hold: 2 ** 32 - 1 });
});
