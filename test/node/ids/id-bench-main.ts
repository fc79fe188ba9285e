import { parseArgs } from 'node:util';
import { IdBench, type IdFigures } from './id-bench';

const DEFAULT_IDS = 10_000_000;
const MOST_IDS = 1_000_000_000;
/** A run would end before it has all its rows. */
const MOST_TEXT_BYTES = 48;
const EXIT_USAGE = 2;

interface Asked {
  readonly ids: number;
  readonly textBytes: number;
}

/** `./scripts/bench ids [--ids N] [--text-bytes N]`. @returns the exit status */
export async function main(args: readonly string[], write: (text: string) => void): Promise<number> {
  const asked = askedIn(args);
  if (asked === undefined) {
    write(
      `Usage: scripts/bench ids [--ids N] [--text-bytes N]: 1 to ${MOST_IDS} ids, with 0 to ${MOST_TEXT_BYTES} bytes of extras each ` +
        '(what a text id has beside its row); the runs are in TMPDIR, or in LEDGER_BENCH_DIR.\n',
    );
    return EXIT_USAGE;
  }
  const figures = await new IdBench(asked.ids, asked.textBytes, (text) => process.stderr.write(`${text}\r`)).run();
  write(text(figures));
  return 0;
}

function askedIn(args: readonly string[]): Asked | undefined {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: { ids: { type: 'string' }, 'text-bytes': { type: 'string' } },
    });
    const ids = Number(values.ids ?? DEFAULT_IDS);
    const textBytes = Number(values['text-bytes'] ?? 0);
    const isRight = (n: number, least: number, most: number): boolean => Number.isInteger(n) && n >= least && n <= most;
    return isRight(ids, 1, MOST_IDS) && isRight(textBytes, 0, MOST_TEXT_BYTES) ? { ids, textBytes } : undefined;
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
