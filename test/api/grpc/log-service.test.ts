import { status, type Client } from '@grpc/grpc-js';
import { decodeLogRecord } from '../../../src/ledger/record-value';
import { clientDefinition } from '../../../src/proto/load';
import { NodeError } from '../../../src/api/node-port';
import { call, failureOf, GrpcDoor } from '../../support/doors';
import { SingleNodePort } from '../../support/single-node-port';

const { Produce, Consume, GetServers } = clientDefinition('log.v1.Log');
const { CreateTransfers } = clientDefinition('ledger.v1.Ledger');
const MIB = 1024 * 1024;

let port: SingleNodePort;
let door: GrpcDoor;
let log: Client;

beforeEach(async () => {
  port = new SingleNodePort();
  door = await new GrpcDoor(port).listen();
  log = door.client('log.v1.Log');
});

afterEach(async () => {
  await door.close();
  expect(door.unforeseen.errors).toEqual([]);
});

const produce = async (value: string | Buffer): Promise<string> => {
  const { response } = await call(log, Produce, { record: { value: Buffer.from(value) } });
  return response.offset;
};

describe('Produce and Consume', () => {
  test('give the n-th record offset n, and the record back with what the server knows of it', async () => {
    expect(await produce('hello world')).toBe('0');
    expect(await produce('')).toBe('1');
    const { response } = await call(log, Consume, { offset: 0 });
    expect(response.record).toEqual({
      value: Buffer.from('hello world'),
      offset: '0',
      term: '1',
      type: 0,
      timestamp: expect.stringMatching(/^17\d{14}$/) as string,
    });
  });

  test('ignore the offset and the term that a caller sets', async () => {
    await produce('first');
    const record = { value: Buffer.from('second'), offset: '99', term: '7', timestamp: '5' };
    expect((await call(log, Produce, { record })).response.offset).toBe('1');
  });

  test('show a record of the ledger with its command and its outcome', async () => {
    port.createUsd({ autoOpen: true, noMinimum: true });
    const transfer = { id: 'order-1', debit_account: 'Alice', credit_account: 'Bob', amount: '0.5', ledger: 'USD' };
    await call(door.client('ledger.v1.Ledger'), CreateTransfers, { transfers: [transfer] });
    const { record } = (await call(log, Consume, { offset: 0 })).response;
    expect(record!.type).toBe(1);
    expect(decodeLogRecord(record!.value)).toMatchObject({
      command: { kind: 'transfer', debit: { name: 'Alice' }, amount: { text: '0.5' } },
      outcome: { result: 0, amountMoved: 50n, ledger: 'USD', scale: 2, openedDebit: true },
    });
  });

  test('name the leader in the answer', async () => {
    const { metadata } = await call(log, Produce, { record: { value: Buffer.from('x') } });
    expect(metadata.get('ledger-leader')).toEqual(['node-1']);
    port.leader = 'Zoë 東京';
    const spelled = await call(log, GetServers, {});
    expect(spelled.metadata.get('ledger-leader')).toEqual(['Zo%C3%AB %E6%9D%B1%E4%BA%AC']);
    port.leader = undefined;
    const unknown = await call(log, GetServers, {});
    expect(unknown.metadata.get('ledger-leader')).toEqual([]);
  });

  test('take a value of exactly the limit', async () => {
    await produce(Buffer.alloc(MIB, 7));
    const { response } = await call(log, Consume, { offset: 0 });
    expect(response.record!.value.equals(Buffer.alloc(MIB, 7))).toBe(true);
  });
});

describe('Produce refuses', () => {
  test.each([
    ['a reserved record type', { record: { value: Buffer.from('x'), type: 1 } }, 'RECORD_TYPE_RESERVED', 'record.type'],
    ['a value that is too large', { record: { value: Buffer.alloc(MIB + 1) } }, 'RECORD_TOO_LARGE', 'record.value'],
  ])('%s', async (_name, request, reason, field) => {
    const failure = await failureOf(call(log, Produce, request));
    expect(failure).toMatchObject({ code: status.INVALID_ARGUMENT, reason, field, domain: 'ledger-node' });
    expect(port.submitted).toEqual([]);
  });

  test('a request without a record', async () => {
    const empty = { ...Produce, requestSerialize: () => Buffer.alloc(0) };
    const failure = await failureOf(call(log, empty, { record: { value: Buffer.alloc(0) } }));
    expect(failure).toMatchObject({ code: status.INVALID_ARGUMENT, reason: 'RECORD_REQUIRED', field: 'record' });
  });

  test('a message beyond the limit of the connection, and goes on serving', async () => {
    const request = { record: { value: Buffer.alloc(10 * MIB) } };
    expect(await failureOf(call(log, Produce, request))).toMatchObject({ code: status.RESOURCE_EXHAUSTED });
    expect(await produce('still here')).toBe('0');
  });

  test.each([
    ['UNAVAILABLE', 'NO_LEADER', 1000],
    ['UNAVAILABLE', 'OUTCOME_UNKNOWN', undefined],
    ['RESOURCE_EXHAUSTED', 'OVERLOADED', 1000],
    ['RESOURCE_EXHAUSTED', 'DISK_FULL', 1000],
    ['DEADLINE_EXCEEDED', 'TOO_LATE', undefined],
  ] as const)('with the node’s own words: %s %s', async (code, reason, retryAfterMs) => {
    port.beforeCommit = () => {
      throw new NodeError(code, reason, 'Not now.', { details: { leader: 'node-2' } });
    };
    const failure = await failureOf(call(log, Produce, { record: { value: Buffer.from('x') } }));
    expect(failure).toMatchObject({ code: status[code], reason, message: 'Not now.', details: { leader: 'node-2' } });
    expect(failure.retryAfterMs).toBe(retryAfterMs);
  });
});

describe('Consume refuses', () => {
  test('an offset beyond the end, naming the end', async () => {
    await produce('only');
    expect(await failureOf(call(log, Consume, { offset: 1 }))).toMatchObject({
      code: status.OUT_OF_RANGE,
      reason: 'OFFSET_BEYOND_END',
      details: { first_offset: '0', next_offset: '1' },
    });
    const largest = await failureOf(call(log, Consume, { offset: '18446744073709551615' }));
    expect(largest).toMatchObject({ code: status.OUT_OF_RANGE, reason: 'OFFSET_BEYOND_END' });
  });

  test('an offset below what is retained, naming the first', async () => {
    await produce('a');
    await produce('b');
    port.firstOffset = 1;
    expect(await failureOf(call(log, Consume, { offset: 0 }))).toMatchObject({
      code: status.OUT_OF_RANGE,
      reason: 'OFFSET_NOT_RETAINED',
      details: { first_offset: '1', next_offset: '2' },
    });
  });
});

test('Consume asks the leader before it says that there is no such record', async () => {
  // A follower that has not yet heard of the record it is asked for.
  const behind = Object.create(port) as SingleNodePort;
  let asked = false;
  behind.leaderOffset = async () => {
    asked = true;
    return port.leaderOffset(1);
  };
  behind.readRecords = async (from, maxBytes, deadlineMs) =>
    asked ? port.readRecords(from, maxBytes, deadlineMs) : { records: [], firstOffset: 0, nextOffset: 0 };
  await produce('new');
  const follower = await new GrpcDoor(behind).listen();
  try {
    const { response } = await call(follower.client('log.v1.Log'), Consume, { offset: 0 });
    expect(response.record!.value.toString()).toBe('new');
  } finally {
    await follower.close();
  }
});

test('GetServers tells who can be asked', async () => {
  const { response } = await call(log, GetServers, {});
  expect(response.servers).toEqual([{ id: 'node-1', rpc_addr: '127.0.0.1:8300', is_leader: true }]);
});
