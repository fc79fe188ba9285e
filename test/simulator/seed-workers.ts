import { fork, type ChildProcess } from 'node:child_process';
import type { Choice } from './choice';
import { runSeed, type SeedChoice, type SeedResult } from './seed-run';

/** What a worker is asked for. */
export interface SeedRequest {
  readonly seed: number;
  readonly choice: SeedChoice;
}

/**
 * Runs the seeds of a choice in processes of their own, and gives what came of each in the order of the seeds: how many
 * processes there are, and which is faster, shows nowhere.
 */
export async function* inWorkers(choice: Choice, script: string): AsyncGenerator<SeedResult> {
  const { seed: first, seeds, jobs, nodes, seconds, without, mutate } = choice;
  const results = new Map<number, SeedResult>();
  let next = first;
  let broken: Error | undefined;
  let wake = (): void => undefined;
  const workers = Array.from({ length: Math.min(jobs, seeds) }, () => {
    const args = ['--worker', ...(mutate === undefined ? [] : ['--mutate', mutate])];
    const worker = fork(script, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    const ask = (): void => {
      if (next < first + seeds)
        worker.send({ seed: next++, choice: { nodes, seconds, without } } satisfies SeedRequest);
    };
    worker.on('message', (message) => {
      const result = message as SeedResult;
      results.set(result.kind === 'clean' ? result.report.seed : result.seed, result);
      ask();
      wake();
    });
    worker.on('exit', (status, signal) => {
      broken ??= new Error(`A worker ended with ${signal ?? status} before it was told to.`);
      wake();
    });
    ask();
    return worker;
  });
  try {
    for (let seed = first; seed < first + seeds; seed += 1) {
      for (let result = results.get(seed); ; result = results.get(seed)) {
        if (result) {
          results.delete(seed);
          yield result;
          break;
        }
        if (broken) throw broken;
        await new Promise<void>((resolve) => (wake = resolve));
      }
    }
  } finally {
    for (const worker of workers) end(worker);
  }
}

/** The other side: answers what it is asked for, until its parent is gone. */
export function serveSeeds(): Promise<number> {
  return new Promise((resolve, reject) => {
    process.on('disconnect', () => resolve(0));
    process.on('message', (message) => {
      const { seed, choice } = message as SeedRequest;
      runSeed(seed, choice).then((result) => process.send?.(result), reject);
    });
  });
}

function end(worker: ChildProcess): void {
  worker.removeAllListeners();
  worker.kill();
}
