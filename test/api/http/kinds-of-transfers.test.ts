import { HttpDoorUnderTest } from '../../support/doors';
import { SingleNodePort } from '../../support/single-node-port';

const A = 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11';
const B = 'b0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11';
const PAYMENT = { from: 'Alice', to: 'Bob', amount: '5', request_id: A };

let port: SingleNodePort;
let door: HttpDoorUnderTest;

beforeEach(async () => {
  port = new SingleNodePort();
  port.createUsd({ autoOpen: true });
  door = await new HttpDoorUnderTest(port).listen();
  await send('POST', '/accounts', { name: 'funds', no_min_balance: true });
  await send('POST', '/transfers', { from: 'funds', to: 'Alice', amount: '10', request_id: 'c'.repeat(32) });
});

afterEach(async () => {
  await door.close();
  expect(door.unforeseen.errors).toEqual([]);
});

type Json = Readonly<Record<string, unknown>>;

async function send(
  method: string,
  path: string,
  body: object,
): Promise<{ status: number; body: Json; again: boolean }> {
  const answer = await fetch(`${door.url}/api/v1${path}`, { method, body: JSON.stringify(body) });
  const again = answer.headers.get('idempotency-replayed') === 'true';
  return { status: answer.status, body: (await answer.json()) as Json, again };
}

const post = (path: string, body: object): ReturnType<typeof send> => send('POST', path, body);

async function look(id: string): Promise<Json> {
  return (await (await fetch(`${door.url}/api/v1/transfers/${id}`)).json()) as Json;
}

describe('a payment that holds', () => {
  const HOLD = { ...PAYMENT, kind: 'pending', timeout_ms: 60_000 };

  test('is posted in part, and a repeat of either is the first answer again', async () => {
    const made = await post('/transfers', HOLD);
    expect(made).toEqual({
      status: 201,
      again: false,
      body: {
        ...{ request_id: A, kind: 'pending', result: 'ok', from: 'Alice', to: 'Bob', ledger: 'USD' },
        ...{ amount_moved: '0.00', amount_held: '5.00', offset: 2 },
        ...{ timestamp: expect.any(Number) as number, token: expect.any(String) as string },
      },
    });
    const view = await look(A);
    expect(view['hold']).toEqual({
      amount: '5.00',
      status: 'pending',
      expires_at: (view['timestamp'] as number) + 60_000_000,
      resolved_by: null,
    });
    const posted = await post(`/transfers/${A}/post`, { request_id: 'ship-1', amount: '3' });
    expect(posted).toMatchObject({
      status: 201,
      body: { kind: 'post', from: 'Alice', to: 'Bob', amount_moved: '3.00' },
    });
    const again = await post(`/transfers/${A.toUpperCase()}/post`, { request_id: 'ship-1', amount: '3.00' });
    expect(again).toMatchObject({ again: true, body: { offset: posted.body['offset'], amount_moved: '3.00' } });
    expect(await post('/transfers', HOLD)).toMatchObject({ status: 201, again: true, body: { amount_held: '5.00' } });
    expect(await look(A)).toMatchObject({ timeout_ms: 60_000, hold: { status: 'posted', resolved_by: 'ship-1' } });
    expect(await look('ship-1')).toMatchObject({ pending_id: A, reverses: null, hold: null });
    expect(port.posted('Bob')).toBe('3.00');
  });

  test('is voided once, and not posted after that', async () => {
    await post('/transfers', HOLD);
    expect(await post(`/transfers/${A}/void`, { request_id: 'v', amount: '1' })).toMatchObject({
      status: 400,
      body: { code: 'amount_not_allowed' },
    });
    expect(await post(`/transfers/${A}/void`, { request_id: 'v' })).toMatchObject({
      status: 201,
      body: { kind: 'void', amount_moved: '0.00', amount_held: '0.00' },
    });
    expect(await post(`/transfers/${A}/post`, { request_id: 'p' })).toMatchObject({
      status: 422,
      body: { code: 'pending_transfer_already_voided' },
    });
  });
});

test('a payment may balance, and carry what the ledger keeps', async () => {
  const kept = { code: 7, user_data: '18446744073709551615', metadata: 'bQ==', effective_time: 1_500_000_000_000_000 };
  expect(await post('/transfers', { ...PAYMENT, amount: '1e2', balancing: true, ...kept })).toMatchObject({
    status: 201,
    body: { amount_moved: '10.00' },
  });
  expect(await look(A)).toMatchObject({ ...kept, amount: '100.00', amount_moved: '10.00', balancing: true });
});

test.each<[string, object]>([
  ['json_invalid', { kind: 'other' }],
  ['json_invalid', { timeout_ms: '1' }],
  ['json_invalid', { code: -1 }],
  ['json_invalid', { code: 2 ** 32 }],
  ['json_invalid', { effective_time: 0.5 }],
  ['json_invalid', { balancing: 'yes' }],
  ['timeout_invalid', { timeout_ms: 5 }],
  ['pending_id_invalid', { kind: 'post' }],
])('a payment is refused: %s %j', async (code, fault) => {
  expect(await post('/transfers', { ...PAYMENT, ...fault })).toMatchObject({ status: 400, body: { code } });
});

test('a transfer is reversed, in parts, and both ends name each other', async () => {
  await post('/transfers', PAYMENT);
  expect(await post(`/transfers/${A}/reverse`, { request_id: B, amount: '4' })).toMatchObject({
    status: 201,
    body: { kind: 'reversal', from: 'Bob', to: 'Alice', amount_moved: '4.00' },
  });
  expect(await post(`/transfers/${A}/reverse`, { request_id: 'r' })).toMatchObject({
    status: 422,
    body: { code: 'reversed_transfer_amount_exceeded' },
  });
  expect(await look(A)).toMatchObject({ reversed_by: [B] });
  expect(await look(B)).toMatchObject({ kind: 'reversal', reverses: A });
});

describe('a transaction', () => {
  const sale = (id: string, ...transfers: object[]): object => ({ id, transfers });
  const step = (id: string, from: string, to: string, amount: string): object => ({
    ...{ request_id: id, from, to, amount, ledger: 'USD' },
  });

  test('does all of it, once', async () => {
    const body = sale('sale-1', step(A, 'Alice', 'Shop', '10'), step('fee', 'Shop', 'Fees', '0.30'));
    const done = await post('/transactions', body);
    expect(done).toMatchObject({
      status: 201,
      again: false,
      body: {
        ...{ id: 'sale-1', result: 'ok' },
        transfers: [
          { request_id: A, amount_moved: '10.00', offset: 2 },
          { request_id: 'fee', to: 'Fees', offset: 3 },
        ],
      },
    });
    const again = await post('/transactions', body);
    expect(again).toMatchObject({ status: 201, again: true, body: { transfers: done.body['transfers'] } });
    expect(await look('fee')).toMatchObject({ transaction: 'sale-1' });
    expect(port.posted('Shop')).toBe('9.70');
  });

  test('does nothing of it where one fails, and says which', async () => {
    const body = sale('sale-1', step(A, 'Alice', 'Shop', '1'), step(B, 'Alice', 'Shop', '9.01'));
    const refused = await post('/transactions', body);
    expect(refused).toMatchObject({
      status: 422,
      body: {
        ...{ code: 'insufficient_funds', id: 'sale-1' },
        transfers: [{ result: 'linked_transfer_failed' }, { request_id: B, result: 'insufficient_funds' }],
      },
    });
    expect(await post('/transactions', body)).toMatchObject({ status: 422, again: true });
    expect(port.posted('Alice')).toBe('10.00');
    expect(port.posted('Shop')).toBeUndefined();
  });

  test('holds and posts in one', async () => {
    const hold = { ...step(A, 'Alice', 'Shop', '10'), kind: 'pending' };
    const body = sale('g', hold, { request_id: B, kind: 'post', pending_id: A, amount: '2' });
    expect(await post('/transactions', body)).toMatchObject({
      status: 201,
      body: { transfers: [{ amount_held: '10.00' }, { kind: 'post', amount_moved: '2.00', amount_held: '0.00' }] },
    });
    expect(port.posted('Shop')).toBe('2.00');
  });

  test.each<[number, string, object]>([
    [400, 'json_invalid', { id: 'g' }],
    [400, 'json_invalid', { id: 'g', transfers: {} }],
    [400, 'json_invalid', { id: 'g', transfers: [5] }],
    [400, 'group_invalid', { transfers: [] }],
    [400, 'group_invalid', { id: 'x'.repeat(65), transfers: [step(A, 'Alice', 'Shop', '1')] }],
    [400, 'batch_empty', { id: 'g', transfers: [] }],
    [400, 'amount_invalid', { id: 'g', transfers: [step(A, 'Alice', 'Shop', '1'), step(B, 'Alice', 'Shop', '1e1')] }],
    [409, 'exists', { id: 'g', transfers: [step('c'.repeat(32), 'funds', 'Alice', '10')] }],
  ])('is refused: %s %s %j', async (status, code, body) => {
    expect(await post('/transactions', body)).toMatchObject({ status, body: { code } });
  });
});

describe('PATCH /api/v1/accounts/{name}', () => {
  const patch = (body: object): ReturnType<typeof send> => send('PATCH', '/accounts/%20Alice', body);

  test('closes, opens again, and changes limits', async () => {
    const changed = await patch({ closed: true, min_balance: '-5', max_balance: '20' });
    const limits = { min_balance: '-5.00', max_balance: '20.00' };
    expect(changed).toMatchObject({ status: 200, body: { name: 'Alice', closed: true, ...limits } });
    expect(await post('/transfers', PAYMENT)).toMatchObject({ status: 422, body: { code: 'debit_account_closed' } });
    expect(await patch({ closed: false, min_balance: null, max_balance: 'default' })).toMatchObject({
      status: 200,
      body: { closed: false, min_balance: null, max_balance: null },
    });
    expect(await patch({ min_balance: 'default' })).toMatchObject({ body: { min_balance: '0.00' } });
  });

  test.each<[number, string, object]>([
    [400, 'change_empty', {}],
    [400, 'json_invalid', { max_balance: 5 }],
    [400, 'json_invalid', { closed: 'yes' }],
    [400, 'json_invalid', { closed: null, max_balance: '20' }],
    [400, 'limits_invalid', { max_balance: '-1' }],
    [422, 'limit_violated', { max_balance: '9.99' }],
  ])('is refused: %s %s %j', async (status, code, body) => {
    expect(await patch(body)).toMatchObject({ status, body: { code } });
  });

  test('a closed account stays closed when closed is null', async () => {
    await patch({ closed: true });
    expect(await patch({ closed: null, max_balance: '20' })).toMatchObject({ status: 400 });
    expect(await patch({ max_balance: '20' })).toMatchObject({ status: 200, body: { closed: true } });
  });

  test('of an account that is not there is refused, and other methods are named', async () => {
    expect(await send('PATCH', '/accounts/nobody', { closed: true })).toMatchObject({
      status: 422,
      body: { code: 'account_not_found' },
    });
    const answer = await fetch(`${door.url}/api/v1/accounts/Alice`, { method: 'POST', body: '{}' });
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET, HEAD, PATCH']);
  });
});

test('an account that is imported says when it was opened', async () => {
  const opened = await post('/accounts', { name: 'Old', imported_time: 1_400_000_000_000_000 });
  expect(opened).toMatchObject({ status: 201, body: { imported_time: 1_400_000_000_000_000 } });
});
