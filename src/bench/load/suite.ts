import { type LoadResult } from './closed-loop';
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
  /** Told when a step begins. */
  readonly onStep: (name: string) => void;
}

export interface SuiteStep {
  readonly name: string;
  /** What `perSecond` counts. */
  readonly unit: string;
  readonly inFlight: number;
  readonly result: LoadResult;
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

const packed = (streams: number, inFlight: number): Step => ({
  ...{ name: `packed-${inFlight}`, unit: 'transfers', inFlight },
  run: (workload, seconds) => workload.packedRows(ROWS_PER_BATCH, streams, inFlight, seconds),
});

const produce = (inFlight: number): Step => ({
  ...{ name: `produce-${inFlight}`, unit: 'records', inFlight },
  run: (workload, seconds) => workload.produce(inFlight, seconds),
});

/** One after the other: single transfers, packed batches over one and two streams, Produce calls. */
const STEPS: readonly Step[] = [single(1), single(16), single(256), packed(1, 1), packed(2, 8), produce(256)];

export const STEP_NAMES: readonly string[] = STEPS.map((step) => step.name);

/** Runs the steps, a tenth of the time of each before it as a warm-up. Ends early, with what there is, when aborted. */
export async function runSuite(options: SuiteOptions): Promise<SuiteStep[]> {
  const { addresses, accounts, signal, seconds } = options;
  const workload = await Workload.prepare({ addresses, accounts, signal });
  const done: SuiteStep[] = [];
  try {
    for (const { name, unit, inFlight, run } of STEPS) {
      if (signal.aborted || (options.only && !options.only.includes(name))) continue;
      options.onStep(name);
      await run(workload, seconds / 10);
      done.push({ name, unit, inFlight, result: await run(workload, seconds) });
    }
    return done;
  } finally {
    await workload.close();
  }
}
