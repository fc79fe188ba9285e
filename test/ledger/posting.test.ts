import { Hot } from '../../src/ledger/account-table';
import { InvariantViolation } from '../../src/ledger/invariant';
import { createLedger, LedgerUnderTest, openAccount, packed } from './ledger-under-test';

const SMALL = 2n ** 52n;

describe('posting', () => {
  test('small numbers and large ones give the same sums, across every boundary between them', () => {
    const ledger = LedgerUnderTest.withAccounts('a', 'b');
    const amounts = [
      SMALL - 1n,
      1n,
      SMALL,
      2n ** 32n,
      2n ** 32n - 1n,
      2n ** 53n,
      2n ** 64n - 1n,
      1n,
      2n ** 96n,
      7n,
      10n ** 37n,
    ];
    amounts.forEach((amount, i) => {
      const rows = ledger.rows([packed(2 * i + 1, 1, 2, amount), packed(2 * i + 2, 2, 3, amount)]);
      expect(rows.map((row) => [row.result, row.amountMoved])).toEqual([
        [0, amount],
        [0, amount],
      ]);
    });
    const sum = amounts.reduce((total, amount) => total + amount, 0n);
    expect(ledger.balance('a')).toMatchObject({ debitsPosted: sum, creditsPosted: sum, posted: 0n, version: 22 });
    expect(ledger.posted('b')).toBe(sum);
    ledger.state.assertInvariants();
  });

  test.each([100n, SMALL - 2n, SMALL - 1n, SMALL, 2n ** 53n, 2n ** 100n])(
    'limits hold to the last unit, at %s',
    (limit) => {
      const ledger = new LedgerUnderTest();
      ledger.do(
        createLedger('UNIT', { scale: 0 }),
        openAccount('bank', { ledger: 'UNIT', min: 'none' }),
        openAccount('payer', { ledger: 'UNIT', min: `-${limit}` }),
        openAccount('payee', { ledger: 'UNIT', max: `${limit}` }),
      );
      const [bank, payer, payee] = [1, 2, 3];
      const rows = ledger.rows([
        packed(1, payer, bank, limit + 1n),
        packed(2, payer, bank, limit - 1n),
        packed(3, payer, bank, 2n),
        packed(4, payer, bank, 1n),
        packed(5, payer, bank, 1n),
        packed(6, bank, payee, limit + 1n),
        packed(7, bank, payee, limit - 1n),
        packed(8, bank, payee, 2n),
        packed(9, bank, payee, 1n),
        packed(10, bank, payee, 1n),
        // Back to the other side of zero: what came in may go out again.
        packed(11, bank, payer, 3n),
        packed(12, payer, bank, 4n),
        packed(13, payer, bank, 3n),
        packed(14, payee, bank, 3n),
        packed(15, bank, payee, 4n),
        packed(16, bank, payee, 3n),
      ]);
      expect(rows.map((row) => row.result)).toEqual([6, 0, 6, 0, 6, 7, 0, 7, 0, 7, 0, 6, 0, 0, 7, 0]);
      expect([ledger.posted('payer'), ledger.posted('payee')]).toEqual([-limit, limit]);
      ledger.state.assertInvariants();
    },
  );

  test.each([SMALL - 1n, SMALL + 1n, 2n ** 53n + 1n, 2n ** 55n + 1n, 2n ** 64n + 1n, 2n ** 126n + 1n])(
    'the first transfer of an account may be of %s, to the unit',
    (amount) => {
      const ledger = LedgerUnderTest.withAccounts('a');
      ledger.rows([packed(1, 1, 2, amount)]);
      expect([ledger.posted('a'), ledger.posted('bank')]).toEqual([amount, -amount]);
    },
  );

  test('the version of a balance is 64 bits', () => {
    const ledger = LedgerUnderTest.withAccounts('a');
    const { hot } = ledger.tables.accounts;
    hot.writablePageOf(2)[hot.startOf(2) + Hot.VERSION] = 0xffff_ffff;
    ledger.rows([packed(1, 1, 2, 1n), packed(2, 1, 2, 1n)]);
    expect(ledger.balance('a').version).toBe(2 ** 32 + 1);
  });

  test.each([
    ['debit', SMALL],
    ['credit', SMALL],
    ['debit', 1n],
    ['credit', 1n],
  ])('a %s of %s that was written to a page which is no longer in the table stops the machine', (side, amount) => {
    const ledger = LedgerUnderTest.withAccounts('a');
    const { hot } = ledger.tables.accounts;
    const lost = side === 'debit' ? 1 : 2;
    hot.writablePageOf = (row) => (row === lost ? hot.pageOf(row).slice() : hot.pageOf(row));
    expect(() => ledger.transfer({ id: 'x', from: 'bank', to: 'a', amount })).toThrow(InvariantViolation);
  });

  test('the full check names what is wrong', () => {
    const damage = (change: (page: Uint32Array, start: number) => void): (() => void) => {
      const ledger = LedgerUnderTest.withAccounts('a');
      ledger.transfer({ id: 'x', from: 'bank', to: 'a', amount: '1' });
      const { hot } = ledger.tables.accounts;
      change(hot.writablePageOf(2), hot.startOf(2));
      return () => ledger.state.assertInvariants();
    };
    const set = (at: number, value: number) => (page: Uint32Array, start: number) => (page[start + at] = value);
    expect(damage(set(Hot.CREDITS_POSTED, 99))).toThrow('do not sum to zero');
    expect(damage(set(Hot.DEBITS_POSTED, 101))).toThrow('below its minimum');
    expect(damage(set(Hot.LEDGER, 9))).toThrow('a ledger that does not exist');
    expect(damage(set(Hot.CREDITS_POSTED + 3, 0xffff_ffff))).toThrow('more than 38 digits');
    expect(
      damage((page, start) => {
        page[start] = 50;
        page[start - 16] = 50;
      }),
    ).toThrow('not the sum of the transfers');
  });
});
