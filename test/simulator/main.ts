import { parseArgs } from 'node:util';
import { FaultCounts } from './fault-counts';
import { Simulation, SimulationFailure, type SimulationReport } from './simulation';

const USAGE = `usage: ./scripts/simulate [--seed N] [--seeds COUNT] [--nodes 3|5] [--seconds S] [--trace] [--mutate NAME]
       ./scripts/simulate --prove [--only NAME] [--jobs N] [--seed N] [--seeds COUNT]

Runs whole clusters of the real program on simulated machines, one a seed.
  --seed N       the first seed (default 1)
  --seeds COUNT  so many seeds from there on (default 1)
  --nodes 3|5    nodes in a cluster (default: 3 for odd seeds, 5 for even ones)
  --seconds S    simulated seconds with faults (default 20)
  --trace        print every event
  --mutate NAME  with a known bug put into the sources while they are loaded
  --prove        with one known bug after the other: is each of them found?
`;

interface Choice {
  readonly seed: number;
  readonly seeds: number;
  readonly nodes: number | undefined;
  readonly seconds: number;
  readonly trace: boolean;
  readonly mutate: string | undefined;
}

function chosen(argv: readonly string[]): Choice {
  const option = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  const { values } = parseArgs({
    args: [...argv],
    options: { seed: option, seeds: option, nodes: option, seconds: option, trace: flag, mutate: option, help: flag },
  });
  if (values.help) throw new RangeError('');
  const choice = {
    seed: Number(values.seed ?? 1),
    seeds: Number(values.seeds ?? 1),
    nodes: values.nodes === undefined ? undefined : Number(values.nodes),
    seconds: Number(values.seconds ?? 20),
    trace: values.trace ?? false,
    // The loader has put it in already (scripts/simulate.cjs).
    mutate: values.mutate,
  };
  const whole = [choice.seed, choice.seeds, choice.seconds].every((value) => Number.isSafeInteger(value) && value >= 0);
  if (!whole) throw new RangeError('Seeds, counts and seconds are whole numbers.');
  if (![undefined, 3, 5].includes(choice.nodes)) throw new RangeError('A simulated cluster has 3 or 5 nodes.');
  return choice;
}

/** Runs what the arguments ask for and says what it found. @returns the exit status */
export async function main(argv: readonly string[], print: (text: string) => void): Promise<number> {
  let choice: Choice;
  try {
    choice = chosen(argv);
  } catch (error) {
    print(`${(error as Error).message}\n${USAGE}`);
    return 2;
  }
  const sum = new Summary();
  for (let seed = choice.seed; seed < choice.seed + choice.seeds; seed += 1) {
    const nodes = choice.nodes ?? (seed % 2 === 1 ? 3 : 5);
    const everyLine = choice.trace ? (line: string) => print(`${line}\n`) : () => undefined;
    try {
      const report = await new Simulation({ seed, nodes, seconds: choice.seconds, everyLine }).run();
      sum.add(report);
      if (choice.seeds === 1) print(`seed ${seed}, ${nodes} nodes: trace ${report.hash}\n`);
    } catch (error) {
      if (!(error instanceof SimulationFailure)) throw error;
      print(failureText(error, nodes, choice));
      return 1;
    }
  }
  print(sum.text());
  return 0;
}

function failureText({ seed, lastLines, message, cause }: SimulationFailure, nodes: number, choice: Choice): string {
  const mutate = choice.mutate === undefined ? '' : ` --mutate ${choice.mutate}`;
  const stack = cause instanceof Error ? `${cause.stack}\n` : '';
  return [
    ...lastLines,
    `seed ${seed}: ${message}`,
    stack,
    `Repeat it with: ./scripts/simulate --seed ${seed} --nodes ${nodes} --seconds ${choice.seconds}${mutate} [--trace]`,
    '',
  ].join('\n');
}

/** Totals over all seeds. */
class Summary {
  private readonly faults = new FaultCounts();
  private readonly totals = new FaultCounts();
  private seconds = 0;

  add({ faults, seconds, events, elections, committed, history }: SimulationReport): void {
    this.faults.addAll(faults);
    this.seconds += seconds;
    this.totals.add('seeds');
    this.totals.add('events', events);
    this.totals.add('elections', elections);
    this.totals.add('committed batches', committed);
    this.totals.add('transfers', history.transfers);
    this.totals.add('acknowledged transfers', history.acknowledged);
    this.totals.add('transfers in doubt at some time', history.doubtful);
    this.totals.add('linearizable reads', history.reads);
    this.totals.add('accounts whose history was too long to decide', history.undecidedAccounts);
  }

  text(): string {
    const lines = [`clean; ${(this.seconds / 60).toFixed(1)} simulated minutes`];
    for (const [what, times] of this.totals.entries()) lines.push(`  ${times} ${what}`);
    lines.push('faults:');
    for (const [kind, times] of this.faults.entries()) lines.push(`  ${times} ${kind}`);
    return `${lines.join('\n')}\n`;
  }
}
