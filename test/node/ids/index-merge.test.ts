import fc from 'fast-check';
import { MOST_INDEXED_ROWS, nextMerge } from '../../../src/node/ids/index-merge';
import type { RunName } from '../../../src/node/ids/run-format';

interface Index {
  readonly name: RunName;
}

function indexOf(first: number, count: number): Index {
  return { name: { first, count, chain: '', extras: 0 } };
}

/** What is left of runs that come one after the other, and how many rows were written again for it. */
function settled(counts: readonly number[]): { readonly indexes: readonly Index[]; readonly rewritten: number } {
  let indexes: Index[] = [];
  let [next, rewritten] = [0, 0];
  for (const count of counts) {
    indexes.push(indexOf(next, count));
    next += count;
    for (let some = nextMerge(indexes); some; some = nextMerge(indexes)) {
      const at = indexes.indexOf(some[0]!);
      const rows = some.reduce((sum, { name }) => sum + name.count, 0);
      expect(rows).toBeLessThanOrEqual(MOST_INDEXED_ROWS);
      rewritten += rows;
      indexes = [...indexes.slice(0, at), indexOf(some[0]!.name.first, rows), ...indexes.slice(at + some.length)];
    }
  }
  return { indexes, rewritten };
}

/** Far fewer than runs. */
const MOST = 60;

describe('which indexes are merged', () => {
  test('of runs of one size, four by four', () => {
    const { indexes } = settled(Array.from({ length: 64 + 16 + 3 }, () => 1 << 20));
    expect(indexes.map(({ name }) => name.count >>> 20)).toEqual([64, 16, 1, 1, 1]);
  });

  test('of runs of any sizes there are a few, and a row is written again a few times', () => {
    // From runs that are full of metadata to such as have none.
    const counts = fc.array(
      fc.integer({ min: 2 ** 9, max: 2 ** 14 }).map((units) => units * 64),
      {
        minLength: 300,
        maxLength: 400,
      },
    );
    const property = fc.property(counts, (list) => {
      const { indexes, rewritten } = settled(list);
      const rows = list.reduce((sum, count) => sum + count, 0);
      const full = Math.ceil(rows / (MOST_INDEXED_ROWS / 4));
      // Of runs of one size there are about ten. What chance makes of 5,000 lists was at most a third of this.
      expect(indexes.length).toBeLessThan(MOST + full);
      expect(rewritten / rows).toBeLessThan(8);
    });
    fc.assert(property, { numRuns: 50 });
  });

  test('a large one among small ones is left alone, and small ones between large ones go with them', () => {
    const counts = [4_096, 64, 64, 64, 4_096, 64, 4_096, 4_096];
    expect(settled(counts.slice(0, 7)).indexes).toHaveLength(7);
    expect(settled(counts).indexes).toHaveLength(1);
  });
});
