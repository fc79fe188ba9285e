/**
 * The messages of proto/ledger/v1/ledger.proto as the loader delivers them. In the generic ones `N` is how a 64-bit
 * integer is written: `string` where it is received, `Int64` where it is sent. An `optional` field that is absent is
 * undefined, an absent message is null.
 */
import { type MethodDefinition, type ServiceDefinition } from '@grpc/grpc-js';
import { type Int64 } from './log-v1';

export const ConsistencyLevel = { LINEARIZABLE: 0, AT_LEAST: 1, STALE: 2 } as const;

export interface Consistency<N = string> {
  level: number;
  token: string;
  max_staleness_ms: N;
}

export interface ReadPosition<N = string> {
  token: string;
  offset: N;
}

export interface LedgerSpec {
  code: string;
  scale: number;
  auto_open: boolean;
  rounding: number;
  default_min_balance?: string;
  default_no_min_balance: boolean;
  default_max_balance?: string;
}

export interface CreateLedgersRequest {
  ledgers: LedgerSpec[];
}

export interface ItemResult<N = string> {
  result: string;
  message: string;
  offset: N;
  timestamp: N;
  replayed: boolean;
}

export interface CreateLedgersResponse<N = string> {
  results: ItemResult<N>[];
  position: ReadPosition<N> | null;
}

export interface AccountSpec<N = string> {
  name: string;
  ledger: string;
  min_balance?: string;
  no_min_balance: boolean;
  max_balance?: string;
  user_data: N;
  metadata: Buffer;
  imported_time?: N;
}

export interface OpenAccountsRequest {
  accounts: AccountSpec[];
}

export interface OpenAccountResult<N = string> {
  result: ItemResult<N> | null;
  handle: N;
}

export interface OpenAccountsResponse<N = string> {
  results: OpenAccountResult<N>[];
  position: ReadPosition<N> | null;
}

export interface Transfer<N = string> {
  id: string;
  debit_account: string;
  credit_account: string;
  amount: string;
  ledger: string;
  code: number;
  user_data: N;
  metadata: Buffer;
  debit_handle: N;
  credit_handle: N;
  kind?: number;
  pending_id?: string;
  timeout_ms?: N;
  balancing?: boolean;
  reverses?: string;
  effective_time?: N;
  imported_time?: N;
  group?: string;
}

export interface CreateTransfersRequest {
  transfers: Transfer[];
}

export interface TransferResult<N = string> {
  result: ItemResult<N> | null;
  amount_moved: string;
}

export interface CreateTransfersResponse<N = string> {
  results: TransferResult<N>[];
  position: ReadPosition<N> | null;
}

export interface Account<N = string> {
  name: string;
  handle: N;
  ledger: string;
  min_balance?: string;
  max_balance?: string;
  closed: boolean;
  user_data: N;
  metadata: Buffer;
  opened_at: N;
}

export interface Balance<N = string> {
  account: string;
  ledger: string;
  debits_posted: string;
  credits_posted: string;
  debits_pending: string;
  credits_pending: string;
  posted: string;
  available?: string;
  version: N;
}

export interface GetAccountRequest {
  name: string;
  consistency: Consistency | null;
}

export interface GetAccountResponse<N = string> {
  account: Account<N> | null;
  balance: Balance<N> | null;
  position: ReadPosition<N> | null;
}

export interface GetBalanceRequest {
  account: string;
  consistency: Consistency | null;
}

export interface GetBalanceResponse<N = string> {
  balance: Balance<N> | null;
  position: ReadPosition<N> | null;
}

export interface GetBalancesRequest {
  accounts: string[];
  consistency: Consistency | null;
}

export interface GetBalancesResponse<N = string> {
  balances: Balance<N>[];
  position: ReadPosition<N> | null;
}

export interface ListAccountsRequest {
  page_size: number;
  page_token: string;
  ledger: string;
  consistency: Consistency | null;
}

export interface ListAccountsResponse<N = string> {
  accounts: GetAccountResponse<N>[];
  next_page_token: string;
  position: ReadPosition<N> | null;
}

export interface GetTransferRequest {
  id: string;
  consistency: Consistency | null;
}

export interface TransferView<N = string> {
  id: string;
  debit_account: string;
  credit_account: string;
  ledger: string;
  amount: string;
  amount_moved: string;
  code: number;
  user_data: N;
  metadata: Buffer;
  offset: N;
  timestamp: N;
  result: string;
}

export interface GetTransferResponse<N = string> {
  transfer: TransferView<N> | null;
  position: ReadPosition<N> | null;
}

export interface SubmitBatchRequest {
  sequence: string;
  rows: Buffer;
  transfers: Transfer[];
}

export interface RowResult<N = string> {
  row: number;
  /** Number of the result, see ResultCode in record.proto. */
  result: number;
  replayed: boolean;
  offset: N;
}

export interface BatchError {
  code: number;
  reason: string;
  message: string;
}

export interface SubmitBatchResponse<N = string> {
  sequence: N;
  refused: RowResult<N>[];
  count: number;
  base_offset: N;
  timestamp: N;
  results: TransferResult<N>[];
  token: string;
  error: BatchError | null;
  repeats: RowResult<N>[];
}

type ConsistencyOut = Partial<Consistency<Int64>>;
type WithConsistency<T> = Partial<Omit<T, 'consistency'>> & { consistency?: ConsistencyOut };

export type TransferOut = Partial<Transfer<Int64>>;
export type AccountSpecOut = Partial<AccountSpec<Int64>>;

export interface SubmitBatchRequestOut {
  sequence: Int64;
  rows?: Buffer;
  transfers?: TransferOut[];
}

/** As a client sees it: what it sends, what it receives. */
export interface LedgerDefinition extends ServiceDefinition {
  CreateLedgers: MethodDefinition<{ ledgers: Partial<LedgerSpec>[] }, CreateLedgersResponse>;
  OpenAccounts: MethodDefinition<{ accounts: AccountSpecOut[] }, OpenAccountsResponse>;
  CreateTransfers: MethodDefinition<{ transfers: TransferOut[] }, CreateTransfersResponse>;
  GetAccount: MethodDefinition<WithConsistency<GetAccountRequest>, GetAccountResponse>;
  GetBalance: MethodDefinition<WithConsistency<GetBalanceRequest>, GetBalanceResponse>;
  GetBalances: MethodDefinition<WithConsistency<GetBalancesRequest>, GetBalancesResponse>;
  GetTransfer: MethodDefinition<WithConsistency<GetTransferRequest>, GetTransferResponse>;
  ListAccounts: MethodDefinition<WithConsistency<ListAccountsRequest>, ListAccountsResponse>;
  SubmitBatches: MethodDefinition<SubmitBatchRequestOut, SubmitBatchResponse>;
}
