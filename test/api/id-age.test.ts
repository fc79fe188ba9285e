import { type Client } from '@grpc/grpc-js';
import { uuidV7 } from '../../src/client';
import { parseUuid } from '../../src/ledger/identifiers';
import { encodePackedRows } from '../../src/ledger/packed-rows';
import { type TransferOut } from '../../src/proto/ledger-v1';
import { clientDefinition } from '../../src/proto/load';
import { call, GrpcDoor, HttpDoorUnderTest } from '../support/doors';
import { SingleNodePort } from '../support/single-node-port';
import { openStream } from './grpc/streams';

const { OpenAccounts, CreateTransfers, SubmitBatches } = clientDefinition('ledger.v1.Ledger');
/** The ledger of the test begins in November 2023, and one of its batches is a millisecond after the one before. */
const NOW = 1_700_000_000_000;
const HOUR = 3_600_000;
const UUID_V4 = 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11';

let port: SingleNodePort;
let grpc: GrpcDoor;
let ledger: Client;

beforeEach(async () => {
  port = new SingleNodePort();
  port.createUsd({ noMinimum: true, dedupAgeMs: HOUR });
  grpc = await new GrpcDoor(port).listen();
  ledger = grpc.client('ledger.v1.Ledger');
  const accounts = [
    { name: 'Alice', ledger: 'USD' },
    { name: 'Bob', ledger: 'USD' },
  ];
  await call(ledger, OpenAccounts, { accounts });
});

afterEach(async () => {
  await grpc.close();
  expect(grpc.unforeseen.errors).toEqual([]);
});

function madeAt(millis: number): string {
  return `${millis
    .toString(16)
    .padStart(12, '0')
    .replace(/^(.{8})/, '$1-')}-7${uuidV7().slice(15)}`;
}

async function results(...transfers: Partial<TransferOut>[]): Promise<[string, string][]> {
  const pay = { debit_account: 'Alice', credit_account: 'Bob', amount: '1' };
  const { response } = await call(ledger, CreateTransfers, { transfers: transfers.map((one) => ({ ...pay, ...one })) });
  return response.results.map(({ result }) => [result!.result, result!.offset]);
}

test('an id without a time is refused for its shape, an old one by the ledger', async () => {
  expect(
    await results({ id: madeAt(NOW) }, { id: UUID_V4 }, { id: 'order-1' }, { id: madeAt(NOW - 2 * HOUR) }),
  ).toEqual([
    ['ok', '2'],
    ['id_must_carry_time', '-1'],
    ['id_must_carry_time', '-1'],
    ['id_expired', '3'],
  ]);
});

test('and so is that of a group', async () => {
  const group = 'sale-1';
  const members = [
    { id: madeAt(NOW), group },
    { id: madeAt(NOW), group },
  ];
  expect(await results(...members)).toEqual(Array(2).fill(['id_must_carry_time', '-1']));
  expect(await results(...members.map((one) => ({ ...one, group: madeAt(NOW - 2 * HOUR) })))).toEqual([
    ['id_expired', '2'],
    ['id_expired', '3'],
  ]);
  expect(await results(...members.map((one) => ({ ...one, group: madeAt(NOW) })))).toEqual([
    ['ok', '4'],
    ['ok', '5'],
  ]);
});

test('packed rows are asked the same', async () => {
  const rows = (...ids: string[]): Buffer =>
    encodePackedRows(
      ids.map((id) => ({
        ...{ id: parseUuid(id)!, debitHandle: 1, creditHandle: 2, amount: 1n, userData: 0n, code: 0, flags: 0 },
      })),
    );
  const stream = openStream(ledger, SubmitBatches);
  stream.call.write({ sequence: 1, rows: rows(madeAt(NOW), UUID_V4) });
  stream.call.write({ sequence: 2, rows: rows(madeAt(NOW), madeAt(NOW - 2 * HOUR)) });
  const [refused, taken] = await stream.first(2);
  expect(refused!.error).toMatchObject({
    reason: 'ID_MUST_CARRY_TIME',
    message: expect.stringMatching(/^Row 1: /) as string,
  });
  expect(taken).toMatchObject({ error: null, refused: [{ row: 1, result: 35 }] });
});

test('a payment over HTTP says it with its status', async () => {
  const http = await new HttpDoorUnderTest(port).listen();
  const pay = async (id: string): Promise<[number, unknown]> => {
    const body = JSON.stringify({ from: 'Alice', to: 'Bob', amount: '1', request_id: id });
    const answer = await fetch(`${http.url}/api/v1/transfers`, { method: 'POST', body });
    return [answer.status, ((await answer.json()) as { code?: string }).code];
  };
  expect(await pay(UUID_V4)).toEqual([400, 'id_must_carry_time']);
  expect(await pay(madeAt(NOW - 2 * HOUR))).toEqual([422, 'id_expired']);
  expect(await pay(madeAt(NOW))).toEqual([201, undefined]);
  await http.close();
});
