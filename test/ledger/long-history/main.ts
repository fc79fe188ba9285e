import { parseArgs } from 'node:util';
import { ClusterHistory } from './cluster-history';
import { LongHistory } from './long-history';
import { projectHistory } from './projected-history';

const DEFAULT_OPERATIONS = 1_000_000;

/** `--operations N --seed S --postgres --cluster`. The exit status: 0 where everything agrees. */
export async function main(args: readonly string[], write: (text: string) => void): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      operations: { type: 'string' },
      seed: { type: 'string' },
      postgres: { type: 'boolean' },
      cluster: { type: 'boolean' },
    },
  });
  const operations = Number(values.operations ?? DEFAULT_OPERATIONS);
  const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
  if (!(operations >= 1) || !Number.isInteger(seed)) {
    write('Usage: ./scripts/ledger-history [--operations N] [--seed S] [--postgres] [--cluster]\n');
    return 2;
  }
  const begun = performance.now();
  const seconds = (): string => ((performance.now() - begun) / 1000).toFixed(1);
  try {
    if (values.cluster === true) {
      const progress = (text: string): void => write(`${text} (${seconds()} s)\n`);
      const { entries, transfersInPostgres, ...tally } = await ClusterHistory.run(seed, operations, progress);
      write(`${tally.operations} operations in ${entries} entries: model, replay and three nodes agree.\n`);
      write(`${transfersInPostgres} transfers in each of three databases agree, too (${seconds()} s).\n`);
      return 0;
    }
    const history = new LongHistory(seed);
    const tally = history.run(operations, (done) =>
      write(`${done} operations, all as the model says (${seconds()} s)\n`),
    );
    for (const [name, count] of [...tally.results].sort((a, b) => b[1] - a[1])) write(`  ${name} ${count}\n`);
    write(`${tally.operations} operations in ${tally.batches} batches: model, state, replay and snapshots agree.\n`);
    if (values.postgres === true) {
      const rows = await projectHistory(history);
      write(`${rows.accounts} accounts and ${rows.transfers} transfers in Postgres agree, too (${seconds()} s).\n`);
    }
    return 0;
  } catch (error) {
    write(`${error instanceof Error ? error.message : String(error)}\n`);
    if (error instanceof Error && error.cause instanceof Error) write(`${error.cause.message}\n`);
    write(
      `To repeat: ./scripts/ledger-history --operations ${operations} --seed ${seed}${values.postgres ? ' --postgres' : ''}${values.cluster ? ' --cluster' : ''}\n`,
    );
    return 1;
  }
}
