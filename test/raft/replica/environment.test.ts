import { systemClock, systemRandom, systemScheduler } from '../../../src/raft/replica/environment';

describe('the clock of the system', () => {
  afterEach(() => {
    jest.restoreAllMocks();
    systemClock.wallMicros();
  });
  const difference = (): number => Math.abs(systemClock.wallMicros() - Date.now() * 1_000);

  test('says microseconds, close to the wall clock', () => {
    expect(difference()).toBeLessThan(100_000);
    const times = Array.from({ length: 1_000 }, () => systemClock.wallMicros());
    expect(times.every((time) => Number.isSafeInteger(time))).toBe(true);
    expect(times.some((time) => time % 1_000 !== 0)).toBe(true);
  });

  test.each([3_600_000, -3_600_000])('follows the wall clock when it is put right by %d ms', (step) => {
    const real = Date.now.bind(Date);
    const before = systemClock.monotonicMillis();
    jest.spyOn(Date, 'now').mockImplementation(() => real() + step);
    expect(difference()).toBeLessThan(100_000);
    const since = systemClock.monotonicMillis() - before;
    expect(since).toBeGreaterThanOrEqual(0);
    expect(since).toBeLessThan(60_000);
  });
});

describe('the scheduler of the system', () => {
  test('defers to a later turn, repeats until it is told to stop', async () => {
    const order: string[] = [];
    systemScheduler.defer(() => order.push('deferred'));
    order.push('now');
    await new Promise((resolve) => setImmediate(resolve));
    expect(order).toEqual(['now', 'deferred']);
    await new Promise<void>((resolve) => {
      let rounds = 0;
      const stop = systemScheduler.every(1, () => {
        rounds += 1;
        if (rounds < 3) return;
        stop();
        resolve();
      });
    });
    expect(systemRandom.next()).toBeLessThan(1);
  });
});
