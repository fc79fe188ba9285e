/** import --dry-run: reads and counts as an import does, and has its rows tried instead of done. */
import { type BalanceView, type LedgerClient } from '../../../client';
import { balanceJson } from '../commands/accounts';
import { printBalances } from '../dry-run';
import { type Session } from '../session';
import { Refused } from '../terminal';
import { type ImportInput } from './import-input';
import { ImportProgressLine } from './import-progress';
import { ImportRun, type ImportTally } from './import-run';
import { type ReaderOptions } from './row-reader';
import { type RefusedRows } from './refused-rows';
import { type RowResult } from './row-sender';
import { RowTrial } from './row-trial';

/** Refused rows that are named by themselves; a file that is asked for has all of them. */
const MOST_LINES = 8190;
/** People read no longer tables. */
const MOST_SHOWN = 100;

export interface ImportDryRunOptions {
  readonly reader: ReaderOptions;
  /** Where all refused rows go; undefined: nowhere. */
  readonly refused: RefusedRows | undefined;
  readonly isJson: boolean;
}

/** Ends as an import: refused where a row would be, or where it was interrupted. */
export async function dryRunImport(
  client: LedgerClient,
  session: Session,
  input: ImportInput,
  { reader, refused, isJson }: ImportDryRunOptions,
): Promise<void> {
  const { terminal } = session;
  const trial = new RowTrial(client);
  const lines = new RefusedLines(refused);
  const line = new ImportProgressLine(terminal.stderr, isJson ? terminal.stdout : terminal.stderr, isJson, input.bytes);
  const run = new ImportRun({
    ...{ taker: trial, reader, refused: lines, state: undefined, from: undefined, signal: terminal.signal },
    progress: { clusterId: '', reading: '' },
    onProgress: (bytes, tally) => line.show(bytes, tally),
  });
  try {
    const isDone = await run.run(input.stream);
    line.end();
    const { tally } = run;
    if (!isDone) throw new Refused('interrupted', `stopped after ${tally.rows} rows; nothing was done`);
    if (isJson) await printJson(session, tally, lines, trial);
    else await printTables(session, tally, lines, trial);
    if (tally.refused > 0) throw new Refused('rows_refused', `${tally.refused} of ${tally.rows} rows would be`);
  } finally {
    line.end();
    trial.close();
    refused?.close();
  }
}

interface RefusedLine {
  readonly line: number;
  readonly result: string;
  readonly message: string;
}

/** The first of the refused rows; all of them for a file. */
class RefusedLines {
  readonly first: RefusedLine[] = [];

  constructor(private readonly file: RefusedRows | undefined) {}

  get bytes(): number {
    return this.file?.bytes ?? 0;
  }

  add(refused: readonly RowResult[], header: Buffer | undefined): void {
    for (const { row, result, message } of refused.slice(0, MOST_LINES - this.first.length)) {
      this.first.push({ line: row.record.line, result, message });
    }
    this.file?.add(refused, header);
  }
}

async function printJson(session: Session, tally: ImportTally, lines: RefusedLines, trial: RowTrial): Promise<void> {
  const head = { dryRun: true, ...tally, lines: lines.first };
  await session.output.longDocument(head, 'balances', documentsOf(trial), () => ({ ...trial.position }));
}

async function* documentsOf(trial: RowTrial): AsyncGenerator<readonly object[]> {
  for await (const page of trial.balances()) yield page.map(balanceJson);
}

async function printTables(session: Session, tally: ImportTally, lines: RefusedLines, trial: RowTrial): Promise<void> {
  const { output } = session;
  printTally(session, tally);
  for (const { line, result, message } of lines.first.slice(0, MOST_SHOWN)) {
    output.line(`line ${line}: ${result}: ${message}`);
  }
  if (tally.refused > MOST_SHOWN) {
    output.line(`and ${tally.refused - MOST_SHOWN} more; --refused FILE writes all of them`);
  }
  const balances: BalanceView[] = [];
  let accounts = 0;
  for await (const page of trial.balances()) {
    accounts += page.length;
    balances.push(...page.slice(0, MOST_SHOWN - balances.length));
  }
  const { position } = trial;
  if (position) printBalances(output, { balances, position }, accounts - balances.length);
}

export function printTally(session: Session, { results, repeats, rows }: ImportTally): void {
  session.output.list({}, ['result', 'rows'], [...Object.entries(results), ['all', rows]]);
  if (repeats > 0) session.output.note(`${repeats} of them had been answered before`);
}
