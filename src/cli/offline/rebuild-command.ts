import type { Command } from 'commander';
import { NodeFiles } from '../../log/node-files';
import { withDirectory } from '../../offline/locked-directory';
import { rebuildProjection } from '../../offline/projection';
import { addDatabaseOption, databaseOf } from './database-option';
import { Printer } from './printer';

export function addRebuildCommand(program: Command): void {
  const command = program
    .command('rebuild-projection')
    .description(
      'make the rows of a stopped node anew from its log, beside those that are there, and switch at the end',
    )
    .requiredOption('--data-dir <DIR>', 'the data directory');
  addDatabaseOption(command)
    .option('--json', 'one JSON document a line', false)
    .action(async ({ dataDir, databaseUrl, json }: { dataDir: string; databaseUrl?: string; json: boolean }) => {
      const printer = new Printer(json);
      const database = databaseOf(databaseUrl);
      const begun = performance.now();
      const rebuilt = await withDirectory(dataDir, () =>
        rebuildProjection({
          dataDir,
          files: new NodeFiles(),
          database,
          onProgress: (done, total, what) => printer.progress(done, total, what),
        }),
      );
      const seconds = (performance.now() - begun) / 1000;
      const { index, offset, records } = rebuilt;
      printer.say(
        { type: 'summary', index, offset, records, seconds: Number(seconds.toFixed(3)) },
        `${records} records in ${seconds.toFixed(1)} s; the rows reflect entry ${index}, offset ${offset}`,
      );
    });
}
