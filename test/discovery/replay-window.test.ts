import { ReplayWindow, SenderSessions } from '../../src/discovery/replay-window';
import { seededRandom } from './seeded-random';

const random = seededRandom('test/discovery/replay-window.test.ts');

test('each number is accepted once, in any order within reach', () => {
  const window = new ReplayWindow();
  expect([5, 3, 4, 0, 5, 3].map((number) => window.accept(number))).toEqual([true, true, true, true, false, false]);
  expect(window.accept(5 + 991)).toBe(true);
  expect(window.accept(4)).toBe(false);
  expect(window.accept(6)).toBe(true);
  expect(window.accept(0xffff_ffff)).toBe(true);
  expect(window.accept(996)).toBe(false);
  expect(window.accept(0xffff_ffff - 991)).toBe(true);
  expect(window.accept(0xffff_ffff - 992)).toBe(false);
});

test('agrees with a set of everything seen, for what is within reach', () => {
  const window = new ReplayWindow();
  const seen = new Set<number>();
  let highest = 0;
  for (let step = 0; step < 50_000; step++) {
    const leap = random.below(1_000) === 0 ? random.below(5_000) : random.below(4);
    const number = random.below(3) === 0 ? Math.max(0, highest - random.below(992)) : highest + leap;
    highest = Math.max(highest, number);
    expect(window.accept(number)).toBe(!seen.has(number));
    seen.add(number);
  }
});

describe('sessions of a sender', () => {
  const first = { id: 'first', startedAt: 1_000 };
  const second = { id: 'second', startedAt: 2_000 };

  test('a later session replaces an earlier one, which is refused from then on', () => {
    const sessions = new SenderSessions(8);
    expect(sessions.accept('a', first, 0, 0)).toBe('accepted');
    expect(sessions.accept('a', first, 0, 1)).toBe('repeated');
    expect(sessions.accept('b', first, 0, 1)).toBe('accepted');
    expect(sessions.accept('a', second, 0, 2)).toBe('accepted');
    expect(sessions.accept('a', first, 1, 3)).toBe('old_session');
  });

  test('after ten seconds of silence a sender may come back with its clock set back', () => {
    const sessions = new SenderSessions(8);
    sessions.accept('a', second, 0, 0);
    expect(sessions.accept('a', first, 0, 9_999)).toBe('old_session');
    expect(sessions.accept('a', second, 1, 9_999)).toBe('accepted');
    expect(sessions.accept('a', first, 0, 19_998)).toBe('old_session');
    expect(sessions.accept('a', first, 0, 19_999)).toBe('accepted');
  });

  test('only so many senders are remembered, those heard last', () => {
    const sessions = new SenderSessions(2);
    sessions.accept('a', second, 0, 0);
    sessions.accept('b', second, 0, 1);
    sessions.accept('a', second, 1, 2);
    sessions.accept('c', second, 0, 3);
    expect(sessions.accept('a', second, 0, 4)).toBe('repeated');
    expect(sessions.accept('b', second, 0, 4)).toBe('accepted');
  });
});
