import { type LoadResult } from './closed-loop';
import { type Counters } from '../metrics-text';
import { Workload } from './workload';

const ROWS_PER_BATCH = 8190;

export interface SuiteOptions {
  readonly addresses: readonly string[];
  /** Seconds that each step runs. */
  readonly seconds: number;
  readonly accounts: number;
  /** Names of the steps to run; undefined: all. */
  readonly only?: readonly string[] | undefined;
  readonly signal: AbortSignal;
  /** Milliseconds until a call gives up; the client's default where nothing is said. */
  readonly timeoutMs?: number;
  /** Told when a step begins. */
  readonly onStep: (name: string) => void;
  /** Read before and after each step; the difference is kept with its result. */
  readonly readCounters?: () => Promise<Counters>;
}

export interface SuiteStep {
  readonly name: string;
  /** What `perSecond` counts. */
  readonly unit: string;
  readonly inFlight: number;
  readonly result: LoadResult;
  /** Seconds of processor time that this process used. */
  readonly clientCpuSeconds: number;
  /** What the nodes counted during the step; undefined where nobody asked. */
  readonly counters?: Counters;
}

interface Step {
  readonly name: string;
  readonly unit: string;
  readonly inFlight: number;
  readonly run: (workload: Workload, seconds: number) => Promise<LoadResult>;
}

const single = (inFlight: number): Step => ({
  ...{ name: `transfers-${inFlight}`, unit: 'transfers', inFlight },
  run: (workload, seconds) => workload.singleTransfers(inFlight, seconds),
});

const packed = (streams: number, inFlight: number, hot = false): Step => ({
  ...{ name: `${hot ? 'hot' : 'packed'}-${inFlight}`, unit: 'transfers', inFlight },
  run: (workload, seconds) => workload.packedRows({ rowsPerBatch: ROWS_PER_BATCH, streams, inFlight, seconds, hot }),
});

const produce = (inFlight: number): Step => ({
  ...{ name: `produce-${inFlight}`, unit: 'records', inFlight },
  run: (workload, seconds) => workload.produce(inFlight, seconds),
});

/** One after the other: single transfers, packed batches over one and two streams, the same from one account, Produce calls. */
const STEPS: readonly Step[] = [
  ...[single(1), single(16), single(256)],
  ...[packed(1, 1), packed(2, 8), packed(2, 8, true)],
  produce(256),
];

export const STEP_NAMES: readonly string[] = STEPS.map((step) => step.name);

/** Runs the steps, a tenth of the time of each before it as a warm-up. Ends early, with what there is, when aborted. */
export async function runSuite(options: SuiteOptions): Promise<SuiteStep[]> {
  const { addresses, accounts, signal, seconds, timeoutMs } = options;
  const limit = timeoutMs === undefined ? {} : { timeoutMs };
  const workload = await Workload.prepare({ addresses, accounts, signal, ...limit });
  const done: SuiteStep[] = [];
  try {
    for (const { name, unit, inFlight, run } of STEPS) {
      if (signal.aborted || (options.only && !options.only.includes(name))) continue;
      options.onStep(name);
      await run(workload, seconds / 10);
      const before = await options.readCounters?.();
      const cpu = process.cpuUsage();
      const result = await run(workload, seconds);
      const { user, system } = process.cpuUsage(cpu);
      const after = await options.readCounters?.();
      const counted = before && after && { counters: difference(before, after) };
      done.push({ name, unit, inFlight, result, clientCpuSeconds: (user + system) / 1e6, ...counted });
    }
    return done;
  } finally {
    await workload.close();
  }
}

function difference(before: Counters, after: Counters): Counters {
  return {
    fsyncs: after.fsyncs - before.fsyncs,
    batches: after.batches - before.batches,
    serverCpuSeconds: after.serverCpuSeconds - before.serverCpuSeconds,
  };
}
