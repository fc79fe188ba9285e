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
  await post('/accounts', { name: 'funds', no_min_balance: true });
  await post('/transfers', { from: 'funds', to: 'Alice', amount: '10', request_id: 'c'.repeat(32) });
});

afterEach(async () => {
  await door.close();
  expect(door.unforeseen.errors).toEqual([]);
});

type Json = Readonly<Record<string, unknown>>;

async function post(path: string, body: object): Promise<{ status: number; body: Json; again: boolean }> {
  const answer = await fetch(`${door.url}/api/v1${path}`, { method: 'POST', body: JSON.stringify(body) });
  const again = answer.headers.get('idempotency-replayed') === 'true';
  return { status: answer.status, body: (await answer.json()) as Json, again };
}

async function look(id: string): Promise<Json> {
  return (await (await fetch(`${door.url}/api/v1/transfers/${id}`)).json()) as Json;
}

describe('a payment that refers to another transfer', () => {
  const C = 'd0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11';

  test('reverses it, in parts, and not beyond it', async () => {
    await post('/transfers', PAYMENT);
    const whole = { from: 'Bob', to: 'Alice', amount: '4', ledger: 'USD', reverses: A, request_id: B };
    const done = await post('/transfers', whole);
    expect(done).toMatchObject({
      status: 201,
      again: false,
      body: { request_id: B, kind: 'reversal', result: 'ok', from: 'Bob', to: 'Alice', amount_moved: '4.00' },
    });
    expect(await post('/transfers', whole)).toMatchObject({ again: true, body: { offset: done.body['offset'] } });
    expect(await look(B)).toMatchObject({ kind: 'reversal', reverses: A });
    expect(await look(A)).toMatchObject({ reversed_by: [B] });
    expect(await post('/transfers', { ...whole, request_id: C })).toMatchObject({
      status: 422,
      body: { code: 'reversed_transfer_amount_exceeded' },
    });
    // What it leaves out is that of the transfer that it reverses: here all of it, which is too much by now.
    expect(await post('/transfers', { reverses: A, request_id: C })).toMatchObject({
      status: 422,
      body: { code: 'reversed_transfer_amount_exceeded' },
    });
    expect([port.posted('Alice'), port.posted('Bob')]).toEqual(['9.00', '1.00']);
  });

  test('is not a payment to the parties of the one that it reverses, in their order', async () => {
    await post('/transfers', PAYMENT);
    expect(await post('/transfers', { ...PAYMENT, reverses: A, request_id: B })).toMatchObject({
      status: 422,
      body: { code: 'reversed_transfer_has_different_accounts' },
    });
    expect(port.posted('Bob')).toBe('5.00');
  });

  test('posts and voids a hold, as the path does', async () => {
    await post('/transfers', { ...PAYMENT, kind: 'pending' });
    expect(await post('/transfers', { kind: 'post', pending_id: A, amount: '2', request_id: B })).toMatchObject({
      status: 201,
      body: { request_id: B, kind: 'post', from: 'Alice', to: 'Bob', amount_moved: '2.00' },
    });
    const again = await post(`/transfers/${A}/post`, { amount: '2.00', request_id: B });
    expect(again).toMatchObject({ status: 201, again: true });
    expect(await post('/transfers', { kind: 'void', pending_id: A, request_id: C })).toMatchObject({
      status: 422,
      body: { code: 'pending_transfer_already_posted' },
    });
    expect(port.posted('Bob')).toBe('2.00');
  });

  const FOLLOWS: [string, object][] = [
    ['pending_id_invalid', { kind: 'post' }],
    ['pending_id_invalid', { pending_id: A }],
    ['pending_id_invalid', { kind: 'pending', pending_id: A }],
    ['pending_id_invalid', { reverses: A, pending_id: A }],
    ['reverses_invalid', { kind: 'pending', reverses: A }],
    ['reverses_invalid', { kind: 'post', pending_id: A, reverses: A }],
    ['reverses_invalid', { reverses: 'x'.repeat(65) }],
    // No id is not the same as no field: it would be a payment of its own.
    ['reverses_invalid', { reverses: '' }],
    ['pending_id_invalid', { pending_id: '' }],
    ['pending_id_invalid', { kind: 'post', pending_id: '' }],
    ['balancing_not_allowed', { reverses: A, balancing: true }],
    ['timeout_invalid', { reverses: A, timeout_ms: 5 }],
    ['amount_not_allowed', { kind: 'void', pending_id: A }],
    ['amount_invalid', { reverses: A, amount: '1e1' }],
    ['accounts_must_be_different', { reverses: A, to: 'Alice' }],
  ];
  test.each(FOLLOWS)('is refused as in a transaction: %s %j', async (code, fault) => {
    const transfer = { ...PAYMENT, request_id: B, ...fault };
    expect(await post('/transfers', transfer)).toMatchObject({ status: 400, body: { code } });
    expect(await post('/transactions', { id: 'g', transfers: [transfer] })).toMatchObject({
      status: 400,
      body: { code },
    });
  });

  test('has a UUID of its own, as every payment here', async () => {
    expect(await post('/transfers', { reverses: A, request_id: 'r' })).toMatchObject({
      status: 400,
      body: { code: 'request_id_invalid' },
    });
  });

  test.each<object>([
    { kind: 'void' },
    { kind: 'post' },
    { pending_id: B },
    { reverses: A },
    { timeout_ms: 5 },
    { balancing: true },
  ])('in the path leaves no room for %j in the body', async (field) => {
    await post('/transfers', { ...PAYMENT, kind: 'pending' });
    const writes = port.submitted.length;
    expect(await post(`/transfers/${A}/post`, { request_id: B, ...field })).toMatchObject({
      status: 400,
      body: { code: 'field_unknown' },
    });
    expect(port.submitted).toHaveLength(writes);
  });
});
