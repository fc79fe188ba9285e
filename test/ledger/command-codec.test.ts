import fc from 'fast-check';
import { type Command, decodeCommand, encodeCommand } from '../../src/ledger/command-codec';
import { i128ToBytes, u128ToBytes } from '../../src/ledger/amounts';
import { createLedger, openAccount, transfer, uuid, uuidBytes } from './ledger-under-test';
import { publishedCodec } from './published-codec';
import { histories } from './random-histories';
import { check } from './random-runs';

const MAX_U64 = 2n ** 64n - 1n;

/** A command as the published proto says it. */
function published(command: Command): object {
  if (command.kind === 'create_ledger') {
    const { code, scale, rounding, autoOpen: auto_open, defaultMinBalance: min, defaultMaxBalance: max } = command;
    const bytes = (limit: bigint | undefined): Buffer => (limit === undefined ? Buffer.alloc(0) : i128ToBytes(limit));
    return {
      create_ledger: {
        code,
        scale,
        rounding,
        auto_open,
        default_min_balance: bytes(min),
        default_max_balance: bytes(max),
      },
    };
  }
  if (command.kind === 'open_account') {
    const { name, ledger, min, max, metadata } = command;
    const kinds = ['default', 'none', 'given'];
    return {
      open_account: {
        name,
        ledger,
        min_kind: kinds.indexOf(min.kind),
        max_kind: kinds.indexOf(max.kind),
        min_balance: min.kind === 'given' ? min.text : '',
        max_balance: max.kind === 'given' ? max.text : '',
        user_data: command.userData.toString(),
        metadata,
      },
    };
  }
  const { id, debit, credit, amount, ledger, code, userData, metadata, flags } = command;
  return {
    transfer: {
      ...(id.kind === 'uuid' ? { id: id.bytes } : { text_id: id.text }),
      ...('name' in debit ? { debit_account: debit.name } : { debit_handle: debit.handle }),
      ...('name' in credit ? { credit_account: credit.name } : { credit_handle: credit.handle }),
      ...('text' in amount ? { amount: amount.text } : { amount_minor: u128ToBytes(amount.minor) }),
      ledger,
      code,
      user_data: userData.toString(),
      metadata,
      flags,
    },
  };
}

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
      flags: 2 ** 32 - 1,
    }),
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
