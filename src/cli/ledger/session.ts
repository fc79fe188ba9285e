import { type Command } from 'commander';
import { ClientReason, LedgerClient, LedgerError } from '../../client';
import { durationMs } from './arguments';
import { Output } from './output';
import { Refused, type Terminal, UsageError } from './terminal';

export const ExitCode = { DONE: 0, REFUSED: 1, USAGE: 2, NO_CLUSTER: 3 } as const;

const DEFAULT_ADDRESS = 'localhost:8300';

interface GlobalOptions {
  readonly addr: string;
  readonly output: string;
  readonly timeout: string;
}

/** One run of the command: its options, its output, and the cluster it talks to. */
export class Session {
  readonly output: Output;
  readonly addresses: readonly string[];
  readonly timeoutMs: number;

  constructor(
    readonly terminal: Terminal,
    program: Command,
  ) {
    const options = program.opts<GlobalOptions>();
    this.output = new Output(terminal, options.output === 'json');
    this.addresses = options.addr
      .split(',')
      .map((address) => address.trim())
      .filter((address) => address !== '');
    this.timeoutMs = durationMs('--timeout', options.timeout);
  }

  /** Connects, runs `work`, and disconnects whatever comes of it. */
  async withClient<T>(work: (client: LedgerClient) => Promise<T>): Promise<T> {
    const client = await LedgerClient.connect({ addresses: this.addresses, timeoutMs: this.timeoutMs });
    try {
      return await work(client);
    } finally {
      await client.close();
    }
  }
}

/** The options that every command has. */
export function addGlobalOptions(program: Command): Command {
  return program
    .option('--addr <host:port,...>', 'servers of the cluster; the others are found through them', DEFAULT_ADDRESS)
    .option('--output <table|json>', 'for people or for programs', oneOf('--output', ['table', 'json']), 'table')
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
  // A server was reached and said that it is behind: that is an answer.
  if (['STALE_READ', 'PROJECTION_UNAVAILABLE', 'SQL_TIMEOUT'].includes(error.reason)) return ExitCode.REFUSED;
  return error.code === 'UNAVAILABLE' || error.code === 'DEADLINE_EXCEEDED' ? ExitCode.NO_CLUSTER : ExitCode.REFUSED;
}
