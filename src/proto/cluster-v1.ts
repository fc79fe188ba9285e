/** The messages of proto/cluster/v1/cluster.proto as the loader delivers them; see log-v1.ts for 64-bit integers. */
import { type MethodDefinition, type ServiceDefinition } from '@grpc/grpc-js';
import { type Int64 } from './log-v1';

export interface StatusRequest {
  state_hash: boolean;
}

/** `N` is how a 64-bit integer is written: `string` where it is received, `Int64` where it is sent. */
export interface GroupStatus<N = string> {
  group: number;
  role: string;
  term: N;
  leader: string;
  first_index: N;
  last_index: N;
  commit_index: N;
  applied_index: N;
  snapshot_index: N;
  next_offset: N;
  state_hash: string;
  rules_version: number;
  rules_known: number;
}

export interface StatusResponse<N = string> {
  cluster_id: string;
  node_name: string;
  node_id: string;
  version: string;
  groups: GroupStatus<N>[];
  projection_lag_records: N;
  projection: string;
  disk_full: boolean;
  disk_free_bytes: N;
  public_key: Buffer;
}

export interface Member {
  name: string;
  node_id: string;
  rpc_addr: string;
  gossip_addr: string;
  suffrage: string;
  liveness: string;
  is_leader: boolean;
}

export interface MembersResponse {
  members: Member[];
}

/** What TransferLeadership, AddMember and RemoveMember take. */
export interface NodeNameRequest {
  node_name: string;
}

export interface TransferLeadershipResponse {
  leader: string;
}

export interface TakeSnapshotResponse<N = string> {
  index: N;
}

export interface BackupChunk<N = string> {
  data: Buffer;
  expected_bytes: N;
}

export interface SqlRequest {
  statement: string;
  max_rows: number;
  token: string;
}

export interface SqlValue {
  is_null: boolean;
  text: string;
}

export interface SqlResponse<N = string> {
  columns: string[];
  rows: { values: SqlValue[] }[];
  truncated: boolean;
  offset: N;
}

/** As a client sees it: what it sends, what it receives. */
export interface ClusterDefinition extends ServiceDefinition {
  Status: MethodDefinition<Partial<StatusRequest>, StatusResponse>;
  Members: MethodDefinition<object, MembersResponse>;
  TransferLeadership: MethodDefinition<NodeNameRequest, TransferLeadershipResponse>;
  AddMember: MethodDefinition<NodeNameRequest, object>;
  RemoveMember: MethodDefinition<NodeNameRequest, object>;
  TakeSnapshot: MethodDefinition<object, TakeSnapshotResponse>;
  Backup: MethodDefinition<object, BackupChunk>;
  Sql: MethodDefinition<SqlRequest, SqlResponse>;
}

export type StatusResponseOut = StatusResponse<Int64>;
export type TakeSnapshotResponseOut = TakeSnapshotResponse<Int64>;
export type SqlResponseOut = SqlResponse<Int64>;
export type BackupChunkOut = BackupChunk<Int64>;
