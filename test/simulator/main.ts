import { chosen, commandFor, USAGE, type Choice } from './choice';
import { runSeed, type SeedFailure, type SeedResult } from './seed-run';
import { inWorkers } from './seed-workers';
import { shrunk } from './shrink';
import { Summary } from './summary';

type Print = (text: string) => void;

/**
 * Runs what the arguments ask for and says what it found.
 * @param script starts further processes, where several jobs are asked for
 * @returns the exit status
 */
export async function main(argv: readonly string[], print: Print, script = ''): Promise<number> {
  let choice: Choice;
  try {
    choice = chosen(argv);
  } catch (error) {
    print(`${(error as Error).message}\n${USAGE}`);
    return 2;
  }
  const sum = new Summary();
  let status = 0;
  for await (const result of choice.jobs > 1 ? inWorkers(choice, script) : inThisProcess(choice, print)) {
    if (result.kind === 'clean') {
      sum.add(result.report);
      const { seed, nodes, hash } = result.report;
      if (choice.seeds === 1) print(`seed ${seed}, ${nodes} nodes: trace ${hash}\n`);
      continue;
    }
    status = 1;
    sum.addFailure();
    await tell(result.seed, result.failure, choice, print);
    if (!choice.keepGoing) break;
  }
  print(sum.text());
  return status;
}

async function* inThisProcess(choice: Choice, print: Print): AsyncGenerator<SeedResult> {
  const everyLine = choice.trace ? (line: string) => print(`${line}\n`) : () => undefined;
  for (let seed = choice.seed; seed < choice.seed + choice.seeds; seed += 1)
    yield await runSeed(seed, choice, everyLine);
}

async function tell(seed: number, failure: SeedFailure, choice: Choice, print: Print): Promise<void> {
  print(failureText(seed, failure, choice));
  if (!choice.shrink) return;
  const smaller = await shrunk(choice, failure);
  print(`\nshrunk in ${smaller.runs} runs:\n${failureText(seed, smaller.failure, smaller.choice)}`);
}

function failureText(seed: number, { lastLines, message, stack }: SeedFailure, choice: Choice): string {
  const repeat = `Repeat it with: ${commandFor(seed, choice)} [--trace] [--shrink]`;
  return [...lastLines, `seed ${seed}: ${message}`, stack, '', repeat, ''].join('\n');
}
