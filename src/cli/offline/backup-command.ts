import { type Command, Option } from 'commander';
import { NodeFiles } from '../../log/node-files';
import { formatAddress, OptionError, parseAddress } from '../../node/config/units';
import { DirectorySource } from '../../offline/directory-source';
import { withDirectory } from '../../offline/locked-directory';
import { type BackupHeader, writeBackup } from '../../raft/backup';
import { STANDARD, writeBackupTo } from './backup-file';
import { onlineBackup } from './online-backup';
import { Printer } from './printer';
import { bytesText } from './progress-bar';

interface BackupOptions {
  readonly to: string;
  readonly addr?: string;
  readonly dataDir?: string;
  readonly json: boolean;
}

export function addBackupCommand(program: Command): void {
  program
    .command('backup')
    .description('save all that one node holds to a file: of a running node, or of the directory of a stopped one')
    .requiredOption('--to <FILE>', 'a file that is not there yet, or - for the standard output')
    .addOption(new Option('--addr <HOST:PORT>', 'the gRPC address of a running node').conflicts('dataDir'))
    .option('--data-dir <DIR>', 'the data directory of a stopped node')
    .option('--json', 'one JSON document a line', false)
    .action((options: BackupOptions) => backup(options));
}

async function backup(options: BackupOptions): Promise<void> {
  // The standard output is the backup's then.
  const printer = new Printer(options.json, options.to === STANDARD ? process.stderr : process.stdout);
  let done = 0;
  let expected = 0;
  const counted = async function* (bytes: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
    for await (const piece of bytes) {
      done += piece.length;
      printer.progress(Math.min(done, expected || done), expected, 'backup');
      yield piece;
    }
  };
  const header = await save(options, printer, counted, (bytes) => (expected = bytes));
  const { clusterId, nodeName, lastIndex, nextOffset, snapshot } = header;
  printer.say(
    { type: 'summary', to: options.to, bytes: done, ...header, before: undefined, firstIndex: header.before.index + 1 },
    `saved node ${nodeName} of cluster ${clusterId}: entries ${header.before.index + 1} to ${lastIndex}, next offset ${nextOffset}, ` +
      `${snapshot ? `with a snapshot at entry ${snapshot.index}` : 'no snapshot'}; ${bytesText(done)}`,
  );
}

async function save(
  { addr, dataDir, to }: BackupOptions,
  printer: Printer,
  counted: (bytes: AsyncIterable<Buffer>) => AsyncIterable<Buffer>,
  onExpected: (bytes: number) => void,
): Promise<BackupHeader> {
  if (addr !== undefined) {
    return writeBackupTo(to, counted(onlineBackup(formatAddress(parseAddress(addr)), onExpected)));
  }
  if (dataDir === undefined) {
    throw new OptionError('backup: say --addr HOST:PORT of a running node, or --data-dir DIR of a stopped one');
  }
  return withDirectory(dataDir, async () => {
    const source = await DirectorySource.open(new NodeFiles(), dataDir, (finding) => printer.finding(finding));
    onExpected(source.expectedBytes);
    return writeBackupTo(to, counted(writeBackup(source)));
  });
}
