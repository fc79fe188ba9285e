import fc from 'fast-check';
import {
  formatId,
  formatUuid,
  isLedgerCode,
  normaliseId,
  normaliseName,
  parseUuid,
  type TransferId,
} from '../../src/ledger/identifiers';
import { check } from './random-runs';

const CANONICAL = 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11';
const BYTES = Buffer.from('a0eebc999c0b4ef8bb6d6bb9bd380a11', 'hex');

describe('ids', () => {
  test.each([
    CANONICAL,
    CANONICAL.toUpperCase(),
    CANONICAL.replaceAll('-', ''),
    `{${CANONICAL}}`,
    `{${CANONICAL.replaceAll('-', '')}}`,
    `urn:uuid:${CANONICAL}`,
    `URN:UUID:${CANONICAL.toUpperCase()}`,
  ])('%s is one UUID, as any of its spellings', (text) => {
    expect(normaliseId(text)).toEqual({ kind: 'uuid', bytes: BYTES });
    expect(formatId(normaliseId(text) as TransferId)).toBe(CANONICAL);
  });

  test.each([
    `${CANONICAL} `,
    `{${CANONICAL}`,
    `${CANONICAL}}`,
    `urn:uuid:{${CANONICAL}}`,
    CANONICAL.replace('-', ''),
    CANONICAL.replace('a', 'g'),
    `${CANONICAL}0`,
    'order-1',
    ' ',
    'é',
  ])('%j is a text, itself', (text) => {
    expect(normaliseId(text)).toEqual({ kind: 'text', text });
  });

  test.each([
    '',
    'x'.repeat(65),
    'é'.repeat(33),
    'a\0b',
    'a\ud800',
    '\udc00',
    '00000000-0000-0000-0000-000000000000',
    'FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF',
  ])('%j is no id', (text) => expect(normaliseId(text)).toBeUndefined());

  test('64 bytes are enough, counted as UTF-8', () => {
    expect(normaliseId('x'.repeat(64))).toBeDefined();
    expect(normaliseId('😀'.repeat(16))).toBeDefined();
    expect(normaliseId('😀'.repeat(17))).toBeUndefined();
  });

  test('the canonical text of an id is the same id', () => {
    const property = fc.property(fc.oneof(fc.string({ unit: 'binary', maxLength: 70 }), fc.uuid()), (text) => {
      const id = normaliseId(text);
      if (id !== undefined) expect(normaliseId(formatId(id))).toEqual(id);
    });
    check('identifiers', 500, property);
  });

  test('only UUIDs are UUIDs', () => {
    expect(parseUuid('x')).toBeUndefined();
    expect(formatUuid(parseUuid(CANONICAL) as Buffer)).toBe(CANONICAL);
  });
});

describe('account names', () => {
  test.each([
    ['users:alice:wallet', 'users:alice:wallet'],
    ['  Alice \t\n', 'Alice'],
    ['\u00a0\u3000Alice\ufeff', 'Alice'],
    ['e\u0301', 'é'],
    ['two words', 'two words'],
    ['x'.repeat(128), 'x'.repeat(128)],
    [` ${'x'.repeat(128)} `, 'x'.repeat(128)],
  ])('%j is %j', (text, name) => expect(normaliseName(text)).toBe(name));

  test.each(['', '   ', 'x'.repeat(129), 'é'.repeat(65), 'a\0b', 'a\ud83d', '\ude00b'])('%j is none', (text) => {
    expect(normaliseName(text)).toBeUndefined();
  });

  test('normalising twice is normalising once', () => {
    const property = fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
      const name = normaliseName(text);
      if (name !== undefined) expect(normaliseName(name)).toBe(name);
    });
    check('identifiers', 500, property);
  });
});

test.each([
  ['USD', true],
  ['a.b-c_9', true],
  ['x'.repeat(32), true],
  ['x'.repeat(33), false],
  ['', false],
  ['U SD', false],
  ['É', false],
  ['USD\n', false],
])('%j is a ledger code: %s', (code, valid) => expect(isLedgerCode(code)).toBe(valid));
