import { createLedger, LedgerUnderTest, openAccount, uuid } from './ledger-under-test';

/**
 * Each transfer here breaks every rule from some place on. What is answered must be the first of them; with that one mended,
 * the next one.
 */
function brokenEverywhere(): LedgerUnderTest {
  const ledger = LedgerUnderTest.withAccounts('poor', 'shut', 'rich');
  ledger.do(
    createLedger('EUR', { scale: 3 }),
    openAccount('eva', { ledger: 'EUR' }),
    openAccount('small', { max: '1' }),
    openAccount('closed payee', { max: '1' }),
  );
  for (const name of ['shut', 'closed payee']) ledger.tables.accounts.setClosed(ledger.handle(name), true);
  ledger.transfer({ id: 'fund', from: 'bank', to: 'rich', amount: '5' });
  ledger.transfer({ id: uuid(1), from: 'bank', to: 'rich', amount: '1', code: 1 });
  return ledger;
}

test('the first rule that applies wins', () => {
  const ledger = brokenEverywhere();
  const answers = [
    // Shape before idempotency: the id is known.
    ledger.transfer({ id: uuid(1), from: 'nobody', to: 'nobody', amount: '0', flags: 16 }),
    ledger.transfer({ id: uuid(1), from: 'nobody', to: 'nobody', amount: '0.001', flags: 16 }),
    ledger.transfer({ id: uuid(1), from: 'nobody', to: 'nobody', amount: '0.001' }),
    // Idempotency before everything that needs the accounts.
    ledger.transfer({ id: uuid(1), from: 'nobody', to: 'noone', amount: '0.001' }),
    // Accounts, the payer first; then that they belong together.
    ledger.transfer({ id: 'a', from: 'nobody', to: 'noone', amount: '0.001', ledger: 'XTS' }),
    ledger.transfer({ id: 'b', from: 'shut', to: 'noone', amount: '0.001', ledger: 'XTS' }),
    ledger.transfer({ id: 'c', from: 'shut', to: 'eva', amount: '0.001' }),
    ledger.transfer({ id: 'd', from: 'shut', to: 'closed payee', amount: '0.001', ledger: 'EUR' }),
    // What the amount is, at the scale that the ledger has.
    ledger.transfer({ id: 'e', from: 'shut', to: 'closed payee', amount: '0.001' }),
    // Closed, the payer first; then the limits, the payer first.
    ledger.transfer({ id: 'f', from: 'shut', to: 'closed payee', amount: '2' }),
    ledger.transfer({ id: 'g', from: 'poor', to: 'closed payee', amount: '2' }),
    ledger.transfer({ id: 'h', from: 'poor', to: 'small', amount: '2' }),
    ledger.transfer({ id: 'i', from: 'rich', to: 'small', amount: '2' }),
    ledger.transfer({ id: 'j', from: 'rich', to: 'small', amount: '1' }),
  ];
  expect(answers).toEqual([
    'amount_must_not_be_zero',
    'malformed_record',
    'accounts_must_be_different',
    'exists_with_different_debit_account',
    'debit_account_not_found',
    'credit_account_not_found',
    'accounts_must_have_the_same_ledger',
    'accounts_must_have_the_same_ledger',
    'amount_precision',
    'debit_account_closed',
    'credit_account_closed',
    'insufficient_funds',
    'exceeds_max_balance',
    'ok',
  ]);
});

test('one account under its name and under its handle is one account, whatever the id', () => {
  const ledger = brokenEverywhere();
  expect(ledger.transfer({ id: uuid(1), from: 'rich', to: ledger.handle('rich'), amount: '1' })).toBe(
    'accounts_must_be_different',
  );
});

test('fields of a known id are compared in one fixed order', () => {
  const ledger = brokenEverywhere();
  const first = { id: uuid(1), from: 'bank', to: 'rich', amount: '1', code: 1 };
  const other = {
    from: 'rich',
    to: 'poor',
    ledger: 'EUR',
    amount: '2',
    code: 2,
    userData: 1n,
    metadata: Buffer.from('x'),
  };
  const answers: string[] = [];
  const wrong: Partial<typeof other> = { ...other };
  for (const field of ['from', 'to', 'ledger', 'amount', 'code', 'userData', 'metadata'] as const) {
    answers.push(ledger.transfer({ ...first, ...wrong }));
    delete wrong[field];
  }
  answers.push(ledger.transfer({ ...first, ...wrong }));
  expect(answers).toEqual([
    'exists_with_different_debit_account',
    'exists_with_different_credit_account',
    'exists_with_different_ledger',
    'exists_with_different_amount',
    'exists_with_different_code',
    'exists_with_different_user_data',
    'exists_with_different_metadata',
    'ok',
  ]);
});
