import { type PagedRows } from '../../src/ledger/paged-rows';
import { StateSlices } from '../../src/ledger/state-slices';
import { Tables } from '../../src/ledger/tables';

const SLICE_BYTES = 4096;
const ACCOUNTS = 500;

function filled(seed: number): Tables {
  const tables = new Tables(seed);
  for (let i = 0; i < ACCOUNTS; i++) {
    const name = tables.arena.store(Buffer.from(`account-${i}`));
    const rest = { userDataLow: i, userDataHigh: 0, openedAt: i, offset: i, metadata: 0, importedAt: 0 };
    tables.accounts.open({ ledger: 1, limits: 0, name, ...rest });
  }
  return tables;
}

const digests = (tables: Tables, count: number): string[] => {
  const slices = new StateSlices(tables, SLICE_BYTES);
  return Array.from({ length: count }, (_, i) => slices.digest(i).toString('hex'));
};

/** As many as cover everything. */
function slicesOf(tables: Tables): number {
  const { accounts, limits, holds, reversals } = tables;
  const all: readonly PagedRows[] = [accounts.hot, accounts.cold, limits.rows, holds.rows, reversals.rows];
  return Math.ceil(all.reduce((sum, table) => sum + table.rows * table.wordsPerRow * 4, 0) / SLICE_BYTES);
}

describe('hashes of slices of the state', () => {
  test('are equal where the state is, wherever things lie in memory', () => {
    expect(digests(filled(1), 20)).toEqual(digests(filled(77), 20));
  });

  test('are of other rows each time, and begin again when all have been in one', () => {
    const tables = filled(1);
    const count = slicesOf(tables);
    expect(count).toBeGreaterThan(10);
    const all = digests(tables, count * 2);
    expect(new Set(all.slice(0, count)).size).toBe(count);
    expect(all.slice(count)).toEqual(all.slice(0, count));
  });

  test('tell any single bit of any row that is wrong', () => {
    const tables = filled(1);
    const count = slicesOf(tables);
    const right = digests(tables, count);
    const covered: readonly PagedRows[] = [tables.accounts.hot, tables.accounts.cold];
    for (const table of covered) {
      for (let row = 0; row < table.rows; row += 7) {
        const page = table.writablePageOf(row);
        const at = table.startOf(row) + (row % table.wordsPerRow);
        const before = page[at] as number;
        page[at] = (before ^ (1 << (row % 32))) >>> 0;
        const changed = digests(tables, count).filter((digest, i) => digest !== right[i]);
        expect(changed).toHaveLength(1);
        page[at] = before;
      }
    }
    expect(digests(tables, count)).toEqual(right);
  });

  test('tell a number that is in no table, too', () => {
    const tables = filled(1);
    const [before] = digests(tables, 1);
    tables.replayed += 1;
    expect(digests(tables, 1)).not.toEqual([before]);
  });
});
