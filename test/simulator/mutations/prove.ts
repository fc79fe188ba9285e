import { spawn } from 'node:child_process';
import { parseArgs } from 'node:util';
import { ALL_MUTATIONS, mutationNamed } from './all-mutations';
import type { Mutation } from './mutation';

const USAGE = `usage: ./scripts/simulate --prove [--only NAME] [--jobs N] [--seed N] [--seeds COUNT]

Puts known bugs into the sources, one after the other, and runs the simulator until it finds each of them.
  --only NAME    one bug only
  --jobs N       so many at a time (default 1)
  --seed N       the first seed (default 1)
  --seeds COUNT  at most so many seeds for each (default 200)
`;

/** Nobody waits for a bug that makes the program run in circles. */
const MOST_MINUTES = 30;
/** The end of what a run prints: enough for the sentence that says what was found. */
const KEPT_CHARACTERS = 65_536;
/** A fragment that names what its source does not have breaks the program at once, and proves nothing of the simulator. */
const NO_PROGRAM = /^(ReferenceError|SyntaxError): /;

interface Choice {
  readonly mutations: readonly Mutation[];
  readonly jobs: number;
  readonly seed: number;
  readonly seeds: number;
}

/** What became of one bug. */
type Verdict =
  | { readonly kind: 'found'; readonly seed: number; readonly property: string }
  | { readonly kind: 'missed'; readonly why: string };

/** Runs what the arguments ask for and prints a table. @returns the exit status: 0 where everything was found */
export async function prove(argv: readonly string[], script: string, print: (text: string) => void): Promise<number> {
  let choice: Choice;
  try {
    choice = chosen(argv);
  } catch (error) {
    print(`${(error as Error).message}\n${USAGE}`);
    return 2;
  }
  const { mutations, jobs, seed, seeds } = choice;
  print(`| mutation | found by | at seed | after seeds |\n| --- | --- | --- | --- |\n`);
  const waiting = [...mutations];
  let missed = 0;
  const work = async (): Promise<void> => {
    for (let mutation = waiting.shift(); mutation; mutation = waiting.shift()) {
      const verdict = await verdictOn(mutation, script, seed, seeds);
      if (verdict.kind === 'missed') missed += 1;
      print(rowOf(mutation, verdict, seed));
    }
  };
  await Promise.all(Array.from({ length: jobs }, work));
  print(`${mutations.length - missed} of ${mutations.length} mutations found\n`);
  return missed === 0 ? 0 : 1;
}

function chosen(argv: readonly string[]): Choice {
  const option = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  const { values } = parseArgs({
    args: [...argv],
    options: { prove: flag, only: option, jobs: option, seed: option, seeds: option, help: flag },
  });
  if (values.help) throw new RangeError('');
  const whole = (text: string | undefined, usual: number): number => {
    const value = Number(text ?? usual);
    if (!Number.isSafeInteger(value) || value < 1)
      throw new RangeError('Jobs, seeds and counts are whole numbers from 1 on.');
    return value;
  };
  return {
    mutations: values.only === undefined ? ALL_MUTATIONS : [mutationNamed(values.only)],
    jobs: whole(values.jobs, 1),
    seed: whole(values.seed, 1),
    seeds: whole(values.seeds, 200),
  };
}

/** In a process of its own, since the sources are loaded once. */
function verdictOn({ name }: Mutation, script: string, seed: number, seeds: number): Promise<Verdict> {
  const args = [script, '--mutate', name, '--seed', String(seed), '--seeds', String(seeds)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'], timeout: MOST_MINUTES * 60_000 });
  let text = '';
  const keep = (chunk: Buffer): void => {
    text = (text + chunk.toString('utf8')).slice(-KEPT_CHARACTERS);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status, signal) => resolve(verdictIn(text, status, signal)));
  });
}

/** What a run says of itself: only a finding of the simulation counts, not a program that does not even start. */
export function verdictIn(text: string, status: number | null, signal: string | null): Verdict {
  if (signal !== null) return { kind: 'missed', why: `it took more than ${MOST_MINUTES} minutes` };
  if (status === 0) return { kind: 'missed', why: 'every seed was clean' };
  const found = /^seed (\d+): (.+)$/m.exec(text);
  if (!found) return { kind: 'missed', why: `the run broke: ${/^.*Error: .*$/m.exec(text)?.[0] ?? text.trim()}` };
  const [, seed, sentence] = found;
  if (NO_PROGRAM.test(sentence!)) return { kind: 'missed', why: `the mutation does not run: ${sentence}` };
  return { kind: 'found', seed: Number(seed), property: propertyIn(sentence!) };
}

/** The property that a violation names, or the program's own assertion. */
function propertyIn(sentence: string): string {
  const [name, property] = sentence.split(': ');
  return name === 'Violation' ? property! : `its own ${name}`;
}

function rowOf({ name }: Mutation, verdict: Verdict, first: number): string {
  if (verdict.kind === 'missed') return `| ${name} | **not found**: ${verdict.why} | | |\n`;
  return `| ${name} | ${verdict.property} | ${verdict.seed} | ${verdict.seed - first + 1} |\n`;
}
