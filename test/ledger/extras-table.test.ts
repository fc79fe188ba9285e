import fc from 'fast-check';
import { EXTRAS_MAX_BYTES, EXTRAS_PAGE_BYTES, ExtrasTable } from '../../src/ledger/extras-table';

interface Model {
  /** By row. */
  readonly entries: Map<number, Buffer>;
  rows: number;
  first: number;
}

const steps = fc.array(
  fc.oneof(
    {
      weight: 12,
      arbitrary: fc.record({ kind: fc.constant('add'), size: fc.constantFrom(0, 0, 1, 70, 9_000, 400_000) }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('skip'), size: fc.constantFrom(1, 300, 20_000) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('undo'), size: fc.nat(5) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('drop'), size: fc.nat(20) }) },
  ),
  { maxLength: 60 },
);

function add(table: ExtrasTable, model: Model, size: number): void {
  const row = model.rows++;
  if (size === 0) return;
  const bytes = Buffer.alloc(size, `entry of row ${row};`);
  const place = table.reserve(row, size);
  const start = table.startOf(place);
  expect(
    table
      .pageAt(place)
      .subarray(start, start + size)
      .every((byte) => byte === 0),
  ).toBe(true);
  table.pageAt(place).set(bytes, start);
  model.entries.set(row, bytes);
}

function expectSame(table: ExtrasTable, model: Model): void {
  const rows = [...model.entries.keys()].filter((row) => row >= model.first).sort((a, b) => a - b);
  const all = Buffer.concat(rows.map((row) => model.entries.get(row)!));
  for (const row of rows) {
    const bytes = model.entries.get(row)!;
    expect(table.mayHave(row)).toBe(true);
    expect(Buffer.from(table.from(row, bytes.length)).equals(bytes)).toBe(true);
  }
  expect(Buffer.concat(table.capture(model.first)).equals(all)).toBe(true);
  if (rows.length > 0) expect(Buffer.from(table.from(rows[0]!, all.length)).equals(all)).toBe(true);
  expect(table.bytes).toBeGreaterThanOrEqual(all.length);
  // What is let go leaves by whole pages.
  expect(table.bytes).toBeLessThan(all.length + EXTRAS_PAGE_BYTES + 1);
}

describe('extras in memory', () => {
  test('are those that a plain map has, whatever is added, undone and let go', () => {
    const property = fc.property(steps, (list) => {
      const table = new ExtrasTable();
      const model: Model = { entries: new Map(), rows: 0, first: 0 };
      for (const { kind, size } of list) {
        if (kind === 'add') add(table, model, size);
        else if (kind === 'skip') model.rows += size;
        else if (kind === 'undo') {
          model.rows = Math.max(model.first, model.rows - size);
          table.truncate(model.rows);
          for (const row of model.entries.keys()) if (row >= model.rows) model.entries.delete(row);
        } else {
          model.first = Math.max(model.first, model.rows - size);
          table.dropBefore(model.first);
        }
        expectSame(table, model);
      }
    });
    fc.assert(property, { numRuns: 60 });
  });

  test('what was captured stays as it was, while entries behind it are undone and others come', () => {
    const table = new ExtrasTable();
    const model: Model = { entries: new Map(), rows: 0, first: 0 };
    for (let i = 0; i < 5; i++) add(table, model, 300_000);
    const captured = table.capture(0);
    const then = Buffer.concat(captured);
    for (let i = 0; i < 5; i++) add(table, model, 300_000);
    table.truncate(5);
    table.dropBefore(5);
    expect(Buffer.concat(captured).equals(then)).toBe(true);
  });

  test('says which rows must go, so that few enough bytes are left', () => {
    const table = new ExtrasTable();
    const model: Model = { entries: new Map(), rows: 0, first: 0 };
    for (let i = 0; i < 20; i++) add(table, model, 500_000);
    expect(table.bytes).toBe(10_000_000);
    expect(table.rowBehind(10_000_000)).toBe(0);
    expect(table.rowBehind(9_999_999)).toBe(2);
    expect(table.rowBehind(3_000_000)).toBe(14);
    table.dropBefore(table.rowBehind(3_000_000));
    expect(table.bytes).toBe(3_000_000);
    expect(() => table.from(13, 500_000)).toThrow();
    expect(table.rowBehind(0)).toBe(20);
  });

  test('an entry that is too long is refused', () => {
    expect(() => new ExtrasTable().reserve(0, EXTRAS_MAX_BYTES + 1)).toThrow(/1 to 524,288 bytes/);
  });
});
