import type { Command } from 'commander';
import { NodeFiles } from '../../log/node-files';
import { withDirectory } from '../../offline/locked-directory';
import { verifyDirectory, type VerifyReport } from '../../offline/verify';
import { Printer } from './printer';

const DAMAGED = 1;

export function addVerifyCommand(program: Command): void {
  program
    .command('verify')
    .description('check the data directory of a stopped node, and change nothing; exit 0 clean, 1 damaged')
    .requiredOption('--data-dir <DIR>', 'the data directory')
    .option('--json', 'one JSON document a line', false)
    .action(async ({ dataDir, json }: { dataDir: string; json: boolean }) => {
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
    });
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
