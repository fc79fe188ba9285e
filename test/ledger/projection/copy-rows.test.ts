import { CopyRows } from '../../../src/ledger/projection/copy-rows';
import { writeNumeric } from '../../../src/ledger/projection/numeric-wire';

describe('rows of a binary copy', () => {
  test('a row that lacks a field is refused before the database sees it', () => {
    const rows = new CopyRows(2);
    rows.row();
    rows.int4(1);
    expect(() => rows.row()).toThrow('Row 1 of a copy lacks 1 of its 2 fields.');
    expect(() => rows.finish()).toThrow('Row 1 of a copy lacks 1 of its 2 fields.');
    rows.int4(2);
    rows.int4(3);
    expect(() => rows.finish()).toThrow('Row 1 of a copy lacks -1 of its 2 fields.');
  });

  test('a number that is not exact is refused', () => {
    const rows = new CopyRows(1);
    rows.row();
    expect(() => rows.int8(2 ** 53)).toThrow('9007199254740992 is not one');
    expect(() => writeNumeric(Buffer.alloc(200), 0, 2 ** 53, 2)).toThrow('9007199254740992 is not a safe integer');
    expect(() => writeNumeric(Buffer.alloc(200), 0, 1n, -1)).toThrow('not -1');
    expect(() => writeNumeric(Buffer.alloc(200), 0, 10n ** 300n, 0)).toThrow('more than 250 digits');
  });

  test('no byte is lost where one piece of memory ends and the next begins, wherever in a row that is', () => {
    const count = 24_000;
    for (let shift = 0; shift < 11; shift++) {
      const rows = new CopyRows(2);
      rows.row();
      rows.ascii('x'.repeat(shift));
      rows.null();
      for (let i = 1; i < count; i++) {
        rows.row();
        rows.bool(true);
        rows.null();
      }
      const bytes = Buffer.concat(rows.finish());
      const head = 19;
      const first = 2 + 4 + shift + 4;
      expect(bytes).toHaveLength(head + first + (count - 1) * 11 + 2);
      const last = bytes.subarray(-13);
      expect(last.toString('hex')).toBe('00020000000101ffffffffffff');
    }
  });
});
