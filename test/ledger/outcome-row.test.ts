import { decodeOutcomeRow, encodeOutcomeRow, isOutcomeRowSet, type OutcomeRow } from '../../src/ledger/outcome-row';

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
  amountMoved: 2n ** 100n,
  timestamp: 1_700_000_000_000_000,
  scale: 18,
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
