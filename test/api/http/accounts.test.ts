import { type Consistency, NodeError } from '../../../src/api/node-port';
import { HttpDoorUnderTest } from '../../support/doors';
import { SingleNodePort } from '../../support/single-node-port';

let port: SingleNodePort;
let door: HttpDoorUnderTest;

beforeEach(async () => {
  port = new SingleNodePort();
  port.createUsd();
  door = await new HttpDoorUnderTest(port).listen();
});

afterEach(async () => {
  await door.close();
  expect(door.unforeseen.errors).toEqual([]);
});

type Json = Record<string, unknown>;

async function get(path: string): Promise<[number, Json]> {
  const answer = await fetch(door.url + path);
  expect(answer.headers.get('content-type')).toBe('application/json');
  return [answer.status, (await answer.json()) as Json];
}

async function open(account: object): Promise<[number, Json, string | null]> {
  const answer = await fetch(`${door.url}/api/v1/accounts`, { method: 'POST', body: JSON.stringify(account) });
  return [answer.status, (await answer.json()) as Json, answer.headers.get('idempotency-replayed')];
}

async function pay(from: string, to: string, amount: string, request_id: string): Promise<void> {
  const body = JSON.stringify({ from, to, amount, request_id });
  const answer = await fetch(`${door.url}/api/v1/transfers`, { method: 'POST', body });
  expect(answer.status).toBe(201);
}

const ZERO = {
  posted: '0.00',
  available: '0.00',
  debits_posted: '0.00',
  credits_posted: '0.00',
  debits_pending: '0.00',
  credits_pending: '0.00',
  version: 0,
};

describe('POST /api/v1/accounts', () => {
  const account = {
    name: 'Alice',
    ledger: 'USD',
    handle: '1',
    balance: ZERO,
    min_balance: '0.00',
    max_balance: null,
    closed: false,
    imported_time: null,
    user_data: '0',
    metadata: '',
    opened_at: expect.any(Number) as number,
  };

  test('opens an account, in USD where nothing else is said', async () => {
    expect(await open({ name: ' Alice ' })).toEqual([
      201,
      { ...account, offset: 0, token: port.position().token },
      null,
    ]);
  });

  test('gives the same account for the same request, and says so', async () => {
    await open({ name: 'Alice' });
    expect(await open({ name: 'Alice', ledger: 'USD' })).toMatchObject([201, { handle: '1' }, 'true']);
  });

  test('takes limits, user data and metadata', async () => {
    const all = { min_balance: '-5', max_balance: '100.5', user_data: '18446744073709551615', metadata: 'dmlw' };
    expect(await open({ name: 'Alice', ...all })).toMatchObject([
      201,
      { min_balance: '-5.00', max_balance: '100.50', user_data: '18446744073709551615', metadata: 'dmlw' },
      null,
    ]);
    expect(await open({ name: 'funds', no_min_balance: true })).toMatchObject([
      201,
      { min_balance: null, balance: { available: null } },
      null,
    ]);
  });

  test('null is no limit, as where accounts are shown and changed; what is left out is the ledger’s', async () => {
    const limits = { default_min_balance: '-5', default_max_balance: '100' };
    const ledger = { code: 'EUR', scale: 2, ...limits };
    await fetch(`${door.url}/api/v1/ledgers`, { method: 'POST', body: JSON.stringify(ledger) });
    const first = await open({ name: 'first', ledger: 'EUR', min_balance: null, max_balance: null });
    expect(first).toMatchObject([201, { min_balance: null, max_balance: null, balance: { available: null } }, null]);
    expect(await open({ name: 'second', ledger: 'EUR' })).toMatchObject([
      201,
      { min_balance: '-5.00', max_balance: '100.00' },
      null,
    ]);
    expect(await open({ name: 'third', ledger: 'EUR', min_balance: null, no_min_balance: true })).toMatchObject([
      201,
      { min_balance: null, max_balance: '100.00' },
      null,
    ]);
  });

  test.each([
    { min_balance: null, max_balance: null, user_data: '7', metadata: 'dmlw' },
    { min_balance: '-5.00', max_balance: '100.00', imported_time: 1_400_000_000_000_000 },
  ])('what GET says of an account opens an equal one: %j', async (asked) => {
    await open({ name: 'one', ...asked });
    const [, shown] = await get('/api/v1/accounts/one');
    const { ledger, min_balance, max_balance, user_data, metadata, imported_time } = shown;
    const given = { ledger, min_balance, max_balance, user_data, metadata, imported_time };
    expect(await open({ name: 'one', ...given })).toMatchObject([201, { handle: shown['handle'] }, 'true']);
    expect(await open({ name: 'other', ...given })).toMatchObject([201, { name: 'other', ...given }, null]);
  });

  test.each<[number, string, object]>([
    [400, 'json_invalid', { name: 5 }],
    [400, 'json_invalid', { name: 'A', no_min_balance: 'yes' }],
    [400, 'json_invalid', { name: 'A', user_data: 5 }],
    [400, 'json_invalid', { name: 'A', user_data: '18446744073709551616' }],
    [400, 'json_invalid', { name: 'A', metadata: 'no base64!' }],
    [400, 'account_name_invalid', {}],
    [400, 'account_name_invalid', { name: '\t' }],
    [400, 'ledger_code_invalid', { name: 'A', ledger: '' }],
    [400, 'limits_invalid', { name: 'A', min_balance: '5' }],
    [400, 'metadata_too_large', { name: 'A', metadata: Buffer.alloc(1025).toString('base64') }],
    [422, 'ledger_not_found', { name: 'A', ledger: 'GBP' }],
  ])('%i %s: %j', async (status, code, body) => {
    expect(await open(body)).toMatchObject([status, { code }, null]);
  });

  test('409 for another content under a known name', async () => {
    await open({ name: 'Alice' });
    expect(await open({ name: 'Alice', min_balance: '-1' })).toMatchObject([
      409,
      { code: 'exists_with_different_limits' },
      null,
    ]);
  });
});

describe('GET an account', () => {
  beforeEach(async () => {
    await open({ name: 'funds', no_min_balance: true });
    await open({ name: 'users:Zoë/1 100%' });
    await pay('funds', 'users:Zoë/1 100%', '9.50', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11');
  });

  const NAME = encodeURIComponent('users:Zoë/1 100%');

  test('by its percent-encoded name', async () => {
    expect(await get(`/api/v1/accounts/${NAME}`)).toMatchObject([
      200,
      {
        name: 'users:Zoë/1 100%',
        ledger: 'USD',
        balance: { posted: '9.50', available: '9.50', version: 1 },
        offset: 2,
      },
    ]);
  });

  test('its balance alone', async () => {
    const { token } = port.position();
    const balance = { account: 'users:Zoë/1 100%', ledger: 'USD', posted: '9.50', available: '9.50', offset: 2, token };
    expect(await get(`/api/v1/accounts/${NAME}/balance`)).toEqual([200, balance]);
    expect(await get('/api/v1/accounts/funds/balance')).toMatchObject([200, { posted: '-9.50', available: null }]);
  });

  test.each([
    ['/api/v1/accounts/nobody', 404, 'account_not_found'],
    ['/api/v1/accounts/nobody/balance', 404, 'account_not_found'],
    ['/api/v1/accounts/%20', 400, 'account_name_invalid'],
    ['/api/v1/accounts/%C3', 400, 'path_invalid'],
    ['/api/v1/accounts/funds/balance?at=0', 503, 'no_projection'],
    ['/api/v1/accounts/funds/balance?at=999', 400, 'offset_not_reached'],
    ['/api/v1/accounts/funds/balance?at=yesterday', 400, 'moment_invalid'],
    ['/api/v1/accounts/funds/balance?at=5&by=effective', 400, 'moment_invalid'],
    ['/api/v1/accounts/funds/balance?by=effective', 400, 'moment_invalid'],
    ['/api/v1/accounts/funds/balance?by=posted', 400, 'query_invalid'],
    ['/api/v1/accounts/nobody/balance?at=2024-05-31', 404, 'account_not_found'],
    ['/api/v1/accounts/nobody/balance?at=2024-02-29', 404, 'account_not_found'],
    ['/api/v1/accounts/nobody/balance?at=2024-02-30', 400, 'moment_invalid'],
    ['/api/v1/transfers?from=2023-02-29', 400, 'moment_invalid'],
    ['/api/v1/accounts/funds/statement', 503, 'no_projection'],
    ['/api/v1/accounts/nobody/statement', 404, 'account_not_found'],
    ['/api/v1/accounts/funds/statement?format=pdf', 400, 'query_invalid'],
    ['/api/v1/accounts/funds/statement?form=csv', 400, 'query_invalid'],
    ['/api/v1/accounts/funds/statement?page_token=x', 400, 'page_token_invalid'],
    ['/api/v1/accounts/funds/statement?from=5&by=effective', 400, 'filter_invalid'],
    ['/api/v1/transfers?page_size=1001', 400, 'page_too_large'],
    ['/api/v1/transfers?side=debit', 400, 'filter_invalid'],
    ['/api/v1/transfers?kind=gift', 400, 'filter_invalid'],
    ['/api/v1/transfers?result=fine', 400, 'filter_invalid'],
    ['/api/v1/transfers?min_amount=-1', 400, 'amount_invalid'],
    ['/api/v1/transfers?id=', 400, 'id_invalid'],
    ['/api/v1/transfers?code=x', 400, 'query_invalid'],
    ['/api/v1/accounts/funds/nothing', 404, 'not_found'],
    ['/api/v1/accounts/funds?consistency=soon', 400, 'consistency_invalid'],
    ['/api/v1/accounts/funds?consistency=at_least', 400, 'token_required'],
    ['/api/v1/accounts/funds?consistency=stale&max_staleness_ms=-1', 400, 'query_invalid'],
    ['/api/v1/accounts/funds?token=nonsense', 400, 'token_invalid'],
  ])('%s is %i %s', async (path, status, code) => {
    expect(await get(path)).toMatchObject([status, { code, message: expect.any(String) as string }]);
  });

  test('at the consistency that the query states', async () => {
    const asked: Consistency[] = [];
    port.beforeRead = (consistency) => void asked.push(consistency);
    const { token } = port.position();
    await get('/api/v1/accounts/funds/balance');
    await get(`/api/v1/accounts/funds?token=${token}`);
    await get(`/api/v1/accounts/funds?consistency=AT_LEAST&token=${token}`);
    await get('/api/v1/accounts?consistency=stale&max_staleness_ms=1500');
    expect(asked).toEqual([
      { level: 'LINEARIZABLE' },
      { level: 'AT_LEAST', token },
      { level: 'AT_LEAST', token },
      { level: 'STALE', maxStalenessMs: 1500 },
    ]);
  });

  test('is refused when the node cannot be new enough', async () => {
    port.beforeRead = () => {
      throw new NodeError('UNAVAILABLE', 'STALE_READ', 'The leader was heard of 9 s ago.', { retryAfterMs: 2001 });
    };
    const answer = await fetch(`${door.url}/api/v1/accounts/funds/balance`);
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '3']);
    expect(await answer.json()).toEqual({ message: 'The leader was heard of 9 s ago.', code: 'stale_read' });
  });
});

describe('GET /api/v1/accounts', () => {
  beforeEach(async () => {
    for (const name of ['A', 'B', 'C']) await open({ name });
  });

  const names = ([status, body]: [number, Json]): unknown[] => [
    status,
    (body['accounts'] as { name: string }[]).map(({ name }) => name),
  ];

  test('goes through all in pages', async () => {
    const first = await get('/api/v1/accounts?page_size=2');
    expect(names(first)).toEqual([200, ['A', 'B']]);
    const second = await get(`/api/v1/accounts?page_size=2&page_token=${String(first[1]['next_page_token'])}`);
    expect(names(second)).toEqual([200, ['C']]);
    expect(second[1]).toMatchObject({ next_page_token: '', offset: 2, token: port.position().token });
    expect(names(await get('/api/v1/accounts?ledger=USD'))).toEqual([200, ['A', 'B', 'C']]);
  });

  test.each([
    ['page_size=1001', 400, 'page_too_large'],
    ['page_size=x', 400, 'query_invalid'],
    ['page_token=x', 400, 'page_token_invalid'],
    ['ledger=GBP', 404, 'ledger_not_found'],
  ])('?%s is %i %s', async (query, status, code) => {
    expect(await get(`/api/v1/accounts?${query}`)).toMatchObject([status, { code }]);
  });
});
