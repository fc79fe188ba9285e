import { PagedRows } from '../../src/ledger/paged-rows';

function filled(rows: number): PagedRows {
  const table = new PagedRows(3, 2);
  for (let i = 0; i < rows; i++) {
    const row = table.append();
    table.writablePageOf(row)[table.startOf(row)] = row;
  }
  return table;
}

const read = (pages: readonly Uint32Array[], row: number): number | undefined => pages[row >>> 2]?.[(row & 3) * 3];

describe('a paged table', () => {
  test('grows by pages and leaves what is there where it is', () => {
    const table = filled(4);
    const page = table.pageOf(0);
    expect(table.append()).toBe(4);
    expect(table.pages).toHaveLength(2);
    expect(table.pageOf(0)).toBe(page);
    expect(table.rows).toBe(5);
  });

  test('frozen rows stay as they were while the table goes on, and its pages stay where they are', () => {
    const table = filled(8);
    const page = table.pageOf(0);
    const frozen = table.freeze();
    for (const value of [100, 101]) table.writablePageOf(1)[table.startOf(1)] = value;
    table.writablePageOf(6)[table.startOf(6)] = 600;
    const added = table.append();
    table.writablePageOf(added)[table.startOf(added)] = 800;
    expect(table.isFrozen).toBe(true);
    expect([frozen.rows, frozen.pageCount]).toEqual([8, 2]);
    const pages = [frozen.page(0), frozen.page(1)];
    expect([0, 1, 2, 3, 4, 5, 6, 7].map((row) => read(pages, row))).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect([1, 6, 8].map((row) => read(table.pages, row))).toEqual([101, 600, 800]);
    expect(table.pageOf(0)).toBe(page);
    table.thaw(frozen);
    expect(table.isFrozen).toBe(false);
  });

  test('what was read of frozen rows does not change, and is not read again', () => {
    const table = filled(8);
    const frozen = table.freeze();
    const first = frozen.page(0);
    table.writablePageOf(1)[table.startOf(1)] = 100;
    table.writablePageOf(4)[table.startOf(4)] = 400;
    expect([read([first], 1), frozen.page(1)[0]]).toEqual([1, 4]);
    expect(() => frozen.page(0)).toThrow('read twice');
    expect(() => frozen.page(2)).toThrow('not there');
  });

  test('each who froze the rows has them as they were then, also when the table is emptied', () => {
    const table = filled(4);
    const first = table.freeze();
    table.writablePageOf(0)[0] = 7;
    const second = table.freeze();
    table.writablePageOf(0)[0] = 8;
    table.thaw(first);
    table.writablePageOf(3)[table.startOf(3)] = 9;
    table.clear();
    expect([first.page(0)[0], second.page(0)[0]]).toEqual([0, 7]);
  });

  test('keeps as many rows as there are', () => {
    const rows = 10_000;
    const table = filled(rows);
    const frozen = table.freeze();
    for (let row = rows - 1; row >= 0; row--) table.writablePageOf(row)[table.startOf(row)] = 1_000_000;
    const pages = Array.from({ length: frozen.pageCount }, (_, i) => frozen.page(i));
    for (let row = 0; row < rows; row++) expect(read(pages, row)).toBe(row);
  });

  test('takes over pages in order, and only whole ones before the last', () => {
    const table = new PagedRows(3, 2);
    expect(table.restorePage(new Uint32Array(12))).toBe(true);
    expect(table.restorePage(new Uint32Array(4))).toBe(false);
    expect(table.restorePage(new Uint32Array(15))).toBe(false);
    expect(table.restorePage(new Uint32Array(0))).toBe(false);
    expect(table.restorePage(Uint32Array.of(9, 9, 9))).toBe(true);
    expect(table.restorePage(new Uint32Array(12))).toBe(false);
    expect([table.rows, table.append(), read(table.pages, 4)]).toEqual([5, 5, 9]);
    table.clear();
    expect([table.rows, table.append()]).toEqual([0, 0]);
  });
});

test('rows that are cut off are zeros when they come again, and a capture keeps what it had', () => {
  const table = filled(9);
  const captured = table.freeze();
  const last = table.append();
  table.writablePageOf(last)[table.startOf(last)] = 77;
  table.truncate(6);
  expect([table.rows, table.pages.length]).toEqual([6, 2]);
  const again = table.append();
  expect(again).toBe(6);
  expect(table.pageOf(again).slice(table.startOf(again), table.startOf(again) + 3)).toEqual(new Uint32Array(3));
  // Row 8 stood in the third page, row 6 in the second.
  expect([captured.page(1)[2 * 3], captured.page(2)[0]]).toEqual([6, 8]);
  table.thaw(captured);
  table.truncate(0);
  expect([table.rows, table.pages.length, table.append()]).toEqual([0, 0, 0]);
});
