/**
 * The messages of proto/log/v1/log.proto as the loader delivers them. 64-bit integers arrive as decimal strings; a
 * sender may give a safe integer too. `In` is what a receiver sees, `Out` what a sender gives.
 */
import { type MethodDefinition, type ServiceDefinition } from '@grpc/grpc-js';

/** A 64-bit integer as a sender may write it. */
export type Int64 = string | number;

export interface Record {
  value: Buffer;
  offset: string;
  term: string;
  type: number;
  timestamp: string;
}

export interface RecordOut {
  value: Buffer;
  offset?: Int64;
  term?: Int64;
  type?: number;
  timestamp?: Int64;
}

export interface ProduceRequest {
  record: Record | null;
}

export interface ProduceRequestOut {
  record: RecordOut;
}

export interface ProduceResponse {
  offset: string;
}

export interface ProduceResponseOut {
  offset: Int64;
}

export interface RecordFilter<N = string> {
  types: number[];
  commands: string[];
  ledgers: string[];
  accounts: string[];
  handles: N[];
  results: string[];
}

export interface ConsumeRequest {
  offset: string;
  filter: RecordFilter | null;
}

export interface ConsumeRequestOut {
  offset: Int64;
  filter?: Partial<RecordFilter<Int64>>;
}

export interface ConsumeResponse {
  record: Record | null;
  next_offset: string;
}

export interface ConsumeResponseOut {
  record?: RecordOut;
  next_offset?: Int64;
}

export interface Server {
  id: string;
  rpc_addr: string;
  is_leader: boolean;
}

export interface GetServersResponse {
  servers: Server[];
}

/** As a client sees it: what it sends, what it receives. */
export interface LogDefinition extends ServiceDefinition {
  Produce: MethodDefinition<ProduceRequestOut, ProduceResponse>;
  Consume: MethodDefinition<ConsumeRequestOut, ConsumeResponse>;
  ProduceStream: MethodDefinition<ProduceRequestOut, ProduceResponse>;
  ConsumeStream: MethodDefinition<ConsumeRequestOut, ConsumeResponse>;
  GetServers: MethodDefinition<object, GetServersResponse>;
}
