import { spawn, type ChildProcess } from 'node:child_process';
import { resolve } from 'node:path';

const PROGRAM = resolve(__dirname, '..', '..', 'dist', 'cli', 'ledger-node.js');

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Surroundings {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** `ledger-node` as it was built, in a process of its own, with what it says. */
export class NodeCommand {
  private stdout = '';
  private stderr = '';
  private readonly child: ChildProcess;
  readonly ended: Promise<Ended>;

  constructor(args: readonly string[], { env = {}, cwd }: Surroundings = {}) {
    const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('LEDGER_NODE_'));
    const child = spawn(process.execPath, [PROGRAM, ...args], {
      env: { ...Object.fromEntries(inherited), ...env },
      ...(cwd !== undefined && { cwd }),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child = child;
    running.add(child);
    child.stdout.setEncoding('utf8').on('data', (text: string) => (this.stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    this.ended = new Promise((done, reject) => {
      child.once('error', reject);
      child.once('close', (code, signal) => {
        running.delete(child);
        done({ code, signal, stdout: this.stdout, stderr: this.stderr });
      });
    });
  }

  /** Resolves when one of its log lines has this message; rejects when the process ends or the time is up before that. */
  async saying(message: string, timeoutMs = 20_000): Promise<Record<string, unknown>> {
    const until = performance.now() + timeoutMs;
    for (;;) {
      const found = this.lines().find((line) => line['msg'] === message);
      if (found) return found;
      if (!running.has(this.child) || performance.now() > until) {
        throw new Error(`Waited in vain for "${message}". It said:\n${this.stderr}`);
      }
      await new Promise((next) => setTimeout(next, 10));
    }
  }

  /** Its log lines so far. */
  lines(): Record<string, unknown>[] {
    return this.stderr
      .split('\n')
      .filter((line) => line.startsWith('{') && line.endsWith('}'))
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }
}

export function runCommand(args: readonly string[], surroundings?: Surroundings): Promise<Ended> {
  return new NodeCommand(args, surroundings).ended;
}
