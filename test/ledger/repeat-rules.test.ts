import { normaliseId } from '../../src/ledger/identifiers';
import { type OutcomeRow } from '../../src/ledger/outcome-row';
import { ResultCode, resultName } from '../../src/ledger/result-codes';
import { createLedger, LedgerUnderTest, openAccount, packed, transfer, uuid } from './ledger-under-test';

function first(rows: OutcomeRow[]): OutcomeRow {
  return rows[0] as OutcomeRow;
}

describe('the same content again', () => {
  test('gets the first answer, its offset and its time, and nothing moves', () => {
    const ledger = LedgerUnderTest.withAccounts('alice');
    const command = transfer({ id: uuid(1), from: 'bank', to: 'alice', amount: '0.5', metadata: Buffer.from('m') });
    const answer = first(ledger.do(command));
    const again = first(ledger.do(command));
    expect(again).toEqual({ ...answer, replayed: true });
    expect(ledger.posted('alice')).toBe(50n);
    expect(ledger.state.reader.counts()).toMatchObject({ transfers: 1, replayed: 1 });
  });

  test('0.5, 0.50 and 50 minor units are one amount; a name and its handle one account', () => {
    const ledger = LedgerUnderTest.withAccounts('alice');
    const [bank, alice] = [ledger.handle('bank'), ledger.handle('alice')];
    const ways = [
      transfer({ id: uuid(1), from: 'bank', to: 'alice', amount: '0.5' }),
      transfer({ id: uuid(1).toUpperCase(), from: bank, to: 'alice', amount: '0.50', ledger: 'USD' }),
      transfer({ id: uuid(1).replaceAll('-', ''), from: 'bank', to: alice, amount: 50n }),
    ];
    const rows = [...ways.flatMap((way) => ledger.do(way)), ...ledger.rows([packed(1, bank, alice, 50n)])];
    expect(rows.map((row) => [resultName(row.result), row.replayed])).toEqual([
      ['ok', false],
      ['ok', true],
      ['ok', true],
      ['ok', true],
    ]);
    expect(ledger.posted('alice')).toBe(50n);
  });

  test('where the ledger rounds, what rounds to the same is the same', () => {
    const ledger = new LedgerUnderTest();
    ledger.do(createLedger('USD', { autoOpen: true, rounding: 1, min: undefined }));
    const command = { id: 'r', from: 'a', to: 'b', ledger: 'USD' };
    expect(ledger.transfer({ ...command, amount: '1.009' })).toBe('ok');
    expect(first(ledger.do(transfer({ ...command, amount: '1.01' })))).toMatchObject({ result: 0, replayed: true });
    expect(ledger.transfer({ ...command, amount: '1.02' })).toBe('exists_with_different_amount');
  });

  test('the same id twice in a batch: the second is a repeat of the first', () => {
    const ledger = LedgerUnderTest.withAccounts('alice', 'bob');
    const [bank, alice, bob] = ['bank', 'alice', 'bob'].map((name) => ledger.handle(name)) as [number, number, number];
    const rows = ledger.rows([packed(1, bank, alice, 5n), packed(1, bank, alice, 5n), packed(1, bank, bob, 5n)]);
    expect(rows.map((row) => [resultName(row.result), row.replayed, row.offset])).toEqual([
      ['ok', false, ledger.offset - 3],
      ['ok', true, ledger.offset - 3],
      ['exists_with_different_credit_account', false, ledger.offset - 1],
    ]);
    expect([ledger.posted('alice'), ledger.posted('bob')]).toEqual([5n, 0n]);
  });

  test('a text id is itself, to the byte', () => {
    const ledger = LedgerUnderTest.withAccounts('alice');
    const ids = ['order-1', 'Order-1', 'order-1 ', 'é', 'e\u0301', 'x'.repeat(64)];
    for (const id of ids) {
      expect(first(ledger.do(transfer({ id, from: 'bank', to: 'alice', amount: '1' }))).replayed).toBe(false);
    }
    expect(ledger.posted('alice')).toBe(BigInt(ids.length) * 100n);
    const known = ledger.state.reader.transferById({ kind: 'text', text: 'order-1' });
    expect(known).toMatchObject({ id: 'order-1', amount: '1.00', debitAccount: 'bank', creditAccount: 'alice' });
  });
});

describe('a refused id is refused for ever', () => {
  test('insufficient_funds, also after the money came', () => {
    const ledger = LedgerUnderTest.withAccounts('alice', 'bob');
    const command = transfer({ id: uuid(1), from: 'alice', to: 'bob', amount: '1' });
    const refusal = first(ledger.do(command));
    ledger.transfer({ id: 'fund', from: 'bank', to: 'alice', amount: '10' });
    expect(first(ledger.do(command))).toEqual({ ...refusal, replayed: true, refusedBefore: true });
    expect(ledger.posted('bob')).toBe(0n);
  });

  test('closed, also after it was opened again', () => {
    const ledger = LedgerUnderTest.withAccounts('alice');
    ledger.tables.accounts.setClosed(ledger.handle('alice'), true);
    const command = { id: uuid(1), from: 'bank', to: 'alice', amount: '1' };
    expect(ledger.transfer(command)).toBe('credit_account_closed');
    ledger.tables.accounts.setClosed(ledger.handle('alice'), false);
    expect(ledger.transfer(command)).toBe('credit_account_closed');
    expect(ledger.transfer({ ...command, id: uuid(2) })).toBe('ok');
  });

  test.each([
    ['debit_account_not_found', { from: 'late', to: 'bank', amount: '1.50' }],
    ['credit_account_not_found', { from: 'bank', to: 'late', amount: '1.50' }],
    ['credit_account_not_found', { from: 'bank', to: 'late', amount: 150n }],
    ['debit_account_not_found', { from: 'late', to: 'later', amount: '1.50' }],
    ['debit_account_not_found', { from: 2, to: 3, amount: 150n }],
    ['debit_account_not_found', { from: 'late', to: 'later', amount: '1.50', ledger: 'NEW' }],
  ])('%s (case %#), also after the account was opened, by name or by handle', (name, rest) => {
    const ledger = LedgerUnderTest.withAccounts();
    const command = { id: uuid(1), ...rest };
    const refusal = first(ledger.do(transfer(command)));
    expect(resultName(refusal.result)).toBe(name);
    ledger.do(openAccount('late', { min: 'none' }), openAccount('later'));
    const again = first(ledger.do(transfer({ ...command, metadata: Buffer.alloc(0) })));
    expect(again).toEqual({ ...refusal, replayed: true, refusedBefore: true });
    const handle = (account: string | number): string | number =>
      typeof account === 'number' ? (['', 'bank', 'late', 'later'][account] as string) : ledger.handle(account);
    const [from, to] = [handle(command.from), handle(command.to)];
    expect(first(ledger.do(transfer({ ...command, from, to })))).toEqual(again);
    const amount = typeof command.amount === 'bigint' ? '1.5' : 150n;
    const inOtherUnits = first(ledger.do(transfer({ ...command, amount, ledger: '' })));
    expect(inOtherUnits).toEqual(again);
    expect(ledger.transfer({ ...command, amount: '1.51' })).toBe('exists_with_different_amount');
    expect(ledger.posted('late')).toBe(0n);
  });

  test('a precise amount that the ledger, once known, would refuse is still answered by the first refusal', () => {
    const ledger = LedgerUnderTest.withAccounts();
    const command = { id: uuid(1), from: 'bank', to: 'late', amount: '0.001' };
    expect(ledger.transfer(command)).toBe('credit_account_not_found');
    ledger.do(openAccount('late'));
    expect(ledger.transfer(command)).toBe('credit_account_not_found');
    expect(ledger.transfer({ ...command, amount: 1n })).toBe('exists_with_different_amount');
  });

  test('what it was is there to be read', () => {
    const ledger = LedgerUnderTest.withAccounts();
    ledger.transfer({ id: uuid(1), from: 'bank', to: 'nobody', amount: '0.5', code: 3, userData: 4n });
    ledger.transfer({ id: uuid(2), from: 77, to: 'nobody', amount: '0.125' });
    const read = (id: string): unknown =>
      ledger.state.reader.transferById(normaliseId(id) ?? { kind: 'text', text: id });
    expect(read(uuid(1))).toMatchObject({
      debitHandle: 1,
      debitAccount: 'bank',
      creditHandle: 0,
      creditAccount: 'nobody',
      ledger: { code: 'USD' },
      amount: '0.50',
      moved: 0n,
      code: 3,
      userData: 4n,
      result: ResultCode.CREDIT_ACCOUNT_NOT_FOUND,
    });
    expect(read(uuid(2))).toMatchObject({
      debitAccount: '#77',
      creditAccount: 'nobody',
      ledger: undefined,
      amount: '0.125',
    });
  });
});
