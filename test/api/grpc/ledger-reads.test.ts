import { status, type Client } from '@grpc/grpc-js';
import { NodeError, type Consistency } from '../../../src/api/node-port';
import { clientDefinition } from '../../../src/proto/load';
import { ConsistencyLevel } from '../../../src/proto/ledger-v1';
import { call, failureOf, GrpcDoor } from '../../support/doors';
import { SingleNodePort } from '../../support/single-node-port';

const { OpenAccounts, CreateTransfers, CreateLedgers, GetAccount, GetBalance, GetBalances, GetTransfer, ListAccounts } =
  clientDefinition('ledger.v1.Ledger');

let port: SingleNodePort;
let door: GrpcDoor;
let ledger: Client;

beforeAll(async () => {
  port = new SingleNodePort();
  port.createUsd();
  door = await new GrpcDoor(port).listen();
  ledger = door.client('ledger.v1.Ledger');
  await call(ledger, CreateLedgers, { ledgers: [{ code: 'JPY', scale: 0 }] });
  const accounts = [
    { name: 'funds', ledger: 'USD', no_min_balance: true },
    { name: 'Alice', ledger: 'USD', min_balance: '-5', max_balance: '100', user_data: 7, metadata: Buffer.from('vip') },
    { name: 'Kenji', ledger: 'JPY' },
  ];
  await call(ledger, OpenAccounts, { accounts });
  const transfers = [
    {
      id: 'one',
      debit_account: 'funds',
      credit_account: 'Alice',
      amount: '10',
      code: 3,
      user_data: 9,
      metadata: Buffer.from('m'),
    },
    { id: 'two', debit_account: 'Alice', credit_account: 'funds', amount: '99' },
  ];
  await call(ledger, CreateTransfers, { transfers });
});

beforeEach(() => {
  port.beforeRead = () => undefined;
});

afterAll(async () => {
  await door.close();
  expect(door.unforeseen.errors).toEqual([]);
});

const BALANCE = {
  account: 'Alice',
  ledger: 'USD',
  debits_posted: '0.00',
  credits_posted: '10.00',
  debits_pending: '0.00',
  credits_pending: '0.00',
  posted: '10.00',
  available: '15.00',
  version: '1',
  handle: '2',
};

describe('a read', () => {
  test('of an account shows all of it and how new it is', async () => {
    const { response } = await call(ledger, GetAccount, { name: ' Alice ' });
    expect(response).toEqual({
      account: {
        name: 'Alice',
        handle: '2',
        ledger: 'USD',
        min_balance: '-5.00',
        max_balance: '100.00',
        closed: false,
        user_data: '7',
        metadata: Buffer.from('vip'),
        opened_at: expect.stringMatching(/^17\d{14}$/) as string,
        imported_time: '0',
      },
      balance: BALANCE,
      position: { token: port.position().token, offset: '5' },
    });
  });

  test('of a balance; available is absent where there is no lower limit', async () => {
    expect((await call(ledger, GetBalance, { account: 'Alice' })).response.balance).toEqual(BALANCE);
    const funds = (await call(ledger, GetBalance, { account: 'funds' })).response.balance;
    expect(funds).toMatchObject({ posted: '-10.00' });
    expect(funds).not.toHaveProperty('available');
    expect((await call(ledger, GetBalance, { account: 'Kenji' })).response.balance).toMatchObject({ posted: '0' });
  });

  test('of several balances keeps the order; an unknown account has an empty ledger', async () => {
    const { response } = await call(ledger, GetBalances, { accounts: ['Kenji', 'nobody', 'Alice', ''] });
    expect(response.balances.map(({ account, ledger: code, posted }) => [account, code, posted])).toEqual([
      ['Kenji', 'JPY', '0'],
      ['nobody', '', ''],
      ['Alice', 'USD', '10.00'],
      ['', '', ''],
    ]);
  });

  test('of a transfer, done or refused for good', async () => {
    const { transfer } = (await call(ledger, GetTransfer, { id: 'one' })).response;
    expect(transfer).toMatchObject({
      id: 'one',
      debit_account: 'funds',
      credit_account: 'Alice',
      ledger: 'USD',
      amount: '10.00',
      amount_moved: '10.00',
      code: 3,
      user_data: '9',
      metadata: Buffer.from('m'),
      offset: '4',
      timestamp: expect.stringMatching(/^17\d{14}$/) as string,
      result: 'ok',
    });
    const refused = (await call(ledger, GetTransfer, { id: 'two' })).response.transfer;
    expect(refused).toMatchObject({ amount: '99.00', amount_moved: '0.00', result: 'insufficient_funds' });
  });
});

describe('ListAccounts', () => {
  const names = async (request: object): Promise<[string[], string]> => {
    const { response } = await call(ledger, ListAccounts, request);
    return [response.accounts.map(({ account }) => account!.name), response.next_page_token];
  };

  test('goes through all in pages', async () => {
    const [first, token] = await names({ page_size: 2 });
    expect(first).toEqual(['funds', 'Alice']);
    expect(await names({ page_size: 2, page_token: token })).toEqual([['Kenji'], '']);
    expect(await names({})).toEqual([['funds', 'Alice', 'Kenji'], '']);
  });

  test('takes a page token with its own filters only: with others it would leave accounts out', async () => {
    const [, page_token] = await names({ page_size: 1 });
    for (const filter of [{ ledger: 'JPY' }, { name_prefix: 'A' }]) {
      const other = call(ledger, ListAccounts, { page_token, ...filter });
      expect(await failureOf(other)).toMatchObject({ reason: 'PAGE_TOKEN_INVALID', field: 'page_token' });
    }
    expect(await names({ page_token })).toEqual([['Alice', 'Kenji'], '']);
  });

  test('shows one ledger’s where it is named, with balances', async () => {
    expect(await names({ ledger: 'JPY' })).toEqual([['Kenji'], '']);
    const { response } = await call(ledger, ListAccounts, { ledger: 'JPY' });
    expect(response.accounts[0]!.balance).toMatchObject({ account: 'Kenji', posted: '0' });
    expect(response.position!.offset).toBe('5');
  });

  test.each([
    [{ page_size: 1001 }, status.INVALID_ARGUMENT, 'PAGE_TOO_LARGE', 'page_size'],
    [{ page_token: 'nonsense' }, status.INVALID_ARGUMENT, 'PAGE_TOKEN_INVALID', 'page_token'],
    [{ page_token: 'AQAAAAAAAAAA' }, status.INVALID_ARGUMENT, 'PAGE_TOKEN_INVALID', 'page_token'],
    [{ ledger: 'a b' }, status.INVALID_ARGUMENT, 'LEDGER_CODE_INVALID', 'ledger'],
    [{ ledger: 'GBP' }, status.NOT_FOUND, 'LEDGER_NOT_FOUND', undefined],
  ])('refuses %j', async (request, code, reason, field) => {
    expect(await failureOf(call(ledger, ListAccounts, request))).toMatchObject({ code, reason, field });
  });
});

describe('a read is refused', () => {
  test.each([
    ['an account that does not exist', GetAccount, { name: 'nobody' }, status.NOT_FOUND, 'ACCOUNT_NOT_FOUND'],
    ['what is no name', GetAccount, { name: '' }, status.INVALID_ARGUMENT, 'ACCOUNT_NAME_INVALID'],
    ['a balance of nobody', GetBalance, { account: 'nobody' }, status.NOT_FOUND, 'ACCOUNT_NOT_FOUND'],
    ['an unknown transfer', GetTransfer, { id: 'three' }, status.NOT_FOUND, 'TRANSFER_NOT_FOUND'],
    ['what is no id', GetTransfer, { id: '' }, status.INVALID_ARGUMENT, 'ID_INVALID'],
    [
      'too many balances',
      GetBalances,
      { accounts: Array(1001).fill('a') as string[] },
      status.INVALID_ARGUMENT,
      'PAGE_TOO_LARGE',
    ],
    [
      'AT_LEAST without a token',
      GetBalance,
      { account: 'Alice', consistency: { level: 1 } },
      status.INVALID_ARGUMENT,
      'TOKEN_REQUIRED',
    ],
    [
      'a level that does not exist',
      GetBalance,
      { account: 'Alice', consistency: { level: 9 } },
      status.INVALID_ARGUMENT,
      'CONSISTENCY_INVALID',
    ],
    [
      'a token that is none',
      GetBalance,
      { account: 'Alice', consistency: { level: 1, token: 'x' } },
      status.INVALID_ARGUMENT,
      'TOKEN_INVALID',
    ],
    [
      'a token that is too long',
      GetBalance,
      { account: 'Alice', consistency: { level: 1, token: 'x'.repeat(257) } },
      status.INVALID_ARGUMENT,
      'TOKEN_INVALID',
    ],
  ] as const)('%s', async (_name, method, request, code, reason) => {
    expect(await failureOf(call(ledger, method as typeof GetBalance, request as object))).toMatchObject({
      code,
      reason,
    });
  });

  test('when the node cannot be new enough', async () => {
    port.beforeRead = () => {
      throw new NodeError('UNAVAILABLE', 'STALE_READ', 'The leader was heard of 9 s ago.', { retryAfterMs: 250 });
    };
    const consistency = { level: ConsistencyLevel.STALE, max_staleness_ms: 100 };
    const failure = await failureOf(call(ledger, GetBalance, { account: 'Alice', consistency }));
    expect(failure).toMatchObject({ code: status.UNAVAILABLE, reason: 'STALE_READ', retryAfterMs: 250 });
  });
});

test('a read states its consistency to the node; LINEARIZABLE is the default', async () => {
  const asked: Consistency[] = [];
  port.beforeRead = (consistency) => {
    asked.push(consistency);
  };
  const { token } = port.position();
  await call(ledger, GetBalance, { account: 'Alice' });
  await call(ledger, GetAccount, { name: 'Alice', consistency: { level: ConsistencyLevel.AT_LEAST, token } });
  await call(ledger, ListAccounts, { consistency: { level: ConsistencyLevel.STALE, max_staleness_ms: 1500 } });
  expect(asked).toEqual([
    { level: 'LINEARIZABLE' },
    { level: 'AT_LEAST', token },
    { level: 'STALE', maxStalenessMs: 1500 },
  ]);
});
