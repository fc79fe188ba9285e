import { burnsId, ResultCode, resultName } from '../../src/ledger/result-codes';
import { createLedger, LedgerUnderTest, openAccount, packed, pending, transfer, uuid } from './ledger-under-test';

const FOR_EVER = 10n ** 38n - 1n;

function funded(): LedgerUnderTest {
  const ledger = LedgerUnderTest.withAccounts('alice', 'bob');
  ledger.transfer({ id: 'fund', from: 'bank', to: 'alice', amount: '10' });
  return ledger;
}

describe('a transfer that nothing stands against', () => {
  test('moves the amount, once, and answers what it did', () => {
    const ledger = funded();
    const [row] = ledger.do(transfer({ id: uuid(1), from: 'alice', to: 'bob', amount: '0.5' }));
    expect(row).toEqual({
      result: ResultCode.OK,
      replayed: false,
      refusedBefore: false,
      openedDebit: false,
      openedCredit: false,
      ledgerNumber: 1,
      debitHandle: ledger.handle('alice'),
      creditHandle: ledger.handle('bob'),
      offset: ledger.offset - 1,
      amount: 50n,
      amountMoved: 50n,
      timestamp: ledger.time,
      scale: 2,
      effect: 'none',
      hold: 0,
    });
    expect(ledger.posted('alice')).toBe(950n);
    expect(ledger.posted('bob')).toBe(50n);
    expect(ledger.balance('bob')).toMatchObject({ debitsPosted: 0n, creditsPosted: 50n, available: 50n, version: 1 });
    ledger.state.assertInvariants();
  });

  test('may name accounts by handle, and the ledger too', () => {
    const ledger = funded();
    const [from, to] = [ledger.handle('alice'), ledger.handle('bob')];
    expect(ledger.transfer({ id: 'a', from, to: 'bob', amount: 7n, ledger: 'USD' })).toBe('ok');
    expect(ledger.transfer({ id: 'b', from: 'alice', to, amount: '0.07' })).toBe('ok');
    expect(ledger.posted('bob')).toBe(14n);
  });

  test('each record of a batch sees what came before it', () => {
    const ledger = LedgerUnderTest.withAccounts('alice', 'bob');
    const rows = ledger.do(
      transfer({ id: 'early', from: 'alice', to: 'bob', amount: '1' }),
      transfer({ id: 'fund', from: 'bank', to: 'alice', amount: '1' }),
      transfer({ id: 'now', from: 'alice', to: 'bob', amount: '1' }),
    );
    expect(rows.map((row) => resultName(row.result))).toEqual(['insufficient_funds', 'ok', 'ok']);
  });
});

describe('every refusal', () => {
  const usd = (): LedgerUnderTest => {
    const ledger = funded();
    ledger.do(
      createLedger('EUR', { scale: 3 }),
      openAccount('eva', { ledger: 'EUR' }),
      openAccount('capped', { max: '1' }),
      openAccount('closed'),
    );
    ledger.tables.accounts.setClosed(ledger.handle('closed'), true);
    return ledger;
  };
  const cases: [string, Parameters<typeof transfer>[0]][] = [
    ['debit_account_not_found', { id: 'x', from: 'nobody', to: 'bob', amount: '1' }],
    ['debit_account_not_found', { id: 'x', from: 999, to: 'bob', amount: '1' }],
    ['credit_account_not_found', { id: 'x', from: 'alice', to: 'nobody', amount: '1' }],
    ['accounts_must_have_the_same_ledger', { id: 'x', from: 'alice', to: 'eva', amount: '1' }],
    ['accounts_must_have_the_same_ledger', { id: 'x', from: 'alice', to: 'bob', amount: '1', ledger: 'EUR' }],
    ['accounts_must_have_the_same_ledger', { id: 'x', from: 'alice', to: 'bob', amount: '1', ledger: 'XTS' }],
    ['amount_precision', { id: 'x', from: 'alice', to: 'bob', amount: '0.001' }],
    ['amount_too_large', { id: 'x', from: 'alice', to: 'bob', amount: '1' + '0'.repeat(36) }],
    ['amount_too_large', { id: 'x', from: 'alice', to: 'bob', amount: FOR_EVER + 1n }],
    ['amount_must_not_be_zero', { id: 'x', from: 'alice', to: 'bob', amount: '0' }],
    ['amount_must_not_be_zero', { id: 'x', from: 'alice', to: 'bob', amount: 0n }],
    ['accounts_must_be_different', { id: 'x', from: 'alice', to: 'alice', amount: '1' }],
    ['debit_account_closed', { id: 'x', from: 'closed', to: 'bob', amount: '1' }],
    ['credit_account_closed', { id: 'x', from: 'alice', to: 'closed', amount: '1' }],
    ['insufficient_funds', { id: 'x', from: 'alice', to: 'bob', amount: '10.01' }],
    ['exceeds_max_balance', { id: 'x', from: 'alice', to: 'capped', amount: '1.01' }],
    ['malformed_record', { id: 'x', from: 'alice', to: 'bob', amount: '1', flags: 16 }],
    ['malformed_record', { id: 'x', from: 'alice', to: 'bob', amount: '1e2' }],
    ['malformed_record', { id: 'x', from: 'alice', to: 'bob', amount: '-1' }],
    ['malformed_record', { id: 'x', from: 'alice', to: 'bob', amount: '1', metadata: Buffer.alloc(1025) }],
    ['malformed_record', { id: 'x'.repeat(65), from: 'alice', to: 'bob', amount: '1' }],
    ['malformed_record', { id: 'x', from: 'a\0b', to: 'bob', amount: '1' }],
    ['malformed_record', { id: 'x', from: 'alice', to: 'n'.repeat(129), amount: '1' }],
    ['malformed_record', { id: 'x', from: 'alice', to: 'bob', amount: '1', ledger: 'U S D' }],
    ['malformed_record', { id: '00000000-0000-0000-0000-000000000000', from: 'alice', to: 'bob', amount: '1' }],
  ];

  test.each(cases)('%s (case %#) moves nothing and burns the id only where it says so', (name, options) => {
    const ledger = usd();
    const before = ['alice', 'bob', 'capped', 'closed'].map((account) => ledger.posted(account));
    const [row] = ledger.do(transfer(options));
    expect(resultName(row?.result as ResultCode)).toBe(name);
    expect(row?.amountMoved).toBe(0n);
    expect(['alice', 'bob', 'capped', 'closed'].map((account) => ledger.posted(account))).toEqual(before);
    const known = ledger.state.reader.transferById({ kind: 'text', text: 'x' });
    expect(known?.result).toBe(burnsId(row?.result as ResultCode) ? row?.result : undefined);
    ledger.state.assertInvariants();
  });

  test('overflow: a total of 38 digits is full, and the id stays free', () => {
    const ledger = LedgerUnderTest.withAccounts('alice');
    ledger.do(openAccount('sink', { min: 'none' }));
    expect(ledger.transfer({ id: 'a', from: 'bank', to: 'alice', amount: FOR_EVER - 1n })).toBe('ok');
    expect(ledger.transfer({ id: 'b', from: 'bank', to: 'alice', amount: 2n })).toBe('overflow');
    expect(ledger.transfer({ id: 'c', from: 'bank', to: 'sink', amount: 2n })).toBe('overflow');
    expect(ledger.transfer({ id: 'd', from: 'sink', to: 'alice', amount: 2n })).toBe('overflow');
    expect(ledger.transfer({ id: 'b', from: 'bank', to: 'alice', amount: 1n })).toBe('ok');
    expect(ledger.posted('alice')).toBe(FOR_EVER);
    ledger.state.assertInvariants();
  });
});

describe('limits', () => {
  test('a minimum below zero is credit that may be used up to the last unit', () => {
    const ledger = LedgerUnderTest.withAccounts('bob');
    ledger.do(openAccount('alice', { min: '-5.00' }));
    expect(ledger.balance('alice').available).toBe(500n);
    expect(ledger.transfer({ id: 'a', from: 'alice', to: 'bob', amount: '5.01' })).toBe('insufficient_funds');
    expect(ledger.transfer({ id: 'b', from: 'alice', to: 'bob', amount: '5' })).toBe('ok');
    expect(ledger.balance('alice')).toMatchObject({ posted: -500n, available: 0n });
  });

  test('no minimum: nothing to report as available', () => {
    const ledger = LedgerUnderTest.withAccounts('bob');
    expect(ledger.balance('bank').available).toBeUndefined();
    expect(ledger.transfer({ id: 'a', from: 'bank', to: 'bob', amount: '99' })).toBe('ok');
  });

  test('a maximum may be reached, and what was debited makes room again', () => {
    const ledger = LedgerUnderTest.withAccounts('bob');
    ledger.do(openAccount('till', { max: '1' }));
    expect(ledger.transfer({ id: 'a', from: 'bank', to: 'till', amount: '1' })).toBe('ok');
    expect(ledger.transfer({ id: 'b', from: 'bank', to: 'till', amount: '0.01' })).toBe('exceeds_max_balance');
    expect(ledger.transfer({ id: 'c', from: 'till', to: 'bob', amount: '0.4' })).toBe('ok');
    expect(ledger.transfer({ id: 'd', from: 'bank', to: 'till', amount: '0.4' })).toBe('ok');
  });

  test('holds count: what is held for others cannot be spent, what is to come counts against the maximum', () => {
    const ledger = LedgerUnderTest.withAccounts('alice', 'bob');
    ledger.do(openAccount('till', { max: '10' }));
    ledger.transfer({ id: 'a', from: 'bank', to: 'alice', amount: '10' });
    ledger.do(pending({ id: 'hold', from: 'alice', to: 'till', amount: '4' }));
    expect(ledger.balance('alice')).toMatchObject({ posted: 1000n, debitsPending: 400n, available: 600n });
    const [alice, till] = [ledger.handle('alice'), ledger.handle('till')];
    const results = ledger.rows([
      packed(1, alice, ledger.handle('bob'), 601n),
      packed(2, alice, ledger.handle('bob'), 600n),
      packed(3, ledger.handle('bank'), till, 601n),
      packed(4, ledger.handle('bank'), till, 600n),
    ]);
    expect(results.map((row) => resultName(row.result))).toEqual([
      'insufficient_funds',
      'ok',
      'exceeds_max_balance',
      'ok',
    ]);
    ledger.state.assertInvariants();
  });
});

describe('auto_open', () => {
  const dev = (): LedgerUnderTest => {
    const ledger = new LedgerUnderTest();
    ledger.do(createLedger('USD', { autoOpen: true, rounding: 1, min: undefined }));
    return ledger;
  };

  test('opens at first use, the payer first', () => {
    const ledger = dev();
    const [row] = ledger.do(transfer({ id: uuid(1), from: 'Alice', to: 'Bob', amount: '0.5', ledger: 'USD' }));
    expect(row).toMatchObject({
      result: ResultCode.OK,
      openedDebit: true,
      openedCredit: true,
      debitHandle: 1,
      creditHandle: 2,
    });
    expect(ledger.posted('Alice')).toBe(-50n);
    expect(ledger.state.reader.account('Bob')).toMatchObject({
      openedAt: ledger.time,
      offset: 1,
      metadata: Buffer.alloc(0),
    });
    const [next] = ledger.do(transfer({ id: uuid(2), from: 'Bob', to: 'Carol', amount: '1', ledger: 'USD' }));
    expect(next).toMatchObject({ openedDebit: false, openedCredit: true, creditHandle: 3 });
  });

  test('only where the command names the ledger, and only by name', () => {
    const ledger = dev();
    expect(ledger.transfer({ id: 'a', from: 'Alice', to: 'Bob', amount: '1' })).toBe('debit_account_not_found');
    expect(ledger.transfer({ id: 'b', from: 7, to: 'Bob', amount: '1', ledger: 'USD' })).toBe(
      'debit_account_not_found',
    );
    ledger.do(openAccount('Alice'));
    expect(ledger.transfer({ id: 'c', from: 'Alice', to: 'Bob', amount: '1' })).toBe('credit_account_not_found');
  });

  test('a refused transfer leaves no account behind', () => {
    const ledger = new LedgerUnderTest();
    ledger.do(
      createLedger('USD', { autoOpen: true, max: 1000n }),
      createLedger('EUR'),
      openAccount('eva', { ledger: 'EUR' }),
      openAccount('bank', { min: 'none', max: 'none' }),
    );
    const refused = [
      ledger.transfer({ id: 'a', from: 'Alice', to: 'Bob', amount: '1', ledger: 'USD' }),
      ledger.transfer({ id: 'b', from: 'Alice', to: 'eva', amount: '1', ledger: 'USD' }),
      ledger.transfer({ id: 'c', from: 'bank', to: 'Bob', amount: '10.01', ledger: 'USD' }),
      ledger.transfer({ id: 'd', from: 'bank', to: 'Bob', amount: '0.001', ledger: 'USD' }),
    ];
    expect(refused).toEqual([
      'insufficient_funds',
      'accounts_must_have_the_same_ledger',
      'exceeds_max_balance',
      'amount_precision',
    ]);
    expect(ledger.state.reader.counts().accounts).toBe(2);
    expect(ledger.transfer({ id: 'e', from: 'bank', to: 'Bob', amount: '10', ledger: 'USD' })).toBe('ok');
  });

  test('rounds half away from zero where the ledger says so, and refuses what rounds to nothing', () => {
    const ledger = dev();
    const at = { from: 'Alice', to: 'Bob', ledger: 'USD' };
    expect(ledger.transfer({ id: 'a', ...at, amount: '1.009' })).toBe('ok');
    expect(ledger.posted('Bob')).toBe(101n);
    expect(ledger.transfer({ id: 'b', ...at, amount: '0.005' })).toBe('ok');
    expect(ledger.posted('Bob')).toBe(102n);
    expect(ledger.transfer({ id: 'c', ...at, amount: '0.0049999' })).toBe('amount_must_not_be_zero');
  });
});
