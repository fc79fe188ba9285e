import { WireFormatError } from '../../../src/raft/transport/wire-format-error';
import { WireReader } from '../../../src/raft/transport/wire-reader';
import { cutText, WireWriter } from '../../../src/raft/transport/wire-writer';

describe('fields on the wire', () => {
  test('come back, also where the writer had to grow at any one of them', () => {
    for (let capacity = 1; capacity < 60; capacity++) {
      const bytes = new WireWriter(capacity)
        .u16(0xfedc)
        .u32(0xffff_ffff)
        .text('grün €', 20, 'A colour')
        .u32(0)
        .finish();
      const reader = new WireReader(bytes);
      expect(reader.u16('a')).toBe(0xfedc);
      expect(reader.u32('b')).toBe(0xffff_ffff);
      expect(reader.text(20, 'd')).toBe('grün €');
      expect(reader.u32('e')).toBe(0);
      reader.end('the test');
    }
  });

  test('are not read beyond their bytes', () => {
    const reader = new WireReader(new WireWriter().u32(1).finish());
    expect(() => reader.view(8, 'an index')).toThrow(/an index ends 4 bytes beyond its frame/);
    expect(() => reader.end('the test')).toThrow(/4 bytes too many in the test/);
  });

  test.each([
    ['a text longer than allowed', Buffer.from('0500616161616161', 'hex'), (reader: WireReader) => reader.text(4, 'x')],
    ['text that is not UTF-8', Buffer.from('0200c328', 'hex'), (reader: WireReader) => reader.text(4, 'x')],
  ])('%s is refused', (_what, bytes, read) => {
    expect(() => read(new WireReader(bytes))).toThrow(WireFormatError);
  });

  test('what cannot be written is refused', () => {
    expect(() => new WireWriter().u32(-1)).toThrow(/out of range/);
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
