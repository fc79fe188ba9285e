import fc from 'fast-check';
import { type Command, decodeCommand, encodeCommand } from '../../src/ledger/command-codec';
import {
  createLedger,
  EXPIRE,
  linked,
  openAccount,
  pending,
  post,
  reversal,
  transfer,
  update,
  uuid,
  uuidBytes,
  voids,
} from './ledger-under-test';
import { publishedCodec } from './published-codec';
import { published } from './published-commands';
import { histories } from './random-histories';
import { check } from './random-runs';

const MAX_U64 = 2n ** 64n - 1n;

describe('commands in the log', () => {
  const samples: Command[] = [
    createLedger('USD', { scale: 18, autoOpen: true, rounding: 1, min: -(10n ** 38n) + 1n, max: 10n ** 38n - 1n }),
    createLedger('a.b-c_9', { scale: 0, min: undefined }),
    createLedger('X', { min: 0n, max: 0n }),
    openAccount('users:alice:wallet'),
    openAccount('naïve ☃ 😀', { min: '-10.5', max: 'none', userData: MAX_U64, metadata: Buffer.alloc(1024, 7) }),
    transfer({ id: uuid(1), from: 'a', to: 'b', amount: '0.5' }),
    transfer({
      id: 'text',
      from: 2 ** 40,
      to: 3,
      amount: 2n ** 127n,
      ledger: 'USD',
      code: 2 ** 32 - 1,
      userData: MAX_U64,
      flags: 9,
      timeoutMs: 2 ** 40,
      effectiveTime: 2 ** 53 - 1,
      importedTime: 1,
      group: { id: { kind: 'text', text: 'g' }, index: 3, size: 8190 },
    }),
    post({ id: uuid(1), to: uuid(2) }),
    post({ id: 'p', to: 'hold', from: 'a', payee: 7, amount: '0.5', ledger: 'USD', code: 9 }),
    voids({ id: 'v', to: 'hold' }),
    reversal({ id: 'r', to: uuid(3), amount: 9n }),
    ...linked(uuid(9), reversal({ id: 'r', to: 'text' }), pending({ id: 'h', from: 'a', to: 'b', amount: '1' })),
    update('a', { closed: true }),
    update('a', { closed: false, min: 'none', max: '7' }),
    { kind: 'update_account', account: { handle: 4 }, min: { kind: 'default' }, max: undefined, closed: undefined },
    EXPIRE,
    { kind: 'set_dedup_age', ageMs: 86_400_000 },
    { ...openAccount('old'), importedTime: 5 } as Command,
  ];

  test.each(samples)('case %# is written and read as the published proto says', (command) => {
    const bytes = encodeCommand(command);
    expect(decodeCommand(bytes)).toEqual(command);
    expect(publishedCodec.encode(publishedCodec.decode(bytes))).toEqual(bytes);
    expect(decodeCommand(publishedCodec.encode(published(command)))).toEqual(command);
  });

  test('random ones too', () => {
    const property = fc.property(histories, (batches) => {
      for (const command of batches.flat()) {
        const bytes = encodeCommand(command);
        expect(decodeCommand(bytes)).toEqual(command);
        expect(decodeCommand(publishedCodec.encode(published(command)))).toEqual(command);
        expect(publishedCodec.encode(publishedCodec.decode(bytes)).equals(bytes)).toBe(true);
      }
    });
    check('command-codec', 60, property);
  });

  test('fields may come in any order, and the last of two counts', () => {
    const [id, a, b] = [uuidBytes(1), Buffer.from('a'), Buffer.from('b')];
    const field = (number: number, value: Buffer): Buffer =>
      Buffer.concat([Buffer.of(number * 8 + 2, value.length), value]);
    const body = Buffer.concat([
      field(7, Buffer.from('9')),
      field(4, b),
      field(3, b),
      field(3, a),
      field(7, Buffer.from('1')),
      field(1, id),
    ]);
    const record = Buffer.concat([Buffer.of(0x1a, body.length), body]);
    expect(decodeCommand(record)).toEqual(transfer({ id: uuid(1), from: 'a', to: 'b', amount: '1' }));
    expect(publishedCodec.decode(record)['transfer']).toMatchObject({ debit_account: 'a', amount: '1' });
  });

  test('numbers that do not fit are refused when they are written', () => {
    expect(() => encodeCommand(openAccount('a', { userData: MAX_U64 + 1n }))).toThrow(RangeError);
    expect(() => encodeCommand(openAccount('a', { userData: -1n }))).toThrow(RangeError);
    expect(() => encodeCommand(transfer({ id: 'a', from: 'a', to: 'b', amount: '1', code: -1 }))).toThrow(RangeError);
    expect(() => encodeCommand(transfer({ id: 'a', from: 'a', to: 'b', amount: 2n ** 128n }))).toThrow(RangeError);
  });

  test('a text that is not UTF-8, or a field of another type, makes a command malformed', () => {
    const open = (body: number[]): Buffer => Buffer.from([0x12, body.length, ...body]);
    expect(decodeCommand(open([0x0a, 1, 0xff]))).toBeUndefined();
    expect(decodeCommand(open([0x08, 1]))).toBeUndefined();
    expect(decodeCommand(open([0x18, 7]))).toBeUndefined();
    expect(decodeCommand(Buffer.from([0x0a, 2, 0x08, 1]))).toBeUndefined();
    expect(decodeCommand(Buffer.from([0x0a, 3, 0x2a, 1, 1]))).toBeUndefined();
    expect(decodeCommand(Buffer.of(0x0a))).toBeUndefined();
  });
});
