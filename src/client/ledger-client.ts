import { BatchPipe } from './batch-pipe';
import { Caller } from './caller';
import { Directory } from './directory';
import { accountHandles, type AskedCluster, dryRun, type DryRunInput, type DryRunOutcome } from './dry-run';
import { DryRunStream } from './dry-run-stream';
import { type ClientEnvironment, paused, systemEnvironment } from './environment';
import { closedError, invalidArgument } from './errors';
import { checkedOffset } from './follow-calls';
import { type AccountPage, LedgerCalls, type ListOptions, type TransactionInput } from './ledger-calls';
import { consume, logRange, produce, produceStream, type Value } from './log-calls';
import { type BalanceOptions, type ListTransfersOptions, type TransferPage } from './past-types';
import { RowLane } from './row-lane';
import { SeenPosition } from './seen-position';
import { TransferKinds } from './transfer-kinds';
import { TransferLane } from './transfer-lane';
import {
  type AccountChange,
  type AccountHandle,
  type AccountInput,
  type AccountView,
  type BalanceView,
  type CallOptions,
  type ItemOutcome,
  type LedgerInput,
  type OpenAccountOutcome,
  type ReadOptions,
  type ReadPosition,
  type RecordView,
  type RowsOutcome,
  type ServerView,
  type TransactionOutcome,
  type TransferInput,
  type TransferOutcome,
  type TransferView,
} from './types';

export interface ClientOptions {
  /** Some servers of the cluster, `host:port`; the others are learned from them. */
  readonly addresses: readonly string[];
  /** Milliseconds until a call gives up, tries included. Default 10,000. */
  readonly timeoutMs?: number;
  /** Milliseconds after which an unanswered read is asked again elsewhere. Default 2,500. */
  readonly attemptTimeoutMs?: number;
  /** Milliseconds between two questions who is in the cluster. Default 5,000. */
  readonly refreshIntervalMs?: number;
  /** Batches of single transfers in flight. Default 4. */
  readonly transferBatchesInFlight?: number;
  /** Batches of packed rows in flight. Default 8. */
  readonly rowBatchesInFlight?: number;
  /** Single transfers that may wait to be sent before callers have to wait. Default 65,536. */
  readonly maxQueuedTransfers?: number;
}

/** Callers that may wait for room; more than this is a caller that never waits for an answer. */
const MAX_WAITING = 1_000_000;
const MAX_ADDRESSES = 64;
/** Milliseconds between two tries to find a server of the cluster. */
const CONNECT_PAUSE = 50;

/**
 * A client of one cluster. Finds the leader and follows it when it changes, spreads reads over the followers, carries
 * concurrent single transfers in batches, and sends writes that have an id again until they are answered.
 *
 * Every call rejects with a `LedgerError`; a transfer that the ledger refuses is no error but an outcome. Close it when
 * done: its streams keep the process alive.
 */
export class LedgerClient extends TransferKinds {
  protected readonly directory: Directory;
  protected readonly caller: Caller;
  private readonly calls: LedgerCalls;
  private readonly asked: AskedCluster;
  private readonly transferPipe: BatchPipe;
  private readonly transferLane: TransferLane;
  private readonly rowPipe: BatchPipe;
  private readonly rowLane: RowLane;
  protected readonly seen = new SeenPosition();
  protected readonly timeoutMs: number;
  private sequence = 0;
  private closing: Promise<void> | undefined;

  private constructor(
    options: ClientOptions,
    protected readonly environment: ClientEnvironment,
  ) {
    super();
    const { timers } = environment;
    const now = (): number => environment.now();
    const random = (): number => environment.random();
    const nextSequence = (): number => ++this.sequence;
    this.timeoutMs = positive(options.timeoutMs ?? 10_000, 'timeoutMs');
    const directory = new Directory({
      addresses: checkedAddresses(options.addresses),
      refreshIntervalMs: positive(options.refreshIntervalMs ?? 5_000, 'refreshIntervalMs'),
      environment,
      onNews: () => this.followLeader(),
    });
    this.directory = directory;
    const attemptTimeoutMs = positive(options.attemptTimeoutMs ?? 2_500, 'attemptTimeoutMs');
    this.caller = new Caller({ directory, attemptTimeoutMs, now, random, timers });
    this.calls = new LedgerCalls(this.caller, this.seen, this.timeoutMs);
    this.asked = { caller: this.caller, seen: this.seen, timeoutMs: this.timeoutMs };
    const shared = { now, timers, nextSequence, maxWaiting: MAX_WAITING, onPosition: this.seen.see };
    this.transferPipe = new BatchPipe({
      ...{ directory, now, random, timers, onRoom: () => this.transferLane.flushSoon() },
      maxInFlight: positive(options.transferBatchesInFlight ?? 4, 'transferBatchesInFlight'),
    });
    const maxQueued = positive(options.maxQueuedTransfers ?? 65_536, 'maxQueuedTransfers');
    this.transferLane = new TransferLane({ ...shared, pipe: this.transferPipe, maxQueued });
    this.rowPipe = new BatchPipe({
      ...{ directory, now, random, timers, onRoom: () => this.rowLane.letIn() },
      maxInFlight: positive(options.rowBatchesInFlight ?? 8, 'rowBatchesInFlight'),
    });
    this.rowLane = new RowLane({ ...shared, pipe: this.rowPipe });
  }

  /** Resolves when a server of the cluster has answered; rejects (`NO_CLUSTER`) when none does within `timeoutMs`. */
  static connect(options: ClientOptions): Promise<LedgerClient> {
    return LedgerClient.connectIn(systemEnvironment, options);
  }

  /** @internal As `connect`, in another world: for a simulator. */
  static async connectIn(environment: ClientEnvironment, options: ClientOptions): Promise<LedgerClient> {
    const client = new LedgerClient(options, environment);
    const deadline = environment.now() + client.timeoutMs;
    for (;;) {
      try {
        await client.directory.refresh();
        return client;
      } catch (error) {
        if (environment.now() >= deadline) {
          await client.close();
          throw error;
        }
      }
      await paused(environment.timers, CONNECT_PAUSE);
    }
  }

  /** One transfer. Concurrent calls travel together; a lone one waits for nothing. */
  transfer(transfer: TransferInput, options: CallOptions = {}): Promise<TransferOutcome> {
    return this.transferLane.submit(transfer, options.timeoutMs ?? this.timeoutMs);
  }

  /** Several transfers, applied in order unless a server fails on the way; each succeeds or is refused alone. */
  transfers(transfers: readonly TransferInput[], options: CallOptions = {}): Promise<TransferOutcome[]> {
    return Promise.all(transfers.map((transfer) => this.transfer(transfer, options)));
  }

  /** Several transfers that are all done or none. A refusal is an outcome, which says which of them failed it. */
  transaction(transaction: TransactionInput, options: CallOptions = {}): Promise<TransactionOutcome> {
    return this.calls.transaction(transaction, options);
  }

  /** What these writes would come to now, with the balances afterwards. Nothing is done. */
  dryRun(items: DryRunInput, options: ReadOptions = {}): Promise<DryRunOutcome> {
    return dryRun(this.asked, items, options);
  }

  /** The same for any number of them, sent in parts; `balances` and `cancel` end it. */
  dryRunStream(options: ReadOptions = {}): DryRunStream {
    return new DryRunStream(this.asked, options, this.ending.signal);
  }

  /** For packed rows: of up to 1,000 names those that exist. A handle never changes. */
  accountHandles(names: readonly string[], options: ReadOptions = {}): Promise<AccountHandle[]> {
    return accountHandles(this.asked, names, options);
  }

  /** One batch of packed rows (see `packTransfers`), 1 to 8,190; do not change the bytes until it is answered. */
  submitRows(rows: Uint8Array, options: CallOptions = {}): Promise<RowsOutcome> {
    return this.rowLane.submit(rows, options.timeoutMs ?? this.timeoutMs);
  }

  createLedgers(ledgers: readonly LedgerInput[], options: CallOptions = {}): Promise<ItemOutcome[]> {
    return this.calls.createLedgers(ledgers, options);
  }

  openAccounts(accounts: readonly AccountInput[], options: CallOptions = {}): Promise<OpenAccountOutcome[]> {
    return this.calls.openAccounts(accounts, options);
  }

  /** Closes accounts, opens them again, gives them other limits. */
  updateAccounts(changes: readonly AccountChange[], options: CallOptions = {}): Promise<ItemOutcome[]> {
    return this.calls.updateAccounts(changes, options);
  }

  account(
    name: string,
    options: ReadOptions = {},
  ): Promise<{ readonly account: AccountView; readonly balance: BalanceView; readonly position: ReadPosition }> {
    return this.calls.account(name, options);
  }

  /** Now, or with `at` after any record or at any time of the past. */
  balance(name: string, options: BalanceOptions = {}): Promise<BalanceView & { readonly position: ReadPosition }> {
    return this.calls.balance(name, options);
  }

  /** Balances of one and the same state; an account that does not exist has an empty ledger. */
  balances(
    names: readonly string[],
    options: ReadOptions = {},
  ): Promise<{ readonly balances: readonly BalanceView[]; readonly position: ReadPosition }> {
    return this.calls.balances(names, options);
  }

  /** Rejects with NOT_FOUND where no transfer has this id. */
  getTransfer(id: string, options: ReadOptions = {}): Promise<TransferView & { readonly position: ReadPosition }> {
    return this.calls.transfer(id, options);
  }

  /** Transfers of the past, a page at a time; with an account its statement. */
  listTransfers(options: ListTransfersOptions = {}): Promise<TransferPage> {
    return this.calls.listTransfers(options);
  }

  listAccounts(options: ListOptions = {}): Promise<AccountPage> {
    return this.calls.listAccounts(options);
  }

  /**
   * Appends a value; resolves to its offset. A value has no id: where it is not known whether it was appended
   * (`OUTCOME_UNKNOWN`) it is not sent again, unless `atLeastOnce` is given.
   */
  produce(value: Value, options: CallOptions & { readonly atLeastOnce?: boolean } = {}): Promise<number> {
    const { timeoutMs = this.timeoutMs, atLeastOnce = false } = options;
    return produce(this.caller, value, { timeoutMs, atLeastOnce });
  }

  /** Appends values in order; yields their offsets. Ends with an error at the first failure, nothing is sent again. */
  produceStream(values: Iterable<Value> | AsyncIterable<Value>): AsyncGenerator<number, void, undefined> {
    return produceStream(this.directory.forWrite(), values);
  }

  /** The record at an offset; rejects with OUT_OF_RANGE where there is none. */
  async consume(offset: number, options: CallOptions = {}): Promise<RecordView> {
    return consume(this.caller, checkedOffset(offset), options.timeoutMs ?? this.timeoutMs);
  }

  /** The first offset that is kept and the next one to be given, as the leader knows them. */
  logRange(options: CallOptions = {}): Promise<{ readonly firstOffset: number; readonly nextOffset: number }> {
    return logRange(this.caller, options.timeoutMs ?? this.timeoutMs);
  }

  /** The servers that the cluster names, as last heard. */
  servers(): ServerView[] {
    return this.directory.servers();
  }

  /** Of the newest state that this client has seen; empty as long as it has seen none. */
  get newestToken(): string {
    return this.seen.token;
  }

  /** Takes no more calls, waits until the transfers under way are answered or their time is over, and disconnects. */
  close(): Promise<void> {
    this.closing ??= this.shutDown();
    return this.closing;
  }

  private async shutDown(): Promise<void> {
    this.ending.abort(closedError());
    await Promise.all([this.transferLane.drain(), this.rowLane.drain()]);
    this.caller.close();
    this.transferPipe.close();
    this.rowPipe.close();
    this.directory.close();
  }

  private followLeader(): void {
    this.transferPipe.followLeader();
    this.rowPipe.followLeader();
  }
}

function checkedAddresses(addresses: readonly string[]): readonly string[] {
  const fault = addresses.find((address) => !/^\S+:\d{1,5}$/.test(address));
  if (fault !== undefined) throw invalidArgument(`An address is host:port, such as localhost:8300, not "${fault}".`);
  if (addresses.length < 1 || addresses.length > MAX_ADDRESSES) {
    throw invalidArgument(`A client takes 1 to ${MAX_ADDRESSES} addresses, not ${addresses.length}.`);
  }
  return addresses;
}

function positive(value: number, name: string): number {
  if (Number.isSafeInteger(value) && value >= 1) return value;
  throw invalidArgument(`${name} must be a whole number above zero, not ${value}.`);
}
