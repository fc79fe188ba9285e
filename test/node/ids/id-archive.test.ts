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
      for (const { row, words, extras = new Uint8Array(0) } of found) {
        expect([byId.get(keyOf(words)), words]).toEqual([row, written.rows[row]]);
        expect(Buffer.from(extras).equals(written.extras[row]!)).toBe(true);
      }
      for (let row = 0; row < written.rows.length; row += 17) {
        expect(archive.findRows(written.idOf(row), 0)).toEqual([row]);
        expect(archive.readRow(row)).toEqual(written.rows[row]);
        expect(Buffer.from(archive.readExtras(row)).equals(written.extras[row]!)).toBe(true);
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

test('a batch that is sent again finds row behind row, and one in any order finds the same', async () => {
  const written = await WrittenRuns.make(6, [9, 4]);
  const store = await written.open();
  const { archive } = store;
  const inOrder = written.rows.map((_, row) => row).slice(30, 800);
  const found = (await archive.lookUp(written.idsOf(inOrder))) ?? [];
  expect(found.map(({ row }) => row).sort((a, b) => a - b)).toEqual(inOrder);
  expect(archive.counts.next).toBeGreaterThan(700);
  const backwards = inOrder.toReversed();
  const next = archive.counts.next;
  const again = (await archive.lookUp(written.idsOf(backwards))) ?? [];
  expect(again.map(({ row }) => row).sort((a, b) => a - b)).toEqual(inOrder);
  for (const { row, words } of again) expect(words).toEqual(written.rows[row]);
  expect(archive.counts.next).toBe(next);
  await store.stop();
});

test('of two rows with one id both are found, also where one of them is the next', async () => {
  const twins = new Map([
    [101, 20],
    [500, 300],
    [703, 40],
  ]);
  const written = await WrittenRuns.make(7, [3, 9], twins);
  const store = await written.open();
  // Enough of them that one reader takes several, one behind the other.
  for (const first of [0, 64, 290, 650]) {
    const rows = Array.from({ length: 100 }, (_, i) => first + i);
    const found = (await store.archive.lookUp(written.idsOf(rows))) ?? [];
    const expected = new Set(rows);
    for (const [twin, row] of twins) if (rows.includes(row) || rows.includes(twin)) expected.add(row).add(twin);
    expect(found.map(({ row }) => row).sort((a, b) => a - b)).toEqual([...expected].sort((a, b) => a - b));
  }
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

test('is closed behind the look-ups under way, whose files would be others’ otherwise, and looks nothing up afterwards', async () => {
  const written = await WrittenRuns.make(9, [2, 1]);
  const store = await written.open();
  const { archive } = store;
  const ids = written.idsOf(written.rows.map((_, row) => row));
  const underWay = store.lookUp(ids);
  await store.stop();
  expect(await underWay).toHaveLength(written.rows.length);
  expect(() => archive.lookUp(ids)).toThrow('closed');
  expect(written.files.openFiles).toBe(0);
});
