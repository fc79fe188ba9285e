/** The single calls of ledger.v1.Ledger: ledgers, accounts, balances, lookups. */
import { clientDefinition } from '../proto/load';
import { type Caller, type CallPlan } from './caller';
import { listRequest, pointOut, transferPage } from './past-calls';
import { type BalanceOptions, type ListTransfersOptions, type TransferPage } from './past-types';
import { type SeenPosition } from './seen-position';
import {
  type AccountChange,
  type AccountInput,
  type AccountView,
  type BalanceView,
  type CallOptions,
  type ItemOutcome,
  type LedgerInput,
  type OpenAccountOutcome,
  type ReadOptions,
  type ReadPosition,
  type TransactionOutcome,
  type TransferInput,
  type TransferView,
} from './types';
import { uuidV7 } from './uuid-v7';
import {
  accountSpecOut,
  accountUpdateOut,
  accountView,
  balanceView,
  type ConsistencyOut,
  consistencyOut,
  itemOutcome,
  ledgerOut,
  openAccountOutcome,
  positionOf,
  refuseEmptyGroup,
  transactionOutcome,
  transferOut,
  transferView,
} from './wire-views';
import { type ReadPosition as WirePosition } from '../proto/ledger-v1';

const LEDGER = clientDefinition('ledger.v1.Ledger');

export interface ListOptions extends ReadOptions {
  /** Only this ledger's. */
  readonly ledger?: string;
  /** Only names that begin with it; a page may then be short, and have a next one. */
  readonly prefix?: string;
  /** 1 to 1,000; 100 where nothing is said. */
  readonly pageSize?: number;
  /** From the page before. */
  readonly pageToken?: string;
}

/** Transfers that are all done or none, in their order. */
export interface TransactionInput {
  /** As of a transfer. Left out: a new UUIDv7. */
  readonly id?: string;
  /** 1 to 8,190, of any kind. */
  readonly transfers: readonly TransferInput[];
}

export interface AccountPage {
  readonly accounts: readonly { readonly account: AccountView; readonly balance: BalanceView }[];
  /** Empty on the last page. */
  readonly nextPageToken: string;
  readonly position: ReadPosition;
}

export class LedgerCalls {
  constructor(
    private readonly caller: Caller,
    private readonly seen: SeenPosition,
    private readonly defaultTimeoutMs: number,
  ) {}

  async createLedgers(ledgers: readonly LedgerInput[], options: CallOptions): Promise<ItemOutcome[]> {
    const request = { ledgers: ledgers.map(ledgerOut) };
    const response = await this.caller.call(this.write(options), (server, time) =>
      server.unary(LEDGER.CreateLedgers, request, time),
    );
    this.noted(response.position);
    return response.results.map(itemOutcome);
  }

  async openAccounts(accounts: readonly AccountInput[], options: CallOptions): Promise<OpenAccountOutcome[]> {
    const request = { accounts: accounts.map(accountSpecOut) };
    const response = await this.caller.call(this.write(options), (server, time) =>
      server.unary(LEDGER.OpenAccounts, request, time),
    );
    this.noted(response.position);
    return response.results.map(openAccountOutcome);
  }

  async updateAccounts(changes: readonly AccountChange[], options: CallOptions): Promise<ItemOutcome[]> {
    const request = { accounts: changes.map(accountUpdateOut) };
    const response = await this.caller.call(this.write(options), (server, time) =>
      server.unary(LEDGER.UpdateAccounts, request, time),
    );
    this.noted(response.position);
    return response.results.map(itemOutcome);
  }

  async transaction(transaction: TransactionInput, options: CallOptions): Promise<TransactionOutcome> {
    // Made before the first try: a second one must say the same.
    const { id = uuidV7(), transfers } = transaction;
    refuseEmptyGroup(id);
    const ids = transfers.map((transfer) => transfer.id ?? uuidV7());
    const request = { transfers: transfers.map((transfer, i) => transferOut(ids[i] ?? '', transfer, id)) };
    const response = await this.caller.call(this.write(options), (server, time) =>
      server.unary(LEDGER.CreateTransfers, request, time),
    );
    this.noted(response.position);
    return transactionOutcome(response, id, ids);
  }

  async account(
    name: string,
    options: ReadOptions,
  ): Promise<{ readonly account: AccountView; readonly balance: BalanceView; readonly position: ReadPosition }> {
    const request = { name, consistency: this.consistency(options) };
    const response = await this.caller.call(this.read(options), (server, time) =>
      server.unary(LEDGER.GetAccount, request, time),
    );
    const { account, balance, position } = response;
    return { account: accountView(account), balance: balanceView(balance), position: this.noted(position) };
  }

  async balance(name: string, options: BalanceOptions): Promise<BalanceView & { readonly position: ReadPosition }> {
    const at = options.at && { at: pointOut(options.at) };
    const request = { account: name, consistency: this.consistency(options), ...at };
    const response = await this.caller.call(this.read(options), (server, time) =>
      server.unary(LEDGER.GetBalance, request, time),
    );
    return { ...balanceView(response.balance), position: this.noted(response.position) };
  }

  async balances(
    names: readonly string[],
    options: ReadOptions,
  ): Promise<{ readonly balances: readonly BalanceView[]; readonly position: ReadPosition }> {
    const request = { accounts: [...names], consistency: this.consistency(options) };
    const response = await this.caller.call(this.read(options), (server, time) =>
      server.unary(LEDGER.GetBalances, request, time),
    );
    return { balances: response.balances.map(balanceView), position: this.noted(response.position) };
  }

  async transfer(id: string, options: ReadOptions): Promise<TransferView & { readonly position: ReadPosition }> {
    const request = { id, consistency: this.consistency(options) };
    const response = await this.caller.call(this.read(options), (server, time) =>
      server.unary(LEDGER.GetTransfer, request, time),
    );
    return { ...transferView(response.transfer), position: this.noted(response.position) };
  }

  async listTransfers(options: ListTransfersOptions): Promise<TransferPage> {
    const request = { ...listRequest(options), consistency: this.consistency(options) };
    const response = await this.caller.call(this.read(options), (server, time) =>
      server.unary(LEDGER.ListTransfers, request, time),
    );
    this.noted(response.position);
    return transferPage(response);
  }

  async listAccounts(options: ListOptions): Promise<AccountPage> {
    const { ledger = '', pageSize = 0, pageToken = '', prefix = '' } = options;
    const consistency = this.consistency(options);
    const request = { ledger, page_size: pageSize, page_token: pageToken, name_prefix: prefix, consistency };
    const response = await this.caller.call(this.read(options), (server, time) =>
      server.unary(LEDGER.ListAccounts, request, time),
    );
    return {
      accounts: response.accounts.map(({ account, balance }) => ({
        account: accountView(account),
        balance: balanceView(balance),
      })),
      nextPageToken: response.next_page_token,
      position: this.noted(response.position),
    };
  }

  private read(options: CallOptions): CallPlan {
    return { target: 'follower', kind: 'read', timeoutMs: options.timeoutMs ?? this.defaultTimeoutMs };
  }

  /** Saying the same again answers the same, by name or by id: it may be sent twice. */
  private write(options: CallOptions): CallPlan {
    return { target: 'leader', kind: 'idempotent', timeoutMs: options.timeoutMs ?? this.defaultTimeoutMs };
  }

  private consistency(options: ReadOptions): ConsistencyOut {
    return consistencyOut(options.consistency, this.seen.token);
  }

  private noted(position: WirePosition | null): ReadPosition {
    const { token, offset } = positionOf(position);
    this.seen.see(token, offset);
    return { token, offset };
  }
}
