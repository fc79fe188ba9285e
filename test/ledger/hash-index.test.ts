import { HashIndex, hashBytes, hashWords } from '../../src/ledger/hash-index';

/** All numbers that stand under a hash, walked as the tables walk them. */
function under(index: HashIndex, hash: number): number[] {
  const slots = index.slotsOf(hash);
  const mask = slots.length / 2 - 1;
  const found: number[] = [];
  for (let slot = hash & mask; slots[slot * 2 + 1] !== 0; slot = (slot + 1) & mask) {
    if (slots[slot * 2] === hash) found.push((slots[slot * 2 + 1] as number) >>> 0);
  }
  return found;
}

function segmentsOf(index: HashIndex): number {
  const seen = new Set<Int32Array>();
  for (let first = 0; first < 256; first++) seen.add(index.slotsOf(first << 24));
  return seen.size;
}

describe('the hash index', () => {
  test('finds everything again, far beyond many splits', () => {
    const index = new HashIndex();
    const count = 300_000;
    for (let n = 1; n <= count; n++) index.insert(hashWords(n, n >>> 3, 7, 0, 42), n);
    let wrong = 0;
    for (let n = 1; n <= count; n++) {
      if (!under(index, hashWords(n, n >>> 3, 7, 0, 42)).includes(n)) wrong++;
    }
    expect(wrong).toBe(0);
    expect(under(index, hashWords(count + 1, 0, 7, 0, 42))).toEqual([]);
  });

  test.each([10, 20_000, 300_000])('finds everything again where room was made for %i', (count) => {
    const index = new HashIndex();
    index.reserve(count);
    // More than was reserved for: what is full is split as always.
    for (let n = 1; n <= count * 2; n++) index.insert(hashWords(n, n >>> 3, 7, 0, 42), n);
    let wrong = 0;
    for (let n = 1; n <= count * 2; n++) if (!under(index, hashWords(n, n >>> 3, 7, 0, 42)).includes(n)) wrong++;
    expect(wrong).toBe(0);
    expect(index.slotsOf(0).length).toBeLessThanOrEqual(65_536);
  });

  test('makes room only before it is used', () => {
    const index = new HashIndex();
    index.reserve(100_000);
    expect(() => index.reserve(100_000)).toThrow('in use');
  });

  test('keeps segments of a bounded size while hashes spread', () => {
    const index = new HashIndex();
    for (let n = 1; n <= 300_000; n++) index.insert(hashWords(n, 0, 0, 0, 1), n);
    for (let n = 0; n < 1000; n++) expect(index.slotsOf(hashWords(n, 0, 0, 0, 1)).length).toBeLessThanOrEqual(65_536);
  });

  test('survives hashes that do not spread at all', () => {
    const index = new HashIndex();
    for (let n = 1; n <= 3000; n++) index.insert(n % 2 === 0 ? -1 : 0x7fff_ffff, n);
    expect(under(index, -1)).toHaveLength(1500);
    expect(under(index, 0x7fff_ffff)).toHaveLength(1500);
    expect(under(index, 0)).toEqual([]);
  });

  test('keeps what was not forgotten, and does not grow while as much is forgotten as is added', () => {
    const index = new HashIndex();
    const live = 40_000;
    const hashOf = (n: number): number => hashWords(n, n >>> 3, 7, 0, 42);
    const [total, steps] = [800_000, 1_000];
    let segments = 0;
    for (let n = 1; n <= total; n++) {
      index.insert(hashOf(n), n);
      if (n % steps === 0 && n > live) index.forget(n - live);
      if (n === 4 * live) segments = segmentsOf(index);
    }
    let lost = 0;
    for (let n = total - live + 1; n <= total; n++) if (!under(index, hashOf(n)).includes(n)) lost++;
    expect(lost).toBe(0);
    expect(segmentsOf(index)).toBeLessThanOrEqual(2 * segments);
    expect(segmentsOf(index) * 32_768).toBeLessThan(8 * live);
  });

  test('forgets numbers above 2^31, too', () => {
    const index = new HashIndex();
    const first = 2 ** 31 - 5_000;
    for (let n = first; n < first + 60_000; n++) {
      index.insert(hashWords(n, 0, 0, 0, 1), n);
      if (n - first > 10_000) index.forget(n - 10_000);
    }
    let lost = 0;
    for (let n = first + 50_000; n < first + 60_000; n++)
      if (!under(index, hashWords(n, 0, 0, 0, 1)).includes(n)) lost++;
    expect(lost).toBe(0);
    expect(under(index, hashWords(first, 0, 0, 0, 1))).toEqual([]);
  });

  test('holds numbers up to 2^32 - 1', () => {
    const index = new HashIndex();
    index.insert(5, 0xffff_ffff);
    expect(under(index, 5)).toEqual([0xffff_ffff]);
  });
});

test('the hashes depend on every part of the key and on the seed', () => {
  const words: readonly (readonly [number, number, number, number, number])[] = [
    [1, 0, 0, 0, 0],
    [0, 1, 0, 0, 0],
    [0, 0, 1, 0, 0],
    [0, 0, 0, 1, 0],
    [0, 0, 0, 0, 1],
    [0, 0, 0, 0, 0],
  ];
  expect(new Set(words.map((key) => hashWords(...key))).size).toBe(words.length);
  const text = Buffer.from('abcabc');
  const hashes = [
    hashBytes(text, 0, 3, 0),
    hashBytes(text, 0, 3, 1),
    hashBytes(text, 1, 3, 0),
    hashBytes(text, 0, 2, 0),
  ];
  expect(new Set(hashes).size).toBe(4);
  expect(hashBytes(text, 3, 3, 0)).toBe(hashes[0]);
});

test('what is taken out is gone, and everything else is still found, however the slots were shared', () => {
  const index = new HashIndex();
  // Few hashes and many that lie next to each other, around the end of a segment too, so that walks run into one another.
  const hashOf = (number: number): number => ((number % 37) << 27) | (1024 - 20 + (number % 40));
  const numbers = Array.from({ length: 600 }, (_, i) => i + 1);
  for (const number of numbers) index.insert(hashOf(number), number);
  const kept = new Set(numbers);
  for (let i = 0; i < 500; i++) {
    const number = ((i * 7919) % 600) + 1;
    if (!kept.delete(number)) continue;
    index.remove(hashOf(number), number);
    expect([...kept].every((one) => under(index, hashOf(one)).includes(one))).toBe(true);
    expect(under(index, hashOf(number)).includes(number)).toBe(false);
  }
  expect(() => index.remove(hashOf(1), 601)).toThrow('must be in it');
});
