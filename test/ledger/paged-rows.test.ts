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

  test('a frozen page is copied by its first write, and by no other', () => {
    const table = filled(8);
    const frozen = table.freeze();
    table.writablePageOf(1)[table.startOf(1)] = 100;
    table.writablePageOf(2)[table.startOf(2)] = 200;
    expect(table.pages[1]).toBe(frozen.pages[1]);
    expect(table.pages[0]).not.toBe(frozen.pages[0]);
    expect([read(frozen.pages, 1), read(table.pages, 1), read(table.pages, 2), read(table.pages, 3)]).toEqual([
      1, 100, 200, 3,
    ]);
    expect(table.hasFrozenPages).toBe(true);
    table.thaw();
    expect(table.hasFrozenPages).toBe(false);
    expect(table.writablePageOf(4)).toBe(frozen.pages[1]);
  });

  test('stays frozen until all who froze it have read', () => {
    const table = filled(4);
    const first = table.freeze();
    table.writablePageOf(0)[0] = 7;
    const second = table.freeze();
    table.thaw();
    table.writablePageOf(0)[0] = 8;
    expect([read(first.pages, 0), read(second.pages, 0), read(table.pages, 0)]).toEqual([0, 7, 8]);
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
