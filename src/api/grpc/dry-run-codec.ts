/** Dry runs as the messages of ledger.proto. Those of a stream are decoded and encoded by the thread that decides them. */
import { type MethodDefinition, type ServiceDefinition } from '@grpc/grpc-js';
import { serverDefinition } from '../../proto/load';
import { type DryRunRequest, type DryRunResponse, type ReadPosition } from '../../proto/ledger-v1';
import { type Int64 } from '../../proto/log-v1';
import { type DryRunAnswer } from '../dry-run-batch';
import { type Fault } from '../errors';
import { balanceOut, groupResult, openAccountResult, transferResult } from './ledger-codec';
import { decoded } from './door';

export function dryRunOut(answer: DryRunAnswer): DryRunResponse<Int64> {
  const { accounts, transfers, groups, balances, position } = answer;
  return {
    accounts: accounts.map(openAccountResult),
    transfers: transfers.map(transferResult),
    groups: groups.map((group) => groupResult(group, transfers)),
    balances: balances.map(balanceOut),
    position,
    error: null,
  };
}

/** The answer of a stream to a request that was refused as a whole. */
export function dryRunRefusal(fault: Fault, position: ReadPosition<Int64>): DryRunResponse<Int64> {
  const { grpcStatus: code, reason, message, retryAfterMs = 0 } = fault;
  const error = { code, reason, message, retry_after_ms: retryAfterMs };
  return { accounts: [], transfers: [], groups: [], balances: [], position, error };
}

type DryRunMethod = MethodDefinition<DryRunRequest, DryRunResponse<Int64>>;

/** Throws a Fault for bytes that are no DryRunRequest. */
export function decodeDryRun(bytes: Buffer): DryRunRequest {
  return decoded(method().requestDeserialize(bytes));
}

export function encodeDryRun(response: DryRunResponse<Int64>): Buffer {
  return method().responseSerialize(response);
}

let known: DryRunMethod | undefined;

function method(): DryRunMethod {
  known ??= serverDefinition('ledger.v1.Ledger')['DryRun'] as DryRunMethod;
  return known;
}

/** Eight thousand transfers are megabytes of objects: the node's own thread does not look into them. */
export function withDryRunsAsBytes(definition: ServiceDefinition): ServiceDefinition {
  const { DryRunStream } = definition;
  if (!DryRunStream) throw new Error('The .proto files define no DryRunStream.');
  const asIs = (bytes: Buffer): Buffer => bytes;
  return { ...definition, DryRunStream: { ...DryRunStream, requestDeserialize: asIs, responseSerialize: asIs } };
}
