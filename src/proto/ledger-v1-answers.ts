/** What the answers of ledger.v1 have in common; see ledger-v1.ts. */

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

export interface ItemResult<N = string> {
  result: string;
  message: string;
  offset: N;
  timestamp: N;
  replayed: boolean;
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
  handle?: N;
}
