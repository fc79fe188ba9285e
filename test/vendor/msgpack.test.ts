import fc from 'fast-check';
import { pack, unpack } from '../../vendor/msgpack';

describe('the stand-in for msgpack', () => {
  test('unpacks what it packed, for every JSON value', () => {
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
        // JSON has one zero.
        expect(unpack(pack(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  test.each([[undefined], [{ at: undefined }], [[Number.NaN]], [{ n: 1n }], [() => 1], [{ a: [Infinity] }]])(
    'refuses %p, which JSON would lose',
    (value) => {
      expect(() => pack(value)).toThrow(TypeError);
    },
  );

  test('bytes that are not JSON are an error, not a value', () => {
    expect(() => unpack(Buffer.from([0xc1, 0xff]))).toThrow(SyntaxError);
  });
});
