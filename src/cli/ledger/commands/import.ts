/** import: accounts and transfers from CSV and NDJSON, in bulk. */
import { type Command } from 'commander';
import { type LedgerClient } from '../../../client';
import { dryRunImport, printTally } from '../import/import-dry-run';
import { formatOf, openInput } from '../import/import-input';
import { ImportProgressLine } from '../import/import-progress';
import { ImportRun, type ImportTally } from '../import/import-run';
import { type ImportProgress, ImportState } from '../import/import-state';
import { RefusedRows } from '../import/refused-rows';
import { type ImportKind, type ReaderOptions } from '../import/row-reader';
import { RowSender } from '../import/row-sender';
import { oneOf, type Session } from '../session';
import { Refused, UsageError } from '../terminal';

interface ImportOptions {
  readonly format?: string;
  readonly kind?: ImportKind;
  readonly ledger?: string;
  readonly deriveIds?: string;
  readonly resume: boolean;
  readonly state?: string;
  readonly refused?: string;
  readonly dryRun: boolean;
  readonly json: boolean;
}

export function addImportCommand(program: Command, session: () => Session): void {
  program
    .command('import')
    .description('accounts or transfers in bulk, from CSV with a header or one JSON document a line')
    .argument('<file>', '"-": stdin')
    .option('--format <csv|ndjson>', 'default: by how the file begins', oneOf('--format', ['csv', 'ndjson']))
    .option('--kind <accounts|transfers>', 'default: by the columns', oneOf('--kind', ['accounts', 'transfers']))
    .option('--ledger <code>', 'of rows that name none (accounts: USD)')
    .option('--derive-ids <namespace>', 'make ids of the namespace and the line number where a row has none')
    .option('--resume', 'go on where an earlier import of the same input stopped', false)
    .option('--state <file>', 'where it is kept how far it is (default: beside the input)')
    .option('--refused <file>', 'where refused rows are written (default: beside the input)')
    .option('--dry-run', 'say what it would come to, with the balances afterwards, and do nothing', false)
    .option('--json', 'the same as --output json', false)
    .action((file: string, options: ImportOptions) => importFile(session(), file, options));
}

async function importFile(session: Session, file: string, options: ImportOptions): Promise<void> {
  const { kind, ledger, deriveIds: namespace } = options;
  const reader: ReaderOptions = { format: formatOf(file, options.format), kind, ledger, namespace };
  const isJson = options.json || session.output.json;
  if (options.dryRun) return tryImport(session, file, options, reader);
  const refused = new RefusedRows(options.refused ?? besides(file, 'refused', '--refused'), reader.format);
  const state = stateOf(file, options);
  const reading = JSON.stringify([reader.format, kind ?? '', ledger ?? '', namespace ?? '']);
  const found = options.resume ? stateToResume(state, reading) : beginAnew(state);
  const { terminal } = session;
  const input = openInput(terminal, file);
  await session.withClient(async (client) => {
    const clusterId = await clusterIdOf(client);
    if (found && found.clusterId !== clusterId)
      throw new UsageError('import: the earlier import went to another cluster');
    if (found) refused.resume(found.refusedBytes);
    else refused.begin();
    const lines = isJson ? terminal.stdout : terminal.stderr;
    const line = new ImportProgressLine(terminal.stderr, lines, isJson, input.bytes);
    const run = new ImportRun({
      ...{ taker: new RowSender(client), reader, refused, state, from: found, signal: terminal.signal },
      progress: { clusterId, reading },
      onProgress: (bytes, tally) => line.show(bytes, tally),
    });
    try {
      const isDone = await run.run(input.stream);
      line.end();
      conclude(session, run.tally, { isDone, isJson, refusedFile: refused.path, canResume: state?.exists === true });
    } finally {
      line.end();
      refused.close();
    }
  });
}

interface Ending {
  readonly isDone: boolean;
  readonly isJson: boolean;
  readonly refusedFile: string;
  readonly canResume: boolean;
}

function conclude(session: Session, tally: ImportTally, { isDone, isJson, refusedFile, canResume }: Ending): void {
  const file = tally.refused === 0 ? undefined : refusedFile;
  if (isJson) session.output.document({ ...tally, done: isDone, refusedFile: file ?? null });
  else printTally(session, tally);
  if (!isDone) {
    const advice = canResume ? '; go on with --resume' : '';
    throw new Refused('interrupted', `stopped after ${tally.rows} rows${advice}`);
  }
  if (file !== undefined) throw new Refused('rows_refused', `${tally.refused} of ${tally.rows} rows, in ${file}`);
}

async function tryImport(
  session: Session,
  file: string,
  options: ImportOptions,
  reading: ReaderOptions,
): Promise<void> {
  const { refused: path, resume, state } = options;
  if (resume || state !== undefined) {
    throw new UsageError(
      'import --dry-run: nothing is done, so there is nothing for --resume and --state to go on from',
    );
  }
  const refused = path === undefined ? undefined : new RefusedRows(path, reading.format);
  refused?.begin();
  const isJson = options.json || session.output.json;
  await session.withClient((client) =>
    dryRunImport(client, session, openInput(session.terminal, file), { reader: reading, refused, isJson }),
  );
}

function besides(file: string, what: string, option: string): string {
  if (file === '-') throw new UsageError(`import: name a file with ${option} for what comes on stdin`);
  return `${file}.${what}`;
}

/** What comes on stdin is kept account of only where it is asked for. */
function stateOf(file: string, { state, resume }: ImportOptions): ImportState | undefined {
  if (state !== undefined) return new ImportState(state);
  if (file === '-' && !resume) return undefined;
  return new ImportState(besides(file, 'import-state', '--state'));
}

function beginAnew(state: ImportState | undefined): undefined {
  if (!state?.exists) return;
  throw new UsageError(
    `import: ${state.path} says that an import stopped: go on with --resume, or remove it to begin anew`,
  );
}

function stateToResume(state: ImportState | undefined, reading: string): ImportProgress {
  if (!state?.exists) throw new UsageError(`import --resume: there is no ${state?.path ?? 'state'} to go on from`);
  const found = state.read();
  if (found.reading === reading) return found;
  throw new UsageError(`import --resume: say --format, --kind, --ledger and --derive-ids as before (${found.reading})`);
}

/** So that what was sent to one cluster is not taken to be in another. */
async function clusterIdOf(client: LedgerClient): Promise<string> {
  for (const { status } of await client.status()) if (status) return status.clusterId;
  throw new UsageError('import: no server says which cluster this is');
}
