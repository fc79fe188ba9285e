/** More writes than one call holds, tried one after the other on a copy of one node's state. */
import { type ClientDuplexStream, type ServiceError, status } from '@grpc/grpc-js';
import { clientDefinition } from '../proto/load';
import { type BatchError, type DryRunRequestOut, type DryRunResponse } from '../proto/ledger-v1';
import { type AskedCluster, dryRunRequest, type DryRunInput, type DryRunOutcome, triedOutcomes } from './dry-run';
import { type ServerConnection } from './environment';
import { ClientReason, type ErrorCode, fromServiceError, LedgerError } from './errors';
import { type BalanceView, type ReadOptions, type ReadPosition } from './types';
import { balanceView, consistencyOut, positionOf } from './wire-views';

const LEDGER = clientDefinition('ledger.v1.Ledger');

/**
 * What a long row of writes would come to: each `send` sees what the ones before it did, and `balances` ends it. The node has a
 * copy of its state for it, one at a time, and ends it after a minute without a word, and after ten minutes in any case: cancel what you do not finish.
 */
export class DryRunStream {
  private call: DryRunCall | undefined;
  private reflected: ReadPosition | undefined;
  /** Settles when the one before is answered. */
  private before: Promise<unknown> = Promise.resolve();

  /** @param signal aborted when the client is closed */
  constructor(
    private readonly cluster: AskedCluster,
    private readonly options: ReadOptions,
    private readonly signal: AbortSignal,
  ) {}

  /** The state that all of it is decided on; undefined before the first answer. */
  get position(): ReadPosition | undefined {
    return this.reflected;
  }

  /**
   * 1 to 8,190 items, accounts first; a `transaction` is within one of them. Rejects with a LedgerError: where that is
   * INVALID_ARGUMENT nothing of these was tried, and the next may be sent; with any other the dry run is over.
   */
  send(items: DryRunInput): Promise<Pick<DryRunOutcome, 'accounts' | 'transfers'>> {
    const sent = this.before.then(() => this.sendNow(items));
    this.before = sent.catch(() => undefined);
    return sent;
  }

  private async sendNow(items: DryRunInput): Promise<Pick<DryRunOutcome, 'accounts' | 'transfers'>> {
    const { request, ids } = dryRunRequest(items);
    const response = this.call ? await this.call.ask(request) : await this.open(request);
    this.see(response);
    if (response.error) throw refused(response.error);
    return triedOutcomes(response, ids);
  }

  /** Of every account that was named and would exist, as it would be: in pages. Nothing can be sent any more. */
  async *balances(): AsyncGenerator<readonly BalanceView[], void, undefined> {
    await this.before;
    const { call } = this;
    if (!call) return;
    try {
      call.finish();
      for (let page = await call.next(); page; page = await call.next()) yield page.balances.map(balanceView);
    } finally {
      call.cancel();
    }
  }

  /** Gives it up. */
  cancel(): void {
    this.call?.cancel();
  }

  /** On the first server that takes it. The first answer comes when the state is copied, however long that takes. */
  private open(request: DryRunRequestOut): Promise<DryRunResponse> {
    const { caller, seen, timeoutMs: usual } = this.cluster;
    const { consistency, timeoutMs = usual } = this.options;
    const first = { ...request, consistency: consistencyOut(consistency, seen.token) };
    return caller.call({ target: 'follower', kind: 'read', timeoutMs }, async (server) => {
      const call = new DryRunCall(server, this.signal);
      try {
        const response = await call.ask(first);
        this.call = call;
        return response;
      } catch (error) {
        call.cancel();
        throw error;
      }
    });
  }

  private see({ position }: DryRunResponse): void {
    this.reflected = positionOf(position);
    this.cluster.seen.see(this.reflected.token, this.reflected.offset);
  }
}

/** One DryRunStream at one server. */
class DryRunCall {
  private readonly stream: ClientDuplexStream<DryRunRequestOut, DryRunResponse>;
  private readonly answers: AsyncIterator<DryRunResponse, undefined>;
  private readonly onEnd = (): void => this.cancel();

  constructor(
    private readonly server: ServerConnection,
    private readonly signal: AbortSignal,
  ) {
    this.stream = server.openTypedDuplex(LEDGER.DryRunStream);
    this.answers = this.stream[Symbol.asyncIterator]() as AsyncIterator<DryRunResponse, undefined>;
    signal.addEventListener('abort', this.onEnd, { once: true });
  }

  async ask(request: DryRunRequestOut): Promise<DryRunResponse> {
    this.stream.write(request);
    const answer = await this.next();
    if (answer) return answer;
    const { address } = this.server;
    const message = `${address}: the server ended the dry run. Nothing was done.`;
    throw new LedgerError('UNAVAILABLE', ClientReason.CONNECTION_LOST, message, { address });
  }

  /** Undefined: that was all. */
  async next(): Promise<DryRunResponse | undefined> {
    try {
      const answer = await this.answers.next();
      return answer.done === true ? undefined : answer.value;
    } catch (error) {
      throw fromServiceError(error as ServiceError, this.server.address);
    }
  }

  finish(): void {
    this.stream.end();
  }

  cancel(): void {
    this.signal.removeEventListener('abort', this.onEnd);
    this.stream.cancel();
  }
}

function refused({ code, reason, message, retry_after_ms: retryAfterMs }: BatchError): LedgerError {
  return new LedgerError((status[code] ?? 'UNKNOWN') as ErrorCode, reason, message, { retryAfterMs });
}
