import { type Command } from 'commander';
import { ClientReason, LedgerClient, LedgerError } from '../../client';
import { durationMs } from './arguments';
import { Output } from './output';
import { Refused, type Terminal, UsageError } from './terminal';

export const ExitCode = { DONE: 0, REFUSED: 1, USAGE: 2, NO_CLUSTER: 3 } as const;

const REFUSALS_OF_READS: ReadonlySet<string> = new Set([
  ...['STALE_READ', 'NO_PROJECTION', 'PROJECTION_PAUSED', 'PROJECTION_BEHIND', 'PROJECTION_FAILED'],
  ...['PROJECTION_UNAVAILABLE', 'SQL_TIMEOUT'],
]);

const OUTPUTS = ['table', 'json', 'csv'];
const DEFAULT_ADDRESS = 'localhost:8300';

interface GlobalOptions {
  readonly addr: string;
  readonly output: string;
  readonly timeout: string;
}

/** One run of the command: its options, its output, and the cluster it talks to. */
export class Session {
  private readonly printer: Output;
  /** A table of data instead of one for people; few commands print it. */
  readonly csv: boolean;
  readonly addresses: readonly string[];
  readonly timeoutMs: number;

  constructor(
    readonly terminal: Terminal,
    program: Command,
  ) {
    const options = program.opts<GlobalOptions>();
    this.printer = new Output(terminal, options.output === 'json');
    this.csv = options.output === 'csv';
    this.addresses = options.addr
      .split(',')
      .map((address) => address.trim())
      .filter((address) => address !== '');
    this.timeoutMs = durationMs('--timeout', options.timeout);
  }

  /** For people or as JSON. */
  get output(): Output {
    this.refuseCsv();
    return this.printer;
  }

  /**
   * Connects, runs `work`, and disconnects whatever comes of it.
   * @param prints `csv`: it can, too. Any other is refused before anything is done
   */
  async withClient<T>(work: (client: LedgerClient) => Promise<T>, prints: 'csv' | 'output' = 'output'): Promise<T> {
    if (prints === 'output') this.refuseCsv();
    const client = await LedgerClient.connect({ addresses: this.addresses, timeoutMs: this.timeoutMs });
    try {
      return await work(client);
    } finally {
      await client.close();
    }
  }

  private refuseCsv(): void {
    if (this.csv) throw new UsageError('--output csv: only `ledger statement` prints it');
  }
}

/** The options that every command has. */
export function addGlobalOptions(program: Command): Command {
  return program
    .option('--addr <host:port,...>', 'servers of the cluster; the others are found through them', DEFAULT_ADDRESS)
    .option(
      '--output <table|json>',
      'for people or for programs; a statement also csv',
      oneOf('--output', OUTPUTS),
      'table',
    )
    .option('--timeout <duration>', 'give up after this long', '10s');
}

/** Reads an option that has a few fixed values. */
export function oneOf(name: string, values: readonly string[]): (value: string) => string {
  return (value) => {
    if (values.includes(value)) return value;
    throw new UsageError(`${name}: "${value}" is none of ${values.join(', ')}`);
  };
}

/** The line on stderr and the exit status for whatever a command threw. */
export function verdictOn(error: unknown): { readonly line: string; readonly exitCode: number } {
  if (error instanceof UsageError) return { line: error.message, exitCode: ExitCode.USAGE };
  if (error instanceof Refused) return { line: `${error.reason}: ${error.message}`, exitCode: ExitCode.REFUSED };
  if (!(error instanceof LedgerError)) {
    const line = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { line, exitCode: ExitCode.REFUSED };
  }
  if (error.reason === ClientReason.INVALID_ARGUMENT) return { line: error.message, exitCode: ExitCode.USAGE };
  return { line: `${error.reason.toLowerCase()}: ${error.message}`, exitCode: exitCodeOf(error) };
}

function exitCodeOf(error: LedgerError): number {
  // A server was reached and said that it is behind, or keeps no history: that is an answer.
  if (REFUSALS_OF_READS.has(error.reason)) return ExitCode.REFUSED;
  return error.code === 'UNAVAILABLE' || error.code === 'DEADLINE_EXCEEDED' ? ExitCode.NO_CLUSTER : ExitCode.REFUSED;
}
