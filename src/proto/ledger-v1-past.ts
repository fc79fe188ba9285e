/** The messages of ledger.v1 about the past; see ledger-v1.ts. */
import { type Balance, type Consistency, type ReadPosition } from './ledger-v1-answers';
import { type TransferView } from './ledger-v1-transfers';

/** `TimeBasis` of ledger.proto. */
export const TimeBasis = { BY_POSTING: 0, BY_EFFECT: 1 } as const;

/** `Side` of ledger.proto. */
export const Side = { ANY: 0, DEBIT: 1, CREDIT: 2 } as const;

export interface PointInTime<N = string> {
  offset?: N;
  time?: N;
  by: number;
}

export interface ListTransfersRequest<N = string> {
  account: string;
  side: number;
  ids: string[];
  ledger: string;
  kinds: string[];
  results: string[];
  codes: number[];
  min_amount: string;
  max_amount: string;
  by: number;
  from_offset?: N;
  to_offset?: N;
  from_time?: N;
  to_time?: N;
  page_size: number;
  page_token: string;
  consistency: Consistency | null;
}

export interface StatementEntry {
  side: number;
  change: string;
  pending_change: string;
  balance?: string;
}

export interface ListedTransfer<N = string> {
  transfer: TransferView<N> | null;
  entry: StatementEntry | null;
}

export interface ListTransfersResponse<N = string> {
  transfers: ListedTransfer<N>[];
  next_page_token: string;
  position: ReadPosition<N> | null;
  opening: Balance<N> | null;
  closing: Balance<N> | null;
}
