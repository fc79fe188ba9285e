import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { MAX_MINOR } from '../../src/ledger/amounts';
import { encodePackedRows, MAX_ROWS, readPackedRow, validateRows, writePackedRow } from '../../src/ledger/packed-rows';
import { packed } from './ledger-under-test';

describe('a packed row', () => {
  test('is 64 bytes, laid out as published', () => {
    const id = Buffer.from('a0eebc999c0b4ef8bb6d6bb9bd380a11', 'hex');
    const rows = encodePackedRows([
      { id, debitHandle: 2 ** 48 + 1, creditHandle: 2, amount: 2n ** 64n + 3n, userData: 4n, code: 5, flags: 6 },
    ]);
    expect(rows.toString('hex')).toBe(
      'a0eebc999c0b4ef8bb6d6bb9bd380a11' +
        '0100000000000100' +
        '0200000000000000' +
        '03000000000000000100000000000000' +
        '0400000000000000' +
        '05000000' +
        '06000000',
    );
    expect(readPackedRow(rows)).toEqual({
      id,
      debitHandle: 2 ** 48 + 1,
      creditHandle: 2,
      amount: 2n ** 64n + 3n,
      userData: 4n,
      code: 5,
      flags: 6,
    });
  });

  test('is what the documentation shows', () => {
    const text = readFileSync(resolve(__dirname, '../../docs/packed-rows.md'), 'utf8');
    const lines = (text.split('```')[1] ?? '').split('\n').map((line) => line.split('   ')[0]?.replaceAll(' ', ''));
    const id = Buffer.from('a0eebc999c0b4ef8bb6d6bb9bd380a11', 'hex');
    const rows = encodePackedRows([packed(0, 1, 2, 50n, { id, userData: 7n, code: 3 })]);
    expect(rows.toString('hex')).toBe(lines.join(''));
  });

  test('refuses what does not fit', () => {
    const row = Buffer.alloc(64);
    expect(() => writePackedRow(row, 0, packed(1, 1, 2, 1n, { id: Buffer.alloc(15) }))).toThrow(
      /out of range|16 bytes|64 bits/,
    );
    expect(() => writePackedRow(row, 0, packed(1, 1, 2, 1n, { userData: 2n ** 64n }))).toThrow(
      /out of range|16 bytes|64 bits/,
    );
    expect(() => writePackedRow(row, 0, packed(1, 1, 2, 2n ** 128n))).toThrow(/out of range|16 bytes|64 bits/);
    expect(() => writePackedRow(row, 0, packed(1, -1, 2, 1n))).toThrow(/out of range|16 bytes|64 bits/);
  });
});

describe('the shape of a packed batch', () => {
  const good = packed(1, 1, 2, 1n);

  test('a good one has no fault, up to 8,190 rows', () => {
    expect(validateRows(encodePackedRows([good, packed(2, 2, 1, MAX_MINOR)]))).toBeUndefined();
    expect(validateRows(encodePackedRows(new Array(MAX_ROWS).fill(good)))).toBeUndefined();
    expect(validateRows(encodePackedRows(new Array(MAX_ROWS + 1).fill(good)))).toEqual({
      row: undefined,
      error: 'batch_too_large',
    });
  });

  test.each([0, 1, 63, 65, 100])('%i bytes are not whole rows', (length) => {
    expect(validateRows(Buffer.alloc(length, 1))).toEqual({ row: undefined, error: 'rows_length_invalid' });
  });

  test.each([
    ['id_invalid', { id: Buffer.alloc(16) }],
    ['id_invalid', { id: Buffer.alloc(16, 0xff) }],
    ['debit_account_required', { debitHandle: 0 }],
    ['credit_account_required', { creditHandle: 0 }],
    ['amount_must_not_be_zero', { amount: 0n }],
    ['amount_too_large', { amount: MAX_MINOR + 1n }],
    ['amount_too_large', { amount: 2n ** 128n - 1n }],
    ['flags_invalid', { flags: 2 }],
    ['flags_invalid', { flags: 4 }],
    ['flags_invalid', { flags: 16 }],
    ['flags_invalid', { flags: 0x8000_0001 }],
    ['accounts_must_be_different', { debitHandle: 7, creditHandle: 7 }],
    [undefined, { id: Buffer.concat([Buffer.alloc(15), Buffer.of(1)]) }],
    [undefined, { id: Buffer.concat([Buffer.alloc(15, 0xff), Buffer.of(1)]) }],
    [undefined, { debitHandle: 2 ** 32 + 7, creditHandle: 7 }],
  ])('%s (case %#) is found, with its row', (error, fault) => {
    const rows = encodePackedRows([good, good, { ...good, ...fault }]);
    expect(validateRows(rows)).toEqual(error === undefined ? undefined : { row: 2, error });
  });

  test('the first row at fault is named, and its first fault', () => {
    const all = { id: Buffer.alloc(16), debitHandle: 0, creditHandle: 0, amount: 0n, userData: 0n, code: 0, flags: 1 };
    expect(validateRows(encodePackedRows([good, all, { ...good, flags: 1 }]))).toEqual({ row: 1, error: 'id_invalid' });
  });
});
