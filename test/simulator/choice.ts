import { parseArgs } from 'node:util';
import { FAULT_KINDS, type FaultKind } from './fault-plan';

export const USAGE = `usage: ./scripts/simulate [--seed N] [--seeds COUNT] [--nodes 3|5] [--seconds S] [--jobs N] [--keep-going]
                          [--without KIND,...] [--shrink] [--trace] [--mutate NAME]
       ./scripts/simulate --prove [--only NAME] [--jobs N] [--seed N] [--seeds COUNT]

Runs whole clusters of the real program on simulated machines, one a seed.
  --seed N       the first seed (default 1)
  --seeds COUNT  so many seeds from there on (default 1)
  --nodes 3|5    nodes in a cluster (default: 3 for odd seeds, 5 for even ones)
  --seconds S    simulated seconds with faults (default 20)
  --jobs N       so many processes (default 1); what is printed does not depend on it
  --keep-going   go on behind a seed that found something, instead of ending there
  --without K,.. leave out kinds of faults: ${wrapped(FAULT_KINDS)}
  --shrink       look for a shorter run with fewer kinds of faults that still finds the same
  --trace        print every event
  --mutate NAME  with a known bug put into the sources while they are loaded
  --prove        with one known bug after the other: is each of them found?
`;

const MOST_JOBS = 64;

/** What the arguments ask for. */
export interface Choice {
  readonly seed: number;
  readonly seeds: number;
  /** undefined: 3 for odd seeds, 5 for even ones. */
  readonly nodes: number | undefined;
  readonly seconds: number;
  readonly jobs: number;
  readonly keepGoing: boolean;
  readonly without: readonly FaultKind[];
  readonly shrink: boolean;
  readonly trace: boolean;
  readonly mutate: string | undefined;
}

/** Throws RangeError, or what parseArgs throws, where they make no sense; with an empty message where help is asked for. */
export function chosen(argv: readonly string[]): Choice {
  const option = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  const { values } = parseArgs({
    args: [...argv],
    options: {
      seed: option,
      seeds: option,
      nodes: option,
      seconds: option,
      jobs: option,
      'keep-going': flag,
      without: option,
      shrink: flag,
      trace: flag,
      mutate: option,
      help: flag,
    },
  });
  if (values.help) throw new RangeError('');
  const choice = {
    seed: Number(values.seed ?? 1),
    seeds: Number(values.seeds ?? 1),
    nodes: values.nodes === undefined ? undefined : Number(values.nodes),
    seconds: Number(values.seconds ?? 20),
    jobs: Number(values.jobs ?? 1),
    keepGoing: values['keep-going'] ?? false,
    without: kindsIn(values.without),
    shrink: values.shrink ?? false,
    trace: values.trace ?? false,
    // The loader has put it in already (scripts/simulate.cjs).
    mutate: values.mutate,
  };
  const { seed, seeds, nodes, seconds, jobs, trace } = choice;
  const whole = [seed, seeds, seconds, jobs].every((value) => Number.isSafeInteger(value) && value >= 0);
  if (!whole) throw new RangeError('Seeds, counts, jobs and seconds are whole numbers.');
  if (![undefined, 3, 5].includes(nodes)) throw new RangeError('A simulated cluster has 3 or 5 nodes.');
  if (jobs < 1 || jobs > MOST_JOBS) throw new RangeError(`There are 1 to ${MOST_JOBS} jobs.`);
  if (jobs > 1 && trace) throw new RangeError('The events of several jobs cannot be told apart: use --trace with one.');
  if (choice.shrink && seeds !== 1) throw new RangeError('One seed can be shrunk at a time.');
  return choice;
}

/** How many nodes the cluster of a seed has. */
export function nodesOf(seed: number, { nodes }: Pick<Choice, 'nodes'>): number {
  return nodes ?? (seed % 2 === 1 ? 3 : 5);
}

/** The command that runs one seed again. */
export function commandFor(seed: number, choice: Choice): string {
  const { seconds, without, mutate } = choice;
  const parts = [`./scripts/simulate --seed ${seed} --nodes ${nodesOf(seed, choice)} --seconds ${seconds}`];
  if (without.length > 0) parts.push(`--without ${without.join(',')}`);
  if (mutate !== undefined) parts.push(`--mutate ${mutate}`);
  return parts.join(' ');
}

function kindsIn(list: string | undefined): FaultKind[] {
  return (list ?? '')
    .split(',')
    .filter((name) => name !== '')
    .map((name) => {
      const kind = FAULT_KINDS.find((known) => known === name);
      if (!kind) throw new RangeError(`There is no kind of fault "${name}".`);
      return kind;
    });
}

function wrapped(kinds: readonly string[]): string {
  const lines = [''];
  for (const kind of kinds) {
    if (lines.at(-1)!.length + kind.length > 80) lines.push('');
    lines[lines.length - 1] += `${lines.at(-1) === '' ? '' : ' '}${kind}`;
  }
  return lines.join('\n                 ');
}
