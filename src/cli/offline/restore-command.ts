import { stat } from 'node:fs/promises';
import type { Command } from 'commander';
import { NodeFiles } from '../../log/node-files';
import { StartupError } from '../../node/startup-error';
import { restore, type Restored } from '../../offline/restore';
import { BackupError, BackupReader } from '../../raft/backup';
import { backupBytes, STANDARD } from './backup-file';
import { Printer } from './printer';

interface RestoreOptions {
  readonly from: string;
  readonly dataDir: string;
  readonly nodeName?: string;
  readonly json: boolean;
}

export function addRestoreCommand(program: Command): void {
  program
    .command('restore')
    .description('make the data directory of the first node of a new cluster from a backup')
    .requiredOption('--from <FILE>', 'the backup, or - for the standard input')
    .requiredOption('--data-dir <DIR>', 'a directory that is not there yet, or empty')
    .option('--node-name <NAME>', 'name of the node (default: as in the backup)')
    .option('--json', 'one JSON document a line', false)
    .action((options: RestoreOptions) => run(options));
}

async function run({ from, dataDir, nodeName, json }: RestoreOptions): Promise<void> {
  const printer = new Printer(json);
  const expectedBytes = from === STANDARD ? 0 : await sizeOf(from);
  try {
    const source = await BackupReader.open(backupBytes(from, () => undefined));
    const restored = await restore({
      ...{ source, dataDir, expectedBytes, files: new NodeFiles() },
      nodeName: nodeName ?? source.header.nodeName,
      onProgress: (done, total, what) => printer.progress(done, total, what),
    });
    printer.say(
      { type: 'summary', dataDir, oldClusterId: source.header.clusterId, ...restored },
      [
        `restored from node ${source.header.nodeName} of cluster ${source.header.clusterId}`,
        ...newClusterLines(restored, dataDir),
      ].join('\n'),
    );
  } catch (error) {
    if (error instanceof BackupError) throw new StartupError(`${from}: ${error.message}`, 1);
    throw error;
  } finally {
    printer.end();
  }
}

export function newClusterLines({ nodeName, clusterId, verified }: Restored, dataDir: string): string[] {
  return [
    `new cluster ${clusterId}, of which "${nodeName}" is the only voter`,
    `entries ${verified.firstIndex} to ${verified.lastIndex}, next offset ${verified.replayed.nextOffset}, state ${verified.replayed.stateHash}`,
    `start it with: ledger-node --node-name ${nodeName} --data-dir ${dataDir}`,
    'then add others with --start-join-addrs, each on an empty directory',
  ];
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    throw new StartupError(
      `--from ${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
      2,
    );
  }
}
