import { Backoff } from '../../../src/raft/transport/backoff';
import { LogAllowance } from '../../../src/raft/transport/log-allowance';

describe('waits between attempts', () => {
  test('double up to their bound, and lie in the upper half of it', () => {
    for (const drawn of [0, 0.5, 0.999]) {
      const backoff = new Backoff({ next: () => drawn }, 50, 1_000);
      const bounds = [50, 100, 200, 400, 800, 1_000, 1_000];
      for (const bound of bounds) {
        const wait = backoff.next();
        expect(wait).toBeGreaterThanOrEqual(bound / 2);
        expect(wait).toBeLessThan(bound);
      }
      backoff.reset();
      expect(backoff.next()).toBeLessThan(50);
    }
  });

  test('stay at their bound for ever', () => {
    const backoff = new Backoff({ next: () => 1 }, 50, 1_000);
    for (let i = 0; i < 5_000; i++) backoff.next();
    expect(backoff.next()).toBe(1_000);
  });
});

test('warnings that a stranger provokes are counted, not written, beyond a few', () => {
  let now = 0;
  const lines: string[] = [];
  const allowance = new LogAllowance(
    { monotonicMillis: () => now },
    { warn: (fields, message) => lines.push(`${message} ${JSON.stringify(fields)}`) },
  );
  for (let i = 0; i < 100; i++) allowance.warn({ i }, 'refused');
  expect(lines).toHaveLength(10);
  now = 10_000;
  allowance.warn({ i: 100 }, 'refused');
  expect(lines.slice(10)).toEqual(['warnings like these were withheld {"withheld":90}', 'refused {"i":100}']);
});
