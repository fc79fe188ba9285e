/**
 * The messages of proto/ledger/v1/ledger.proto as the loader delivers them. In the generic ones `N` is how a 64-bit
 * integer is written: `string` where it is received, `Int64` where it is sent. An `optional` field that is absent is
 * undefined, an absent message is null.
 */
import { type MethodDefinition, type ServiceDefinition } from '@grpc/grpc-js';
import { type Balance, type Consistency, type ItemResult, type ReadPosition } from './ledger-v1-answers';
import {
  type BatchError,
  type CreateTransfersResponse,
  type GroupResult,
  type GetTransferRequest,
  type GetTransferResponse,
  type SubmitBatchResponse,
  type Transfer,
  type TransferResult,
} from './ledger-v1-transfers';
import { type GetProofRequest, type GetProofResponse, type SignedHead } from './ledger-v1-proofs';
import { type ListTransfersRequest, type ListTransfersResponse, type PointInTime } from './ledger-v1-past';
import { type Int64 } from './log-v1';

export * from './ledger-v1-answers';
export * from './ledger-v1-proofs';
export * from './ledger-v1-past';
export * from './ledger-v1-transfers';

/** `LimitChange` of ledger.proto. */
export const LimitChange = { KEEP: 0, NONE: 1, SET: 2, LEDGER_DEFAULT: 3 } as const;
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

export interface AccountUpdate<N = string> {
  account: string;
  handle: N;
  min_change: number;
  min_balance: string;
  max_change: number;
  max_balance: string;
  closed?: boolean;
}

export interface UpdateAccountsRequest {
  accounts: AccountUpdate[];
}

export interface UpdateAccountsResponse<N = string> {
  results: ItemResult<N>[];
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
  imported_time: N;
}

export interface DryRunRequest {
  accounts: AccountSpec[];
  transfers: Transfer[];
  consistency: Consistency | null;
}

export interface DryRunResponse<N = string> {
  accounts: OpenAccountResult<N>[];
  transfers: TransferResult<N>[];
  groups: GroupResult<N>[];
  balances: Balance<N>[];
  position: ReadPosition<N> | null;
  error: BatchError | null;
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
  at: PointInTime | null;
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

export interface WatchBalancesRequest {
  accounts: string[];
  consistency: Consistency | null;
}

export interface WatchBalancesResponse<N = string> {
  balances: Balance<N>[];
  position: ReadPosition<N> | null;
}

export interface ListAccountsRequest {
  page_size: number;
  page_token: string;
  ledger: string;
  consistency: Consistency | null;
  name_prefix: string;
}

export interface ListAccountsResponse<N = string> {
  accounts: GetAccountResponse<N>[];
  next_page_token: string;
  position: ReadPosition<N> | null;
}

type ConsistencyOut = Partial<Consistency<Int64>>;
type WithConsistency<T> = Partial<Omit<T, 'consistency'>> & { consistency?: ConsistencyOut };

export type TransferOut = Partial<Transfer<Int64>>;
export type AccountSpecOut = Partial<AccountSpec<Int64>>;
export type AccountUpdateOut = Partial<AccountUpdate<Int64>>;

export interface SubmitBatchRequestOut {
  sequence: Int64;
  rows?: Buffer;
  transfers?: TransferOut[];
}

export interface DryRunRequestOut {
  accounts?: AccountSpecOut[];
  transfers?: TransferOut[];
  consistency?: ConsistencyOut;
}

/** As a client sees it: what it sends, what it receives. */
export interface LedgerDefinition extends ServiceDefinition {
  CreateLedgers: MethodDefinition<{ ledgers: Partial<LedgerSpec>[] }, CreateLedgersResponse>;
  OpenAccounts: MethodDefinition<{ accounts: AccountSpecOut[] }, OpenAccountsResponse>;
  UpdateAccounts: MethodDefinition<{ accounts: AccountUpdateOut[] }, UpdateAccountsResponse>;
  CreateTransfers: MethodDefinition<{ transfers: TransferOut[] }, CreateTransfersResponse>;
  DryRun: MethodDefinition<DryRunRequestOut, DryRunResponse>;
  DryRunStream: MethodDefinition<DryRunRequestOut, DryRunResponse>;
  GetAccount: MethodDefinition<WithConsistency<GetAccountRequest>, GetAccountResponse>;
  GetBalance: MethodDefinition<
    WithConsistency<Omit<GetBalanceRequest, 'at'>> & { at?: Partial<PointInTime<Int64>> },
    GetBalanceResponse
  >;
  GetBalances: MethodDefinition<WithConsistency<GetBalancesRequest>, GetBalancesResponse>;
  GetTransfer: MethodDefinition<WithConsistency<GetTransferRequest>, GetTransferResponse>;
  ListAccounts: MethodDefinition<WithConsistency<ListAccountsRequest>, ListAccountsResponse>;
  GetProof: MethodDefinition<WithConsistency<GetProofRequest>, GetProofResponse>;
  GetHead: MethodDefinition<object, SignedHead>;
  WatchBalances: MethodDefinition<WithConsistency<WatchBalancesRequest>, WatchBalancesResponse>;
  ListTransfers: MethodDefinition<WithConsistency<ListTransfersRequest<Int64>>, ListTransfersResponse>;
  SubmitBatches: MethodDefinition<SubmitBatchRequestOut, SubmitBatchResponse>;
}
