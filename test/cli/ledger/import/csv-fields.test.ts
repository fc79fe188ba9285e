import fc from 'fast-check';
import { csvFields } from '../../../../src/cli/ledger/import/csv-fields';
import { RecordSplitter } from '../../../../src/cli/ledger/import/input-records';

const SPECIAL = fc.constantFrom('"', ',', '\n', '\r\n', 'a', ' ', 'é', '☃', '""', '');
const field = fc.array(SPECIAL, { maxLength: 6 }).map((parts) => parts.join(''));

/** As RFC 4180 writes a field. */
const written = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

test('whatever was written comes back, however the bytes arrive', () => {
  const table = fc.array(fc.array(field, { minLength: 2, maxLength: 4 }), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(table, fc.integer({ min: 1, max: 9 }), fc.constantFrom('\n', '\r\n'), (rows, step, lineBreak) => {
      const bytes = Buffer.from(rows.map((row) => row.map(written).join(',') + lineBreak).join(''));
      const splitter = new RecordSplitter(true);
      const records = [];
      for (let at = 0; at < bytes.length; at += step) records.push(...splitter.push(bytes.subarray(at, at + step)));
      records.push(...splitter.end());
      expect(Buffer.concat(records.map(({ raw }) => raw)).equals(bytes)).toBe(true);
      expect(records.map((record) => csvFields(record.bytes.toString('utf8')))).toEqual(rows);
      let line = 1;
      for (const record of records) {
        expect(record.line).toBe(line);
        line += record.raw.toString('utf8').split('\n').length - 1;
      }
    }),
  );
});

test.each([
  ['a"b', 'a quote in a field that does not begin with one'],
  ['a,"b', 'a quote that is not closed'],
  ['"a"b,c', 'something behind a closing quote'],
  ['"a" ,c', 'something behind a closing quote'],
])('%s is refused: %s', (text, why) => {
  expect(csvFields(text)).toBe(why);
});

test('empty fields and the last line without its end', () => {
  expect(csvFields('')).toEqual(['']);
  expect(csvFields(',"",')).toEqual(['', '', '']);
  const splitter = new RecordSplitter(false);
  expect(splitter.push(Buffer.from('{"a":"\n'))).toMatchObject([{ line: 1 }]);
  expect(splitter.push(Buffer.from('\nlast'))).toMatchObject([{ line: 2, bytes: Buffer.alloc(0) }]);
  expect(splitter.end()).toMatchObject([{ line: 3, bytes: Buffer.from('last') }]);
});

test('a quote that is never closed does not take in the whole input', () => {
  const splitter = new RecordSplitter(true);
  splitter.push(Buffer.from('a,b\n"'));
  const part = Buffer.alloc(40_000, 'x\n');
  splitter.push(part);
  expect(() => splitter.push(part)).toThrow(/row at line 2 has more than 65536 bytes: maybe a quote is not closed/);
});
