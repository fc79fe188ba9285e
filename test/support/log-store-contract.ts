import { BatchKind, readHeader } from '../../src/log/batch';
import { LogClosedError, LogContinuityError, LogRangeError } from '../../src/log/log-errors';
import type { LogBoundary, LogStore } from '../../src/log/log-store';
import { BatchChain, boundaryAfter, readWholeLog } from './batch-chain';
import { describeTimes } from './log-time-contract';

/** Makes an empty log of group 0 that never held anything. The suite closes it. */
export type MakeLog = () => Promise<LogStore>;

const EVERYTHING = 1 << 30;

/** Everything that a `LogStore` has to do, whatever it is made of. Call it from a test file with each implementation. */
export function describeLogStore(name: string, make: MakeLog): void {
  describe(`${name} keeps the contract of a log store`, () => {
    let log: LogStore;
    let chain: BatchChain;

    beforeEach(async () => {
      log = await make();
      chain = new BatchChain();
    });

    afterEach(async () => {
      await log.close();
    });

    const appendMany = (count: number, payloadBytes = 100): Buffer[] => {
      const batches = chain.many(count, { payload: Buffer.alloc(payloadBytes, 7) });
      for (const batch of batches) log.append(batch);
      return batches;
    };
    const context: Context = { log: () => log, chain: () => chain, appendMany };

    describe('appending', () => describeAppending(context));
    describe('becoming durable', () => describeDurability(context));
    describe('reading', () => describeReading(context));
    describe('searching by time', () => describeTimes(() => log));
    describe('truncating a suffix', () => describeSuffixTruncation(context));
    describe('truncating a prefix', () => describePrefixTruncation(context));
    describe('starting again behind a snapshot', () => describeReset(context));
    describe('closing', () => describeClosing(context));
  });
}

interface Context {
  log(): LogStore;
  chain(): BatchChain;
  appendMany(count: number, payloadBytes?: number): Buffer[];
}

function describeAppending({ log, chain, appendMany }: Context): void {
  test('a fresh log is empty and begins with index 1 and offset 0', () => {
    expect(log()).toMatchObject({
      firstIndex: 1,
      lastIndex: 0,
      lastTerm: 0,
      nextOffset: 0,
      firstOffset: 0,
      durableIndex: 0,
    });
    expect(log().termAt(0)).toBe(0);
    expect(log().termAt(1)).toBeUndefined();
    expect(log().lastHash).toEqual(Buffer.alloc(32));
  });

  test('what is appended is there at once', () => {
    const [first, second] = [
      chain().next({ count: 3 }),
      chain().next({ kind: BatchKind.NoOp, term: 4, payload: Buffer.alloc(0) }),
    ];
    log().append(first);
    log().append(second);
    const { hash, time } = readHeader(second);
    expect(log()).toMatchObject({ lastIndex: 2, lastTerm: 4, nextOffset: 3, lastTime: time, lastHash: hash });
    expect([log().termAt(1), log().termAt(2), log().termAt(3)]).toEqual([1, 4, undefined]);
    expect(log().cached(1, EVERYTHING)).toEqual([first, second]);
  });

  test.each<[string, (c: BatchChain) => Buffer]>([
    ['a gap in the index', (c) => (c.next(), c.next())],
    ['another group', (c) => new BatchChain(c.end, 9).next()],
    ['another hash before it', (c) => new BatchChain({ ...c.end, hash: Buffer.alloc(32, 1) }).next()],
    ['another offset', (c) => new BatchChain({ ...c.end, nextOffset: 77 }).next()],
    ['a time that does not increase', (c) => new BatchChain({ ...c.end, time: c.end.time - 1_000 }).next()],
    ['a term that goes back', (c) => c.next({ term: 1 })],
  ])('%s is refused and changes nothing', (_what, make) => {
    log().append(chain().next({ term: 2 }));
    const before = log().lastHash;
    expect(() => log().append(make(chain()))).toThrow(LogContinuityError);
    expect(log().lastIndex).toBe(1);
    expect(log().lastHash).toEqual(before);
  });

  test('it counts batches and bytes', async () => {
    const bytes = appendMany(5).reduce((sum, batch) => sum + batch.length, 0);
    await log().sync();
    expect(log().stats()).toMatchObject({ batches: 5, bytes });
  });
}

function describeDurability({ log, appendMany }: Context): void {
  test('nothing is durable before sync, everything appended before it after it (pitfall 17)', async () => {
    appendMany(3);
    expect(log().durableIndex).toBe(0);
    const synced = log().sync();
    expect(log().durableIndex).toBe(0);
    expect(await synced).toBeGreaterThanOrEqual(3);
    expect(log().durableIndex).toBe(3);
  });

  test('sync of nothing resolves', async () => {
    expect(await log().sync()).toBe(0);
  });

  test('callers share an fdatasync', async () => {
    const waiting: Promise<number>[] = [];
    for (let i = 0; i < 50; i++) {
      appendMany(1);
      waiting.push(log().sync());
    }
    await Promise.all(waiting);
    expect(log().durableIndex).toBe(50);
    expect(log().stats().fsyncs).toBeLessThan(10);
  });

  test('what replaces a truncated entry is not durable by the write of the old one', async () => {
    const [, second] = appendMany(3);
    const old = log().sync();
    const truncated = log().truncateSuffix(3);
    log().append(BatchChain.after(second!).next({ term: 2 }));
    await old;
    if (log().durableIndex === 3) expect(await log().read(3, 1)).toEqual(log().cached(3, 1));
    else expect(log().durableIndex).toBe(2);
    await truncated;
    expect(await log().sync()).toBe(3);
  });
}

function describeReading({ log, appendMany }: Context): void {
  test('at least one entry, however large, and then no more than was asked for', async () => {
    const batches = appendMany(10);
    const size = batches[0]!.length;
    expect(await log().read(3, 1)).toEqual([batches[2]]);
    expect(await log().read(3, 2 * size)).toEqual(batches.slice(2, 4));
    expect(await log().read(3, 3 * size - 1)).toEqual(batches.slice(2, 4));
    expect(log().cached(9, EVERYTHING)).toEqual(batches.slice(8));
  });

  test('beyond the end there is nothing', async () => {
    appendMany(2);
    expect(await log().read(3, EVERYTHING)).toEqual([]);
    expect(log().cached(3, EVERYTHING)).toEqual([]);
  });

  test('every offset leads to its entry', async () => {
    const { log: store, chain } = { log: log(), chain: new BatchChain() };
    for (const count of [2, 0, 3]) store.append(chain.next({ count }));
    store.append(chain.next({ kind: BatchKind.System }));
    store.append(chain.next({ count: 1 }));
    await store.sync();
    const found = await Promise.all([0, 1, 2, 4, 5, 6].map((offset) => store.indexOfOffset(offset)));
    expect(found).toEqual([1, 1, 3, 3, 5, undefined]);
  });
}

function describeSuffixTruncation({ log, appendMany }: Context): void {
  test('the entries are gone at once and others take their place', async () => {
    const batches = appendMany(6);
    await log().sync();
    const truncated = log().truncateSuffix(4);
    expect(log()).toMatchObject({ lastIndex: 3, nextOffset: 3, durableIndex: 3 });
    expect(log().lastHash).toEqual(boundaryAfter(batches[2]!).hash);
    expect(log().termAt(4)).toBeUndefined();
    const replacement = BatchChain.after(batches[2]!).next({ term: 7 });
    log().append(replacement);
    await truncated;
    expect(await log().sync()).toBe(4);
    expect(await log().read(1, EVERYTHING)).toEqual([...batches.slice(0, 3), replacement]);
    expect(log().termAt(4)).toBe(7);
    expect(await log().indexOfOffset(3)).toBe(4);
  });

  test('an entry in memory does not outlive its truncation (pitfall 9)', async () => {
    const batches = appendMany(5);
    await log().sync();
    await log().truncateSuffix(3);
    expect(log().cached(3, EVERYTHING)).toEqual([]);
    const replacement = BatchChain.after(batches[1]!).next({ term: 2 });
    log().append(replacement);
    expect(log().cached(3, EVERYTHING)).toEqual([replacement]);
    expect(log().cached(1, EVERYTHING)).toEqual([...batches.slice(0, 2), replacement]);
    expect(log().cached(5, EVERYTHING)).toEqual([]);
  });

  test('a suffix goes, never a prefix (pitfall 13)', async () => {
    const batches = appendMany(12, 3_000);
    await log().sync();
    await log().truncateSuffix(4);
    expect(log()).toMatchObject({ firstIndex: 1, lastIndex: 3 });
    expect(await readWholeLog(log())).toEqual(batches.slice(0, 3));
    expect(await log().read(4, EVERYTHING)).toEqual([]);
  });

  test('everything can go', async () => {
    const [first] = appendMany(3);
    await log().sync();
    await log().truncateSuffix(1);
    expect(log()).toMatchObject({ firstIndex: 1, lastIndex: 0, lastTerm: 0, nextOffset: 0, durableIndex: 0 });
    log().append(first!);
    expect(await log().sync()).toBe(1);
    expect(await log().read(1, EVERYTHING)).toEqual([first]);
  });

  test('beyond the end nothing happens; before the beginning it is refused', async () => {
    appendMany(2);
    await log().truncateSuffix(3);
    expect(log().lastIndex).toBe(2);
    await expect(log().truncateSuffix(0)).rejects.toThrow(LogContinuityError);
  });
}

function describePrefixTruncation({ log, appendMany }: Context): void {
  test('a prefix goes, never a suffix; what is kept is all there (pitfall 13)', async () => {
    const batches = appendMany(40, 3_000);
    await log().sync();
    await log().truncatePrefix(30);
    const { firstIndex } = log();
    expect(firstIndex).toBeLessThanOrEqual(31);
    expect(log()).toMatchObject({ lastIndex: 40, nextOffset: 40, firstOffset: firstIndex - 1 });
    expect(await readWholeLog(log())).toEqual(batches.slice(firstIndex - 1));
    expect(log().termAt(firstIndex - 1)).toBe(firstIndex === 1 ? 0 : 1);
    for (let index = 0; index < firstIndex - 1; index++) expect(log().termAt(index)).toBeUndefined();
    if (firstIndex > 1) {
      await expect(log().read(firstIndex - 1, 1)).rejects.toMatchObject({ name: 'LogRangeError', reason: 'compacted' });
      expect(log().cached(firstIndex - 1, 1)).toBeUndefined();
      expect(await log().indexOfOffset(firstIndex - 2)).toBeUndefined();
    }
    expect(await log().indexOfOffset(firstIndex - 1)).toBe(firstIndex);
  });

  test('the log goes on', async () => {
    const batches = appendMany(10, 3_000);
    await log().truncatePrefix(10);
    const next = BatchChain.after(batches.at(-1)!).next();
    log().append(next);
    expect(await log().sync()).toBe(11);
    expect((await readWholeLog(log())).at(-1)).toEqual(next);
  });
}

function describeReset({ log, appendMany }: Context): void {
  const at: LogBoundary = { index: 100, term: 9, nextOffset: 5_000, hash: Buffer.alloc(32, 3), time: 1_000_000 };

  test('the log is empty and continues behind the boundary', async () => {
    appendMany(5);
    await log().sync();
    await log().reset(at);
    expect(log()).toMatchObject({
      firstIndex: 101,
      lastIndex: 100,
      lastTerm: 9,
      nextOffset: 5_000,
      firstOffset: 5_000,
    });
    expect(log()).toMatchObject({ durableIndex: 100, lastTime: 1_000_000, lastHash: at.hash });
    expect([log().termAt(99), log().termAt(100), log().termAt(101)]).toEqual([undefined, 9, undefined]);
    const next = new BatchChain(at).next();
    log().append(next);
    expect(await log().sync()).toBe(101);
    expect(await log().read(101, EVERYTHING)).toEqual([next]);
    await expect(log().read(3, 1)).rejects.toThrow(LogRangeError);
    expect(await log().indexOfOffset(2)).toBeUndefined();
    expect(await log().indexOfOffset(5_000)).toBe(101);
  });

  test('also to a boundary within what it held', async () => {
    const batches = appendMany(5);
    const boundary = boundaryAfter(batches[2]!);
    await log().reset(boundary);
    log().append(batches[3]!);
    await log().sync();
    expect(log()).toMatchObject({ firstIndex: 4, lastIndex: 4, firstOffset: 3 });
    expect(await log().read(4, EVERYTHING)).toEqual([batches[3]]);
  });
}

function describeClosing({ log, appendMany }: Context): void {
  test('afterwards calls are refused, and closing again is not a fault', async () => {
    appendMany(1);
    const next = BatchChain.after(log().cached(1, 1)![0]!).next();
    await log().close();
    await log().close();
    expect(() => log().append(next)).toThrow(LogClosedError);
    await expect(log().read(1, 1)).rejects.toThrow(LogClosedError);
    await expect(log().sync()).rejects.toThrow(LogClosedError);
    await expect(log().truncateSuffix(1)).rejects.toThrow(LogClosedError);
  });
}
