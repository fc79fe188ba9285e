import { parseArgs } from 'node:util';
import { IdBench, type IdFigures } from './id-bench';

const DEFAULT_IDS = 10_000_000;
const MOST_IDS = 1_000_000_000;
const EXIT_USAGE = 2;

/** `./scripts/bench ids [--ids N]`. @returns the exit status */
export async function main(args: readonly string[], write: (text: string) => void): Promise<number> {
  const ids = idsIn(args);
  if (ids === undefined) {
    write(
      `Usage: scripts/bench ids [--ids N], N from 1 to ${MOST_IDS}; the runs are in TMPDIR, or in LEDGER_BENCH_DIR.\n`,
    );
    return EXIT_USAGE;
  }
  const figures = await new IdBench(ids, (text) => process.stderr.write(`${text}\r`)).run();
  write(text(figures));
  return 0;
}

function idsIn(args: readonly string[]): number | undefined {
  try {
    const { values } = parseArgs({ args: [...args], options: { ids: { type: 'string' } } });
    const ids = Number(values.ids ?? DEFAULT_IDS);
    return Number.isInteger(ids) && ids >= 1 && ids <= MOST_IDS ? ids : undefined;
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

function text(figures: IdFigures): string {
  const { ids, runs } = figures;
  const lines = [
    `${ids} ids in ${runs} runs, ${figures.indexes} indexes`,
    `memory          ${(figures.bytesInMemory / ids).toFixed(2)} bytes an id, ${mib(figures.bytesInMemory)} in all`,
    `disk            ${(figures.bytesOnDisk / ids).toFixed(1)} bytes an id, ${mib(figures.bytesOnDisk)} in all`,
    `written in      ${figures.secondsToWrite.toFixed(1)} s, indexes merged in ${figures.secondsToMerge.toFixed(1)} s, opened in ${figures.secondsToOpen.toFixed(2)} s`,
    `a new id        ${figures.newRandom.toFixed(0)} ns (random), ${figures.newTimed.toFixed(0)} ns (behind all others in time)`,
    `                ${figures.readsPerNewId.toFixed(5)} entries read`,
    `a known id      ${figures.knownMicros.toFixed(1)} µs in a batch of repeats, ${figures.knownInOrderMicros.toFixed(1)} µs in one that is sent again, ${figures.singleMicros.toFixed(0)} µs alone`,
  ];
  return `${lines.join('\n')}\n`;
}

function mib(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(0)} MiB`;
}
