import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { CHAIN_ROWS } from '../../ledger/row-chain';
import { TRANSFER_WORDS } from '../../ledger/transfer-row';
import { IdFilter } from './id-filter';
import type { FiledIndex } from './id-index';
import type { MadeIndex, RunMaker } from './run-maker';
import { errorOf, type FromThread, type RunThreadData, type ToThread } from './run-thread-protocol';
import type { RunSource } from './run-writer';

/** Rows that are handed over at a stroke: copying them takes a quarter of a millisecond. */
const PIECE_ROWS = 128 * CHAIN_ROWS;
/** Bytes of extras that end a piece of fewer rows, about. */
const PIECE_EXTRAS = 512 << 10;
/** Mebibytes of the thread's JavaScript heap. Rows, hashes and filters lie outside of it: about 60 bytes for each row of a run. */
const HEAP_LIMIT = 128;

interface Job {
  /** The rows that it writes, where it writes rows. */
  readonly source: RunSource | undefined;
  /** The row that is handed over next. */
  next: number;
  /** One piece after the other. */
  handing: Promise<void>;
  readonly resolve: (made: MadeIndex) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Has runs written, sorted and merged by a thread of its own on the machine's files: of each row that leaves memory, what the
 * thread of consensus does is to copy it. The thread is started when it is needed first, and again if it has ended.
 */
export class RunThread implements RunMaker {
  private worker: Worker | undefined;
  private job: Job | undefined;

  constructor(
    private readonly data: RunThreadData,
    /** The program of the thread; by default the one beside this file. */
    private readonly entry = join(__dirname, 'run-thread-main.js'),
  ) {}

  /** What a node keeps ids with. */
  static readonly usual = { maker: (data: RunThreadData): RunMaker => new RunThread(data) };

  write(source: RunSource): Promise<MadeIndex> {
    const { first, count, chainBefore, lengthsFrom } = source;
    return this.run(source, { type: 'write', first, count, chainBefore, lengthsFrom });
  }

  merge(indexes: readonly FiledIndex[]): Promise<MadeIndex> {
    return this.run(undefined, { type: 'merge', names: indexes.map(({ name }) => name) });
  }

  async close(): Promise<void> {
    const { worker } = this;
    if (!worker) return;
    this.ended(worker, new Error('it was stopped'));
    await worker.terminate();
  }

  private run(source: RunSource | undefined, message: ToThread): Promise<MadeIndex> {
    if (this.job) return Promise.reject(new Error('The thread that writes runs of ids does one thing at a time.'));
    return new Promise((resolve, reject) => {
      this.job = { source, next: source?.first ?? 0, handing: Promise.resolve(), resolve, reject };
      const worker = (this.worker ??= this.start());
      // While it works, the process waits for it.
      worker.ref();
      worker.postMessage(message);
    });
  }

  private start(): Worker {
    const { directory, seed } = this.data;
    const worker = new Worker(this.entry, {
      workerData: { directory, seed } satisfies RunThreadData,
      resourceLimits: { maxOldGenerationSizeMb: HEAP_LIMIT },
      name: 'runs of ids',
    });
    worker.on('message', (message: FromThread) => this.take(worker, message));
    worker.on('error', (error) => this.ended(worker, error));
    worker.on('exit', (status) => this.ended(worker, new Error(`it ended with status ${status}`)));
    return worker;
  }

  private take(worker: Worker, message: FromThread): void {
    const { job } = this;
    if (!job || worker !== this.worker) return;
    switch (message.type) {
      case 'more':
        job.handing = job.handing.then(() => this.handOver(worker, job, message.used));
        job.handing.catch((error: unknown) => {
          // It would wait for these rows for ever.
          this.ended(worker, error as Error);
          void worker.terminate();
        });
        break;
      case 'done':
        this.finish(worker);
        job.resolve({ name: message.name, filter: new IdFilter(message.filter) });
        break;
      case 'failed':
        this.finish(worker);
        job.reject(errorOf(message.failure));
        break;
    }
  }

  private async handOver(worker: Worker, job: Job, used: Uint32Array | undefined): Promise<void> {
    const { source } = job;
    if (!source || job !== this.job) return;
    const from = job.next;
    const most = Math.min(PIECE_ROWS, source.first + source.count - from);
    if (most === 0) return;
    const size = most * TRANSFER_WORDS;
    const memory = used?.buffer.byteLength === size * 4 ? new Uint32Array(used.buffer) : new Uint32Array(size);
    const beside: Uint8Array[] = [];
    let [rows, bytes] = [0, 0];
    for (; rows < most && bytes < PIECE_EXTRAS; rows += CHAIN_ROWS) {
      const asked = source.unit(from + rows);
      const unit = asked instanceof Promise ? await asked : asked;
      memory.set(unit.words, rows * TRANSFER_WORDS);
      beside.push(unit.extras);
      bytes += unit.extras.length;
    }
    job.next += rows;
    const words = memory.subarray(0, rows * TRANSFER_WORDS);
    const extras = new Uint8Array(bytes);
    for (let i = 0, at = 0; i < beside.length; at += beside[i]!.length, i++) extras.set(beside[i]!, at);
    worker.postMessage({ type: 'rows', words, extras } satisfies ToThread, [
      words.buffer as ArrayBuffer,
      extras.buffer,
    ]);
  }

  private finish(worker: Worker): void {
    this.job = undefined;
    worker.unref();
  }

  private ended(worker: Worker, error: Error): void {
    if (worker !== this.worker) return;
    this.worker = undefined;
    const { job } = this;
    this.job = undefined;
    job?.reject(new Error(`The thread that writes runs of ids has ended: ${error.message}.`, { cause: error }));
  }
}
