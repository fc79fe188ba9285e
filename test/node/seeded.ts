import fc from 'fast-check';

/** Runs a property with the seed of NODE_SEED, or a new one; a failure names the command that repeats it. */
export function check<T>(file: string, runs: number, property: fc.IProperty<T>): void {
  const seed = Number(process.env['NODE_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
  const details = fc.check(property, { seed, numRuns: runs });
  if (!details.failed) return;
  throw new Error(
    `To repeat: NODE_SEED=${seed} npx jest test/node/${file}\n${fc.defaultReportMessage(details) ?? ''}`,
    { cause: details.errorInstance },
  );
}
