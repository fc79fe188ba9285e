import type { Command } from 'commander';
import { NodeFiles } from '../../log/node-files';
import { withDirectory } from '../../offline/locked-directory';
import { checkProjection } from '../../offline/projection';
import { verifyDirectory, type VerifyReport } from '../../offline/verify';
import { addDatabaseOption, databaseOf } from './database-option';
import { Printer } from './printer';

const DAMAGED = 1;

interface VerifyArguments {
  readonly dataDir: string;
  readonly projection: boolean;
  readonly databaseUrl?: string;
  readonly json: boolean;
}

export function addVerifyCommand(program: Command): void {
  const command = program
    .command('verify')
    .description('check the data directory of a stopped node, and change nothing; exit 0 clean, 1 damaged')
    .requiredOption('--data-dir <DIR>', 'the data directory')
    .option(
      '--projection',
      'hold the rows in Postgres against the log instead: every column of every table, and that none is missing or too much',
      false,
    );
  addDatabaseOption(command)
    .option('--json', 'one JSON document a line', false)
    .action((options: VerifyArguments) => (options.projection ? verifyRows(options) : verifyData(options)));
}

async function verifyData({ dataDir, json }: VerifyArguments): Promise<void> {
  const printer = new Printer(json);
  const report = await withDirectory(dataDir, () =>
    verifyDirectory({
      dataDir,
      files: new NodeFiles(),
      onFinding: (finding) => printer.finding(finding),
      onProgress: (done, total, what) => printer.progress(done, total, what),
    }),
  );
  printer.say({ type: 'summary', ...report }, summaryOf(report));
  if (!report.clean) process.exitCode = DAMAGED;
}

async function verifyRows({ databaseUrl, dataDir, json }: VerifyArguments): Promise<void> {
  const printer = new Printer(json);
  const database = databaseOf(databaseUrl);
  const onProgress = (done: number, total: number, what: string): void => printer.progress(done, total, what);
  const report = await withDirectory(dataDir, () =>
    checkProjection({ dataDir, files: new NodeFiles(), database, onProgress }),
  );
  if (!report) {
    const what = 'There are no rows that could be compared: the node makes them from the log when it runs.';
    printer.say({ type: 'note', what }, `note: ${what}`);
    return;
  }
  const { accounts, comparedFrom, differences, found, index, transfers } = report;
  for (const what of differences) printer.say({ type: 'damage', what }, `damage: ${what}`);
  if (comparedFrom > 0) {
    const what = `What this log has before offset ${comparedFrom} is gone or damaged: of the rows before it only the sums were compared, with the snapshot there.`;
    printer.say({ type: 'note', what }, `note: ${what}`);
  }
  const clean = found === 0;
  const places = found === 1 ? '1 place' : `${found} places`;
  const verdict = clean ? 'equal' : `DIFFERENT in ${places}: rebuild them with "ledger-node rebuild-projection"`;
  printer.say(
    { type: 'summary', clean, index, accounts, transfers, differences: found, comparedFrom },
    `rows at entry ${index}: ${accounts} accounts, ${transfers} transfers, ${verdict}`,
  );
  if (!clean) process.exitCode = DAMAGED;
}

function summaryOf(report: VerifyReport): string {
  const { nodeName, clusterId, replayed, torn, damaged } = report;
  const lines = [
    `node ${nodeName || '?'} of cluster ${clusterId || 'none'}`,
    `log: ${report.segments} segments, entries ${report.firstIndex} to ${report.lastIndex}, ${report.records} records; known to be committed up to entry ${report.committed}`,
    `snapshots: ${report.snapshots} that can be read`,
    replayed.to === undefined
      ? 'replay: none was possible'
      : `replay: from entry ${replayed.from} to ${replayed.to}, next offset ${replayed.nextOffset}, state ${replayed.stateHash}`,
    damaged > 0
      ? `DAMAGED: ${damaged} faults`
      : `clean${torn > 0 ? `, with ${torn} torn writes that a start mends` : ''}`,
  ];
  return lines.join('\n');
}
