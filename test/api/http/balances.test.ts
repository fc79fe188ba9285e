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

async function post(path: string, body: object): Promise<void> {
  const answer = await fetch(`${door.url}/api/v1${path}`, { method: 'POST', body: JSON.stringify(body) });
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

describe('GET /api/v1/balances', () => {
  beforeEach(async () => {
    await post('/accounts', { name: 'funds', no_min_balance: true });
    await post('/accounts', { name: 'A' });
    await post('/transfers', {
      from: 'funds',
      to: 'A',
      amount: '9.50',
      request_id: 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
    });
  });

  test('looks several up in one state, in their order, one that is not there included', async () => {
    const { token } = port.position();
    const none = { ledger: null, posted: null, available: null, debits_posted: null, credits_posted: null };
    expect(await get('/api/v1/balances?account=A&account=nobody&account=%20funds')).toEqual([
      200,
      {
        balances: [
          {
            account: 'A',
            ledger: 'USD',
            ...ZERO,
            posted: '9.50',
            available: '9.50',
            credits_posted: '9.50',
            version: 1,
          },
          { account: 'nobody', ...none, debits_pending: null, credits_pending: null, version: 0 },
          {
            account: 'funds',
            ledger: 'USD',
            ...ZERO,
            posted: '-9.50',
            available: null,
            debits_posted: '9.50',
            version: 1,
          },
        ],
        ...{ offset: 2, token },
      },
    ]);
    expect(await get(`/api/v1/balances?account=A&consistency=at_least&token=${token}`)).toMatchObject([200, {}]);
  });

  test.each([
    [400, 'query_invalid', ''],
    [400, 'account_name_invalid', '?account='],
    [400, 'query_invalid', '?acount=A'],
    [400, 'page_too_large', `?${'account=A&'.repeat(1001)}`],
    [400, 'token_invalid', '?account=A&token=nonsense'],
  ])('%#: %i %s', async (status, code, query) => {
    expect(await get(`/api/v1/balances${query}`)).toMatchObject([status, { code }]);
  });
});
