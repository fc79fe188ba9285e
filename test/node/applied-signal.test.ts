import { AppliedSignal } from '../../src/node/applied-signal';

const LONG = 60_000;

describe('AppliedSignal', () => {
  test('wakes everyone who waits, once', async () => {
    const signal = new AppliedSignal();
    const woken = Promise.all([signal.next(LONG), signal.next(LONG)]);
    signal.notify();
    await woken;
    let again = false;
    const next = signal.next(LONG).then(() => (again = true));
    await new Promise((resolve) => setImmediate(resolve));
    expect(again).toBe(false);
    signal.notify();
    await next;
  });

  test('waits no longer than it was told to', async () => {
    // A wait of its own does not keep the process alive, so the test has to.
    const alive = setInterval(() => undefined, 1_000);
    await new AppliedSignal().next(5);
    clearInterval(alive);
  });

  test('an abort ends the wait, also one that came before it', async () => {
    const signal = new AppliedSignal();
    const abort = new AbortController();
    const waiting = signal.next(LONG, abort.signal);
    abort.abort();
    await waiting;
    await signal.next(LONG, abort.signal);
  });
});
