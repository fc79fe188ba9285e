import { nodesOf, type Choice } from './choice';
import { Simulation, SimulationFailure, type SimulationReport } from './simulation';

/** What a clean run did, as it travels between processes. */
export interface SeedReport extends Omit<SimulationReport, 'faults'> {
  readonly nodes: number;
  readonly faults: readonly (readonly [kind: string, times: number])[];
}

export interface SeedFailure {
  /** `Name: sentence` of what was found. */
  readonly message: string;
  readonly stack: string;
  readonly lastLines: readonly string[];
  /** Simulated, until it was found. */
  readonly seconds: number;
}

export type SeedResult =
  | { readonly kind: 'clean'; readonly report: SeedReport }
  | { readonly kind: 'failed'; readonly seed: number; readonly failure: SeedFailure };

export type SeedChoice = Pick<Choice, 'nodes' | 'seconds' | 'without'>;

/** Runs one seed from its beginning to its end. */
export async function runSeed(
  seed: number,
  choice: SeedChoice,
  everyLine: (line: string) => void = () => undefined,
): Promise<SeedResult> {
  const nodes = nodesOf(seed, choice);
  const { seconds, without } = choice;
  try {
    const report = await new Simulation({ seed, nodes, seconds, without, everyLine }).run();
    return { kind: 'clean', report: { ...report, nodes, faults: report.faults.entries() } };
  } catch (error) {
    if (!(error instanceof SimulationFailure)) throw error;
    const { message, cause, lastLines } = error;
    const stack = cause instanceof Error ? (cause.stack ?? '') : '';
    return { kind: 'failed', seed, failure: { message, stack, lastLines, seconds: error.seconds } };
  }
}
