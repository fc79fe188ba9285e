import { LedgerUnderTest, openAccount, pending, post, reversal, transfer, update, voids } from './ledger-under-test';

function paid(): LedgerUnderTest {
  const ledger = LedgerUnderTest.withAccounts('alice', 'bob', 'carol');
  ledger.do(transfer({ id: 'fund', from: 'bank', to: 'alice', amount: '10' }));
  expect(ledger.results(transfer({ id: 'pay', from: 'alice', to: 'bob', amount: '4' }))).toEqual(['ok']);
  return ledger;
}

describe('a reversal', () => {
  test('goes back the way of what it names, once, and both ends say so', () => {
    const ledger = paid();
    const command = reversal({ id: 'r', to: 'pay' });
    expect(ledger.do(command)).toMatchObject([{ result: 0, amountMoved: 400n, effect: 'none', hold: 0 }]);
    expect([ledger.posted('alice'), ledger.posted('bob')]).toEqual([1000n, 0n]);
    expect(ledger.do(command)).toMatchObject([{ result: 0, replayed: true, amountMoved: 400n }]);
    expect(ledger.results(reversal({ id: 'r2', to: 'pay', amount: '0.01' }))).toEqual([
      'reversed_transfer_amount_exceeded',
    ]);
    const read = (text: string): unknown => ledger.state.reader.transferById({ kind: 'text', text });
    expect(read('r')).toMatchObject({ kind: 'reversal', refersTo: 'pay', debitAccount: 'bob', creditAccount: 'alice' });
    expect(read('pay')).toMatchObject({ kind: 'plain', reversedBy: ['r'] });
    ledger.state.assertInvariants();
  });

  test('in parts, at most what was moved in all', () => {
    const ledger = paid();
    const results = ledger.results(
      reversal({ id: 'r1', to: 'pay', amount: '1.5' }),
      reversal({ id: 'r2', to: 'pay', amount: '2.51' }),
      reversal({ id: 'r2', to: 'pay', amount: '2' }),
      reversal({ id: 'r3', to: 'pay' }),
      reversal({ id: 'r3', to: 'pay', amount: 50n }),
    );
    expect(results).toEqual([
      'ok',
      'reversed_transfer_amount_exceeded',
      'ok',
      'reversed_transfer_amount_exceeded',
      'ok',
    ]);
    expect(ledger.state.reader.transferById({ kind: 'text', text: 'pay' })?.reversedBy).toEqual(['r1', 'r2', 'r3']);
    expect(ledger.posted('bob')).toBe(0n);
    ledger.state.assertInvariants();
  });

  test('the order of its rules', () => {
    const ledger = paid();
    ledger.do(
      pending({ id: 'hold', from: 'alice', to: 'bob', amount: '1' }),
      pending({ id: 'hold 2', from: 'alice', to: 'bob', amount: '1' }),
      voids({ id: 'void', to: 'hold' }),
      post({ id: 'post', to: 'hold 2' }),
      transfer({ id: 'refused', from: 'carol', to: 'bob', amount: '1' }),
      transfer({ id: 'away', from: 'bob', to: 'carol', amount: '5' }),
    );
    const results = ledger.results(
      reversal({ id: 'x', to: 'nothing', from: 'carol' }),
      reversal({ id: 'x', to: 'hold', from: 'carol' }),
      reversal({ id: 'x', to: 'void' }),
      reversal({ id: 'x', to: 'refused' }),
      reversal({ id: 'x', to: 'pay', from: 'alice', amount: '9' }),
      reversal({ id: 'x', to: 'pay', payee: 'carol', amount: '9' }),
      reversal({ id: 'x', to: 'pay', from: 'bob', ledger: 'XTS' }),
      reversal({ id: 'x', to: 'pay', amount: '0.001' }),
      reversal({ id: 'x', to: 'pay', amount: '9' }),
    );
    expect(results).toEqual([
      'reversed_transfer_not_found',
      'reversed_transfer_not_posted',
      'reversed_transfer_not_posted',
      'reversed_transfer_not_posted',
      'reversed_transfer_has_different_accounts',
      'reversed_transfer_has_different_accounts',
      'accounts_must_have_the_same_ledger',
      'amount_precision',
      'reversed_transfer_amount_exceeded',
    ]);
    // What stands against any transfer stands against it, and burns its id.
    ledger.do(update('alice', { closed: true }));
    expect(ledger.results(reversal({ id: 'x', to: 'pay' }))).toEqual(['credit_account_closed']);
    ledger.do(update('alice', { closed: false }));
    expect(ledger.results(reversal({ id: 'x', to: 'pay' }))).toEqual(['credit_account_closed']);
    expect(ledger.results(reversal({ id: 'x', to: 'post' }))).toEqual(['exists_with_different_reverses']);
    expect(ledger.results(reversal({ id: 'y', to: 'pay' }))).toEqual(['insufficient_funds']);
    expect(ledger.results(reversal({ id: 'z', to: 'away' }), reversal({ id: 'w', to: 'post' }))).toEqual(['ok', 'ok']);
    ledger.state.assertInvariants();
  });

  test('of a reversal is one as any other', () => {
    const ledger = paid();
    expect(ledger.results(reversal({ id: 'r', to: 'pay' }), reversal({ id: 'rr', to: 'r' }))).toEqual(['ok', 'ok']);
    expect(ledger.results(reversal({ id: 'r3', to: 'pay' }))).toEqual(['reversed_transfer_amount_exceeded']);
    expect(ledger.posted('bob')).toBe(400n);
  });
});

describe('a balancing transfer', () => {
  const balancing = (id: string, from: string, amount: string, flags = 8): ReturnType<typeof transfer> =>
    transfer({ id, from, to: 'carol', amount, flags });

  test('moves what is available, up to the amount; a repeat is known by what was asked for', () => {
    const ledger = paid();
    expect(ledger.do(balancing('a', 'alice', '100'))).toMatchObject([{ result: 0, amountMoved: 600n }]);
    expect(ledger.do(balancing('b', 'bob', '1'))).toMatchObject([{ result: 0, amountMoved: 100n }]);
    expect(ledger.do(balancing('a', 'alice', '100.0'))).toMatchObject([{ replayed: true, amountMoved: 600n }]);
    expect(ledger.results(balancing('a', 'alice', '6'))).toEqual(['exists_with_different_amount']);
    expect(ledger.results(balancing('c', 'alice', '1'))).toEqual(['insufficient_funds']);
    expect(ledger.state.reader.transferById({ kind: 'text', text: 'a' })).toMatchObject({
      amount: '100.00',
      moved: 600n,
    });
    ledger.state.assertInvariants();
  });

  test('down to the minimum, of what no hold has; without a minimum all of it', () => {
    const ledger = paid();
    ledger.do(openAccount('credit', { min: '-5' }), pending({ id: 'h', from: 'credit', to: 'bob', amount: '2' }));
    expect(ledger.do(balancing('a', 'credit', '100'), balancing('b', 'bank', '7'))).toMatchObject([
      { result: 0, amountMoved: 300n },
      { result: 0, amountMoved: 700n },
    ]);
    expect(ledger.balance('credit').available).toBe(0n);
  });

  test('may hold, and the payee has its limit all the same', () => {
    const ledger = paid();
    expect(ledger.do(balancing('a', 'alice', '100', 9))).toMatchObject([
      { effect: 'held', amount: 600n, amountMoved: 0n },
    ]);
    expect(ledger.do(post({ id: 'p', to: 'a' }))).toMatchObject([{ result: 0, amountMoved: 600n }]);
    ledger.do(openAccount('till', { max: '1' }));
    expect(ledger.results(transfer({ id: 'b', from: 'bob', to: 'till', amount: '9', flags: 8 }))).toEqual([
      'exceeds_max_balance',
    ]);
    ledger.state.assertInvariants();
  });
});
