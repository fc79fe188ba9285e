/**
 * Server-sent events (HTML Living Standard, 9.2): one answer that goes on for as long as its reader likes. A line of comment
 * goes out when there is nothing else, so that whoever stands between knows that the connection lives; a reader that takes
 * nothing for a minute is cut.
 */
import { type ServerResponse } from 'node:http';
import { type Fault, shuttingDown } from '../errors';

/** Milliseconds without an event after which a comment goes out. */
const HEARTBEAT_MS = 15_000;
/** Milliseconds in which a reader has to take what was written. */
const STALL_MS = 60_000;
/** What a reader is told to wait before it comes again, in milliseconds. */
const RETRY_MS = 1_000;

/** What a route answers that streams events: `follow` ends by what it throws. */
export interface EventReply {
  readonly follow: (stream: EventStream) => Promise<void>;
  /** Gives back what the route holds, where `follow` will not be called. */
  readonly abandon?: () => void;
}

export interface ServerSentEvent {
  /** Where to go on from; the reader sends the newest one as `Last-Event-ID` when it comes again. */
  readonly id: string;
  readonly event?: string;
  /** Left out: only the id is new, and the reader is not woken. */
  readonly data?: object;
}

export interface EventStreamTimes {
  readonly heartbeatMs?: number;
  readonly stallMs?: number;
}

export class EventStream {
  private readonly over = new AbortController();
  private readonly heartbeat: NodeJS.Timeout;
  private stalled = false;

  /** @param stop aborted when the door closes */
  constructor(
    private readonly response: ServerResponse,
    private readonly stop: AbortSignal,
    private readonly times: EventStreamTimes = {},
  ) {
    response.once('close', this.leave);
    stop.addEventListener('abort', this.leave, { once: true });
    if (stop.aborted || response.destroyed) this.leave();
    response.writeHead(200, EVENT_HEADERS);
    response.write(`retry: ${RETRY_MS}\n\n`);
    this.heartbeat = setInterval(() => this.beat(), times.heartbeatMs ?? HEARTBEAT_MS);
    this.heartbeat.unref();
  }

  /** Aborted when the reader has left, or the door closes. */
  get signal(): AbortSignal {
    return this.over.signal;
  }

  /** Resolves when more may be written: no faster than the reader. Rejects when the stream is over. */
  async send(event: ServerSentEvent): Promise<void> {
    this.signal.throwIfAborted();
    this.heartbeat.refresh();
    if (!this.response.write(encode(event))) await this.drained();
  }

  /** The last event, named `fault`, says why; the reader may come again with `Last-Event-ID`. */
  end(fault: Fault): void {
    clearInterval(this.heartbeat);
    this.stop.removeEventListener('abort', this.leave);
    if (this.response.destroyed) return;
    const { message, reason } = this.stop.aborted ? shuttingDown() : fault;
    this.response.end(`event: fault\ndata: ${JSON.stringify({ message, code: reason.toLowerCase() })}\n\n`);
  }

  private readonly leave = (): void => this.over.abort();

  private beat(): void {
    if (!this.stalled && !this.response.destroyed) this.response.write(':\n\n');
  }

  private drained(): Promise<void> {
    this.stalled = true;
    return new Promise((resolve, reject) => {
      const done = (): void => {
        clearTimeout(cut);
        this.stalled = false;
        this.response.off('drain', done);
        this.signal.removeEventListener('abort', done);
        if (this.signal.aborted) reject(new Error('The stream of events ended while it was being written.'));
        else resolve();
      };
      const cut = setTimeout(() => this.response.destroy(), this.times.stallMs ?? STALL_MS);
      cut.unref();
      this.response.once('drain', done);
      this.signal.addEventListener('abort', done, { once: true });
      if (this.signal.aborted) done();
    });
  }
}

export const EVENT_HEADERS = {
  'Content-Type': 'text/event-stream; charset=utf-8',
  'Cache-Control': 'no-store',
  'X-Content-Type-Options': 'nosniff',
  // A proxy that collects the answer before it passes it on would never pass this one on.
  'X-Accel-Buffering': 'no',
};

function encode({ id, event, data }: ServerSentEvent): string {
  const lines = [`id: ${id}`];
  if (data !== undefined)
    lines.push(...(event === undefined ? [] : [`event: ${event}`]), `data: ${JSON.stringify(data)}`);
  return `${lines.join('\n')}\n\n`;
}
