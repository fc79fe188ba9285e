import { HttpDoorUnderTest } from '../../support/doors';
import { SingleNodePort } from '../../support/single-node-port';

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

interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

async function post(path: string, body: object): Promise<Answer> {
  const answer = await fetch(`${door.url}/api/v1${path}`, { method: 'POST', body: JSON.stringify(body) });
  return { status: answer.status, body: (await answer.json()) as Answer['body'] };
}

const hash = (): string => port.status({ stateHash: true }).groups[0]!.stateHash!;

/** The answer of a transaction that is only rehearsed; nothing of it may remain. */
async function rehearse(transaction: object): Promise<Answer> {
  const before = [hash(), port.submitted.length];
  const answer = await post('/transactions', { ...transaction, dry_run: true });
  expect([hash(), port.submitted.length]).toEqual(before);
  return answer;
}

const step = (id: string, from: string, to: string, amount: string): object => ({
  ...{ request_id: id, from, to, amount, ledger: 'USD' },
});
const SALE = { id: 'sale-1', transfers: [step('a', 'Alice', 'Shop', '9'), step('b', 'Shop', 'Fees', '0.30')] };
const ZERO = { debits_posted: '0.00', credits_posted: '0.00', debits_pending: '0.00', credits_pending: '0.00' };

test('says what a transaction would come to, with the balances afterwards, and does nothing', async () => {
  const { offset, token } = port.position();
  const done = { result: 'ok', message: expect.any(String) as string, amount_held: '0.00' };
  expect(await rehearse(SALE)).toEqual({
    status: 200,
    body: {
      ...{ id: 'sale-1', dry_run: true, result: 'ok', message: expect.any(String) as string, replayed: false },
      transfers: [
        { request_id: 'a', ...done, amount_moved: '9.00' },
        { request_id: 'b', ...done, amount_moved: '0.30' },
      ],
      balances: [
        {
          ...{ account: 'Alice', ledger: 'USD', posted: '1.00', available: '1.00' },
          ...{ ...ZERO, debits_posted: '9.00', credits_posted: '10.00', version: 2 },
        },
        {
          ...{ account: 'Shop', ledger: 'USD', posted: '8.70', available: '8.70' },
          ...{ ...ZERO, debits_posted: '0.30', credits_posted: '9.00', version: 2 },
        },
        {
          ...{ account: 'Fees', ledger: 'USD', posted: '0.30', available: '0.30' },
          ...{ ...ZERO, credits_posted: '0.30', version: 1 },
        },
      ],
      ...{ offset, token },
    },
  });
  const [said, real] = [await rehearse(SALE), await post('/transactions', SALE)];
  expect(real).toMatchObject({ status: 201, body: { result: 'ok', transfers: [{ amount_moved: '9.00' }, {}] } });
  expect(port.posted('Alice')).toBe((said.body['balances'] as { posted: string }[])[0]!.posted);
});

test('a refusal is what it says, and the id stays free', async () => {
  const tooMuch = { id: 'sale-2', transfers: [step('a', 'Alice', 'Shop', '1'), step('b', 'Alice', 'Shop', '9.01')] };
  expect(await rehearse(tooMuch)).toMatchObject({
    status: 200,
    body: {
      result: 'insufficient_funds',
      transfers: [
        { request_id: 'a', result: 'linked_transfer_failed', amount_moved: null },
        { request_id: 'b', result: 'insufficient_funds', amount_moved: '0.00' },
      ],
      balances: [{ account: 'Alice', posted: '10.00' }],
    },
  });
  await post('/transfers', { from: 'funds', to: 'Alice', amount: '5', request_id: 'd'.repeat(32) });
  expect(await post('/transactions', tooMuch)).toMatchObject({ status: 201, body: { result: 'ok' } });
});

test('a fault of shape is a result, too', async () => {
  const bad = { id: 'sale-3', transfers: [step('a', 'Alice', 'Shop', '1'), step('b', 'Alice', 'Shop', '1e1')] };
  expect(await rehearse(bad)).toMatchObject({
    status: 200,
    body: {
      result: 'amount_invalid',
      transfers: [{ result: 'linked_transfer_failed' }, { result: 'amount_invalid', amount_moved: null }],
      balances: [],
    },
  });
});

test('what was done before is told as a repeat', async () => {
  await post('/transactions', SALE);
  expect(await rehearse(SALE)).toMatchObject({ status: 200, body: { result: 'ok', replayed: true } });
});

test('a hold is shown as one', async () => {
  const hold = { id: 'g', transfers: [{ ...step('h', 'Alice', 'Shop', '4'), kind: 'pending' }] };
  expect(await rehearse(hold)).toMatchObject({
    body: {
      transfers: [{ amount_moved: '0.00', amount_held: '4.00' }],
      balances: [{ available: '6.00', debits_pending: '4.00' }, { credits_pending: '4.00' }],
    },
  });
});

test('false and null do it; another value, and a body that has a fault, are refused', async () => {
  expect(await post('/transactions', { ...SALE, dry_run: 'true' })).toMatchObject({ status: 400 });
  expect(await post('/transactions', { ...SALE, transfers: [], dry_run: true })).toMatchObject({
    status: 400,
    body: { code: 'batch_empty' },
  });
  expect(port.posted('Shop')).toBeUndefined();
  expect(await post('/transactions', { ...SALE, dry_run: false })).toMatchObject({ status: 201 });
  expect(port.posted('Shop')).toBe('8.70');
});
