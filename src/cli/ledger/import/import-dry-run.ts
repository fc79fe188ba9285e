import { type DryRunOutcome, type LedgerClient } from '../../../client';
import { UsageError } from '../terminal';
import { chunksOf, type Unit } from './input-chunks';
import { type ImportInput } from './import-input';
import { type ReaderOptions } from './row-reader';
import { type RowResult } from './row-sender';

/** One state decides over all of it, and a server takes so many items for that. */
const MAX_ROWS = 8190;

export interface ImportDryRun {
  readonly results: readonly RowResult[];
  /** Undefined where no row can be read. */
  readonly outcome: DryRunOutcome | undefined;
}

/** What an import would come to. Larger ones are refused: in parts, the second would not see what the first did. */
export async function dryRunImport(
  client: LedgerClient,
  input: ImportInput,
  options: ReaderOptions,
): Promise<ImportDryRun> {
  const units: Unit[] = [];
  let rows = 0;
  for await (const chunk of chunksOf(input.stream, options)) {
    units.push(...chunk.units);
    for (const unit of chunk.units) rows += unit.rows.length;
    if (rows > MAX_ROWS) throw new UsageError(`import --dry-run: at most ${MAX_ROWS} rows can be tried; try a part`);
  }
  const sent = units.filter((unit) => unit.rows.every(({ fault }) => fault === undefined));
  const accounts = sent.flatMap((unit) => unit.rows.flatMap(({ account }) => (account ? [account] : [])));
  const transfers = sent.flatMap(({ transaction, rows: members }) =>
    members.flatMap(({ transfer }) => (transfer ? [{ ...transfer, transaction }] : [])),
  );
  const isEmpty = accounts.length + transfers.length === 0;
  const outcome = isEmpty ? undefined : await client.dryRun({ accounts, transfers });
  const answers = [...(outcome?.accounts ?? []), ...(outcome?.transfers ?? [])];
  let next = 0;
  const results = units.flatMap((unit) => {
    const isSent = unit.rows.every(({ fault }) => fault === undefined);
    return unit.rows.map((row): RowResult => {
      if (row.fault !== undefined) return { row, result: 'malformed_row', message: row.fault, replayed: false };
      if (!isSent) return { row, result: 'linked_transfer_failed', message: '', replayed: false };
      const answer = answers[next++];
      if (answer === undefined) throw new Error('A dry run was answered with fewer results than items.');
      return { row, result: answer.result, message: answer.message, replayed: answer.replayed };
    });
  });
  return { results, outcome };
}
