import type { Command } from 'commander';
import { type NodeConfig, parseDatabase } from '../../node/config/node-config';
import { OptionError } from '../../node/config/units';

export function addDatabaseOption(command: Command): Command {
  return command.option(
    '--database-url <URL>',
    'where the rows are, as the node is told it (default: the embedded Postgres)',
  );
}

/** @throws OptionError where it names none */
export function databaseOf(url: string | undefined): NodeConfig['database'] {
  if (url === undefined) return { kind: 'embedded' };
  const database = parseDatabase(url);
  if (database.kind === 'off') throw new OptionError('--database-url: "off" has no rows');
  return database;
}
