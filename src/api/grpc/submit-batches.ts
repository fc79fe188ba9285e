/**
 * `ledger.v1.Ledger.SubmitBatches`, the bulk path: several batches in flight, answered in the order they came. A batch of
 * packed rows goes into the log as the bytes that were received. A batch that fails has its answer, and the stream goes on.
 */
import { type ServerDuplexStream } from '@grpc/grpc-js';
import { DONE_WORD, OUTCOME_ROW_BYTES, OUTCOME_ROW_WORDS, OutcomeFlag } from '../../ledger/outcome-row';
import { PACKED_ROW_BYTES, rowWithoutTime, validateRows } from '../../ledger/packed-rows';
import { wordsOf } from '../../ledger/words';
import { TransferFlag } from '../../ledger/transfer-fields';
import {
  type RowAmount,
  type RowResult,
  type SubmitBatchRequest,
  type SubmitBatchResponse,
} from '../../proto/ledger-v1';
import { type Int64 } from '../../proto/log-v1';
import { type Fault, faultOfResult, invalid, refusalInfo, shuttingDown } from '../errors';
import { checkBytes } from '../submit-items';
import { transferBatch } from '../transfer-batch';
import { type Caller } from '../transfer-writes';
import { decoded, type Door, failStream, subjectOfCall } from './door';
import { transferResult } from './ledger-codec';
import { drained, lifetimeOf, StreamEnded } from './stream-writer';

/** Where the flags of a packed row begin. */
const FLAGS_AT = 60;

type Response = SubmitBatchResponse<Int64>;
type Call = ServerDuplexStream<SubmitBatchRequest, Response>;

export function submitBatches(door: Door): (call: Call) => void {
  return (call) => {
    const leave = door.calls.enter();
    const lifetime = lifetimeOf(call, new AbortController().signal);
    const session = new BatchSession(door, call, lifetime.signal);
    session
      .run()
      .catch((error: unknown) => door.onUnforeseen(error, 'SubmitBatches'))
      .finally(() => {
        lifetime.release();
        leave();
      });
  };
}

class BatchSession {
  /** Answers of the batches in flight, in the order of the batches. None of them rejects. */
  private readonly answers: Promise<Response>[] = [];
  private ending: { readonly fault: Error | undefined } | undefined;
  private wake: (() => void) | undefined;

  constructor(
    private readonly door: Door,
    private readonly call: Call,
    private readonly gone: AbortSignal,
  ) {
    call.on('data', (request: SubmitBatchRequest) => this.take(request));
    call.on('end', () => this.endWith(undefined));
  }

  async run(): Promise<void> {
    const stop = this.door.calls.stopSignal;
    const onStop = (): void => this.endWith(shuttingDown());
    const onGone = (): void => this.notify();
    stop.addEventListener('abort', onStop, { once: true });
    this.gone.addEventListener('abort', onGone, { once: true });
    if (stop.aborted) onStop();
    try {
      await this.answerAll();
      if (this.ending?.fault === undefined) this.call.end(this.door.leaderMetadata());
      else throw this.ending.fault;
    } catch (error) {
      if (!(error instanceof StreamEnded)) failStream(this.call, this.door.failure(error, 'SubmitBatches'));
    } finally {
      this.ending ??= { fault: undefined };
      // What the caller still sends is read and dropped, so that it hears the status.
      this.call.resume();
      stop.removeEventListener('abort', onStop);
      this.gone.removeEventListener('abort', onGone);
    }
  }

  private take(request: SubmitBatchRequest): void {
    if (this.ending !== undefined) return;
    try {
      decoded(request);
    } catch (error) {
      // Without its sequence a batch cannot be answered on its own.
      this.endWith(this.door.fault(error, 'SubmitBatches'));
      return;
    }
    const caller = { subject: subjectOfCall(this.call), budget: this.door.stepBudget(this.call) };
    this.answers.push(
      submitBatch(this.door, request, caller).catch((error: unknown) =>
        failed(request, this.door.fault(error, 'SubmitBatches')),
      ),
    );
    if (this.answers.length >= this.door.limits.batchesInFlight) this.call.pause();
    this.notify();
  }

  private endWith(fault: Error | undefined): void {
    this.ending ??= { fault };
    this.notify();
  }

  private notify(): void {
    this.wake?.();
    this.wake = undefined;
  }

  private async answerAll(): Promise<void> {
    this.call.sendMetadata(this.door.leaderMetadata());
    for (;;) {
      if (this.gone.aborted) throw new StreamEnded();
      const next = this.answers[0];
      if (next !== undefined) {
        const answer = await next;
        if (this.gone.aborted) throw new StreamEnded();
        if (!this.call.write(answer)) await drained(this.call, this.gone);
        void this.answers.shift();
        if (this.ending === undefined && this.answers.length < this.door.limits.batchesInFlight) this.call.resume();
      } else if (this.ending !== undefined) return;
      else await new Promise<void>((resolve) => (this.wake = resolve));
    }
  }
}

async function submitBatch(door: Door, request: SubmitBatchRequest, caller: Caller): Promise<Response> {
  if (request.rows.length > 0 && request.transfers.length > 0) {
    throw invalid('rows', 'BATCH_AMBIGUOUS', 'A batch has rows or transfers, not both.');
  }
  return request.transfers.length > 0 ? submitMessages(door, request, caller) : submitRows(door, request, caller);
}

async function submitMessages(door: Door, request: SubmitBatchRequest, caller: Caller): Promise<Response> {
  const { port, limits } = door;
  const count = request.transfers.length;
  if (count > limits.batchItems) throw invalid('transfers', 'BATCH_TOO_LARGE', tooMany(count, limits.batchItems));
  const { commands } = transferBatch(request.transfers, port.ledger);
  const { outcomes, committed, position } = await door.transfers.submit(commands, 'transfers', caller);
  return {
    ...EMPTY,
    sequence: request.sequence,
    count,
    base_offset: committed?.baseOffset ?? -1,
    timestamp: committed?.time ?? 0,
    results: outcomes.map(transferResult),
    token: position.token,
  };
}

async function submitRows(door: Door, request: SubmitBatchRequest, caller: Caller): Promise<Response> {
  const { rows } = request;
  const count = rows.length / PACKED_ROW_BYTES;
  if (count > door.limits.batchItems) throw invalid('rows', 'BATCH_TOO_LARGE', tooMany(count, door.limits.batchItems));
  const fault = validateRows(rows) ?? (door.port.ledger.dedupAgeMs() > 0 ? rowWithoutTime(rows) : undefined);
  if (fault !== undefined) {
    const info = refusalInfo(fault.error);
    const where = fault.row === undefined ? '' : `Row ${fault.row}: `;
    throw faultOfResult(info, fault.row === undefined ? 'rows' : `rows[${fault.row}]`, where + info.message);
  }
  checkBytes(rows.length, door.limits, 'rows');
  const committed = await door.transfers.submitRows(rows, count, caller);
  return {
    ...EMPTY,
    ...sortRows(committed.outcomes),
    amounts: balancedAmounts(rows, committed.outcomes),
    sequence: request.sequence,
    count,
    base_offset: committed.baseOffset,
    timestamp: committed.time,
    token: door.port.tokenFor(committed.index),
  };
}

const EMPTY: Response = {
  sequence: 0,
  refused: [],
  count: 0,
  base_offset: -1,
  timestamp: 0,
  results: [],
  token: '',
  error: null,
  repeats: [],
  amounts: [],
};

function failed(request: SubmitBatchRequest, fault: Fault): Response {
  const error = {
    code: fault.grpcStatus,
    reason: fault.reason,
    message: fault.message,
    retry_after_ms: fault.retryAfterMs ?? 0,
  };
  const count = request.transfers.length + Math.floor(request.rows.length / PACKED_ROW_BYTES);
  return { ...EMPTY, sequence: request.sequence, count, error };
}

function tooMany(count: number, limit: number): string {
  return `The batch has ${Math.floor(count)} items; at most ${limit} are taken.`;
}

/** The rows that are worth a word: most were done just now, and those cost one comparison each. */
function sortRows(outcomes: Buffer): { refused: RowResult<Int64>[]; repeats: RowResult<Int64>[] } {
  const refused: RowResult<Int64>[] = [];
  const repeats: RowResult<Int64>[] = [];
  const words = wordsOf(outcomes, outcomes.length);
  for (let row = 0; row < words.length / OUTCOME_ROW_WORDS; row++) {
    if (words[row * OUTCOME_ROW_WORDS] === DONE_WORD) continue;
    const at = row * OUTCOME_ROW_BYTES;
    const result = outcomes.readUInt8(at);
    const replayed = (outcomes.readUInt16LE(at + 2) & OutcomeFlag.REPLAYED) !== 0;
    if (result === 0 && !replayed) continue;
    const offset = Number(outcomes.readBigInt64LE(at + 24));
    (result === 0 ? repeats : refused).push({ row, result, replayed, offset });
  }
  return { refused, repeats };
}

/** What each balancing row came to, where it was done: the caller knows only what it asked for. */
function balancedAmounts(rows: Buffer, outcomes: Buffer): RowAmount[] {
  const amounts: RowAmount[] = [];
  for (let at = 0, row = 0; at < rows.length; at += PACKED_ROW_BYTES, row++) {
    if ((rows[at + FLAGS_AT]! & TransferFlag.BALANCING) === 0) continue;
    const outcome = OUTCOME_ROW_BYTES * row;
    if (outcomes.readUInt8(outcome) !== 0) continue;
    amounts.push({ row, amount: Buffer.from(outcomes.subarray(outcome + 32, outcome + 48)) });
  }
  return amounts;
}
