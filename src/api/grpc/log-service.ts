/** `log.v1.Log`: the log for anything. */
import { type UntypedServiceImplementation } from '@grpc/grpc-js';
import { encodeValues, RecordType } from '../../log/chunk';
import {
  type ConsumeRequest,
  type ConsumeResponseOut,
  type GetServersResponse,
  type ProduceRequest,
  type ProduceResponseOut,
} from '../../proto/log-v1';
import { type Budget, within } from '../deadline';
import { invalid } from '../errors';
import { consumeStream } from './consume-stream';
import { type Door } from './door';
import { produceStream } from './produce-stream';
import { outsideLog } from '../log-range';
import { offsetOf, producedValue, recordOut } from './record-codec';

export function logService(door: Door): UntypedServiceImplementation {
  return {
    Produce: door.unary('Produce', (request: ProduceRequest, budget) => produce(door, request, budget)),
    Consume: door.unary('Consume', (request: ConsumeRequest, budget) => consume(door, request, budget)),
    ProduceStream: produceStream(door),
    ConsumeStream: consumeStream(door),
    GetServers: door.unary('GetServers', () => getServers(door)),
  };
}

async function produce(door: Door, request: ProduceRequest, budget: Budget): Promise<ProduceResponseOut> {
  const value = producedValue(request.record, door.limits);
  const chunk = encodeValues(RecordType.Value, [value]);
  const submitted = door.port.submit({ type: 0, kind: 'records', chunk, count: 1, subject: '' }, budget.workMs);
  const { baseOffset } = await within(submitted, budget.patienceMs, 'write');
  return { offset: baseOffset };
}

async function consume(door: Door, request: ConsumeRequest, budget: Budget): Promise<ConsumeResponseOut> {
  if (request.filter !== null) {
    throw invalid(
      'filter',
      'FILTER_NOT_TAKEN',
      'Consume reads the record at one offset; filters are for ConsumeStream.',
    );
  }
  return within(consumeOne(door, offsetOf(request.offset), budget.workMs), budget.patienceMs, 'read');
}

async function consumeOne(door: Door, offset: number, workMs: number): Promise<ConsumeResponseOut> {
  const from = performance.now();
  const left = (): number => Math.max(1, workMs - (performance.now() - from));
  let page = await door.port.readRecords(offset, 1, left());
  if (page.records.length === 0 && offset >= page.nextOffset) {
    // This node may only not have heard of it yet: the leader knows what is committed.
    if ((await door.port.leaderOffset(left())) > offset) page = await door.port.readRecords(offset, 1, left());
  }
  const record = page.records[0];
  if (record === undefined) throw outsideLog(offset, page);
  return { record: recordOut(record) };
}

function getServers(door: Door): GetServersResponse {
  const servers = door.port.servers();
  return { servers: servers.map(({ id, rpcAddr, isLeader }) => ({ id, rpc_addr: rpcAddr, is_leader: isLeader })) };
}
