import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, existsSync, openSync, readSync, fstatSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** Two levels up from src/bench and from dist/bench alike. */
const PROGRAM = resolve(__dirname, '..', '..', 'dist', 'cli', 'ledger-node.js');
/** Milliseconds between two looks at a condition. */
const POLL = 25;
/** The contract gives a stop 10 s; what takes longer is killed and reported. */
const STOP_DEADLINE = 15_000;
/** Characters at the end of a node's log that go into an error message. */
const LOG_TAIL = 8_192;

export interface NodeAddresses {
  readonly rpc: string;
  readonly gossip: string;
  readonly http: string;
}

/** How a node process ended: its exit status, or the signal that ended it. */
export interface ExitStatus {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** Whatever is still running when this process ends is ended with it. */
const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/**
 * One `ledger-node` in a process of its own, started from dist/, on fixed loopback addresses and a fixed data directory, so
 * that it can be killed and started again. Its output goes to a file beside the data directory.
 */
export class NodeProcess {
  private child: ChildProcess | undefined;
  private ended: Promise<ExitStatus> = Promise.resolve({ code: null, signal: null });
  private startedBefore = false;
  readonly dataDir: string;
  private readonly logFile: string;

  constructor(
    readonly name: string,
    readonly addresses: NodeAddresses,
    folder: string,
    private readonly flags: readonly string[],
    /** Flags that say how it finds its cluster when it starts, the first time and later. */
    private readonly joining: { readonly first: readonly string[]; readonly again: readonly string[] },
  ) {
    this.dataDir = join(folder, name);
    this.logFile = join(folder, `${name}.log`);
  }

  get isRunning(): boolean {
    return this.child !== undefined;
  }

  /** Of the running process; undefined while there is none. */
  get pid(): number | undefined {
    return this.child?.pid;
  }

  /** Starts the process and returns at once; `untilReady` waits for it. */
  start(): void {
    if (this.child) throw new Error(`${this.name} is already running: stop it before it is started again.`);
    if (!existsSync(PROGRAM)) throw new Error(`${PROGRAM} is missing: run "npm run build" first.`);
    const output = openSync(this.logFile, 'a');
    const child = spawn(process.execPath, [PROGRAM, ...this.commandLine()], {
      env: withoutNodeSettings(process.env),
      stdio: ['ignore', output, output],
    });
    closeSync(output);
    this.startedBefore = true;
    this.child = child;
    running.add(child);
    this.ended = new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code, signal) => {
        running.delete(child);
        this.child = undefined;
        resolve({ code, signal });
      });
    });
  }

  private commandLine(): string[] {
    const { rpc, gossip, http } = this.addresses;
    return [
      ...['--node-name', this.name, '--data-dir', this.dataDir],
      ...['--rpc-addr', rpc, '--bind-addr', gossip, '--http-addr', http],
      ...(this.startedBefore ? this.joining.again : this.joining.first),
      ...this.flags,
    ];
  }

  /** Resolves when /readyz answers 200; rejects with the end of the log when the process ends or the time is up. */
  async untilReady(timeoutMs: number): Promise<void> {
    await this.until(`/readyz of ${this.name} to answer 200`, timeoutMs, () => this.answersReady());
  }

  /** Polls until `condition` holds; rejects when the process ends or the time is up before that. */
  async until(what: string, timeoutMs: number, condition: () => Promise<boolean>): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    while (!(await condition())) {
      if (!this.child) {
        const { code, signal } = await this.ended;
        throw new Error(
          this.report(`${this.name} ended (status ${code}, signal ${signal}) while waiting for ${what}.`),
        );
      }
      if (performance.now() > deadline) {
        throw new Error(this.report(`Waited ${timeoutMs} ms in vain for ${what}.`));
      }
      await new Promise((resolve) => setTimeout(resolve, POLL));
    }
  }

  private async answersReady(): Promise<boolean> {
    try {
      const response = await fetch(`http://${this.addresses.http}/readyz`, { signal: AbortSignal.timeout(2_000) });
      await response.arrayBuffer();
      return response.status === 200;
    } catch {
      // Nobody listens yet, or it is too busy to answer: not ready either way, and `until` has a deadline.
      return false;
    }
  }

  /** The text of /metrics, in Prometheus' exposition format. */
  async metrics(): Promise<string> {
    const response = await fetch(`http://${this.addresses.http}/metrics`, { signal: AbortSignal.timeout(5_000) });
    if (!response.ok) throw new Error(this.report(`/metrics of ${this.name} answered ${response.status}.`));
    return response.text();
  }

  /** SIGTERM: a clean stop. Rejects where the node does not end in time; it is killed then. */
  async stop(): Promise<ExitStatus> {
    if (!this.child) return this.ended;
    const child = this.child;
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      child.kill('SIGKILL');
    }, STOP_DEADLINE);
    child.kill('SIGTERM');
    const status = await this.ended;
    clearTimeout(timer);
    if (late) throw new Error(this.report(`${this.name} did not stop within ${STOP_DEADLINE} ms of SIGTERM; killed.`));
    return status;
  }

  /** SIGKILL: as a crash of the process; what the kernel holds survives. */
  async kill9(): Promise<void> {
    this.child?.kill('SIGKILL');
    await this.ended;
  }

  /** SIGSTOP: the process keeps its sockets open and answers nothing until `resume`. */
  suspend(): void {
    this.child?.kill('SIGSTOP');
  }

  resume(): void {
    this.child?.kill('SIGCONT');
  }

  /** The end of what the node wrote to stdout and stderr, over all its starts. */
  log(maxBytes = LOG_TAIL): string {
    if (!existsSync(this.logFile)) return '';
    const file = openSync(this.logFile, 'r');
    try {
      const size = fstatSync(file).size;
      const tail = Buffer.alloc(Math.min(size, maxBytes));
      readSync(file, tail, 0, tail.length, size - tail.length);
      return tail.toString('utf8');
    } finally {
      closeSync(file);
    }
  }

  private report(sentence: string): string {
    return `${sentence}\n--- the end of the log of ${this.name}:\n${this.log()}`;
  }
}

/** A setting of the caller's own environment must not reach a node that is started for a test. */
function withoutNodeSettings(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('LEDGER_NODE_')));
}
