import {
  type Command,
  type CreateLedgerCommand,
  encodeCommand,
  type OpenAccountCommand,
} from '../../src/ledger/command-codec';
import { type OutcomeRow } from '../../src/ledger/outcome-row';
import { ResultCode, resultName } from '../../src/ledger/result-codes';
import { createLedger, LedgerUnderTest, openAccount, transfer } from './ledger-under-test';

function result(ledger: LedgerUnderTest, command: Command): string {
  const [row] = ledger.do(command);
  return (row?.replayed === true ? 'again ' : '') + resultName(row?.result as ResultCode);
}

describe('CreateLedger', () => {
  const usd = createLedger('USD', { scale: 2, min: -5n, max: 500n }) as CreateLedgerCommand;

  test('numbers ledgers in the order of creation', () => {
    const ledger = new LedgerUnderTest();
    const rows = ledger.do(usd, createLedger('EUR', { scale: 0, autoOpen: true, rounding: 1, min: undefined }));
    expect(rows.map((row) => [row.result, row.ledgerNumber, row.scale])).toEqual([
      [0, 1, 2],
      [0, 2, 0],
    ]);
    expect(ledger.state.reader.ledgers()).toMatchObject([
      {
        number: 1,
        code: 'USD',
        scale: 2,
        autoOpen: false,
        rounding: 'reject',
        defaultMinBalance: -5n,
        defaultMaxBalance: 500n,
        offset: 0,
      },
      {
        number: 2,
        code: 'EUR',
        scale: 0,
        autoOpen: true,
        rounding: 'half_up',
        defaultMinBalance: undefined,
        createdAt: ledger.time,
      },
    ]);
    expect(ledger.state.reader.ledger('EUR')).toEqual(ledger.state.reader.ledgerByNumber(2));
    expect(ledger.state.reader.ledger('eur')).toBeUndefined();
    expect(ledger.state.reader.ledgerByNumber(3)).toBeUndefined();
  });

  test('again with the same content is the first answer, with other content names the field', () => {
    const ledger = new LedgerUnderTest();
    const [first] = ledger.do(usd);
    const [again] = ledger.do(usd);
    expect(again).toEqual({ ...first, replayed: true });
    expect(result(ledger, { ...usd, scale: 3, rounding: 1, defaultMinBalance: 0n })).toBe(
      'exists_with_different_scale',
    );
    expect(result(ledger, { ...usd, rounding: 1, defaultMinBalance: 0n })).toBe('exists_with_different_options');
    expect(result(ledger, { ...usd, autoOpen: true })).toBe('exists_with_different_options');
    expect(result(ledger, { ...usd, defaultMinBalance: 0n })).toBe('exists_with_different_limits');
    expect(result(ledger, { ...usd, defaultMaxBalance: undefined })).toBe('exists_with_different_limits');
    expect(ledger.state.reader.ledgers()).toHaveLength(1);
  });

  test.each<Partial<CreateLedgerCommand>>([
    { code: '' },
    { code: 'x'.repeat(33) },
    { code: 'U D' },
    { scale: 19 },
    { rounding: 2 },
    { defaultMinBalance: 1n },
    { defaultMaxBalance: -1n },
    { defaultMinBalance: -(10n ** 38n) },
    { defaultMaxBalance: 10n ** 38n },
  ])('case %# is malformed', (fault) => {
    const ledger = new LedgerUnderTest();
    expect(result(ledger, { ...usd, ...fault })).toBe('malformed_record');
    expect(ledger.state.reader.counts().ledgers).toBe(0);
  });
});

describe('OpenAccount', () => {
  const alice = openAccount('alice', {
    min: '-1.5',
    max: '10',
    userData: 7n,
    metadata: Buffer.from('m'),
  }) as OpenAccountCommand;
  const withUsd = (): LedgerUnderTest => {
    const ledger = new LedgerUnderTest();
    ledger.do(createLedger('USD'), createLedger('EUR'));
    return ledger;
  };

  test('gives handles in the order of opening, and everything it was opened with', () => {
    const ledger = withUsd();
    const rows = ledger.do(openAccount('first'), alice, openAccount('free', { min: 'none' }));
    expect(rows.map((row: OutcomeRow) => row.creditHandle)).toEqual([1, 2, 3]);
    expect(ledger.state.reader.account('alice')).toEqual({
      handle: 2,
      name: 'alice',
      ledger: ledger.state.reader.ledger('USD'),
      minBalance: -150n,
      maxBalance: 1000n,
      closed: false,
      userData: 7n,
      metadata: Buffer.from('m'),
      openedAt: ledger.time,
      offset: 3,
    });
    expect(ledger.state.reader.account('free')).toMatchObject({ minBalance: undefined, maxBalance: undefined });
    expect(ledger.state.reader.account('first')).toMatchObject({ minBalance: 0n, userData: 0n });
  });

  test('again with the same content is the first answer, with other content names the field', () => {
    const ledger = withUsd();
    const [first] = ledger.do(alice);
    expect(ledger.do(alice)).toEqual([{ ...first, replayed: true }]);
    const inOtherWords = { ...alice, min: { kind: 'given', text: '-1.50' } as const };
    expect(result(ledger, inOtherWords)).toBe('again ok');
    expect(result(ledger, { ...alice, ledger: 'EUR', userData: 8n })).toBe('exists_with_different_ledger');
    expect(result(ledger, { ...alice, ledger: 'XTS', userData: 8n })).toBe('exists_with_different_ledger');
    expect(result(ledger, { ...alice, max: { kind: 'none' }, userData: 8n })).toBe('exists_with_different_limits');
    expect(result(ledger, { ...alice, max: { kind: 'given', text: '0.001' } })).toBe('exists_with_different_limits');
    expect(result(ledger, { ...alice, userData: 8n, metadata: Buffer.alloc(0) })).toBe(
      'exists_with_different_user_data',
    );
    expect(result(ledger, { ...alice, metadata: Buffer.alloc(0) })).toBe('exists_with_different_metadata');
    expect(ledger.state.reader.counts().accounts).toBe(1);
  });

  test('a limit that is the default is the default, said or not', () => {
    const ledger = withUsd();
    expect(result(ledger, openAccount('a'))).toBe('ok');
    expect(result(ledger, openAccount('a', { min: '0', max: 'none' }))).toBe('again ok');
    expect(result(ledger, openAccount('a', { metadata: Buffer.from('x') }))).toBe('exists_with_different_metadata');
  });

  test('an account that a transfer opened is open', () => {
    const ledger = new LedgerUnderTest();
    ledger.do(createLedger('USD', { autoOpen: true, min: undefined }));
    const [moved] = ledger.do(transfer({ id: 'x', from: 'alice', to: 'bob', amount: '1', ledger: 'USD' }));
    const [again] = ledger.do(openAccount('bob'));
    expect(again).toMatchObject({ result: 0, replayed: true, creditHandle: 2, offset: moved?.offset });
  });

  test.each<[string, Partial<OpenAccountCommand>]>([
    ['ledger_not_found', { ledger: 'XTS' }],
    ['amount_precision', { min: { kind: 'given', text: '-0.001' } }],
    ['amount_precision', { max: { kind: 'given', text: '0.001' } }],
    ['amount_too_large', { max: { kind: 'given', text: '9'.repeat(38) } }],
    ['malformed_record', { name: '' }],
    ['malformed_record', { name: 'x'.repeat(129) }],
    ['malformed_record', { name: 'a\0' }],
    ['malformed_record', { ledger: '' }],
    ['malformed_record', { min: { kind: 'given', text: '1' } }],
    ['malformed_record', { max: { kind: 'given', text: '-1' } }],
    ['malformed_record', { max: { kind: 'given', text: 'lots' } }],
    ['malformed_record', { metadata: Buffer.alloc(1025) }],
  ])('%s (case %#)', (name, fault) => {
    const ledger = withUsd();
    expect(result(ledger, { ...alice, ...fault })).toBe(name);
    expect(ledger.state.reader.counts().accounts).toBe(0);
  });

  test('a limit kind with a text that it has no use for, or without one that it needs, is malformed', () => {
    const bytes = encodeCommand(openAccount('a', { max: '5' }));
    const without = Buffer.from(bytes);
    without[without.indexOf(0x20) + 1] = 1;
    expect(encodeCommand(openAccount('a', { max: 'none' })).length).toBeLessThan(bytes.length);
    const ledger = withUsd();
    const rows = ledger.apply(Buffer.concat([chunkOf(without)]));
    expect(rows.map((row) => row.result)).toEqual([ResultCode.MALFORMED_RECORD]);
  });
});

function chunkOf(record: Buffer): Buffer {
  const header = Buffer.alloc(20);
  header.writeUInt32LE(1, 0);
  header.writeUInt32LE(1, 4);
  header.writeUInt32LE(record.length + 4, 8);
  header.writeUInt32LE(record.length, 16);
  const chunk = Buffer.concat([header, record]);
  return Buffer.concat([chunk, Buffer.alloc((8 - (chunk.length % 8)) % 8)]);
}
