import { type Client, status } from '@grpc/grpc-js';
import {
  type DryRunRequestOut,
  type DryRunResponse,
  TransferKind,
  type TransferOut,
} from '../../../src/proto/ledger-v1';
import { clientDefinition } from '../../../src/proto/load';
import { call, GrpcDoor } from '../../support/doors';
import { SingleNodePort } from '../../support/single-node-port';

const { OpenAccounts, CreateTransfers, DryRun, GetBalances } = clientDefinition('ledger.v1.Ledger');
const { PENDING, POST } = TransferKind;

let port: SingleNodePort;
let door: GrpcDoor;
let ledger: Client;

beforeEach(async () => {
  port = new SingleNodePort();
  port.createUsd();
  door = await new GrpcDoor(port).listen();
  ledger = door.client('ledger.v1.Ledger');
  const accounts = [
    { name: 'funds', ledger: 'USD', no_min_balance: true },
    { name: 'Alice', ledger: 'USD' },
    { name: 'Bob', ledger: 'USD' },
  ];
  await call(ledger, OpenAccounts, { accounts });
  await call(ledger, CreateTransfers, { transfers: [seed] });
});

afterEach(async () => {
  await door.close();
  expect(door.unforeseen.errors).toEqual([]);
});

const seed = { id: 'seed', debit_account: 'funds', credit_account: 'Alice', amount: '10' };
const pay = { debit_account: 'Alice', credit_account: 'Bob' };
const hash = (): string => port.status({ stateHash: true }).groups[0]!.stateHash!;

async function dryRun(request: DryRunRequestOut): Promise<DryRunResponse> {
  const before = hash();
  const writes = port.submitted.length;
  const { response } = await call(ledger, DryRun, request);
  expect(hash()).toBe(before);
  expect(port.submitted).toHaveLength(writes);
  return response;
}

const TRANSFERS: TransferOut[] = [
  { ...pay, id: '1', amount: '4', metadata: Buffer.from('why') },
  { ...pay, id: '2', amount: '7' },
  { ...pay, id: '3', amount: '1.005' },
  { ...pay, id: '4', kind: PENDING, amount: '6', timeout_ms: 60_000 },
  { id: '5', kind: POST, pending_id: '4', amount: '2' },
  { ...pay, id: '6', amount: '2', group: 'g' },
  { ...pay, id: '7', amount: '3', group: 'g' },
  { ...pay, id: '8', amount: '99', balancing: true },
  { ...pay, id: '1', amount: '4', metadata: Buffer.from('why') },
  { ...pay, id: '1', amount: '5' },
  seed,
];

test('answers as the real run right after it does, with the balances that it leads to', async () => {
  const said = await dryRun({ transfers: TRANSFERS });
  const done = (await call(ledger, CreateTransfers, { transfers: TRANSFERS })).response;
  expect(done.results.map(({ result }) => result!.result)).toEqual([
    ...['ok', 'insufficient_funds', 'amount_precision', 'ok', 'ok', 'linked_transfer_failed', 'insufficient_funds'],
    ...['ok', 'ok', 'exists_with_different_amount', 'ok'],
  ]);
  expect(said.transfers.slice(0, -1)).toEqual(
    done.results.slice(0, -1).map((one) => ({ ...one, result: { ...one.result, offset: '-1', timestamp: '0' } })),
  );
  // What was done before has its first answer.
  expect(said.transfers.at(-1)).toEqual(done.results.at(-1));
  expect(said.transfers.at(-1)!.result).toMatchObject({ replayed: true, offset: '3' });
  const [group] = done.groups;
  expect(said.groups).toEqual([{ ...group, result: { ...group!.result, offset: '-1', timestamp: '0' } }]);
  const { balances } = (await call(ledger, GetBalances, { accounts: ['Alice', 'Bob', 'funds'] })).response;
  expect(said.balances).toEqual(balances);
  expect(said.position).toMatchObject({ offset: '3' });
});

test('opens accounts first, and shows what would be in them', async () => {
  const accounts = [
    { name: 'Carol', ledger: 'USD', max_balance: '3' },
    { name: 'Alice', ledger: 'USD' },
    { name: 'Dora', ledger: 'EUR' },
  ];
  const transfers = [
    { id: '1', debit_account: 'Alice', credit_account: 'Carol', amount: '3' },
    { id: '2', debit_account: 'Alice', credit_account: 'Carol', amount: '1' },
  ];
  const said = await dryRun({ accounts, transfers });
  expect(said.accounts).toMatchObject([
    { result: { result: 'ok', replayed: false, offset: '-1' }, handle: '0' },
    { result: { result: 'ok', replayed: true, offset: '1' }, handle: '2' },
    { result: { result: 'ledger_not_found' }, handle: '0' },
  ]);
  expect(said.transfers.map(({ result }) => result!.result)).toEqual(['ok', 'exceeds_max_balance']);
  expect(said.balances).toMatchObject([
    { account: 'Carol', posted: '3.00', handle: '0', version: '1' },
    { account: 'Alice', posted: '7.00', handle: '2' },
  ]);
  expect(port.posted('Carol')).toBeUndefined();
});

test('refuses what is no batch, and answers what has no shape', async () => {
  await expect(call(ledger, DryRun, {})).rejects.toMatchObject({ code: status.INVALID_ARGUMENT });
  const many = Array.from({ length: 8190 }, (_, i) => ({ ...pay, id: `${i}`, amount: '0.01' }));
  const accounts = [{ name: 'Carol', ledger: 'USD' }];
  await expect(call(ledger, DryRun, { accounts, transfers: many })).rejects.toMatchObject({
    code: status.INVALID_ARGUMENT,
  });
  const said = await dryRun({ transfers: [{ ...pay, id: '1', amount: 'much' }] });
  expect(said).toMatchObject({ transfers: [{ result: { result: 'amount_invalid' } }], balances: [] });
});

test('waits for the state that is asked for', async () => {
  const transfers = [{ ...pay, id: '1', amount: '1' }];
  const consistency = { level: 1, token: 't99' };
  await expect(call(ledger, DryRun, { transfers, consistency })).rejects.toMatchObject({ code: status.UNAVAILABLE });
});
