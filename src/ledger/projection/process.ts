import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import { type AnswerTo, type AsOf, type HistoryQuestion } from '../history';
import { AskedQuestions } from './past/asked-questions';
import { PastRefusal } from './past/past-desk';
import { Backoff } from './pause';
import { PendingReads } from './pending-reads';
import { type FromChild, HEARTBEAT, type ProjectionConfig, type ToChild } from './protocol';
import { type ReadAnswer, ReadRefusedError, type ReadRequest } from './read-rows';
import { type ProjectionSource, type ProjectionStatus } from './source';

export interface ProjectionProcessOptions {
  /** What to project and where to. */
  readonly config: ProjectionConfig;
  readonly source: ProjectionSource;
  /** Called with every report, for logs and metrics. */
  readonly onStatus?: (status: ProjectionStatus) => void;
  /** The program of the process; by default the one beside this file. */
  readonly entry?: string;
  /** Milliseconds that `stop` gives the process to close the database. */
  readonly stopDeadline?: number;
}

/** Milliseconds between starts of a process that ends by itself. */
const FIRST_RESTART = 500;
const LONGEST_RESTART = 30_000;
const STOP_DEADLINE = 5_000;
/** Milliseconds without a sign of life: no statement takes as long, but a failed WebAssembly machine can spin for ever. */
const SILENCE_DEADLINE = 180_000;
const KEPT_STDERR = 4_096;
/** Mebibytes of JavaScript's heap; buffers and WebAssembly's memory are bounded elsewhere. */
const HEAP_LIMIT = 256;

/**
 * Runs the projection in a process of its own, so that SQL never takes time or memory from consensus, and starts it again
 * whenever it ends. The node only answers its questions.
 */
export class ProjectionProcess {
  private child: ChildProcess | undefined;
  private gone: Promise<void> = Promise.resolve();
  private wanted = false;
  private restart: NodeJS.Timeout | undefined;
  private watch: NodeJS.Timeout | undefined;
  private heardAt = 0;
  private startAgain = false;
  private complaint = '';
  private readonly reads = new PendingReads();
  private readonly waiting = new Set<() => void>();
  private readonly backoff = new Backoff(FIRST_RESTART, LONGEST_RESTART);
  private readonly questions = new AskedQuestions(
    () => `it is ${this.latest.state}${this.latest.why && ` (${this.latest.why})`}`,
  );
  private latest: ProjectionStatus = {
    state: 'paused',
    why: 'it was not started',
    checkpointIndex: 0,
    checkpointOffset: -1,
    rowsPerSecond: 0,
  };

  constructor(private readonly options: ProjectionProcessOptions) {}

  status(): ProjectionStatus {
    return this.latest;
  }

  /** The process id while there is one. */
  get pid(): number | undefined {
    return this.child?.pid;
  }

  /** What the rows say, at whatever place of the log they are. Rejects with {@link ReadRefusedError}. */
  read(request: ReadRequest): Promise<ReadAnswer> {
    const { child } = this;
    if (!child) {
      return Promise.reject(new ReadRefusedError('unavailable', `The projection does not run: ${this.latest.why}`));
    }
    return this.reads.add(request.timeoutMs, (number) => this.send(child, { type: 'read', number, ...request }));
  }

  /** Resolves when the rows reflect the batch at `index`; rejects with {@link ReadRefusedError} after `timeoutMs`. */
  async reached(index: number, timeoutMs: number): Promise<void> {
    const until = performance.now() + timeoutMs;
    while (this.latest.checkpointIndex < index) {
      const left = until - performance.now();
      if (left <= 0) throw this.behind(index, timeoutMs);
      await this.moved(left);
    }
  }

  /**
   * A question about the past, answered from rows that reflect at least what it needs.
   * @param deadlineMs milliseconds from now on
   * @throws PastRefusal
   */
  async ask<Q extends HistoryQuestion>(question: Q, needs: AsOf, deadlineMs: number): Promise<AnswerTo<Q>> {
    const { child, startAgain } = this;
    if (!child?.connected && !startAgain) {
      throw new PastRefusal('PAUSED', `The projection is paused: ${this.latest.why}.`);
    }
    return this.questions.ask(question, needs, deadlineMs, (message) => {
      // The process that is about to be started is asked what this one was not.
      if (child) this.send(child, message);
    });
  }

  start(): void {
    if (this.wanted) return;
    this.wanted = true;
    this.spawn();
  }

  /** Resolves when the process is gone: with its database closed, or killed after the deadline. */
  async stop(): Promise<void> {
    this.wanted = false;
    clearTimeout(this.restart);
    const { child } = this;
    if (child) {
      this.send(child, { type: 'stop' });
      const late = setTimeout(() => child.kill('SIGKILL'), this.options.stopDeadline ?? STOP_DEADLINE);
      await this.gone;
      clearTimeout(late);
    }
    this.tell({ ...this.latest, state: 'paused', why: 'it was stopped', rowsPerSecond: 0 });
  }

  private behind(index: number, timeoutMs: number): ReadRefusedError {
    const { checkpointIndex, state, why } = this.latest;
    const paused = state === 'paused' ? ` It is paused: ${why}` : '';
    return new ReadRefusedError(
      'unavailable',
      `The rows are at Raft index ${checkpointIndex}, and have not come to ${index} within ${Math.round(timeoutMs)} ms.${paused}`,
    );
  }

  /** Resolves with the next report, or after so many milliseconds. */
  private moved(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.waiting.delete(done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      this.waiting.add(done);
    });
  }

  private spawn(): void {
    this.startAgain = false;
    this.complaint = '';
    this.tell({ ...this.latest, state: 'starting', why: 'its process is being started', rowsPerSecond: 0 });
    const child = fork(this.options.entry ?? join(__dirname, 'main.js'), [], {
      serialization: 'advanced',
      execArgv: [`--max-old-space-size=${HEAP_LIMIT}`],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    this.child = child;
    this.heardAt = performance.now();
    this.watch = setInterval(() => this.killWhenSilent(child), HEARTBEAT);
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.complaint = (this.complaint + text).slice(-KEPT_STDERR);
    });
    child.on('message', (message: FromChild) => this.receive(child, message));
    this.gone = new Promise((resolve) => {
      let ended = false;
      const end = (how: string) => {
        if (ended) return;
        ended = true;
        this.ended(how);
        resolve();
      };
      child.once('error', (error) => (child.pid === undefined ? end(error.message) : undefined));
      child.once('close', (code, signal) => end(signal ?? `code ${code}`));
    });
    this.send(child, { type: 'configure', ...this.options.config });
    this.questions.askAgain((message) => this.send(child, message));
  }

  private ended(how: string): void {
    clearInterval(this.watch);
    this.child = undefined;
    this.reads.failAll(`The process of the projection ended (${how}).`);
    if (!this.startAgain || !this.wanted) this.questions.refuseAll(`its process ended (${how})`);
    if (!this.wanted) return;
    const wait = this.startAgain ? 0 : this.backoff.next();
    const complaint = this.complaint.trim();
    if (!this.startAgain) {
      const why = `its process ended (${how}) and is started again in ${wait} ms${complaint ? `: ${complaint}` : ''}`;
      this.tell({ ...this.latest, state: 'paused', why, rowsPerSecond: 0 });
    }
    this.restart = setTimeout(() => this.spawn(), wait);
  }

  private receive(child: ChildProcess, message: FromChild): void {
    this.heardAt = performance.now();
    if (message.type === 'status') {
      if (message.status.state === 'running') this.backoff.reset();
      this.tell(message.status);
    } else if (message.type === 'readDone' || message.type === 'readFailed') {
      this.reads.settle(message);
    } else if (message.type === 'startAgain') {
      this.startAgain = true;
    } else if (message.type === 'answered' || message.type === 'notAnswered') {
      this.questions.settle(message);
    } else {
      this.answer(child, message).catch((error: unknown) =>
        this.send(child, { type: 'fetchFailed', request: message.request, message: String(error) }),
      );
    }
  }

  private async answer(child: ChildProcess, asked: Extract<FromChild, { type: 'fetch' }>): Promise<void> {
    const { request, group, fromIndex, maxBytes } = asked;
    const mine = this.options.config.group;
    if (group !== mine) throw new Error(`The projection of group ${mine} asked for batches of group ${group}.`);
    const { batches, commitIndex, nextOffset } = await this.options.source.fetch(fromIndex, maxBytes);
    if (this.child === child) this.send(child, { type: 'fetched', request, batches, commitIndex, nextOffset });
  }

  private send(child: ChildProcess, message: ToChild): void {
    // A channel that is closed belongs to a process that has ended or is about to; `close` follows and says so.
    if (child.connected) child.send(message, () => undefined);
  }

  private killWhenSilent(child: ChildProcess): void {
    const silent = performance.now() - this.heardAt;
    if (silent < SILENCE_DEADLINE) return;
    this.complaint = `it gave no sign of life for ${Math.round(silent / 1000)} s`;
    child.kill('SIGKILL');
  }

  private tell(status: ProjectionStatus): void {
    this.latest = status;
    for (const wake of [...this.waiting]) wake();
    this.options.onStatus?.(status);
  }
}
