import { RaftLog } from '../../../src/raft/core/raft-log';
import { entry, MemoryLog } from './memory-log';

/** The view over the replica's log (entries 1 to 3 of term 1) and what was not handed to it yet. */
function logWith(...pending: ReturnType<typeof entry>[]): { log: RaftLog; below: MemoryLog } {
  const below = new MemoryLog({ index: 0, term: 0 }, [entry(1, 1), entry(2, 1), entry(3, 1)]);
  const log = new RaftLog(below, { index: 0, term: 0 });
  if (pending.length > 0) log.replaceFrom(pending);
  return { log, below };
}

test('what is pending hides what it replaces', () => {
  const { log } = logWith(entry(3, 2, 'new'));
  expect([log.lastIndex, log.lastTerm, log.termAt(2), log.termAt(3), log.termAt(4)]).toEqual([3, 2, 1, 2, undefined]);
  expect(log.entries(2, 1000, 10)).toEqual([entry(2, 1)]);
  expect(log.entries(3, 1000, 10)).toEqual([entry(3, 2, 'new')]);
  expect(log.durable).toBe(2);
});

test('pending entries are replaced before they are handed over, the log is cut once, at the lowest place', () => {
  const { log } = logWith(entry(3, 2), entry(4, 2), entry(5, 2));
  log.replaceFrom([entry(4, 3)]);
  expect(log.lastIndex).toBe(4);
  log.replaceFrom([entry(2, 4), entry(3, 4)]);
  expect(log.takeChanges()).toEqual({ truncateFrom: 2, entries: [entry(2, 4), entry(3, 4)] });
  expect(log.hasPending).toBe(false);
});

test('entries that follow the log cut nothing', () => {
  const { log } = logWith(entry(4, 2), entry(5, 2));
  log.replaceFrom([entry(5, 3)]);
  expect(log.takeChanges()).toEqual({ truncateFrom: undefined, entries: [entry(4, 2), entry(5, 3)] });
  expect(log.durable).toBe(3);
});

test.each([
  [1000, 2, 2],
  [1000, 10, 3],
  [9, 10, 2],
  [1, 10, 1],
])('at most %d bytes and %d entries of what is pending: %d', (bytes, count, given) => {
  const { log } = logWith(entry(4, 2), entry(5, 2), entry(6, 2));
  expect(log.entries(4, bytes, count)).toHaveLength(given);
});

test('what is committed is never replaced', () => {
  const { log } = logWith();
  log.commitTo(2);
  expect(() => log.replaceFrom([entry(2, 2)])).toThrow(/committed up to 2/);
  expect(() => log.commitTo(4)).toThrow(/acknowledged entries are gone/);
});

test('the hint for a log that differs: the last index whose term is not above the given one', () => {
  const terms = [1, 1, 2, 2, 2, 5, 5, 7];
  const below = new MemoryLog(
    { index: 10, term: 1 },
    terms.map((term, n) => entry(11 + n, term)),
  );
  const log = new RaftLog(below, { index: 10, term: 1 });
  const hint = (index: number, term: number) => log.lastIndexUpToTerm(index, term);
  expect([hint(18, 9), hint(18, 6), hint(18, 4), hint(14, 4), hint(18, 1), hint(18, 0), hint(99, 9)]).toEqual([
    18, 17, 15, 14, 12, 10, 18,
  ]);
  // Below what the log holds it knows nothing better than what was asked about.
  expect(hint(7, 3)).toBe(7);
});
