import { encodeCommand } from '../../src/ledger/command-codec';
import { resultName } from '../../src/ledger/result-codes';
import { LedgerState } from '../../src/ledger/state';
import { encodeValues } from '../../src/log/chunk';
import {
  createLedger,
  LedgerUnderTest,
  linked,
  openAccount,
  pending,
  post,
  reversal,
  transfer,
  uuid,
} from './ledger-under-test';

function funded(): LedgerUnderTest {
  const ledger = LedgerUnderTest.withAccounts('alice', 'bob', 'carol');
  ledger.do(transfer({ id: 'fund', from: 'bank', to: 'alice', amount: '10' }));
  return ledger;
}

const pay = (id: string, from: string, to: string, amount: string): ReturnType<typeof transfer> =>
  transfer({ id, from, to, amount });

describe('a linked group', () => {
  test('is done as a whole, each member seeing those before it', () => {
    const ledger = funded();
    const group = linked('g', pay('a', 'alice', 'bob', '10'), pay('b', 'bob', 'carol', '10'));
    const rows = ledger.do(...group);
    expect(rows.map((row) => [resultName(row.result), row.amountMoved, row.offset])).toEqual([
      ['ok', 1000n, ledger.offset - 2],
      ['ok', 1000n, ledger.offset - 1],
    ]);
    expect(ledger.posted('carol')).toBe(1000n);
    expect(ledger.do(...group)).toEqual(rows.map((row) => ({ ...row, replayed: true })));
    expect(ledger.state.reader.transferById({ kind: 'text', text: 'a' })?.group).toBe('g');
    ledger.state.assertInvariants();
  });

  test('fails as a whole and leaves nothing: money, ids, accounts, holds, reversals, texts', () => {
    const ledger = funded();
    ledger.do(
      createLedger('XTS', { autoOpen: true, min: undefined }),
      pending({ id: 'h', from: 'alice', to: 'bob', amount: '1' }),
    );
    const bytes = ledger.tables.arena.bytes;
    const counts = ledger.state.reader.counts();
    const before = ['alice', 'bob', 'bank'].map((name) => ledger.balance(name));
    const group = linked(
      uuid(1),
      transfer({ id: 'new', from: 'x', to: 'y', amount: '1', ledger: 'XTS', metadata: Buffer.from('m') }),
      pay('a', 'bank', 'alice', '1'),
      pending({ id: 'h2', from: 'alice', to: 'bob', amount: '1', timeoutMs: 1 }),
      post({ id: 'p', to: 'h2', amount: '0.5' }),
      post({ id: 'p2', to: 'h' }),
      reversal({ id: 'r', to: 'fund', amount: '1' }),
      pay('late', 'bob', 'carol', '0.001'),
      pay('rest', 'bank', 'bob', '1'),
    );
    expect(ledger.results(...group)).toEqual([
      ...Array.from({ length: 6 }, () => 'linked_transfer_failed'),
      'amount_precision',
      'linked_transfer_failed',
    ]);
    expect(['alice', 'bob', 'bank'].map((name) => ledger.balance(name))).toEqual(before);
    expect(ledger.tables.arena.bytes).toBe(bytes);
    expect(ledger.state.reader.counts()).toMatchObject({ accounts: counts.accounts, transfers: counts.transfers });
    expect(ledger.state.reader.nextExpiry()).toBeUndefined();
    ledger.state.assertInvariants();
    expect(LedgerState.restore(ledger.state.snapshot()).hash()).toBe(ledger.state.hash());
    // Not a refusal that could change, so that nothing was burned: mended, the same group is done.
    const mended = linked(uuid(1), ...group.slice(0, 6), pay('late', 'bob', 'carol', '0.01'));
    expect(new Set(ledger.results(...mended))).toEqual(new Set(['ok']));
    ledger.state.assertInvariants();
    expect(ledger.replayed(4).hash()).toBe(ledger.state.hash());
  });

  test('refused for a reason that could change it is refused for ever, and only the member to blame is burned', () => {
    const ledger = funded();
    const group = linked(
      'g',
      pay('a', 'alice', 'bob', '1'),
      pay('b', 'carol', 'bob', '5'),
      pay('c', 'alice', 'bob', '1'),
    );
    const rows = ledger.do(...group);
    const names = ['linked_transfer_failed', 'insufficient_funds', 'linked_transfer_failed'];
    expect(rows.map((row) => resultName(row.result))).toEqual(names);
    ledger.do(pay('fund 2', 'bank', 'carol', '100'));
    expect(ledger.do(...group)).toEqual(rows.map((row) => ({ ...row, replayed: true, refusedBefore: true })));
    expect(ledger.results(pay('b', 'carol', 'bob', '5'))).toEqual(['insufficient_funds']);
    expect(ledger.results(pay('a', 'alice', 'bob', '1'), pay('c', 'alice', 'bob', '1'))).toEqual(['ok', 'ok']);
    // Another group with the burned id gets its refusal, and is not remembered for it.
    const other = linked('g2', pay('d', 'alice', 'bob', '1'), pay('b', 'carol', 'bob', '5'));
    expect(ledger.results(...other)).toEqual(['linked_transfer_failed', 'insufficient_funds']);
    expect(ledger.results(...linked('g2', pay('d', 'alice', 'bob', '1')))).toEqual(['ok']);
    ledger.state.assertInvariants();
  });

  test('a member that refers to an account which the group itself would have opened is kept as it was named', () => {
    const ledger = funded();
    ledger.do(createLedger('XTS', { autoOpen: true }));
    const at = { ledger: 'XTS', amount: '1' };
    ledger.do(createLedger('OUT', { autoOpen: true, min: undefined }));
    const group = linked(
      'g',
      transfer({ id: 'a', from: 'm', to: 'n', amount: '1', ledger: 'OUT' }),
      transfer({ id: 'b', from: 'x', to: 'y', ...at }),
    );
    expect(ledger.results(...group)).toEqual(['linked_transfer_failed', 'insufficient_funds']);
    expect(ledger.state.reader.account('m')).toBeUndefined();
    const view = ledger.state.reader.transferById({ kind: 'text', text: 'b' });
    expect(view).toMatchObject({ debitHandle: 0, debitAccount: 'x', creditAccount: 'y', group: 'g' });
    expect(ledger.results(...group)).toEqual(['linked_transfer_failed', 'insufficient_funds']);
  });

  test('a member id that is known fails it: exists, what differs, or its own refusal; twice in a group as well', () => {
    const ledger = funded();
    ledger.do(pay('known', 'alice', 'bob', '1'));
    expect(ledger.results(...linked('g', pay('a', 'alice', 'bob', '1'), pay('known', 'alice', 'bob', '1')))).toEqual([
      'linked_transfer_failed',
      'exists',
    ]);
    expect(ledger.results(...linked('g', pay('known', 'alice', 'carol', '1')))).toEqual([
      'exists_with_different_credit_account',
    ]);
    expect(ledger.results(...linked('g', pay('a', 'alice', 'bob', '1'), pay('a', 'alice', 'bob', '1')))).toEqual([
      'linked_transfer_failed',
      'exists',
    ]);
    expect(ledger.results(pay('a', 'alice', 'bob', '1'))).toEqual(['ok']);
  });

  test('other content under its id is told; the same in other words is the same', () => {
    const ledger = funded();
    const [alice, bob] = [ledger.handle('alice'), ledger.handle('bob')];
    const members = [pay('a', 'alice', 'bob', '0.50'), pay('b', 'alice', 'carol', '1')];
    const rows = ledger.do(...linked('g', ...members));
    const words = [
      transfer({ id: 'a', from: alice, to: bob, amount: 50n, ledger: 'USD' }),
      members[1] as (typeof members)[0],
    ];
    expect(ledger.do(...linked('g', ...words))).toEqual(rows.map((row) => ({ ...row, replayed: true })));
    const different = ['exists_with_different_transfers', 'exists_with_different_transfers'];
    expect(ledger.results(...linked('g', ...[...members].reverse()))).toEqual(different);
    expect(ledger.results(...linked('g', pay('a', 'alice', 'bob', '0.51'), members[1] as (typeof members)[0]))).toEqual(
      different,
    );
    expect(ledger.results(...linked('g', members[0] as (typeof members)[0]))).toEqual(different.slice(1));
    // A member asked for on its own is the transfer that was done.
    expect(ledger.do(members[0] as (typeof members)[0])).toMatchObject([{ result: 0, replayed: true }]);
    ledger.state.assertInvariants();
  });

  test('its id is not a transfer id', () => {
    const ledger = funded();
    expect(ledger.results(...linked('fund', pay('g', 'alice', 'bob', '1')))).toEqual(['ok']);
    expect(ledger.results(...linked('g', pay('x', 'alice', 'bob', '1')))).toEqual(['ok']);
  });
});

describe('records that begin as a group and are none', () => {
  const group = linked('g', pay('a', 'alice', 'bob', '1'), pay('b', 'alice', 'bob', '1')).map(encodeCommand);
  const other = linked('h', pay('c', 'alice', 'bob', '1'), pay('d', 'alice', 'bob', '1')).map(encodeCommand);
  const alone = encodeCommand(pay('e', 'alice', 'bob', '1'));
  const [a, b, c, d] = [...group, ...other] as [Buffer, Buffer, Buffer, Buffer];
  test.each([
    ['cut off by the chunk', [a], [21]],
    ['without a beginning', [b], [21]],
    ['in another order', [b, a], [21, 21]],
    ['of two groups', [a, d], [21, 21]],
    ['with another record between', [a, alone, b], [21, 0, 21]],
    ['with what is no transfer', [a, encodeCommand(openAccount('z')), alone], [21, 0, 0]],
    ['and one that is, behind them', [a, c, d], [21, 0, 0]],
    ['with an end too many', [a, b, b], [0, 0, 21]],
  ])('%s are refused one by one', (_, records, results) => {
    const ledger = funded();
    expect(ledger.apply(encodeValues(1, records)).map((row) => row.result)).toEqual(results);
    ledger.state.assertInvariants();
    expect(ledger.replayed().hash()).toBe(ledger.state.hash());
  });
});

test('a group that fails while a snapshot is being read does not touch what the snapshot says', () => {
  const ledger = funded();
  const then = ledger.state.hash();
  const pieces: Buffer[] = [];
  let n = 0;
  for (const piece of ledger.state.snapshot()) {
    pieces.push(Buffer.from(piece));
    ledger.do(...linked(`g${n++}`, pay(`a${n}`, 'alice', 'bob', '0.01'), pay(`b${n}`, 'carol', 'bob', '5')));
  }
  expect(LedgerState.restore(pieces).hash()).toBe(then);
  expect(ledger.replayed().hash()).toBe(ledger.state.hash());
  expect(ledger.posted('bob')).toBe(0n);
});
