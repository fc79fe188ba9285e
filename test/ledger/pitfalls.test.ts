import { encodeCommand } from '../../src/ledger/command-codec';
import { LedgerState } from '../../src/ledger/state';
import { encodeValues } from '../../src/log/chunk';
import { LedgerUnderTest, openAccount, transfer, uuid } from './ledger-under-test';

/** Faults that others shipped, by their number in the list that this project keeps of them. */

test('27: a retry at the next leader is answered from the state, also from a snapshot of it', () => {
  const ledger = LedgerUnderTest.withAccounts('alice');
  const command = transfer({ id: uuid(1), from: 'bank', to: 'alice', amount: '1' });
  ledger.do(command);
  const follower = ledger.replayed();
  const joined = LedgerState.restore(ledger.state.snapshot());
  const [answer] = ledger.do(command);
  expect(answer).toMatchObject({ result: 0, replayed: true });
  for (const next of [follower, joined]) {
    ledger.repeatOn(next, 2);
    expect(next.reader.balance(2)?.posted).toBe(100n);
    expect(next.hash()).toBe(ledger.state.hash());
  }
});

test('28: the same batches give the same bytes, whatever machine, moment or order of a hash table', () => {
  const ledger = LedgerUnderTest.withAccounts('alice', 'bob');
  for (let i = 0; i < 50; i++) {
    ledger.do(transfer({ id: i % 2 === 0 ? uuid(i) : `t-${i}`, from: 'bank', to: 'alice', amount: `${i + 1}` }));
  }
  const hashes = [0, 1, 0xffff_ffff].map((seed) => ledger.replayed(seed).hash());
  expect(new Set([...hashes, ledger.state.hash()]).size).toBe(1);
});

test('30: an id is unique in the whole ledger, and another payee under it is refused', () => {
  const ledger = LedgerUnderTest.withAccounts('alice', 'bob');
  expect(ledger.transfer({ id: uuid(1), from: 'bank', to: 'alice', amount: '1' })).toBe('ok');
  expect(ledger.transfer({ id: uuid(1), from: 'bank', to: 'bob', amount: '1' })).toBe(
    'exists_with_different_credit_account',
  );
  expect(ledger.transfer({ id: uuid(1), from: 'alice', to: 'bob', amount: '1' })).toBe(
    'exists_with_different_debit_account',
  );
  expect([ledger.posted('alice'), ledger.posted('bob')]).toEqual([100n, 0n]);
});

test('31: balances and ids live in one state: either both survive or neither', () => {
  const ledger = LedgerUnderTest.withAccounts('alice');
  ledger.do(transfer({ id: uuid(1), from: 'bank', to: 'alice', amount: '1' }));
  for (const state of [ledger.replayed(), LedgerState.restore(ledger.state.snapshot())]) {
    expect(state.reader.balance(2)?.posted).toBe(100n);
    expect(
      state.reader.transferById({ kind: 'uuid', bytes: Buffer.from(uuid(1).replaceAll('-', ''), 'hex') })?.moved,
    ).toBe(100n);
    state.assertInvariants();
  }
});

test('32: a bad record in the log is refused once, on every node alike, and what follows goes on', () => {
  const ledger = LedgerUnderTest.withAccounts('alice');
  const results = ledger.apply(
    encodeValues(1, [
      encodeCommand(transfer({ id: 'bad', from: 'bank', to: 'alice', amount: 'NaN' })),
      Buffer.from('{"amount": 1}'),
      encodeCommand(openAccount('')),
      encodeCommand(transfer({ id: 'good', from: 'bank', to: 'alice', amount: '1' })),
    ]),
  );
  expect(results.map((row) => row.result)).toEqual([21, 21, 21, 0]);
  expect(ledger.replayed().hash()).toBe(ledger.state.hash());
});
