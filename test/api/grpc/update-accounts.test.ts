import { type Client } from '@grpc/grpc-js';
import { type AccountUpdateOut, LimitChange } from '../../../src/proto/ledger-v1';
import { clientDefinition } from '../../../src/proto/load';
import { call, failureOf, GrpcDoor } from '../../support/doors';
import { SingleNodePort } from '../../support/single-node-port';

const { OpenAccounts, UpdateAccounts, CreateTransfers, GetAccount } = clientDefinition('ledger.v1.Ledger');
const { NONE, SET, LEDGER_DEFAULT } = LimitChange;

let port: SingleNodePort;
let door: GrpcDoor;
let ledger: Client;

beforeEach(async () => {
  port = new SingleNodePort();
  port.createUsd();
  door = await new GrpcDoor(port).listen();
  ledger = door.client('ledger.v1.Ledger');
  const accounts = [
    { name: 'funds', ledger: 'USD', no_min_balance: true, imported_time: '1400000000000000' },
    { name: 'Alice', ledger: 'USD' },
  ];
  await call(ledger, OpenAccounts, { accounts });
  await pay('seed', 'funds', 'Alice', '10');
});

afterEach(async () => {
  await door.close();
  expect(door.unforeseen.errors).toEqual([]);
});

async function pay(id: string, from: string, to: string, amount: string): Promise<string> {
  const transfers = [{ id, debit_account: from, credit_account: to, amount }];
  return (await call(ledger, CreateTransfers, { transfers })).response.results[0]!.result!.result;
}

async function update(...accounts: AccountUpdateOut[]): Promise<[string, string][]> {
  const { response } = await call(ledger, UpdateAccounts, { accounts });
  return response.results.map(({ result, offset }) => [result, offset]);
}

test('closes an account and opens it again', async () => {
  expect(await update({ account: ' Alice ', closed: true })).toEqual([['ok', '3']]);
  expect((await call(ledger, GetAccount, { name: 'Alice' })).response.account!.closed).toBe(true);
  expect(await pay('a', 'funds', 'Alice', '1')).toBe('credit_account_closed');
  expect(await pay('b', 'Alice', 'funds', '1')).toBe('debit_account_closed');
  expect(await update({ handle: 2, closed: false })).toEqual([['ok', '6']]);
  expect(await pay('c', 'Alice', 'funds', '1')).toBe('ok');
  expect(await pay('a', 'funds', 'Alice', '1')).toBe('credit_account_closed');
});

test('gives an account other limits, all of a change or none', async () => {
  const set = { account: 'Alice', min_change: SET, min_balance: '-5', max_change: SET, max_balance: '20' };
  expect(await update(set)).toEqual([['ok', '3']]);
  expect(port.ledger.account('Alice')).toMatchObject({ minBalance: -500n, maxBalance: 2000n });
  expect(await update({ account: 'Alice', max_change: SET, max_balance: '9.99', closed: true })).toEqual([
    ['limit_violated', '4'],
  ]);
  expect(port.ledger.account('Alice')).toMatchObject({ closed: false, maxBalance: 2000n });
  await update({ account: 'Alice', min_change: NONE, max_change: NONE });
  expect(port.ledger.account('Alice')).toMatchObject({ minBalance: undefined, maxBalance: undefined });
  await update({ account: 'Alice', min_change: LEDGER_DEFAULT });
  expect(port.ledger.account('Alice')).toMatchObject({ minBalance: 0n });
});

test('tells when an imported account was opened', async () => {
  const { account } = (await call(ledger, GetAccount, { name: 'funds' })).response;
  expect(account).toMatchObject({ imported_time: '1400000000000000' });
});

test.each<[string, AccountUpdateOut, string]>([
  ['change_empty', { account: 'Alice' }, '-1'],
  ['account_name_invalid', { closed: true }, '-1'],
  ['account_name_invalid', { account: 'Alice', handle: 2, closed: true }, '-1'],
  ['account_name_invalid', { account: '', handle: '18446744073709551615', closed: true }, '-1'],
  ['limits_invalid', { account: 'Alice', min_balance: '-1' }, '-1'],
  ['limits_invalid', { account: 'Alice', min_change: SET }, '-1'],
  ['limits_invalid', { account: 'Alice', min_change: SET, min_balance: '1' }, '-1'],
  ['limits_invalid', { account: 'Alice', max_change: SET, max_balance: '-1' }, '-1'],
  ['limits_invalid', { account: 'Alice', max_change: 4 }, '-1'],
  ['amount_precision', { account: 'Alice', max_change: SET, max_balance: '20.001' }, '-1'],
  ['account_not_found', { account: 'nobody', closed: true }, '3'],
  ['account_not_found', { handle: 99, closed: true }, '3'],
])('refuses %s: %j', async (result, fault, offset) => {
  expect(await update(fault)).toEqual([[result, offset]]);
});

test('refuses a batch of none', async () => {
  expect(await failureOf(call(ledger, UpdateAccounts, { accounts: [] }))).toMatchObject({ reason: 'BATCH_EMPTY' });
});
