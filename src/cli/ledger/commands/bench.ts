/** bench: the load generator of scripts/bench against a cluster that runs. */
import { type Command } from 'commander';
import { runSuite, type SuiteStep, STEP_NAMES } from '../../../bench/load/suite';
import { wholeNumber } from '../arguments';
import { type Session } from '../session';
import { UsageError } from '../terminal';

interface BenchOptions {
  readonly seconds: number;
  readonly accounts: number;
  readonly only?: string;
}

export function addBenchCommand(program: Command, session: () => Session): void {
  program
    .command('bench')
    .description('measure a running cluster; writes to a ledger BENCH of its own')
    .option('--seconds <n>', 'seconds a step', wholeNumber('--seconds', 1, 3600), 5)
    .option('--accounts <n>', 'accounts that money moves between', wholeNumber('--accounts', 2, 1_000_000), 1_000)
    .option('--only <step,...>', `steps to run: ${STEP_NAMES.join(', ')} (default: all)`)
    .action((options: BenchOptions) => bench(session(), options));
}

async function bench(session: Session, options: BenchOptions): Promise<void> {
  const { output, addresses, terminal, timeoutMs } = session;
  const only = options.only?.split(',').map((name) => name.trim());
  const unknown = only?.find((name) => !STEP_NAMES.includes(name));
  if (unknown !== undefined) throw new UsageError(`--only: "${unknown}" is none of ${STEP_NAMES.join(', ')}`);
  const { seconds, accounts } = options;
  const steps: SuiteStep[] = await runSuite({
    ...{ addresses, seconds, accounts, only, timeoutMs, signal: terminal.signal },
    onStep: (name) => output.note(`${name} …`),
  });
  output.list(
    { seconds, accounts, steps },
    ['step', 'in flight', 'per second', 'p50 ms', 'p99 ms', 'calls'],
    steps.map(({ name, inFlight, result }) => [
      ...[name, inFlight, Math.round(result.perSecond).toLocaleString('en')],
      ...[result.p50Ms.toFixed(2), result.p99Ms.toFixed(2), result.calls],
    ]),
  );
}
