import { ClockGuard } from '../../../src/raft/replica/clock-guard';
import { ManualClock } from './manual-world';

const LIMIT_MICROS = 2_000_000;
const LIFE_MILLIS = 5_000;
const SELF = 'a';

describe('ClockGuard', () => {
  let clock: ManualClock;
  let guard: ClockGuard;
  beforeEach(() => {
    clock = new ManualClock();
    guard = new ClockGuard(clock, LIMIT_MICROS, LIFE_MILLIS);
  });

  /** A peer whose clock this one is so far ahead of. */
  const ahead = (peer: string, micros: number): void => guard.observe(peer, clock.wall - micros);
  const may = (...others: string[]): boolean => guard.mayPropose(SELF, [SELF, ...others]);

  test('nobody else, or nobody heard of yet: it may', () => {
    expect(may()).toBe(true);
    expect(may('b', 'c')).toBe(true);
    expect(guard.mayPropose(SELF, [])).toBe(true);
  });

  test('not while it is seconds ahead of a majority', () => {
    ahead('b', LIMIT_MICROS + 1);
    ahead('c', 0);
    expect(may('b', 'c')).toBe(true);
    ahead('c', LIMIT_MICROS + 1);
    expect(may('b', 'c')).toBe(false);
    for (const voter of ['d', 'e']) ahead(voter, 0);
    expect(may('b', 'c', 'd', 'e')).toBe(true);
    ahead('d', 10 * LIMIT_MICROS);
    expect(may('b', 'c', 'd', 'e')).toBe(false);
  });

  test('up to the bound, or behind the others, it may', () => {
    ahead('b', LIMIT_MICROS);
    ahead('c', -60_000_000);
    expect(may('b', 'c')).toBe(true);
  });

  test('of two voters the other one decides; and of more, where it is the only one that is heard', () => {
    ahead('b', LIMIT_MICROS + 1);
    expect(may('b')).toBe(false);
    expect(may('b', 'c')).toBe(false);
    expect(may('b', 'c', 'd', 'e')).toBe(false);
    ahead('c', LIMIT_MICROS);
    expect(may('b', 'c')).toBe(true);
    expect(may('b', 'c', 'd', 'e')).toBe(true);
  });

  test('only voters count', () => {
    for (const learner of ['x', 'y', 'z']) ahead(learner, LIMIT_MICROS + 1);
    expect(may('b', 'c')).toBe(true);
  });

  test('the newest sample of a peer counts, and none that is old', () => {
    ahead('b', LIMIT_MICROS + 1);
    ahead('c', LIMIT_MICROS + 1);
    ahead('c', 0);
    expect(may('b', 'c')).toBe(true);
    ahead('c', LIMIT_MICROS + 1);
    clock.monotonic += LIFE_MILLIS;
    expect(may('b', 'c')).toBe(false);
    clock.monotonic += 1;
    expect(may('b', 'c')).toBe(true);
  });

  test.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 60])(
    'a peer that says %d says nothing',
    (micros) => {
      for (const voter of ['c', 'd']) ahead(voter, LIMIT_MICROS + 1);
      ahead('e', 0);
      guard.observe('b', micros);
      expect(may('b', 'c', 'd', 'e')).toBe(true);
    },
  );
});
