import { MAX_ROWS, PACKED_ROW_BYTES } from '../ledger/packed-rows';
import { type BatchAnswer, encodeRowsBatch } from './batch-codec';
import { type BatchPipe } from './batch-pipe';
import { type Timers } from './environment';
import { closedError, invalidArgument, type LedgerError } from './errors';
import { type RowsOutcome } from './types';
import { WaitingRoom } from './waiting-room';

/** Milliseconds between two looks for callers whose time is over. */
const SWEEP = 50;

export interface RowLaneOptions {
  readonly pipe: BatchPipe;
  readonly now: () => number;
  readonly timers: Timers;
  readonly nextSequence: () => number;
  readonly maxWaiting: number;
  readonly onPosition: (token: string, offset: number) => void;
}

/** Batches of packed transfers: each call is one batch, as many in flight as the pipe takes, further callers wait. */
export class RowLane {
  private readonly waiting: WaitingRoom;
  private stopSweeping: (() => void) | undefined;
  private closing = false;
  /** Callers that were let in and have not sent yet. */
  private admitted = 0;

  constructor(private readonly options: RowLaneOptions) {
    this.waiting = new WaitingRoom(options.maxWaiting);
  }

  /** Rejects with a LedgerError. `rows` must not be changed before the promise settles. */
  async submit(rows: Uint8Array, timeoutMs: number): Promise<RowsOutcome> {
    if (this.closing) throw closedError();
    checkRows(rows);
    const { pipe, now } = this.options;
    const deadline = now() + timeoutMs;
    if (pipe.room - this.admitted <= 0 || this.waiting.size > 0) {
      this.stopSweeping ??= this.options.timers.every(SWEEP, () => this.sweep());
      await this.waiting.wait(deadline, timeoutMs);
      this.admitted -= 1;
      if (this.closing) throw closedError();
    }
    return this.send(rows, deadline, timeoutMs);
  }

  /** To be called when the pipe has room again. */
  letIn(): void {
    const count = Math.min(this.options.pipe.room - this.admitted, this.waiting.size);
    if (count <= 0) return;
    this.admitted += count;
    this.waiting.letIn(count);
  }

  /** Takes nothing more; resolves when everything that was sent is answered or given up. */
  async drain(): Promise<void> {
    this.abandon();
    await this.options.pipe.drain();
  }

  abandon(): void {
    this.closing = true;
    this.stopSweeping?.();
    this.stopSweeping = undefined;
    this.waiting.refuseAll(closedError());
  }

  private send(rows: Uint8Array, deadline: number, timeoutMs: number): Promise<RowsOutcome> {
    const { pipe, nextSequence, onPosition } = this.options;
    return new Promise((resolve, reject: (error: LedgerError) => void) => {
      const sequence = nextSequence();
      const settle = (answer: BatchAnswer): void => {
        const { count, baseOffset, timestamp, refused, repeats, amounts, token } = answer;
        onPosition(token, baseOffset + count - 1);
        resolve({ count, baseOffset, timestamp, refused, repeats, amounts, token });
      };
      pipe.send({ sequence, bytes: encodeRowsBatch(sequence, rows), deadline, timeoutMs, settle, fail: reject });
    });
  }

  private sweep(): void {
    this.waiting.expire(this.options.now());
    if (this.waiting.size > 0) return;
    this.stopSweeping?.();
    this.stopSweeping = undefined;
  }
}

function checkRows(rows: Uint8Array): void {
  const count = rows.length / PACKED_ROW_BYTES;
  if (Number.isInteger(count) && count >= 1 && count <= MAX_ROWS) return;
  throw invalidArgument(
    `Packed rows are 1 to ${MAX_ROWS} whole rows of ${PACKED_ROW_BYTES} bytes, not ${rows.length} bytes; ` +
      'split what is longer.',
  );
}
