import { type Command, encodeCommand } from '../../src/ledger/command-codec';
import { parseUuid } from '../../src/ledger/identifiers';
import { resultName } from '../../src/ledger/result-codes';
import { LedgerState } from '../../src/ledger/state';
import { encodeValues } from '../../src/log/chunk';
import { LedgerUnderTest, openAccount, packed, pending, transfer, update, uuid } from './ledger-under-test';

describe('changes of an account', () => {
  test('close an account for packed rows too', () => {
    const ledger = LedgerUnderTest.withAccounts('alice', 'bob');
    const result = (n: number, from: number, to: number): string =>
      ledger.rows([packed(n, from, to, 100n)]).map((row) => resultName(row.result))[0] ?? '';
    expect([result(1, 1, 2), result(2, 1, 3)]).toEqual(['ok', 'ok']);
    ledger.do(update('alice', { closed: true }));
    expect([result(3, 1, 2), result(4, 2, 3), result(5, 1, 3)]).toEqual([
      'credit_account_closed',
      'debit_account_closed',
      'ok',
    ]);
    ledger.do(update('alice', { closed: false }));
    expect([result(3, 1, 2), result(6, 1, 2)]).toEqual(['credit_account_closed', 'ok']);
  });

  test('close and reopen, each as often as one likes', () => {
    const ledger = LedgerUnderTest.withAccounts('alice');
    const pay = (id: string): string => ledger.transfer({ id, from: 'bank', to: 'alice', amount: '1' });
    const [row] = ledger.do(update('alice', { closed: true }));
    expect(row).toMatchObject({ result: 0, creditHandle: 2, ledgerNumber: 1, replayed: false });
    expect(ledger.results(update('alice', { closed: true }))).toEqual(['ok']);
    expect(ledger.state.reader.account('alice')?.closed).toBe(true);
    expect(pay('a')).toBe('credit_account_closed');
    ledger.do(update('alice', { closed: false }));
    expect([pay('b'), pay('a')]).toEqual(['ok', 'credit_account_closed']);
    expect(ledger.results(update('nobody', { closed: true }))).toEqual(['account_not_found']);
  });

  test('limits that the balance and its holds are within', () => {
    const ledger = LedgerUnderTest.withAccounts('alice', 'bob');
    ledger.do(
      transfer({ id: 'a', from: 'bank', to: 'alice', amount: '10' }),
      pending({ id: 'h', from: 'alice', to: 'bob', amount: '4' }),
    );
    expect(
      ledger.results(
        update('bank', { min: '-9.99' }),
        update('bank', { min: '-10' }),
        update('bob', { max: '3.99' }),
        update('bob', { max: '4' }),
        update('alice', { max: '9.99' }),
        update('alice', { max: '10', min: '-1' }),
        update('alice', { min: '-0.001' }),
        update('alice', { max: '1' + '0'.repeat(37) }),
        update('alice', { min: 'none', max: 'none' }),
      ),
    ).toEqual([
      'limit_violated',
      'ok',
      'limit_violated',
      'ok',
      'limit_violated',
      'ok',
      'amount_precision',
      'amount_too_large',
      'ok',
    ]);
    expect(ledger.state.reader.account('bob')).toMatchObject({ minBalance: 0n, maxBalance: 400n });
    expect(ledger.transfer({ id: 'b', from: 'bank', to: 'alice', amount: '0.01' })).toBe('insufficient_funds');
    ledger.state.assertInvariants();
    expect(LedgerState.restore(ledger.state.snapshot()).hash()).toBe(ledger.state.hash());
  });

  test('all of a change or nothing of it', () => {
    const ledger = LedgerUnderTest.withAccounts('alice');
    ledger.do(transfer({ id: 'a', from: 'bank', to: 'alice', amount: '10' }));
    expect(ledger.results(update('alice', { closed: true, max: '1' }))).toEqual(['limit_violated']);
    expect(ledger.state.reader.account('alice')).toMatchObject({ closed: false, maxBalance: undefined });
  });
});

describe('times of their own', () => {
  test('history that is imported keeps its time, and the ledger its own', () => {
    const ledger = LedgerUnderTest.withAccounts('alice');
    ledger.do({ ...openAccount('old'), importedTime: 5 } as Command);
    const command = transfer({ id: 'a', from: 'bank', to: 'old', amount: '1', importedTime: 7, effectiveTime: 6 });
    const [row] = ledger.do(command);
    expect(row).toMatchObject({ result: 0, timestamp: ledger.time });
    expect(ledger.state.reader.account('old')).toMatchObject({ importedTime: 5, openedAt: ledger.time - 1000 });
    expect(ledger.state.reader.transferById({ kind: 'text', text: 'a' })).toMatchObject({
      importedTime: 7,
      effectiveTime: 6,
      timestamp: row?.timestamp,
    });
    expect(
      ledger.results({ ...command, importedTime: 8 } as Command, { ...command, effectiveTime: 8 } as Command),
    ).toEqual(['exists_with_different_imported_time', 'exists_with_different_effective_time']);
    expect(ledger.results({ ...openAccount('old'), importedTime: 6 } as Command)).toEqual([
      'exists_with_different_imported_time',
    ]);
    const future = ledger.time + 1001;
    expect(
      ledger.results(
        { ...openAccount('new'), importedTime: future } as Command,
        transfer({ id: 'b', from: 'bank', to: 'old', amount: '1', importedTime: future }),
        transfer({
          id: 'c',
          from: 'bank',
          to: 'old',
          amount: '1',
          importedTime: future - 1,
          effectiveTime: 2 ** 53 - 1,
        }),
      ),
    ).toEqual(['imported_time_in_future', 'imported_time_in_future', 'ok']);
  });
});

describe('a bound on how long ids are remembered', () => {
  const HOUR = 3600 * 1000;
  const NOW = 1_700_000_000_000;

  /** A UUIDv7 of a moment, in milliseconds. */
  function uuid7(millis: number): string {
    const time = millis.toString(16).padStart(12, '0');
    return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-00000000000${1}`;
  }

  function bounded(): LedgerUnderTest {
    const ledger = new LedgerUnderTest();
    ledger.time = NOW * 1000;
    ledger.apply(encodeValues(1, [encodeCommand({ kind: 'set_dedup_age', ageMs: HOUR })]), 'system');
    const setup = LedgerUnderTest.withAccounts('alice').batches[0];
    if (setup !== undefined) ledger.apply(setup.payload);
    return ledger;
  }

  const results = (ledger: LedgerUnderTest, ...ids: string[]): string[] =>
    ledger.results(...ids.map((id) => transfer({ id, from: 'bank', to: 'alice', amount: '1' })));

  test('is the same for known and for unknown ids', () => {
    const ledger = bounded();
    expect(ledger.state.reader.dedupAgeMs()).toBe(HOUR);
    const id = uuid7(NOW);
    expect(results(ledger, id, id)).toEqual(['ok', 'ok']);
    ledger.wait(HOUR * 1000 - 5000);
    expect(results(ledger, id, uuid7(NOW - 1))).toEqual(['ok', 'ok']);
    ledger.wait(1000);
    expect(results(ledger, id, uuid7(NOW - 1))).toEqual(['id_expired', 'id_expired']);
    expect(ledger.posted('alice')).toBe(200n);
    expect(LedgerState.restore(ledger.state.snapshot()).hash()).toBe(ledger.state.hash());
  });

  test('ids that carry no time, or one too far ahead, are refused', () => {
    const ledger = bounded();
    const ulid = (millis: number): string => {
      let text = '';
      for (let i = 0, rest = millis; i < 10; i++, rest = Math.floor(rest / 32)) {
        text = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'[rest % 32] + text;
      }
      return `${text}0123456789abcdef`.replace(/[ilo]/g, '0');
    };
    // 0ujtsYcgvSTl8PAuAdqWYSMnLOv is of the KSUID project's own documentation: 1507608047 s.
    const ksuid = '0ujtsYcgvSTl8PAuAdqWYSMnLOv';
    expect(results(ledger, uuid(1), 'order-1', uuid7(NOW + HOUR + 10), ulid(NOW), ulid(NOW - 2 * HOUR), ksuid)).toEqual(
      ['id_must_carry_time', 'id_must_carry_time', 'id_must_carry_time', 'ok', 'id_expired', 'id_expired'],
    );
  });

  test('holds for packed rows, which take a shorter way where there is no bound', () => {
    const ledger = bounded();
    const rows = (...ids: string[]): string[] =>
      ledger
        .rows(ids.map((id) => packed(0, 1, 2, 100n, { id: parseUuid(id)! })))
        .map(({ result }) => resultName(result));
    const id = uuid7(NOW);
    expect(rows(id, uuid7(NOW - 2 * HOUR), uuid(1), id)).toEqual(['ok', 'id_expired', 'id_must_carry_time', 'ok']);
    expect(ledger.posted('alice')).toBe(100n);
    ledger.wait(2 * HOUR * 1000);
    expect(rows(id)).toEqual(['id_expired']);
  });

  test('is what it was when the first ledger was made, whatever the system says later', () => {
    const set = (ledger: LedgerUnderTest, ageMs: number): void => {
      ledger.apply(encodeValues(1, [encodeCommand({ kind: 'set_dedup_age', ageMs })]), 'system');
    };
    const ledger = bounded();
    set(ledger, 2 * HOUR);
    expect(ledger.state.reader.dedupAgeMs()).toBe(HOUR);
    const unbounded = LedgerUnderTest.withAccounts('alice');
    set(unbounded, HOUR);
    expect(unbounded.state.reader.dedupAgeMs()).toBe(0);
  });

  test('is not for clients to set', () => {
    const ledger = LedgerUnderTest.withAccounts('alice');
    const [row] = ledger.do({ kind: 'set_dedup_age', ageMs: 1 });
    expect(resultName(row?.result ?? 0)).toBe('malformed_record');
    expect(ledger.state.reader.dedupAgeMs()).toBe(0);
  });
});
