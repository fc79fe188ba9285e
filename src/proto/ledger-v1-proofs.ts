/** Messages of proofs in proto/ledger/v1/ledger.proto; see ledger-v1.ts. */
import { type Consistency } from './ledger-v1-answers';

export interface GetProofRequest {
  id: string;
  consistency: Consistency | null;
}

export interface GetProofResponse<N = string> {
  id: string;
  batch: Buffer;
  record: number;
  outcomes: Buffer;
  path: Buffer[];
  head: SignedHead<N> | null;
}

export interface SignedHead<N = string> {
  cluster_id: string;
  node_id: string;
  group: number;
  size: N;
  root: Buffer;
  next_offset: N;
  time: N;
  public_key: Buffer;
  signature: Buffer;
}
