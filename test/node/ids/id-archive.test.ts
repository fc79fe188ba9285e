import fc from 'fast-check';
import { keyOf, WrittenRuns } from './id-kit';

const sizes = fc.array(fc.constantFrom(1, 1, 1, 2, 5), { minLength: 1, maxLength: 9 });

test('finds every row by its id and its number as a plain map does, and none else, before and after indexes are merged', async () => {
  const property = fc.asyncProperty(fc.nat(2 ** 31), sizes, async (seed, sizes) => {
    const written = await WrittenRuns.make(seed, sizes);
    const byId = new Map(written.rows.map((row, number) => [keyOf(row), number]));
    const store = await written.open();
    for (let pass = 0; pass < 2; pass++) {
      const { archive } = store;
      const strangers = Array.from({ length: 50 }, () => written.newId());
      const ids = Uint32Array.from([
        ...written.idsOf(written.rows.map((_, row) => row)),
        ...strangers.flatMap((id) => [...id]),
      ]);
      const found = (await archive.lookUp(ids)) ?? [];
      expect(found.length).toBe(byId.size);
      for (const { row, words } of found) expect([byId.get(keyOf(words)), words]).toEqual([row, written.rows[row]]);
      for (let row = 0; row < written.rows.length; row += 17) {
        expect(archive.findRows(written.idOf(row), 0)).toEqual([row]);
        expect(archive.readRow(row)).toEqual(written.rows[row]);
      }
      for (const id of strangers) expect(archive.findRows(id, 0)).toEqual([]);
      await store.mergeIndexes();
    }
    await store.stop();
    const again = await written.open();
    expect(again.archive.rows).toBe(written.rows.length);
    expect(again.archive.indexList.length).toBe(store.archive.indexList.length);
    await again.stop();
    expect(written.files.openFiles).toBe(0);
  });
  await fc.assert(property, { numRuns: 25 });
}, 120_000);

test('an id that is new costs no read, save where a filter errs', async () => {
  const written = await WrittenRuns.make(3, [64]);
  const store = await written.open();
  const ids = Uint32Array.from(Array.from({ length: 20_000 }, () => [...written.newId()]).flat());
  await store.archive.lookUp(ids);
  // 8 in 2^24 are expected: 0.01.
  expect(store.archive.counts.candidates).toBeLessThan(4);
  await store.stop();
});

test('four indexes of one size become one, and so on; the files of the old ones go', async () => {
  const written = await WrittenRuns.make(
    5,
    Array.from({ length: 21 }, () => 1),
  );
  const store = await written.open();
  await store.mergeIndexes();
  expect(store.archive.indexList.map(({ name }) => name.count / 64)).toEqual([16, 4, 1]);
  const indexes = written.files.namesIn('/ids').filter((name) => name.endsWith('.index'));
  expect(indexes).toHaveLength(3);
  await store.stop();
});
