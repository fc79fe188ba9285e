import { CatchUpPace } from '../../../src/raft/replica/catch-up-pace';

/** A clock that is moved by hand; timers run when it passes them. */
class HandClock {
  now = 1_000;
  readonly waits: number[] = [];
  private timers: { readonly at: number; readonly task: () => void }[] = [];

  monotonicMillis(): number {
    return this.now;
  }

  every(millis: number, task: () => void): () => void {
    this.waits.push(millis);
    const timer = { at: this.now + millis, task };
    this.timers.push(timer);
    return () => {
      this.timers = this.timers.filter((one) => one !== timer);
    };
  }

  pass(millis: number): void {
    this.now += millis;
    for (const { at, task } of [...this.timers]) if (at <= this.now) task();
  }

  get timersLeft(): number {
    return this.timers.length;
  }
}

const MIB = 1 << 20;

describe('the pace at which a peer that is behind is served', () => {
  const clock = new HandClock();
  let pace = new CatchUpPace(clock, clock, MIB);
  beforeEach(() => {
    clock.waits.length = 0;
    pace = new CatchUpPace(clock, clock, MIB);
  });

  test('is no wait for a peer that got nothing', () => {
    expect(pace.turn('a')).toBeUndefined();
  });

  test('whoever asks again while it waits is loaded for once, from where it wants it last', async () => {
    const loaded: number[] = [];
    const load = (from: number): void => void loaded.push(from);
    expect(pace.whenTurn('a', 1, load)).toBeUndefined();
    expect(loaded).toEqual([1]);
    pace.sent('a', MIB);
    const turn = pace.whenTurn('a', 5, load);
    for (const from of [6, 9, 8]) expect(pace.whenTurn('a', from, load)).toBeUndefined();
    clock.pass(999);
    await Promise.resolve();
    expect(loaded).toEqual([1]);
    clock.pass(1);
    await turn;
    expect(loaded).toEqual([1, 8]);
    expect(pace.whenTurn('a', 9, load)).toBeUndefined();
    expect(loaded).toEqual([1, 8, 9]);
    expect(clock.timersLeft).toBe(0);
  });

  test('is as long as what it got takes', async () => {
    pace.sent('a', MIB / 2);
    const turn = pace.turn('a');
    expect(clock.waits).toEqual([500]);
    expect(pace.turn('b')).toBeUndefined();
    clock.pass(500);
    await turn;
    expect(clock.timersLeft).toBe(0);
    expect(pace.turn('a')).toBeUndefined();
  });

  test('counts the time that has passed by itself', () => {
    pace.sent('a', MIB);
    clock.pass(750);
    void pace.turn('a');
    expect(clock.waits).toEqual([250]);
  });

  test('adds up what is sent ahead of its time', () => {
    pace.sent('a', MIB);
    pace.sent('a', MIB);
    void pace.turn('a');
    expect(clock.waits).toEqual([2_000]);
  });

  test('is not saved up by a peer that takes nothing for long', () => {
    pace.sent('a', MIB);
    clock.pass(3_600_000);
    pace.sent('a', MIB);
    void pace.turn('a');
    expect(clock.waits).toEqual([1_000]);
  });

  test('is faster than the log grows', () => {
    pace.sent('a', 10 * MIB);
    pace.logGrew(5 * MIB);
    expect(pace.turn('a')).toBeUndefined();
    pace.sent('a', 10 * MIB);
    pace.logGrew(4 * MIB);
    void pace.turn('a');
    expect(clock.waits).toEqual([2_000]);
  });

  test('has to be some bytes', () => {
    expect(() => new CatchUpPace(clock, clock, 0)).toThrow(RangeError);
    expect(() => new CatchUpPace(clock, clock, Number.NaN)).toThrow(RangeError);
  });
});
