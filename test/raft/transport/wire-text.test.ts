import { WireFormatError } from '../../../src/raft/transport/wire-format-error';
import { WireReader } from '../../../src/raft/transport/wire-reader';
import { cutText, WireWriter } from '../../../src/raft/transport/wire-writer';

describe('fields on the wire', () => {
  test('come back, also where the writer had to grow at any one of them', () => {
    for (let capacity = 1; capacity < 60; capacity++) {
      const bytes = new WireWriter(capacity)
        .u16(0xfedc)
        .u32(0xffff_ffff)
        .u64(Number.MAX_SAFE_INTEGER)
        .text('grün €', 20, 'A colour')
        .u64(0)
        .finish();
      const reader = new WireReader(bytes);
      expect(reader.u16('a')).toBe(0xfedc);
      expect(reader.u32('b')).toBe(0xffff_ffff);
      expect(reader.u64('c')).toBe(Number.MAX_SAFE_INTEGER);
      expect(reader.text(20, 'd')).toBe('grün €');
      expect(reader.u64('e')).toBe(0);
      reader.end('the test');
    }
  });

  test('are not read beyond their bytes', () => {
    const reader = new WireReader(new WireWriter().u32(1).finish());
    expect(() => reader.u64('an index')).toThrow(/an index ends 4 bytes beyond its frame/);
    expect(() => reader.end('the test')).toThrow(/4 bytes too many in the test/);
  });

  test.each([
    ['a number beyond 2^53', Buffer.from('0000000000002000', 'hex'), (reader: WireReader) => reader.u64('x')],
    ['a text longer than allowed', Buffer.from('0500616161616161', 'hex'), (reader: WireReader) => reader.text(4, 'x')],
    ['text that is not UTF-8', Buffer.from('0200c328', 'hex'), (reader: WireReader) => reader.text(4, 'x')],
  ])('%s is refused', (_what, bytes, read) => {
    expect(() => read(new WireReader(bytes))).toThrow(WireFormatError);
  });

  test('what cannot be written is refused', () => {
    expect(() => new WireWriter().u64(-1)).toThrow(RangeError);
    expect(() => new WireWriter().u64(2 ** 53)).toThrow(RangeError);
    expect(() => new WireWriter().text('äää', 5, 'The name')).toThrow(/The name has 6 bytes/);
  });

  test('text is cut to what fits, and stays text', () => {
    expect(cutText('short', 10)).toBe('short');
    const cut = cutText('€'.repeat(5000), 1000);
    expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(1000);
    expect(Buffer.byteLength(cut)).toBeGreaterThan(800);
    expect(new WireReader(new WireWriter().text(cutText('a\ud800', 9), 9, 'x').finish()).text(9, 'x')).toBe('a\ufffd');
  });
});
