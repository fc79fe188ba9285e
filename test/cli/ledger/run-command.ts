import { PassThrough, Readable } from 'node:stream';
import { runLedger } from '../../../src/cli/ledger/program';

export interface CommandResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  /** The lines of stdout as JSON documents. */
  readonly json: () => Record<string, unknown>[];
}

export interface CommandOptions {
  readonly stdin?: string | Readable;
  readonly signal?: AbortSignal;
  /** Told of what is written to stdout, as it is written. */
  readonly onOutput?: (text: string) => void;
}

/** Runs `ledger` in this process, with streams in the place of the terminal. */
export async function ledger(args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  const { stdin = '', signal = new AbortController().signal } = options;
  const out = collector(options.onOutput);
  const err = collector();
  const input = typeof stdin === 'string' ? Readable.from([Buffer.from(stdin)]) : stdin;
  const terminal = { stdin: input, stdout: out.stream, stderr: err.stream, colors: false, signal };
  const exitCode = await runLedger(args, terminal);
  const stdout = out.text();
  return {
    ...{ exitCode, stdout, stderr: err.text() },
    json: () =>
      stdout
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Record<string, unknown>),
  };
}

function collector(onText?: (text: string) => void): { stream: PassThrough; text: () => string } {
  const parts: Buffer[] = [];
  const stream = new PassThrough();
  stream.on('data', (part: Buffer) => {
    parts.push(part);
    onText?.(part.toString('utf8'));
  });
  return { stream, text: () => Buffer.concat(parts).toString('utf8') };
}

/** jest's matchers, which have no type of their own, with the type of what they stand for. */
export const matching = (pattern: string | RegExp): string => expect.stringMatching(pattern) as string;
export const anyNumber = expect.any(Number) as number;
export const anyText = expect.any(String) as string;
