import { BatchKind, readHeader } from '../../src/log/batch';
import { SparseIndex } from '../../src/log/sparse-index';
import { TailCache } from '../../src/log/tail-cache';
import { TermRuns } from '../../src/log/term-runs';
import { BatchChain } from '../support/batch-chain';
import { SeededRandom } from '../support/seeded-random';

const seed = Number(process.env['LOG_SEED'] ?? 7);
const repeat = `Repeat with: LOG_SEED=${seed} npx jest test/log/in-memory-parts`;

describe(`against a model (${repeat})`, () => {
  test('the terms of entries', () => {
    const random = new SeededRandom(seed);
    let terms = new Map([[10, 3]]);
    const runs = new TermRuns(10, 3);
    let first = 10;
    let last = 10;
    for (let step = 0; step < 3_000; step++) {
      const die = random.below(20);
      if (die < 15) {
        const term = terms.get(last)! + (random.chance(0.2) ? 1 : 0);
        terms.set(++last, term);
        runs.append(last, term);
      } else if (die < 17 && last > first) {
        const from = first + 1 + random.below(last - first);
        runs.truncateSuffix(from);
        last = from - 1;
      } else if (die < 19) {
        first += random.below(last - first + 1);
        runs.truncatePrefix(first);
      } else if (random.chance(0.05)) {
        [first, last, terms] = [last + 5, last + 5, new Map([[last + 5, 99]])];
        runs.restart(first, 99);
      }
      const index = first - 2 + random.below(last - first + 5);
      expect(runs.termAt(index)).toBe(index < first || index > last ? undefined : terms.get(index));
    }
  });

  test('the newest batches in memory', () => {
    const random = new SeededRandom(seed);
    const cache = new TailCache(2_000, 1);
    const chain = new BatchChain();
    let held = new Map<number, Buffer>();
    let last = 0;
    let written = 0;
    for (let step = 0; step < 3_000; step++) {
      const die = random.below(20);
      if (die < 14) {
        const batch = chain.next({ payload: Buffer.alloc(random.below(300)) });
        held.set(++last, batch);
        cache.append(batch, written);
      } else if (die < 17) {
        written = Math.max(written, last - random.below(5));
        cache.shrink(written);
      } else if (die === 17) {
        last = Math.max(cache.oldestIndex - 1, last - random.below(4));
        written = Math.min(written, last);
        cache.truncateSuffix(last + 1);
        held = new Map([...held].filter(([index]) => index <= last));
      } else if (die === 18) {
        cache.truncatePrefix(cache.oldestIndex + random.below(3));
        last = Math.max(last, cache.oldestIndex - 1);
      }
      const bytes = [...held]
        .filter(([index]) => index >= cache.oldestIndex)
        .reduce((sum, [, batch]) => sum + batch.length, 0);
      expect(cache.heldBytes).toBe(bytes);
      expect(bytes <= 2_000 || cache.oldestIndex > written).toBe(true);
      const index = cache.oldestIndex - 1 + random.below(last - cache.oldestIndex + 3);
      expect(cache.get(index)).toBe(index < cache.oldestIndex ? undefined : held.get(index));
    }
  });
});

test('the sparse index leads to at or before the batch, by index, offset and time', () => {
  const index = new SparseIndex();
  expect(index.positionOfIndex(1)).toBeUndefined();
  const chain = new BatchChain();
  const placed: { index: number; position: number; offset: number; time: number }[] = [];
  let position = 512;
  for (let i = 0; i < 400; i++) {
    const batch = chain.next({ payload: Buffer.alloc((i % 5) * 9_000), count: i % 4, kind: BatchKind.Records });
    const header = readHeader(batch);
    index.add(header, position);
    placed.push({ index: header.index, position, offset: header.baseOffset, time: header.time });
    position += batch.length;
  }
  for (const { index: entry, position: at, offset, time } of placed) {
    for (const found of [index.positionOfIndex(entry), index.positionOfTime(time)]) {
      expect(found).toBeLessThanOrEqual(at);
      expect(at - found!).toBeLessThan(64 * 1024);
    }
    expect(index.positionOfOffset(offset)).toBeLessThanOrEqual(position);
  }
  const cut = placed[200]!;
  index.truncateSuffix(cut.index);
  expect(index.positionOfIndex(400)).toBeLessThan(cut.position);
});
