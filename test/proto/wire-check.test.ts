import fc from 'fast-check';
import { SEED } from './seed';
import { clientDefinition, serverDefinition } from '../../src/proto/load';
import { Malformed } from '../../src/proto/malformed';

const transfers = serverDefinition('ledger.v1.Ledger').CreateTransfers!;

/** One transfer whose field `number` of wire type 2 holds `bytes`. */
function transferWith(number: number, bytes: readonly number[]): Buffer {
  const field = [number * 8 + 2, bytes.length, ...bytes];
  return Buffer.from([0x0a, field.length, ...field]);
}

function faultOf(bytes: Buffer): string | undefined {
  const decoded: unknown = transfers.requestDeserialize(bytes);
  return decoded instanceof Malformed ? decoded.why : undefined;
}

describe('the strict look at the wire', () => {
  test.each<[string, Buffer, string]>([
    ['text that is not UTF-8', transferWith(1, [0x61, 0xff]), 'transfers.id is not valid UTF-8'],
    [
      'text with an encoded surrogate',
      transferWith(2, [0xed, 0xa0, 0x80]),
      'transfers.debit_account is not valid UTF-8',
    ],
    ['text with U+0000', transferWith(3, [0x61, 0]), 'transfers.credit_account contains U+0000'],
    ['a text field sent as a number', Buffer.from([0x0a, 2, 0x08, 5]), 'transfers.id has wire type 0, expected 2'],
    ['a number sent as text', transferWith(6, [0x61]), 'transfers.code has wire type 2, expected 0'],
    ['a field that is cut off', Buffer.from([0x0a, 9, 0x0a]), 'transfers is cut off: 9 bytes announced, 1 left'],
    ['a number that is cut off', Buffer.from([0x0a, 2, 0x30, 0x80]), 'transfers.code is cut off inside a number'],
    ['a number without an end', Buffer.from([0x78, ...Array<number>(11).fill(0xff)]), 'field 15 has a number of more'],
    ['field number zero', Buffer.from([0x00, 0x00]), 'the message has a field number out of range'],
    ['a group', Buffer.from([0x0b, 0x0c]), 'transfers has wire type 3, expected 2'],
    ['an unknown group', Buffer.from([0x7b, 0x7c]), 'field 15 has wire type 3, which proto3 does not use'],
  ])('refuses %s', (_name, bytes, fault) => {
    expect(faultOf(bytes)).toContain(fault);
  });

  test('takes a list of numbers packed or one by one, and refuses one that is cut off', () => {
    const { requestDeserialize } = serverDefinition('log.v1.Log').ConsumeStream!;
    const consume = (...filter: number[]): unknown => requestDeserialize(Buffer.from([0x12, filter.length, ...filter]));
    const types = (...values: number[]) => ({ filter: { types: values } });
    expect(consume(0x0a, 2, 0, 1)).toMatchObject(types(0, 1));
    expect(consume(0x08, 0, 0x08, 1)).toMatchObject(types(0, 1));
    expect(consume(0x0a, 0)).toMatchObject(types());
    expect(consume(0x0a, 2, 1)).toMatchObject({ why: 'filter.types is cut off: 2 bytes announced, 1 left' });
    expect(consume(0x0a, 1, 0x80)).toMatchObject({ why: 'filter.types is cut off inside a number' });
    expect(consume(0x0d, 0, 0, 0, 0)).toMatchObject({ why: 'filter.types has wire type 5, expected 0' });
  });

  test('lets unknown fields of every wire type pass: a newer client may send them', () => {
    const unknown = [0x78, 1, 0x79, ...Array<number>(8).fill(1), 0x7a, 1, 65, 0x7d, 1, 1, 1, 1];
    expect(faultOf(Buffer.from(unknown))).toBeUndefined();
  });

  test('lets bytes be anything', () => {
    expect(faultOf(transferWith(8, [0xff, 0x00, 0xed]))).toBeUndefined();
  });

  test('lets every message pass that a client encodes', () => {
    const { CreateTransfers } = clientDefinition('ledger.v1.Ledger');
    const text = fc.string({ unit: 'grapheme' }).filter((s) => !s.includes('\0'));
    const transfer = fc.record({
      id: text,
      debit_account: text,
      amount: text,
      code: fc.nat(),
      user_data: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }).map(String),
      metadata: fc.uint8Array().map((bytes) => Buffer.from(bytes)),
    });
    fc.assert(
      fc.property(fc.array(transfer), (items) => {
        const decoded: unknown = transfers.requestDeserialize(CreateTransfers.requestSerialize({ transfers: items }));
        expect(decoded).toMatchObject({ transfers: items });
      }),
      { seed: SEED },
    );
  });

  test('answers any bytes at all with a message or a fault', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        expect(typeof transfers.requestDeserialize(Buffer.from(bytes))).toBe('object');
      }),
      { numRuns: 2_000, seed: SEED },
    );
  });
});
