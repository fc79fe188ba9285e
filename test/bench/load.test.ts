import fc from 'fast-check';
import { LedgerError } from '../../src/client';
import { runClosedLoop } from '../../src/bench/load/closed-loop';
import { Latencies } from '../../src/bench/load/latencies';
import { runSuite, STEP_NAMES } from '../../src/bench/load/suite';
import { countersIn } from '../../src/bench/metrics-text';
import { shareOfCeiling } from '../../src/bench/report';
import { ClusterOfDoors } from '../client/cluster-of-doors';

const SEED = Number(process.env['LATENCIES_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const never = new AbortController().signal;

describe('Latencies', () => {
  test(`give percentiles within 1.6 % (repeat with: LATENCIES_SEED=${SEED} npx jest test/bench/load)`, () => {
    const samples = fc.array(fc.double({ min: 0.001, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 300 });
    fc.assert(
      fc.property(samples, fc.double({ min: 0.01, max: 1, noNaN: true }), (milliseconds, share) => {
        const latencies = new Latencies();
        milliseconds.forEach((one) => latencies.record(one));
        const exact = [...milliseconds].sort((a, b) => a - b)[Math.ceil(milliseconds.length * share) - 1]!;
        // Half a microsecond is lost by rounding, however short the time.
        expect(Math.abs(latencies.percentile(share) - exact)).toBeLessThanOrEqual(exact * 0.016 + 0.0005);
      }),
      { seed: SEED },
    );
  });

  test('of nothing are 0', () => {
    expect(new Latencies().percentile(0.5)).toBe(0);
  });
});

describe('runClosedLoop', () => {
  test('has exactly so many calls under way, and counts what they did', async () => {
    let underWay = 0;
    let most = 0;
    const call = async (): Promise<number> => {
      most = Math.max(most, ++underWay);
      await new Promise((resolve) => setImmediate(resolve));
      underWay -= 1;
      return 3;
    };
    const result = await runClosedLoop({ inFlight: 7, seconds: 0.05, signal: never, call });
    expect(most).toBe(7);
    expect(result.calls).toBeGreaterThan(7);
    expect(result.items).toBe(result.calls * 3);
    expect(result.perSecond).toBeCloseTo(result.items / result.seconds);
  });

  test('ends at the first call that fails, and when it is aborted', async () => {
    const failing = { inFlight: 2, seconds: 60, signal: never, call: () => Promise.reject(new Error('refused')) };
    await expect(runClosedLoop(failing)).rejects.toThrow('refused');
    const abort = new AbortController();
    const call = (n: number): Promise<number> => {
      if (n === 10) abort.abort();
      return new Promise((resolve) => setImmediate(() => resolve(1)));
    };
    expect((await runClosedLoop({ inFlight: 1, seconds: 60, signal: abort.signal, call })).items).toBe(11);
  });
});

describe('the suite', () => {
  test('does every step on its own ledger, each id once, and reads the counters around it', async () => {
    const cluster = await ClusterOfDoors.start(2);
    const steps: string[] = [];
    let reads = 0;
    const counted = { fsyncs: 1, batches: 10, serverCpuSeconds: 1 };
    const done = await runSuite({
      ...{ addresses: cluster.addresses, seconds: 0.2, accounts: 50, signal: never },
      onStep: (name) => steps.push(name),
      readCounters: async () => ({ fsyncs: ++reads, batches: 10 * reads, serverCpuSeconds: reads }),
    });
    expect(steps).toEqual(STEP_NAMES);
    expect(done.map((step) => step.name)).toEqual(STEP_NAMES);
    expect(done.every((step) => step.result.items > 0)).toBe(true);
    expect(done.map((step) => step.counters)).toEqual(STEP_NAMES.map(() => counted));
    await cluster.close();
    expect(cluster.unforeseen).toEqual([]);
  });

  test('fails where nobody answers', async () => {
    const options = { seconds: 1, accounts: 2, signal: never, onStep: () => undefined };
    const running = runSuite({ ...options, addresses: ['127.0.0.1:1'], timeoutMs: 100 });
    await expect(running).rejects.toThrow(LedgerError);
  });
});

describe('countersIn', () => {
  test('adds up every group and looks at nothing else', () => {
    const text = [
      '# HELP ledger_log_fsyncs_total Times …',
      '# TYPE ledger_log_fsyncs_total counter',
      'ledger_log_fsyncs_total{group="0"} 12',
      'ledger_log_fsyncs_total{group="1"} 1e3',
      'ledger_log_fsyncs_total_created{group="1"} 99',
      'ledger_log_batches_total 7',
      'process_cpu_seconds_total 1.5',
    ].join('\n');
    const other = 'process_cpu_seconds_total 2.5';
    expect(countersIn(text, [text, other])).toEqual({ fsyncs: 1012, batches: 7, serverCpuSeconds: 4 });
  });
});

describe('shareOfCeiling', () => {
  const result = { items: 0, calls: 0, seconds: 1, perSecond: 1000, p50Ms: 0, p99Ms: 0 };
  const disk = { syncsPerSecond: 2000, megabytesPerSecond: 0.64 };
  const grpc = { callsPerSecond: 500, calls: result, megabytesPerSecond: 1 };

  test.each([
    ['transfers-1', 1, 0.5],
    ['transfers-256', 256, 2],
    ['packed-8', 8, 0.1],
    ['hot-8', 8, 0.1],
  ])('%s', (name, inFlight, share) => {
    expect(shareOfCeiling({ disk, grpc }, { name, unit: '', inFlight, result, clientCpuSeconds: 0 })).toBeCloseTo(
      share,
    );
  });
});
