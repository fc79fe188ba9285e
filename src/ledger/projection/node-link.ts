import { type AsOf, type HistoryQuestion } from '../history';
import { PastRefusal } from './past/past-desk';
import { type FromChild, HEARTBEAT, type ProjectionConfig, type ToChild } from './protocol';
import { type ReadAnswer, ReadRefusedError, type ReadRequest } from './read-rows';
import { type Fetched, type ProjectionSource, type ProjectionStatus } from './source';

/** Milliseconds between two reports of progress, which a read may wait for; a change of state is reported at once. */
const REPORT_INTERVAL = 25;

/** @returns the answer, rejects with a {@link PastRefusal} */
export type Answerer = (question: HistoryQuestion, needs: AsOf, deadlineMs: number) => Promise<object>;

/** The projection's end of the IPC channel: asks the node for batches and tells it how it is doing. */
export class NodeLink implements ProjectionSource {
  /** Resolves when the node has sent it. */
  readonly configuration: Promise<ProjectionConfig>;
  private group = 0;
  private request = 0;
  private pending: { resolve: (fetched: Fetched) => void; reject: (error: Error) => void } | undefined;
  private latest: ProjectionStatus | undefined;
  private reported: ProjectionStatus | undefined;
  private reportedAt = 0;
  private readonly timer: NodeJS.Timeout;
  private readonly answerer: Promise<Answerer>;
  private give!: (answerer: Answerer) => void;

  /**
   * @param onStop called when the node wants this process to end
   * @param read answers somebody's question about the rows
   */
  constructor(onStop: () => void, read: (request: ReadRequest) => Promise<ReadAnswer>) {
    this.answerer = new Promise((resolve) => (this.give = resolve));
    this.configuration = new Promise((resolve) => {
      process.on('message', (message: ToChild) => {
        if (message.type === 'configure') {
          this.group = message.group;
          resolve(message);
        } else if (message.type === 'stop') {
          onStop();
        } else if (message.type === 'read') {
          this.read(message.number, read(message));
        } else if (message.type === 'ask') {
          void this.ask(message);
        } else {
          this.answer(message);
        }
      });
    });
    this.timer = setInterval(() => this.report(), REPORT_INTERVAL);
  }

  /** Who answers questions about the past; what was asked before waits for it. */
  answerWith(answerer: Answerer): void {
    this.give(answerer);
  }

  fetch(fromIndex: number, maxBytes: number): Promise<Fetched> {
    // Whoever was waiting for an earlier answer has given up; the answer, when it comes, has an older number.
    const request = ++this.request;
    return new Promise((resolve, reject) => {
      this.pending = { resolve, reject };
      this.send({ type: 'fetch', request, group: this.group, fromIndex, maxBytes });
    });
  }

  tell(status: ProjectionStatus): void {
    this.latest = status;
    if (status.state !== this.reported?.state || status.why !== this.reported.why) this.report();
  }

  startAgain(): void {
    this.close();
    this.send({ type: 'startAgain' });
  }

  /** Reports for the last time and lets the process end. */
  close(): void {
    clearInterval(this.timer);
    this.report();
  }

  private read(number: number, answer: Promise<ReadAnswer>): void {
    answer.then(
      (rows) => this.send({ type: 'readDone', number, ...rows }),
      (error: unknown) => {
        const reason = error instanceof ReadRefusedError ? error.reason : 'unavailable';
        const message = error instanceof Error ? error.message : String(error);
        this.send({ type: 'readFailed', number, reason, message });
      },
    );
  }

  private answer(message: Extract<ToChild, { type: 'fetched' | 'fetchFailed' }>): void {
    if (message.request !== this.request || !this.pending) return;
    const { resolve, reject } = this.pending;
    this.pending = undefined;
    if (message.type === 'fetched') resolve(message);
    else reject(new Error(`the node has not got the batches: ${message.message}`));
  }

  private async ask({ request, question, needs, deadlineMs }: Extract<ToChild, { type: 'ask' }>): Promise<void> {
    try {
      const answer = JSON.stringify(await (await this.answerer)(question, needs, deadlineMs));
      this.send({ type: 'answered', request, answer });
    } catch (error) {
      const reason = error instanceof PastRefusal ? error.reason : 'FAILED';
      const message = error instanceof Error ? error.message : String(error);
      this.send({ type: 'notAnswered', request, reason, message });
    }
  }

  private report(): void {
    const now = performance.now();
    const changed = this.latest !== this.reported;
    if (!this.latest || (!changed && now - this.reportedAt < HEARTBEAT)) return;
    this.reported = this.latest;
    this.reportedAt = now;
    this.send({ type: 'status', status: this.latest });
  }

  private send(message: FromChild): void {
    // Without a channel the node is gone, and this process is about to end.
    if (process.connected) process.send?.(message, undefined, undefined, () => undefined);
  }
}
