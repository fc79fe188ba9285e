/** sql: reads the rows of a node's projection. */
import { type Command } from 'commander';
import { type SqlRows } from '../../../client/cluster-calls';
import { wholeNumber } from '../arguments';
import { type Session } from '../session';
import { UsageError } from '../terminal';

const MOST_ROWS = 10_000;
const MOST_BYTES = 1024 * 1024;

interface SqlArguments {
  readonly csv: boolean;
  readonly maxRows?: number;
  readonly token?: string;
  readonly node?: string;
}

export function addSqlCommand(program: Command, session: () => Session): void {
  program
    .command('sql')
    .description('read the rows of a node with one statement of SQL; see docs/projection.md')
    .argument('[statement]', '- or nothing: read it from stdin')
    .option('--csv', 'comma-separated values, with a header', false)
    .option('--max-rows <n>', 'rows at most (default: 1000)', wholeNumber('--max-rows', 1, MOST_ROWS))
    .option('--token <token>', 'wait until the rows reflect the answer that the token came with')
    .option('--node <node>', 'name or address of the node to ask (default: the first of --addr)')
    .action((statement: string | undefined, options: SqlArguments) => sql(session(), statement ?? '-', options));
}

async function sql(session: Session, given: string, options: SqlArguments): Promise<void> {
  const statement = given === '-' ? await readAll(session) : given;
  const { csv, maxRows, token, node } = options;
  const asked = {
    ...(maxRows === undefined ? {} : { maxRows }),
    ...(token === undefined ? {} : { token }),
    ...(node === undefined ? {} : { server: node }),
  };
  // A semicolon at the end belongs to the shells of databases; one statement is all that is taken.
  const found = await session.withClient((client) => client.sql(statement.trim().replace(/;$/, ''), asked));
  const { output } = session;
  if (csv) for (const line of csvLines(found)) output.line(line);
  else
    output.list(
      found,
      found.columns,
      found.rows.map((row) => row.map((value) => value ?? undefined)),
    );
  if (found.truncated && !output.json) output.note(`There are more than these ${found.rows.length} rows.`);
}

async function readAll({ terminal }: Session): Promise<string> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of terminal.stdin) {
    pieces.push(Buffer.from(piece as Uint8Array));
    bytes += (piece as Uint8Array).length;
    if (bytes > MOST_BYTES) throw new UsageError(`sql: a statement has at most ${MOST_BYTES} bytes`);
  }
  return Buffer.concat(pieces).toString('utf8');
}

/** RFC 4180: a value with a comma, a quote or a line break is quoted; so is an empty text, to tell it from NULL. */
export function csvLines({ columns, rows }: Pick<SqlRows, 'columns' | 'rows'>): string[] {
  const cell = (value: string | null): string => {
    if (value === null) return '';
    return value === '' || /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
  };
  return [columns, ...rows].map((row) => row.map(cell).join(','));
}
