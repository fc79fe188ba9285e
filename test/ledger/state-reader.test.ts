import { createLedger, LedgerUnderTest, openAccount, packed, transfer, uuid, uuidBytes } from './ledger-under-test';

describe('reading the state', () => {
  test('accounts in pages, in the order of their handles, of one ledger or of all', () => {
    const ledger = LedgerUnderTest.withAccounts('a', 'b');
    ledger.do(createLedger('EUR'), openAccount('eva', { ledger: 'EUR' }), openAccount('c'));
    const { reader } = ledger.state;
    const names = (...args: Parameters<typeof reader.accountsFrom>): string[] =>
      reader.accountsFrom(...args).map((one) => one.name);
    expect(names(0, 10)).toEqual(['bank', 'a', 'b', 'eva', 'c']);
    expect(names(2, 2)).toEqual(['a', 'b']);
    expect(names(4, 2, 'USD')).toEqual(['c']);
    expect(names(1, 10, 'EUR')).toEqual(['eva']);
    expect(names(1, 10, 'XTS')).toEqual([]);
    expect(names(6, 10)).toEqual([]);
  });

  test('what does not exist is undefined', () => {
    const { reader } = LedgerUnderTest.withAccounts('a').state;
    expect(reader.account('nobody')).toBeUndefined();
    for (const handle of [0, -1, 3, 1.5, NaN, 2 ** 40]) {
      expect(reader.accountByHandle(handle)).toBeUndefined();
      expect(reader.balance(handle)).toBeUndefined();
    }
    expect(reader.transferById({ kind: 'uuid', bytes: uuidBytes(1) })).toBeUndefined();
    expect(reader.transferById({ kind: 'text', text: 'x' })).toBeUndefined();
    // The words of a text id under another kind of id are not that id.
    expect(reader.ledger('')).toBeUndefined();
  });

  test('a transfer in full, whichever way it came', () => {
    const ledger = LedgerUnderTest.withAccounts('alice');
    ledger.do(
      transfer({
        id: 'order 1',
        from: 'bank',
        to: 'alice',
        amount: '1.5',
        code: 3,
        userData: 4n,
        metadata: Buffer.from('m'),
      }),
    );
    const at = { offset: ledger.offset - 1, timestamp: ledger.time };
    ledger.rows([packed(9, 1, 2, 2n ** 70n, { code: 2 ** 32 - 1, userData: 2n ** 64n - 1n })]);
    const { reader } = ledger.state;
    const common = {
      debitHandle: 1,
      creditHandle: 2,
      debitAccount: 'bank',
      creditAccount: 'alice',
      ledger: reader.ledger('USD'),
      kind: 'plain',
      balancing: false,
      refersTo: undefined,
      hold: undefined,
      reversedBy: [],
      timeoutMs: 0,
      effectiveTime: undefined,
      importedTime: undefined,
      group: undefined,
    };
    expect(reader.transferById({ kind: 'text', text: 'order 1' })).toEqual({
      ...common,
      ...at,
      id: 'order 1',
      amount: '1.50',
      moved: 150n,
      code: 3,
      userData: 4n,
      metadata: Buffer.from('m'),
      result: 0,
    });
    expect(reader.transferById({ kind: 'uuid', bytes: uuidBytes(9) })).toEqual({
      ...common,
      id: uuid(9),
      amount: '11805916207174113034.24',
      moved: 2n ** 70n,
      code: 2 ** 32 - 1,
      userData: 2n ** 64n - 1n,
      metadata: Buffer.alloc(0),
      offset: ledger.offset - 1,
      timestamp: ledger.time,
      result: 0,
    });
  });

  test('an amount that was refused without a ledger is shown as it was given', () => {
    const ledger = LedgerUnderTest.withAccounts('alice');
    const shown = (id: string): unknown => ledger.state.reader.transferById({ kind: 'text', text: id })?.amount;
    ledger.transfer({ id: 'text', from: 'x', to: 'y', amount: '100' });
    ledger.transfer({ id: 'minor', from: 'x', to: 'y', amount: 150n });
    ledger.transfer({ id: 'precise', from: 'x', to: 'alice', amount: '0.0625' });
    expect([shown('text'), shown('minor'), shown('precise')]).toEqual(['100', '150', '0.0625']);
  });

  test('what comes back is a copy', () => {
    const ledger = LedgerUnderTest.withAccounts();
    ledger.do(openAccount('m', { metadata: Buffer.from('abc') }));
    ledger.state.reader.account('m')?.metadata.fill(0);
    expect(ledger.state.reader.account('m')?.metadata.toString()).toBe('abc');
  });

  test('counts results, repeats apart', () => {
    const ledger = LedgerUnderTest.withAccounts('a');
    const command = { id: 'x', from: 'bank', to: 'a', amount: '1' };
    for (let i = 0; i < 3; i++) ledger.transfer(command);
    ledger.transfer({ ...command, amount: '2' });
    ledger.rows([packed(1, 1, 2, 1n), packed(2, 2, 1, 999n), packed(2, 2, 1, 999n)]);
    const counts = ledger.state.reader.counts();
    expect(counts).toMatchObject({ ledgers: 1, accounts: 2, transfers: 3, replayed: 3 });
    expect(counts.transfersByResult[0]).toBe(2);
    expect(counts.transfersByResult[6]).toBe(1);
    expect(counts.transfersByResult[11]).toBe(1);
  });
});
