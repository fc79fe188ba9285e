/** The messages of ledger.v1 about transfers; see ledger-v1.ts. */
import { type Consistency, type ItemResult, type ReadPosition } from './ledger-v1-answers';

/** `TransferKind` of ledger.proto. */
export const TransferKind = { PLAIN: 0, PENDING: 1, POST: 2, VOID: 3, EXPIRY: 4 } as const;

/** `HoldStatus` of ledger.proto. */
export const HoldStatus = { PENDING: 0, POSTED: 1, VOIDED: 2, EXPIRED: 3 } as const;

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
  amount_held: string;
}

export interface GroupResult<N = string> {
  group: string;
  result: ItemResult<N> | null;
  first: number;
  count: number;
  failed: number;
}

export interface CreateTransfersResponse<N = string> {
  results: TransferResult<N>[];
  position: ReadPosition<N> | null;
  groups: GroupResult<N>[];
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
  kind: number;
  balancing: boolean;
  pending_id: string;
  reverses: string;
  timeout_ms: N;
  effective_time: N;
  imported_time: N;
  group: string;
  hold: Hold<N> | null;
  reversed_by: string[];
}

export interface Hold<N = string> {
  number: N;
  amount: string;
  status: number;
  expires_at: N;
  resolved_by: string;
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

/** What a balancing row moved or holds: minor units, 16 bytes, little-endian. */
export interface RowAmount {
  row: number;
  amount: Buffer;
}

export interface BatchError {
  code: number;
  reason: string;
  message: string;
  retry_after_ms: number;
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
  amounts: RowAmount[];
}
