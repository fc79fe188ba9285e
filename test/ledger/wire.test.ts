import { WireReader, WireWriter } from '../../src/ledger/wire';

function read(bytes: number[]): { fields: number[]; malformed: boolean; low: number; high: number } {
  const reader = new WireReader();
  const fields: number[] = [];
  reader.reset(Buffer.from(bytes), 0, bytes.length);
  while (reader.next()) fields.push(reader.field);
  return { fields, malformed: reader.malformed, low: reader.low, high: reader.high };
}

describe('the wire format', () => {
  test.each([
    0n,
    1n,
    127n,
    128n,
    2n ** 28n - 1n,
    2n ** 28n,
    2n ** 31n,
    2n ** 32n - 1n,
    2n ** 35n,
    2n ** 53n,
    2n ** 63n,
    2n ** 64n - 1n,
  ])('the number %s comes back', (value) => {
    const writer = new WireWriter();
    writer.message(1, Buffer.alloc(0));
    writer.uint(2, value);
    const found = read([...writer.finish()]);
    expect(found.fields).toEqual(value === 0n ? [1] : [1, 2]);
    if (value !== 0n) expect((BigInt(found.high) << 32n) | BigInt(found.low)).toBe(value);
  });

  test('fixed-size fields are passed over', () => {
    expect(read([0x09, 1, 2, 3, 4, 5, 6, 7, 8, 0x15, 1, 2, 3, 4, 0x18, 1])).toMatchObject({
      fields: [1, 2, 3],
      malformed: false,
    });
  });

  test.each<[string, number[]]>([
    ['a field number of zero', [0x00, 0]],
    ['a group', [0x0b]],
    ['a cut varint', [0x08, 0x80]],
    ['a varint of eleven bytes', [0x08, ...new Array<number>(10).fill(0x80), 0]],
    ['a varint beyond 64 bits', [0x08, ...new Array<number>(9).fill(0x80), 2]],
    ['a length beyond the end', [0x0a, 5, 1]],
    ['a length beyond 32 bits', [0x0a, 0x80, 0x80, 0x80, 0x80, 0x80, 1]],
    ['a cut fixed-size field', [0x15, 1, 2, 3]],
    ['a tag beyond 32 bits', [0x88, 0x80, 0x80, 0x80, 0x80, 1, 0]],
  ])('%s is malformed', (_, bytes) => {
    expect(read(bytes)).toMatchObject({ malformed: true, fields: [] });
  });

  test('a writer grows with what it is given', () => {
    const writer = new WireWriter();
    for (let i = 0; i < 50; i++) writer.bytes(1, Buffer.alloc(100, i));
    expect(writer.finish().length).toBe(50 * 102);
  });
});
