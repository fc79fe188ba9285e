/**
 * Single transfers of many callers, as batches. A transfer is encoded into the open batch when it is given; the batch leaves
 * as soon as the program's turn is over and there is room in flight. So a lone transfer waits for nothing, and while
 * batches are under way the next one fills.
 */
import { appendTransfer, beginTransferBatch, type BatchAnswer } from './batch-codec';
import { type Batch, type BatchPipe } from './batch-pipe';
import { type Timers } from './environment';
import { closedError, LedgerError, outOfTime } from './errors';
import { ProtobufWriter } from './protobuf-writer';
import { type TransferInput, type TransferOutcome } from './types';
import { uuidV7 } from './uuid-v7';
import { WaitingRoom } from './waiting-room';

/** The server's limits are 8,190 items and 1 MiB as it lies in the log, which is a little more than it is here. */
const MAX_ITEMS = 8190;
const MAX_BYTES = 768 * 1024;
/** Milliseconds between two looks for transfers whose time is over. */
const SWEEP = 50;

export interface TransferLaneOptions {
  readonly pipe: BatchPipe;
  /** Milliseconds on a clock that only goes forward. */
  readonly now: () => number;
  readonly timers: Timers;
  readonly nextSequence: () => number;
  /** Transfers that wait to be sent; further ones wait outside. */
  readonly maxQueued: number;
  /** Callers that wait outside; further ones are refused. */
  readonly maxWaiting: number;
  /** A batch is in the log: its token, and the offset of its last record. */
  readonly onPosition: (token: string, offset: number) => void;
}

interface Pending {
  readonly id: string;
  readonly deadline: number;
  readonly timeoutMs: number;
  readonly resolve: (outcome: TransferOutcome) => void;
  readonly reject: (error: LedgerError) => void;
}

interface LaneBatch extends Batch {
  readonly items: readonly Pending[];
  /** The first of the deadlines of its transfers; the batch itself has the last. */
  readonly earliest: number;
}

export class TransferLane {
  private readonly writer = new ProtobufWriter(MAX_BYTES + 64 * 1024);
  private readonly outside: WaitingRoom;
  /** Sealed and not sent. */
  private full: LaneBatch[] = [];
  private readonly sent = new Set<LaneBatch>();
  /** Of the open batch, in the order in which the writer holds them. */
  private items: Pending[] = [];
  private sequence: number;
  private queued = 0;
  private flushing = false;
  private closing = false;
  private stopSweeping: (() => void) | undefined;

  constructor(private readonly options: TransferLaneOptions) {
    this.outside = new WaitingRoom(options.maxWaiting);
    this.sequence = this.begin();
  }

  /** Rejects with a LedgerError; a refusal by the ledger is an outcome. */
  submit(transfer: TransferInput, timeoutMs: number): Promise<TransferOutcome> {
    if (this.closing) return Promise.reject(closedError());
    this.stopSweeping ??= this.options.timers.every(SWEEP, () => this.sweep());
    const id = transfer.id ?? uuidV7();
    const deadline = this.options.now() + timeoutMs;
    if (this.queued < this.options.maxQueued && this.outside.size === 0) {
      return this.enqueue(id, transfer, deadline, timeoutMs);
    }
    return this.outside.wait(deadline, timeoutMs).then(() => this.enqueue(id, transfer, deadline, timeoutMs));
  }

  /** To be called when the pipe has room again. */
  flushSoon(): void {
    if (this.flushing || this.queued + this.outside.size === 0) return;
    this.flushing = true;
    // After everything that this turn of the event loop brings: callers whose answers came together write together.
    this.options.timers.soon(() => this.flush());
  }

  /** Takes nothing more; resolves when everything that was taken is answered or given up. */
  async drain(): Promise<void> {
    this.closing = true;
    this.outside.refuseAll(closedError());
    for (;;) {
      this.flush();
      if (this.queued === 0) break;
      await this.options.pipe.untilRoom();
    }
    await this.options.pipe.drain();
    this.abandon();
  }

  /** Gives up what has not been sent. */
  abandon(): void {
    this.closing = true;
    this.stopSweeping?.();
    this.stopSweeping = undefined;
    this.outside.refuseAll(closedError());
    this.seal();
    this.queued = 0;
    for (const batch of this.full.splice(0)) batch.fail(closedError());
  }

  private enqueue(id: string, transfer: TransferInput, deadline: number, timeoutMs: number): Promise<TransferOutcome> {
    return new Promise((resolve, reject) => {
      if (this.closing) throw closedError();
      appendTransfer(this.writer, id, transfer);
      this.items.push({ id, deadline, timeoutMs, resolve, reject });
      this.queued += 1;
      if (this.items.length >= MAX_ITEMS || this.writer.length >= MAX_BYTES) this.seal();
      if (!this.flushing && this.options.pipe.room > 0) this.flushSoon();
    });
  }

  private begin(): number {
    const sequence = this.options.nextSequence();
    beginTransferBatch(this.writer, sequence);
    return sequence;
  }

  /** Makes a batch of what is encoded so far. */
  private seal(): void {
    if (this.items.length === 0) return;
    this.full.push(this.batchOf(this.sequence, this.writer.copy(), this.items));
    this.items = [];
    this.sequence = this.begin();
  }

  private flush(): void {
    this.flushing = false;
    const { pipe, maxQueued } = this.options;
    while (pipe.room > 0 && this.queued > 0) {
      if (this.full.length === 0) this.seal();
      const batch = this.full.shift()!;
      this.queued -= batch.items.length;
      this.sent.add(batch);
      pipe.send(batch);
    }
    this.outside.letIn(maxQueued - this.queued);
  }

  private batchOf(sequence: number, bytes: Buffer, items: readonly Pending[]): LaneBatch {
    let last = items[0]!;
    let earliest = last.deadline;
    for (const item of items) {
      if (item.deadline > last.deadline) last = item;
      if (item.deadline < earliest) earliest = item.deadline;
    }
    const { deadline, timeoutMs } = last;
    const batch: LaneBatch = {
      ...{ sequence, bytes, deadline, timeoutMs, items, earliest },
      settle: (answer) => this.settle(batch, answer),
      fail: (error) => this.fail(batch, error),
    };
    return batch;
  }

  private settle(batch: LaneBatch, answer: BatchAnswer): void {
    const { items } = batch;
    if (answer.items.length !== items.length) {
      const message = `The server answered ${answer.items.length} results to a batch of ${items.length} transfers.`;
      this.fail(batch, new LedgerError('INTERNAL', 'MALFORMED_ANSWER', message));
      return;
    }
    this.sent.delete(batch);
    const { token } = answer;
    if (answer.baseOffset >= 0) this.options.onPosition(token, answer.baseOffset + items.length - 1);
    for (let i = 0; i < items.length; i++) {
      const { result, message, offset, timestamp, replayed, amountMoved, amountHeld } = answer.items[i]!;
      const { id, resolve } = items[i]!;
      resolve({ id, result, message, offset, timestamp, replayed, amountMoved, amountHeld, token });
    }
  }

  private fail(batch: LaneBatch, error: LedgerError): void {
    this.sent.delete(batch);
    for (const item of batch.items) item.reject(error);
  }

  private sweep(): void {
    const now = this.options.now();
    this.outside.expire(now);
    if (this.items.some((item) => item.deadline <= now)) this.seal();
    const late = this.full.filter((batch) => batch.deadline <= now);
    if (late.length > 0) {
      this.full = this.full.filter((batch) => batch.deadline > now);
      for (const batch of late) {
        this.queued -= batch.items.length;
        batch.fail(outOfTime(batch.timeoutMs, false, undefined));
      }
    }
    for (const batch of [...this.full, ...this.sent]) this.expireItems(batch, now);
    if (this.queued + this.sent.size + this.outside.size > 0) return;
    this.stopSweeping?.();
    this.stopSweeping = undefined;
  }

  /**
   * A transfer whose batch goes on without its caller may still be done: what becomes of it is not known. Those that the
   * batch does not outlive are left to whoever gives up the batch, and knows more.
   */
  private expireItems(batch: LaneBatch, now: number): void {
    if (batch.earliest > now) return;
    for (const item of batch.items) {
      // Rejecting one that was rejected before does nothing.
      if (item.deadline <= now && item.deadline < batch.deadline) {
        item.reject(outOfTime(item.timeoutMs, true, undefined));
      }
    }
  }
}
