import { randomInt } from 'node:crypto';
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { soak, type SoakReport } from './soak';

const USAGE = `usage: ./scripts/soak [--minutes M] [--seed N] [--nodes 3|5]

Runs real nodes and real clients on this machine while processes are killed, stopped and continued and the links between
them are cut, slowed and reset; checks what clients were told all the time. Exit status 1 where something was found.
  --minutes M   how long faults happen, 0.1 to 1440 (default 10)
  --seed N      what the faults are drawn from (default: by chance)
  --nodes 3|5   nodes in the cluster (default 3)
`;

interface Choice {
  readonly minutes: number;
  readonly seed: number;
  readonly nodes: number;
}

function chosen(argv: readonly string[]): Choice {
  const option = { type: 'string' } as const;
  const options = { minutes: option, seed: option, nodes: option, help: { type: 'boolean' } } as const;
  const { values } = parseArgs({ args: [...argv], options });
  if (values.help) throw new RangeError('');
  const minutes = Number(values.minutes ?? 10);
  const seed = Number(values.seed ?? randomInt(1_000_000));
  const nodes = Number(values.nodes ?? 3);
  if (!(minutes >= 0.1 && minutes <= 1440)) throw new RangeError('--minutes is a number from 0.1 to 1440.');
  if (!Number.isSafeInteger(seed) || seed < 0) throw new RangeError('--seed is a whole number.');
  if (nodes !== 3 && nodes !== 5) throw new RangeError('A cluster has 3 or 5 nodes here.');
  return { minutes, seed, nodes };
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
  const { minutes, seed, nodes } = choice;
  print(`seed ${seed}, ${nodes} nodes, ${minutes} minutes\n`);
  const interrupted = new AbortController();
  process.once('SIGINT', () => interrupted.abort());
  process.once('SIGTERM', () => interrupted.abort());
  const started = performance.now();
  const onFault = (text: string): void =>
    print(`${((performance.now() - started) / 1_000).toFixed(1).padStart(7)} s  ${text}\n`);
  const report = await soak({ seed, nodes, seconds: minutes * 60, signal: interrupted.signal, onFault });
  print(summary(report));
  if (report.findings.length === 0) return 0;
  print(`Run it again with: ./scripts/soak --seed ${seed} --nodes ${nodes} --minutes ${minutes}\n`);
  return 1;
}

function summary(report: SoakReport): string {
  const { findings, faults, transfers, reads, records, checkedOperations, unanswered, undecidedAccounts, memory } =
    report;
  return [
    ...findings.map(({ what, details }) => `FOUND ${what}: ${details}`),
    findings.length === 0 ? 'clean' : `${findings.length} findings`,
    `  ${transfers} transfers, each answered, and in the log as often as it was done`,
    `  ${reads} linearizable reads; ${checkedOperations} operations whose order was checked, ${undecidedAccounts} accounts undecided`,
    `  ${records} records of the log, read once and in order`,
    `  ${unanswered} calls without an answer in their time, asked again`,
    `  most memory of a node: ${memory.join(', ')} MiB; load average ${loadavg()[0]!.toFixed(1)}`,
    'faults:',
    ...[...faults.entries()].map(([kind, times]) => `  ${times} ${kind}`),
    '',
  ].join('\n');
}
