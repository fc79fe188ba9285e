import { hash32, hash64 } from '../../vendor/farmhash';

// The test vectors that the authors of FNV publish with their draft (draft-eastlake-fnv, section 8).
const VECTORS: [string, number, bigint][] = [
  ['', 0x811c9dc5, 0xcbf29ce484222325n],
  ['a', 0xe40c292c, 0xaf63dc4c8601ec8cn],
  ['foobar', 0xbf9cf968, 0x85944171f73967e8n],
];

describe('the stand-in for farmhash', () => {
  test.each(VECTORS)('hashes %j as FNV-1a does', (input, expected32, expected64) => {
    expect(hash32(input)).toBe(expected32);
    expect(hash64(input)).toBe(expected64.toString());
    expect(hash64(Buffer.from(input))).toBe(expected64.toString());
  });

  test('a string is its UTF-8 bytes', () => {
    expect(hash64('Zoë')).toBe(hash64(Buffer.from('Zoë', 'utf8')));
  });

  test('anything else is refused', () => {
    const wrong = 7 as unknown as string;
    expect(() => hash32(wrong)).toThrow('expected a string or a Buffer, got number');
  });
});
