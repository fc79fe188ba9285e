import { createInterface } from 'node:readline/promises';
import type { Command } from 'commander';
import { NodeFiles } from '../../log/node-files';
import { OptionError } from '../../node/config/units';
import { StartupError } from '../../node/startup-error';
import { recover } from '../../offline/recover';
import type { BackupHeader } from '../../raft/backup';
import { Printer } from './printer';
import { newClusterLines } from './restore-command';

interface RecoverOptions {
  readonly dataDir: string;
  readonly forceNewCluster: boolean;
  readonly yes: boolean;
  readonly json: boolean;
}

export function addRecoverCommand(program: Command): void {
  program
    .command('recover')
    .description('a majority is lost for good: begin a new cluster with what this one node has')
    .option('--force-new-cluster', 'say that this is what you want', false)
    .requiredOption('--data-dir <DIR>', 'the data directory of the stopped node')
    .option('--yes', 'do not ask', false)
    .option('--json', 'one JSON document a line', false)
    .action((options: RecoverOptions) => run(options));
}

async function run({ dataDir, forceNewCluster, yes, json }: RecoverOptions): Promise<void> {
  if (!forceNewCluster) throw new OptionError('recover: say --force-new-cluster; there is no other way to recover');
  const printer = new Printer(json);
  const recovered = await recover({
    ...{ dataDir, files: new NodeFiles() },
    onFinding: (finding) => printer.finding(finding),
    onProgress: (done, total, what) => printer.progress(done, total, what),
    confirm: (survivor) => {
      printer.end();
      process.stderr.write(`${warningFor(survivor)}\n`);
      return yes ? Promise.resolve(true) : confirmed();
    },
  });
  printer.end();
  if (!recovered) throw new StartupError('recover: nothing was done', 1);
  printer.say(
    { type: 'summary', dataDir, ...recovered },
    [
      ...newClusterLines(recovered, dataDir),
      `the old directory is kept as ${recovered.keptAs}: remove it when you have seen that all is well`,
    ].join('\n'),
  );
}

function warningFor({ nodeName, clusterId, configuration, lastIndex, nextOffset }: BackupHeader): string {
  const others = configuration.servers
    .map(({ name }) => name)
    .filter((name) => name !== nodeName)
    .sort();
  return [
    `Node "${nodeName}" of cluster ${clusterId} has the log up to entry ${lastIndex}, next offset ${nextOffset}.`,
    'Whatever the others acknowledged after that is LOST for ever, and what was under way here may count as done.',
    others.length === 0
      ? 'It knows of no other members.'
      : `The other members are shut out: ${others.join(', ')}. Never start their old directories again: if a majority of them comes back,` +
        ' it goes on as the old cluster, and there are two ledgers.',
  ].join('\n');
}

async function confirmed(): Promise<boolean> {
  if (!process.stdin.isTTY) {
    throw new OptionError('recover: nobody is here to be asked: say --yes if you are sure');
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return (await terminal.question('Go on? Write "yes": ')).trim() === 'yes';
  } finally {
    terminal.close();
  }
}
